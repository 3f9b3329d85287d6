package org.aionos.brain;

import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;

/**
 * What became of a load under one policy of turns.
 *
 * @param queues of those that had tasks
 * @param worstTenant whose tasks were slowed down most, on average
 * @param whole false if it was broken off: the figures are of what had happened until then
 * @param worstSlowdown by how much: the time from submission to end by the time it ran
 */
record Played(
    int tasks,
    Map<Tier, Waits> queues,
    String worstTenant,
    double worstSlowdown,
    long preemptions,
    boolean whole) {

  /**
   * From submission to the first slot.
   *
   * @param p95Millis by nearest rank
   */
  record Waits(int tasks, long p50Millis, long p95Millis, long maxMillis) {}

  /**
   * As JSON values by name.
   *
   * @param tenant how the tenant is to be written
   */
  Map<String, @Nullable Object> values(String tenant) {
    Map<String, @Nullable Object> written = new LinkedHashMap<>();
    for (Map.Entry<Tier, Waits> each : queues.entrySet()) {
      Map<String, Object> waits = new LinkedHashMap<>();
      waits.put("tasks", each.getValue().tasks());
      waits.put("wait_p50_ms", each.getValue().p50Millis());
      waits.put("wait_p95_ms", each.getValue().p95Millis());
      waits.put("wait_max_ms", each.getValue().maxMillis());
      written.put(each.getKey().written(), waits);
    }
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("queues", written);
    values.put("worst_tenant", tenant);
    values.put("worst_slowdown", Math.round(worstSlowdown * 100) / 100.0);
    values.put("preemptions", preemptions);
    return values;
  }

  Map<String, @Nullable Object> values() {
    return values(worstTenant);
  }
}
