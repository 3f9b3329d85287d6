package org.aionos.router;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.SyscallHandler;
import org.aionos.kernel.task.Budgets;
import org.aionos.kernel.task.TaskCalls;

/**
 * One seed is one life of the router: handlers come, go, fail and throw; policy and journal too.
 */
final class RouterSimulationTest {

  @Property(tries = 150)
  void every_syscall_on_record_is_ended_exactly_once_and_every_caller_is_told_once(
      @ForAll long seed) throws IOException {
    Path folder = Files.createTempDirectory("router");
    Life life = new Life(seed, folder);
    life.run(150);

    assertThat(life.ended()).as("seed %d", seed).isEqualTo(life.asked());
    assertThat(life.told).as("seed %d", seed).isEqualTo(life.calls);
    assertThat(life.wrong).as("seed %d", seed).isEmpty();
  }

  private static final class Life {

    private final SplittableRandom chance;
    private final FakeKernel kernel = new FakeKernel();
    private final HandlerTable handlers = new HandlerTable(Duration.ZERO);
    private final AtomicLong nanos = new AtomicLong();
    private final Watchdog watchdog = new Watchdog(nanos::get);
    private final Router router;
    private final Map<Long, Map<String, Object>> bound = new HashMap<>();
    private final List<String> wrong = new ArrayList<>();
    private long nextService;
    private int calls;
    private int told;

    Life(long seed, Path folder) {
      chance = new SplittableRandom(seed);
      router =
          new Router(
              new Router.Limits(8, Duration.ofSeconds(1), Duration.ofSeconds(9), Duration.ZERO),
              kernel,
              kernel,
              new FakeApprovals(),
              handlers,
              new TaintedTasks(),
              Idempotency.open(folder, Duration.ofDays(1), 100, InstantSource.system()),
              syscall -> TaskCalls.Turn.NONE,
              (syscall, agent) -> Budgets.Reservation.NONE,
              watchdog,
              kernel,
              kernel,
              InstantSource.system(),
              nanos::get);
    }

    void run(int steps) {
      for (int i = 0; i < steps; i++) {
        nanos.addAndGet(chance.nextInt(1_000_000));
        switch (chance.nextInt(10)) {
          case 0 -> bind();
          case 1 -> unbind();
          case 2 -> kernel.denies = chance.nextBoolean();
          case 3 -> kernel.journalFails = chance.nextInt(4) == 0;
          case 4 ->
              kernel.agents.put(
                  FakeKernel.AGENT,
                  FakeKernel.agent(
                      FakeKernel.AGENT,
                      chance.nextInt(4) == 0
                          ? AgentProcess.State.STOPPED
                          : AgentProcess.State.ALIVE));
          default -> call();
        }
      }
      router.close();
      watchdog.close();
      call();
    }

    private void bind() {
      long id = nextService++;
      Map<String, Object> properties =
          Map.of(SyscallHandler.NAMES, "test." + chance.nextInt(3), "service.id", id);
      bound.put(id, properties);
      handlers.bindHandler(this::handler, properties);
    }

    private Outcome.Ok handler(org.aionos.kernel.Admitted call) throws InterruptedException {
      return switch (chance.nextInt(6)) {
        case 0 -> throw new Refused(Code.TOOL_FAILED, "no");
        case 1 -> throw new IllegalStateException("fault");
        case 2 -> throw new InterruptedException();
        default -> Outcome.Ok.ofKernel("test", Map.of());
      };
    }

    private void unbind() {
      bound.keySet().stream()
          .findFirst()
          .ifPresent(id -> handlers.unbindHandler(this::handler, bound.remove(id)));
    }

    private void call() {
      calls++;
      String key = chance.nextInt(3) == 0 ? "k" + chance.nextInt(5) : null;
      Syscall syscall =
          FakeKernel.call(
              "test." + chance.nextInt(3),
              Map.of(),
              new Syscall.Context(null, null, key),
              Syscall.Budget.NONE);
      try {
        router.handle(syscall, reply -> told++);
      } catch (RuntimeException thrown) {
        wrong.add("handle threw " + thrown);
      }
    }

    long asked() {
      return kernel.lines.stream().filter(line -> line.startsWith("asked")).count();
    }

    long ended() {
      return kernel.lines.stream().filter(line -> line.startsWith("ended")).count();
    }
  }
}
