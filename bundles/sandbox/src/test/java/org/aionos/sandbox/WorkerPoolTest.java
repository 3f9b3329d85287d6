package org.aionos.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolResult;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class WorkerPoolTest {

  private static final AgentId ONE = new AgentId("tenantA", "one");
  private static final AgentId TWO = new AgentId("tenantA", "two");
  private static final AgentId ABROAD = new AgentId("tenantB", "one");

  /** Says which of its calls it is; `slow` takes until it is killed, `crash` is a crash. */
  private static final String COUNTING =
      ShellCage.READY
          + """
          count=0
          while read -r call; do
            count=$((count + 1))
            case $call in *crash*) exit 3;; *slow*) exec sleep 30;; esac
            echo "{\\"result\\":{\\"call\\":$count}}"
          done
          """;

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final AtomicLong nanos = new AtomicLong();
  private final List<ShellCage> cages = new ArrayList<>();
  private boolean broken;

  private WorkerPool pool(int workersMax, int perToolMax, int callsMax) {
    return new WorkerPool(
        (program, agent) -> {
          if (broken) {
            throw new Refused(Code.TIER_UNAVAILABLE, "broken");
          }
          ShellCage cage = new ShellCage(COUNTING);
          synchronized (cages) {
            cages.add(cage);
          }
          return Worker.ready(
              program,
              cage,
              new Room(new Semaphore(2), System::nanoTime),
              Duration.ofSeconds(10),
              threads,
              System::nanoTime);
        },
        new WorkerPool.Bounds(workersMax, perToolMax, callsMax, Duration.ofSeconds(60)),
        nanos::get);
  }

  private static Program program(String name) {
    Limits limits = new Limits(50, 1 << 27, 32, 1 << 20, 1 << 20, Duration.ofSeconds(20));
    return new Program(
        name,
        List.of(name),
        Surroundings.ofTool(Path.of("/x")),
        Path.of("/x.bpf"),
        new SeccompProfile(0, List.of()),
        limits,
        Devices.Granted.NOTHING);
  }

  private static final Program TOOL = program("tool@1.0.0");
  private static final Program OTHER = program("other@1.0.0");

  private static int call(WorkerPool pool, Program program, AgentId agent, String how)
      throws Exception {
    ToolResult result =
        pool.call(
            program,
            agent,
            new ToolCall("sc-1", "tool", Map.of("how", how), Instant.EPOCH, null),
            new AttackTest.NoEffects());
    return (Integer) result.value().get("call");
  }

  @AfterEach
  void end() {
    cages.forEach(cage -> cage.end(Duration.ZERO));
    threads.shutdownNow();
  }

  private long running() {
    return cages.stream().filter(cage -> !cage.ended).count();
  }

  @Test
  void a_worker_serves_one_agent_with_one_tool() throws Exception {
    WorkerPool pool = pool(10, 10, 100);

    assertThat(call(pool, TOOL, ONE, "")).isEqualTo(1);
    assertThat(call(pool, TOOL, ONE, "")).isEqualTo(2);
    assertThat(call(pool, TOOL, TWO, "")).isEqualTo(1);
    assertThat(call(pool, TOOL, ABROAD, "")).isEqualTo(1);
    assertThat(call(pool, OTHER, ONE, "")).isEqualTo(1);
    assertThat(call(pool, TOOL, ONE, "")).isEqualTo(3);
    assertThat(pool.workers()).isEqualTo(4);
  }

  @Test
  void a_worker_is_replaced_after_so_many_calls() throws Exception {
    WorkerPool pool = pool(10, 10, 2);

    assertThat(call(pool, TOOL, ONE, "")).isEqualTo(1);
    assertThat(call(pool, TOOL, ONE, "")).isEqualTo(2);
    assertThat(call(pool, TOOL, ONE, "")).isEqualTo(1);
    assertThat(running()).isEqualTo(1);
  }

  @Test
  void a_worker_in_doubt_is_replaced() throws Exception {
    WorkerPool pool = pool(10, 10, 100);
    call(pool, TOOL, ONE, "");

    assertThatThrownBy(() -> call(pool, TOOL, ONE, "crash")).isInstanceOf(Refused.class);

    assertThat(pool.workers()).isZero();
    assertThat(running()).isZero();
    assertThat(call(pool, TOOL, ONE, "")).isEqualTo(1);
  }

  @Test
  void at_the_bound_the_longest_idle_gives_way() throws Exception {
    WorkerPool pool = pool(2, 2, 100);
    call(pool, TOOL, ONE, "");
    call(pool, TOOL, TWO, "");
    call(pool, TOOL, ONE, "");

    assertThat(call(pool, OTHER, ABROAD, "")).isEqualTo(1);

    assertThat(pool.workers()).isEqualTo(2);
    assertThat(running()).isEqualTo(2);
    assertThat(call(pool, TOOL, ONE, "")).as("used last, so kept").isEqualTo(3);
  }

  @Test
  void a_tool_at_its_own_bound_takes_its_own_place() throws Exception {
    WorkerPool pool = pool(10, 1, 100);
    call(pool, OTHER, ONE, "");
    call(pool, TOOL, ONE, "");

    assertThat(call(pool, TOOL, TWO, "")).isEqualTo(1);

    assertThat(pool.workers(TOOL)).isEqualTo(1);
    assertThat(call(pool, OTHER, ONE, "")).isEqualTo(2);
  }

  @Test
  void a_call_waits_while_all_places_are_busy() throws Exception {
    WorkerPool pool = pool(1, 1, 100);
    Thread slow = busy(pool);

    CompletableFuture<Integer> waiting =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return call(pool, TOOL, TWO, "");
              } catch (Exception failed) {
                throw new IllegalStateException(failed);
              }
            },
            threads);
    slow.interrupt();

    assertThat(waiting.get(20, TimeUnit.SECONDS)).isEqualTo(1);
    assertThat(running()).isEqualTo(1);
  }

  @Test
  void a_call_that_waits_ends_at_its_deadline() throws Exception {
    WorkerPool pool = pool(1, 1, 100);
    busy(pool);

    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> call(pool, TOOL, TWO, "")).isInstanceOf(InterruptedException.class);
    assertThat(pool.workers()).isEqualTo(1);
  }

  @Test
  void the_idle_are_ended_in_time() throws Exception {
    WorkerPool pool = pool(10, 10, 100);
    call(pool, TOOL, ONE, "");
    nanos.addAndGet(TimeUnit.SECONDS.toNanos(59));
    call(pool, TOOL, TWO, "");
    pool.retire();
    assertThat(pool.workers()).isEqualTo(2);

    nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
    pool.retire();

    assertThat(pool.workers()).isEqualTo(1);
    assertThat(running()).isEqualTo(1);
    assertThat(call(pool, TOOL, TWO, "")).isEqualTo(2);
  }

  @Test
  void a_tool_that_is_closed_is_ended_in_the_middle_of_a_call() throws Exception {
    WorkerPool pool = pool(10, 10, 100);
    call(pool, TOOL, ONE, "");
    call(pool, OTHER, ONE, "");
    busy(pool);

    pool.close(TOOL);

    assertThat(pool.workers(TOOL)).isZero();
    assertThat(running()).isEqualTo(1);
    assertThat(call(pool, OTHER, ONE, "")).isEqualTo(2);
  }

  @Test
  void a_start_that_fails_takes_no_place() throws Exception {
    WorkerPool pool = pool(1, 1, 100);
    broken = true;
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(() -> call(pool, TOOL, ONE, "")).isInstanceOf(Refused.class);
    }
    broken = false;

    assertThat(call(pool, TOOL, ONE, "")).isEqualTo(1);
  }

  /** A thread whose call takes long; returns once it is in its call. */
  private Thread busy(WorkerPool pool) {
    Thread thread =
        new Thread(
            () -> assertThatThrownBy(() -> call(pool, TOOL, ONE, "slow")).isNotNull(), "busy");
    thread.start();
    assertThat(
            Patience.await(
                Duration.ofSeconds(10),
                () -> {
                  synchronized (cages) {
                    return cages.stream().anyMatch(ShellCage::isSleeping);
                  }
                }))
        .isTrue();
    return thread;
  }
}
