package org.aionos.scheduler;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.jspecify.annotations.Nullable;

/**
 * How long the latest tasks of each agent took, from submission to their end. Of the agents heard
 * of last alone; begins anew with the kernel. Safe for use by many threads.
 */
final class Latencies {

  private static final int TASKS = 100;
  private static final int AGENTS_MAX = 1_000;

  private final Map<AgentId, long[]> rings =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<AgentId, long[]> eldest) {
          return size() > AGENTS_MAX;
        }
      };

  synchronized void add(AgentId agent, long millis) {
    long[] ring = rings.computeIfAbsent(agent, first -> new long[TASKS + 1]);
    int count = (int) ring[TASKS];
    ring[count % TASKS] = millis;
    ring[TASKS] = count + 1;
  }

  /** The 95th percentile by nearest rank; null if nothing has ended yet. */
  synchronized @Nullable Long p95Millis(AgentId agent) {
    long[] ring = rings.get(agent);
    if (ring == null) {
      return null;
    }
    int count = (int) Math.min(TASKS, ring[TASKS]);
    long[] sorted = Arrays.copyOf(ring, count);
    Arrays.sort(sorted);
    return sorted[(count * 95 + 99) / 100 - 1];
  }
}
