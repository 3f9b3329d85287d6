package org.aionos.brain;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.LinkedHashSet;
import java.util.List;

/** How far one proposal may go: performance twice or half, limits down to half. */
final class Steps {

  /** An absolute bound of a value, whoever proposes it. */
  record Bounds(long min, long max) {

    boolean contain(long value) {
      return value >= min && value <= max;
    }
  }

  static final Bounds WEIGHT = new Bounds(1, 1_000);
  static final Bounds SLICE_MILLIS = new Bounds(100, 3_600_000);
  static final Bounds AGEING_MILLIS = new Bounds(1_000, 86_400_000);
  static final Bounds MINIMUM_RUNTIME_MILLIS = new Bounds(50, 600_000);

  private Steps() {}

  /** The same, half, and double, as far as the bounds allow; in this order, each once. */
  static List<Long> around(long value, Bounds bounds) {
    LinkedHashSet<Long> values = new LinkedHashSet<>();
    values.add(value);
    for (long next : new long[] {half(value), value * 2}) {
      if (bounds.contain(next)) {
        values.add(next);
      }
    }
    return List.copyOf(values);
  }

  /** Whether one step leads from one value to the other: at least half, at most twice. */
  static boolean isOne(long from, long to) {
    return to >= half(from) && to <= Math.max(1, from * 2);
  }

  /** Half of it, rounded up: one stays one. */
  static long half(long value) {
    return (value + 1) / 2;
  }

  /** The least that a limit may be lowered to at once. */
  static BigDecimal half(BigDecimal limit) {
    return limit.divide(BigDecimal.valueOf(2), 6, RoundingMode.CEILING);
  }
}
