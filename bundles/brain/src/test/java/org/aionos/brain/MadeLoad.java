package org.aionos.brain;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.task.Tier;
import org.aionos.scheduling.Rules;

/**
 * A busy hour that is made up of a seed: short urgent tasks, ordinary ones, and a flood of long
 * ones of two tenants that do not mind to wait.
 */
final class MadeLoad {

  static final int SLOTS = 4;

  private MadeLoad() {}

  /** A policy of turns that does the wrong thing: the low queue first, and slices far too long. */
  static Rules bad() {
    Rules standard = Rules.of(SLOTS);
    return new Order(Map.of(Tier.HIGH, 1, Tier.NORMAL, 3, Tier.LOW, 8), 600_000, 60_000, 30_000)
        .over(standard);
  }

  static Load busy(long seed) {
    return busy(seed, Load.TASKS_MAX);
  }

  static Load busy(long seed, int count) {
    SplittableRandom random = new SplittableRandom(seed);
    List<Load.Task> tasks = new ArrayList<>();
    long at = 0;
    for (int i = 0; i < count; i++) {
      at += exponential(random, 900);
      tasks.add(task(random, at));
    }
    return new Load(tasks);
  }

  private static Load.Task task(SplittableRandom random, long at) {
    int kind = random.nextInt(100);
    if (kind < 45) {
      return new Load.Task(
          at, agent(random, "acme", 2), Tier.HIGH, 8, 50 + exponential(random, 400), false);
    }
    if (kind < 80) {
      String tenant = random.nextInt(3) == 0 ? "beta" : "core";
      return new Load.Task(
          at, agent(random, tenant, 3), Tier.NORMAL, 5, 100 + exponential(random, 2_500), true);
    }
    String tenant = random.nextInt(4) == 0 ? "beta" : "dune";
    return new Load.Task(
        at, agent(random, tenant, 2), Tier.LOW, 1, 1_000 + exponential(random, 11_000), true);
  }

  private static AgentId agent(SplittableRandom random, String tenant, int count) {
    return new AgentId(tenant, "agent-" + random.nextInt(count));
  }

  private static long exponential(SplittableRandom random, double mean) {
    return Math.round(-Math.log(1 - random.nextDouble()) * mean);
  }
}
