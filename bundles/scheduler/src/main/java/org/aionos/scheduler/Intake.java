package org.aionos.scheduler;

import java.util.EnumMap;
import java.util.Map;
import org.aionos.kernel.task.Tier;
import org.aionos.scheduling.Schedule;

/**
 * How many tasks of each queue a node takes out of the store. A kernel that is alone takes them
 * all: its board then knows the best order. One of several takes what it can run soon, for what it
 * holds nobody else can run.
 */
final class Intake {

  /** Of one call to the store. */
  private static final int TAKEN_MAX = 1_000;

  /** Enough to go on with while the next ones are fetched, if those before end at once. */
  private static final int AHEAD_LEAST = 4;

  /**
   * What waits for its tenant's quota, or for its time, gives no work to a node with a free slot.
   * So it takes more, up to so many of a queue; these are some megabytes.
   */
  private static final int WAITING_MAX = 1_000;

  private Intake() {}

  /**
   * @param stalled whether slots are free though all that could run was started
   */
  static Map<Tier, Integer> room(boolean shared, Schedule.Counts counts, boolean stalled) {
    Map<Tier, Integer> room = new EnumMap<>(Tier.class);
    int ahead = Math.max(AHEAD_LEAST, counts.slots());
    for (Tier tier : Tier.values()) {
      long waiting = counts.waiting().getOrDefault(tier, 0L);
      if (!shared) {
        room.put(tier, TAKEN_MAX);
      } else if (waiting <= ahead / 2) {
        room.put(tier, ahead - (int) waiting);
      } else if (stalled && waiting < WAITING_MAX) {
        room.put(tier, ahead);
      }
    }
    return room;
  }

  /** Whether slots are free after all was started that could be. */
  static boolean isStalled(Schedule.Counts counts) {
    long running = counts.running().values().stream().mapToLong(Long::longValue).sum();
    long waiting = counts.waiting().values().stream().mapToLong(Long::longValue).sum();
    return running < counts.slots() && waiting > 0;
  }
}
