package org.aionos.scheduling;

import static java.util.Objects.requireNonNull;

import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;

/**
 * A task, as far as the choice of its time is concerned.
 *
 * @param agent name within the tenant
 * @param priority 0 to 9, within the agent; a higher one goes first
 * @param submittedMillis when it was first asked for; stays the same through retries and restarts
 * @param notBeforeMillis does not run earlier; 0 for no such bound
 * @param preemptible whether it can be frozen while it runs
 * @param resumable whether it has run before and goes on where it was: it is resumed, not started
 * @param slaMillis once half of this has passed since it was submitted, and it does not run, it is
 *     moved up one tier, once; null for never
 */
public record Job(
    Key key,
    String agent,
    Tier tier,
    int priority,
    long submittedMillis,
    long notBeforeMillis,
    boolean preemptible,
    boolean resumable,
    @Nullable Long slaMillis) {

  public static final int PRIORITY_MAX = 9;

  public Job {
    requireNonNull(key, "key");
    requireNonNull(agent, "agent");
    requireNonNull(tier, "tier");
    if (priority < 0 || priority > PRIORITY_MAX) {
      throw new IllegalArgumentException("priority must be 0 to 9: " + priority);
    }
    if (slaMillis != null && slaMillis <= 0) {
      throw new IllegalArgumentException("slaMillis must be positive: " + slaMillis);
    }
  }
}
