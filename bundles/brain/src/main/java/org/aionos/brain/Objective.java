package org.aionos.brain;

import java.util.Map;
import org.aionos.kernel.task.Tier;

/**
 * How good a policy of turns is for a load, beside the one in force: 1 is as good, less is better.
 *
 * <p>{@code 0.70 × Σ share(queue) × (p95 wait + 100 ms) / (p95 wait in force + 100 ms) + 0.25 ×
 * worst tenant's slowdown / that in force + 0.05 × (1 + (preemptions - those in force) / tasks)}.
 * The shares are high 5, normal 3, low 2, of the queues that have tasks. Waits are ratios, so that
 * seconds of one queue do not outweigh milliseconds of another, and what is added keeps the small
 * from counting. Preemptions are cheap (some milliseconds each), so they are counted by the task:
 * one more for each task is worth a twentieth.
 */
final class Objective {

  private static final Map<Tier, Double> SHARES =
      Map.of(Tier.HIGH, 5.0, Tier.NORMAL, 3.0, Tier.LOW, 2.0);

  private static final double WAITS = 0.70;
  private static final double SLOWDOWN = 0.25;
  private static final double PREEMPTIONS = 0.05;
  private static final double SMALL_WAIT_MILLIS = 100;

  private final Played inForce;

  Objective(Played inForce) {
    this.inForce = inForce;
  }

  double cost(Played other) {
    double morePreemptions =
        (double) (other.preemptions() - inForce.preemptions()) / Math.max(1, inForce.tasks());
    return WAITS * waits(other)
        + SLOWDOWN * other.worstSlowdown() / inForce.worstSlowdown()
        + PREEMPTIONS * (1 + morePreemptions);
  }

  private double waits(Played other) {
    double sum = 0;
    double shares = 0;
    for (Map.Entry<Tier, Played.Waits> each : inForce.queues().entrySet()) {
      Played.Waits waits = other.queues().get(each.getKey());
      double share = SHARES.getOrDefault(each.getKey(), 0.0);
      if (waits != null) {
        sum +=
            share
                * (waits.p95Millis() + SMALL_WAIT_MILLIS)
                / (each.getValue().p95Millis() + SMALL_WAIT_MILLIS);
        shares += share;
      }
    }
    return shares == 0 ? 1 : sum / shares;
  }
}
