package org.aionos.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.Tier;
import org.junit.jupiter.api.Test;

/**
 * Random histories of a kernel, each from one seed. {@code -Daion.seed=17} plays one alone, {@code
 * -Daion.histories=1000000} more of them.
 */
final class SimulationTest {

  private static final int HISTORIES = Integer.getInteger("aion.histories", 10_000);
  private static final Long SEED = Long.getLong("aion.seed");
  private static final String[] TENANTS = {"acme", "beta", "core"};
  private static final String[] AGENTS = {"reader", "writer"};

  @Test
  void whatever_happens_no_task_is_lost_doubled_or_starved_and_no_limit_exceeded() {
    long preempts = 0;
    long crashes = 0;
    long starts = 0;
    for (long seed = SEED == null ? 1 : SEED; seed <= (SEED == null ? HISTORIES : SEED); seed++) {
      World world = play(seed);
      starts += world.starts;
      preempts += world.preempts;
      crashes += world.crashes;
    }
    // A simulation in which nothing happens proves nothing.
    long histories = SEED == null ? HISTORIES : 1;
    assertThat(starts).isGreaterThan(histories * 10);
    if (histories > 100) {
      assertThat(preempts).isGreaterThan(histories);
      assertThat(crashes).isGreaterThan(histories / 4);
    }
  }

  private static World play(long seed) {
    try {
      World world = history(seed);
      world.run(Long.MAX_VALUE);
      for (World.Task task : world.tasks.values()) {
        assertThat(task.hasEnded()).as("%s has ended", task.job).isTrue();
        assertThat(task.completions).isEqualTo(task.phase == World.Phase.DONE ? 1 : 0);
      }
      return world;
    } catch (AssertionError | RuntimeException failure) {
      throw new AssertionError("-Daion.seed=" + seed + ": " + failure.getMessage(), failure);
    }
  }

  private static World history(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    World world = new World(random.nextLong(), rules(random));
    world.freezeFailures = random.nextBoolean() ? 0 : random.nextInt(500);
    int jobs = 5 + random.nextInt(25);
    long span = 1 + random.nextLong(20_000);
    for (int number = 0; number < jobs; number++) {
      submitLater(world, random, number, random.nextLong(span));
    }
    for (int number = random.nextInt(12); number > 0; number--) {
      at(world, random, span, () -> disturb(world));
    }
    // However slots, quotas and holds were changed, in the end all can run.
    world.at(
        2 * span,
        () -> {
          world.change(atLeastOneEach(world.rules));
          for (String tenant : TENANTS) {
            world.hold(tenant, null, 0);
            for (String agent : AGENTS) {
              world.hold(tenant, agent, 0);
            }
          }
        });
    return world;
  }

  private static void at(World world, SplittableRandom random, long span, Runnable then) {
    world.at(random.nextLong(2 * span), then);
  }

  private static void submitLater(World world, SplittableRandom random, int number, long atMillis) {
    Job job = job(random, number, atMillis);
    // From a few milliseconds to several slices.
    long work = 1 + random.nextLong(1L << (3 + random.nextInt(9)));
    int failures = random.nextInt(5) == 0 ? 1 + random.nextInt(2) : 0;
    world.at(atMillis, () -> world.submit(job, work, failures));
    for (long at = atMillis; random.nextInt(3) == 0; at += random.nextLong(2_000)) {
      world.at(at + 1, () -> world.save(world.tasks.get(job.key())));
    }
  }

  private static Job job(SplittableRandom random, int number, long atMillis) {
    return new Job(
        new Key(TENANTS[random.nextInt(TENANTS.length)], "task-" + number),
        AGENTS[random.nextInt(AGENTS.length)],
        Tier.values()[random.nextInt(3)],
        random.nextInt(10),
        atMillis,
        random.nextInt(6) == 0 ? atMillis + random.nextLong(3_000) : 0,
        random.nextInt(5) != 0,
        false,
        random.nextInt(4) == 0 ? 1 + random.nextLong(8_000) : null);
  }

  private static void disturb(World world) {
    SplittableRandom random = world.random;
    List<World.Task> tasks = new ArrayList<>(world.tasks.values());
    World.Task task = tasks.isEmpty() ? null : tasks.get(random.nextInt(tasks.size()));
    String tenant = TENANTS[random.nextInt(TENANTS.length)];
    String agent = random.nextBoolean() ? null : AGENTS[random.nextInt(AGENTS.length)];
    switch (random.nextInt(8)) {
      case 0 -> world.crash();
      case 1, 2 -> world.change(rules(random));
      case 3, 4 -> world.hold(tenant, agent, world.now + random.nextLong(5_000));
      case 5 -> world.hold(tenant, agent, 0);
      case 6 -> tasks.stream().filter(each -> each == task).forEach(world::cancel);
      default -> tasks.stream().filter(each -> each == task).forEach(world::evict);
    }
  }

  private static Rules rules(SplittableRandom random) {
    Map<String, Rules.Quota> tenants = new HashMap<>();
    Map<Rules.Agent, Rules.Quota> agents = new HashMap<>();
    for (String tenant : TENANTS) {
      if (random.nextBoolean()) {
        tenants.put(tenant, quota(random));
      }
      for (String agent : AGENTS) {
        if (random.nextInt(3) == 0) {
          agents.put(new Rules.Agent(tenant, agent), quota(random));
        }
      }
    }
    return new Rules(
        random.nextInt(5),
        Map.of(
            Tier.HIGH, 1 + random.nextInt(9),
            Tier.NORMAL, 1 + random.nextInt(9),
            Tier.LOW, 1 + random.nextInt(9)),
        tenants,
        Rules.Quota.NONE,
        agents,
        Rules.Quota.NONE,
        1_000 + random.nextLong(60_000),
        random.nextInt(4) == 0 ? 0 : random.nextLong(500),
        1 + random.nextLong(1_000),
        random.nextLong(5_000),
        1 + random.nextLong(1_000),
        random.nextInt(10));
  }

  private static Rules.Quota quota(SplittableRandom random) {
    return new Rules.Quota(1 + random.nextInt(5), random.nextInt(4));
  }

  private static Rules atLeastOneEach(Rules rules) {
    return new Rules(
        Math.max(1, rules.slots()),
        rules.tierWeights(),
        Map.of(),
        Rules.Quota.NONE,
        Map.of(),
        new Rules.Quota(1, 1),
        rules.windowMillis(),
        rules.minimumRuntimeMillis(),
        rules.sliceMillis(),
        rules.ageingMillis(),
        rules.spareMillis(),
        rules.frozenMax());
  }
}
