package org.aionos.gateway;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Token buckets by name: so many takings a second, and twice as many at once. The names used last
 * are kept; one that is forgotten begins with a full bucket.
 */
final class Buckets {

  /** More tenants or addresses than one kernel serves at a time; about 1 MiB. */
  private static final int NAMES_MAX = 10_000;

  private static final double NANOS = 1e9;

  private final double perSecond;
  private final double burst;
  private final LongSupplier nanoClock;
  private final Map<String, double[]> buckets =
      new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, double[]> eldest) {
          return size() > NAMES_MAX;
        }
      };

  Buckets(int perSecond, LongSupplier nanoClock) {
    this.perSecond = perSecond;
    this.burst = 2.0 * perSecond;
    this.nanoClock = nanoClock;
  }

  /** Takes one token; returns zero, or how long to wait for one. */
  synchronized Duration take(String name) {
    double now = nanoClock.getAsLong() / NANOS;
    double[] bucket = buckets.computeIfAbsent(name, absent -> new double[] {burst, now});
    bucket[0] = Math.min(burst, bucket[0] + (now - bucket[1]) * perSecond);
    bucket[1] = now;
    if (bucket[0] >= 1) {
      bucket[0] -= 1;
      return Duration.ZERO;
    }
    return Duration.ofNanos((long) Math.ceil((1 - bucket[0]) / perSecond * NANOS));
  }
}
