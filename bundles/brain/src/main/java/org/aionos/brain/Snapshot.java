package org.aionos.brain;

import java.math.BigDecimal;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import org.aionos.kernel.task.Tier;

/**
 * Figures of a stretch of time: numbers, and names that were checked. No text that anybody else has
 * written is in it.
 *
 * @param measured whether this kernel has measured them itself; else somebody brought them
 * @param millis how long the stretch is
 * @param tenants by name
 */
record Snapshot(
    boolean measured,
    long millis,
    Map<Tier, QueueFigures> queues,
    Map<String, TenantFigures> tenants,
    Load load) {

  Snapshot {
    queues = Map.copyOf(queues);
    tenants = Collections.unmodifiableMap(new TreeMap<>(tenants));
  }

  /** Of a queue, at the end of the time. */
  record QueueFigures(long waiting, long running) {}

  /**
   * Of a tenant.
   *
   * @param failedByItself calls that the caller is to blame for
   * @param failedOtherwise calls that a tool, an operator or the kernel is to blame for
   * @param recentUsdPerHour at the rate of the last quarter of the time
   */
  record TenantFigures(
      long calls,
      long failedByItself,
      long failedOtherwise,
      long p50Millis,
      long p95Millis,
      BigDecimal costUsd,
      BigDecimal recentUsdPerHour) {

    double failedByItselfPercent() {
      return calls == 0 ? 0 : 100.0 * failedByItself / calls;
    }
  }
}
