package org.aionos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.scheduler.FakeLauncher.FakeAgent;
import org.aionos.scheduler.FakeLauncher.FakeDoors;
import org.aionos.scheduler.FaultyTasks.Fault;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tasks, agents, a store that fails, and kernels that stop and die, in any order. Whatever happens,
 * every task that was taken ends, no call is carried out twice, and nothing is left behind.
 */
class SimulationTest {

  private static final List<String> METHODS =
      List.of("find", "replace", "claim", "append", "log", "renew", "cut", "list", "add");
  private static final int CALLS = 4;

  @TempDir Path folder;
  private final Map<FakeAgent, Integer> made = new HashMap<>();
  private final Set<Key> keys = new HashSet<>();
  private final Map<Object, Integer> carriedOut = new ConcurrentHashMap<>();
  private World world;
  private Random random;

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
  void every_task_ends_and_nothing_is_done_twice(int block) {
    for (long seed = block * 6L; seed < block * 6L + 6; seed++) {
      live(seed);
    }
  }

  private void live(long seed) {
    random = new Random(seed);
    made.clear();
    keys.clear();
    carriedOut.clear();
    try (World each = new World(folder.resolve("w" + seed))) {
      world = each;
      each.settings(
          "slots: 3\nminimum_runtime_ms: 0\nslice_ms: 10\nlimits: {frozen_max: 1}\n"
              + "retry: {attempts_max: 3, backoff_ms: 100}\n");
      each.router.handler =
          syscall -> {
            carriedOut.merge(syscall.params().get("n"), 1, Integer::sum);
            return Outcome.Ok.ofKernel("x", Map.of());
          };
      each.start();
      each.approve();
      for (int step = 0; step < 120; step++) {
        step();
      }
      each.store.faults = method -> Fault.NONE;
      each.doors = new FakeDoors();
      Poll.until(() -> "seed " + seed + ": the end of all: " + unended(), this::haveAllEnded);
      check(seed);
    }
  }

  private void step() {
    switch (random.nextInt(16)) {
      case 0, 1 -> submit();
      case 2, 3, 4, 5, 6, 7 -> agents();
      case 8, 9 -> world.advance(Duration.ofMillis(random.nextInt(2_000)));
      case 10 -> fault();
      case 11 -> randomKey(key -> world.scheduler.cancel(key, random.nextBoolean(), "olga"));
      case 12 -> randomKey(key -> world.scheduler.replay(key, "olga"));
      case 13 -> world.doors = random.nextInt(3) == 0 ? null : new FakeDoors();
      case 14 -> {
        if (random.nextInt(4) == 0) {
          world.killAndStart();
        }
      }
      default -> {
        if (random.nextInt(6) == 0) {
          world.stopAndStart();
        }
      }
    }
    world.wake();
    // So that the scheduler's threads are sometimes here and sometimes there.
    LockSupport.parkNanos(random.nextInt(400_000));
  }

  private void submit() {
    Key key = new Key("acme", "t" + keys.size());
    keys.add(key);
    try {
      if (random.nextBoolean()) {
        world.launch(key.id(), random.nextInt(10));
      } else {
        Object[] values = new Object[CALLS];
        for (int i = 0; i < CALLS; i++) {
          values[i] = key.id() + "#" + i;
        }
        world.workflow(key.id(), random.nextInt(10), values);
      }
    } catch (Refused away) {
      assertThat(away.problem().code()).isEqualTo(Code.BACKEND_UNAVAILABLE);
    }
  }

  private void fault() {
    String method = METHODS.get(random.nextInt(METHODS.size()));
    Fault fault = random.nextBoolean() ? Fault.BEFORE : Fault.AFTER;
    AtomicInteger calls = new AtomicInteger(random.nextInt(4));
    int until = -1 - random.nextInt(3);
    world.store.faults =
        called -> {
          if (!called.equals(method)) {
            return Fault.NONE;
          }
          int left = calls.getAndDecrement();
          return left <= 0 && left > until ? fault : Fault.NONE;
        };
  }

  private void randomKey(Consumer<Key> step) {
    if (keys.isEmpty()) {
      return;
    }
    try {
      step.accept(new Key("acme", "t" + random.nextInt(keys.size())));
    } catch (Refused refused) {
      assertThat(refused.problem().code())
          .isIn(Code.BACKEND_UNAVAILABLE, Code.NOT_FOUND, Code.CONFLICT);
    }
  }

  /** Each agent that runs goes on a little. */
  private void agents() {
    for (FakeAgent agent : world.launcher.agents) {
      if (!agent.gone && !agent.frozen && random.nextInt(3) > 0) {
        goOn(agent);
      }
    }
  }

  private void goOn(FakeAgent agent) {
    int next = made.getOrDefault(agent, 0);
    if (agent.stopped || next == CALLS) {
      agent.exit(0);
    } else if (random.nextInt(25) == 0) {
      agent.exit(random.nextBoolean() ? 1 : null);
    } else {
      Key key = new Key("acme", agent.launch.environment().get("AION_TASK_ID"));
      Code told = world.callOf(key, key.id() + "#" + next).outcome().code();
      assertThat(told)
          .isIn(
              Code.OK,
              Code.BACKEND_UNAVAILABLE,
              Code.JOURNAL_UNAVAILABLE,
              Code.OUTCOME_UNKNOWN,
              Code.CONFLICT);
      if (told == Code.OK) {
        made.put(agent, next + 1);
      } else if (told != Code.BACKEND_UNAVAILABLE) {
        agent.exit(1);
      }
    }
  }

  private boolean haveAllEnded() {
    for (FakeAgent agent : world.launcher.agents) {
      if (!agent.gone && !agent.frozen) {
        goOn(agent);
      }
    }
    world.advance(Duration.ofMillis(300));
    return unended().isEmpty();
  }

  private List<Work> unended() {
    return keys.stream()
        .flatMap(key -> world.tasks.find(key).stream())
        .map(Work::of)
        .filter(work -> !work.state().isEnded())
        .toList();
  }

  private void check(long seed) {
    carriedOut.forEach(
        (value, times) -> assertThat(times).as("seed %s: %s", seed, value).isEqualTo(1));
    for (Key key : keys) {
      world
          .tasks
          .find(key)
          .map(Work::of)
          .ifPresent(
              work -> {
                assertThat(String.valueOf(work.progress().end))
                    .as("seed %s: %s", seed, work)
                    .doesNotContain("KERNEL_FAULT");
                if (work.state() == TaskState.SUCCEEDED) {
                  for (int i = 0; i < CALLS; i++) {
                    assertThat(carriedOut)
                        .as("seed %s: %s", seed, work)
                        .containsKey(key.id() + "#" + i);
                  }
                }
              });
    }
    Poll.until(
        () -> "seed " + seed + ": nothing runs: " + world.scheduler.queues(),
        () -> {
          world.advance(Duration.ofMillis(300));
          return world.launcher.alive() == 0
              && world.scheduler.queues().frozen() == 0
              && world.scheduler.processes(null).isEmpty()
              && world.scheduler.queues().running().values().stream().allMatch(n -> n == 0);
        });
  }
}
