package org.aionos.probes;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;

/**
 * What was counted of some processes.
 *
 * @param buckets of timed calls: how many took less than 1, 2, 4, 8 … microseconds, and not less
 *     than the bucket before
 */
record Counts(
    long calls,
    long denied,
    long readBytes,
    long writtenBytes,
    long timedCalls,
    long timedNanos,
    long slowCalls,
    List<Long> buckets) {

  static final int BUCKETS = 32;

  static final Counts NONE = new Counts(0, 0, 0, 0, 0, 0, 0, Collections.nCopies(BUCKETS, 0L));

  static Counts read(Fields words) throws InvalidDocument {
    List<Long> buckets = new ArrayList<>();
    if (words.value("buckets") instanceof List<?> numbers) {
      for (Object number : numbers) {
        if (number instanceof Number count) {
          buckets.add(count.longValue());
        }
      }
    }
    if (buckets.size() != BUCKETS) {
      throw words.invalid("buckets", "must be " + BUCKETS + " numbers");
    }
    return new Counts(
        number(words, "calls"),
        number(words, "denied"),
        number(words, "read_bytes"),
        number(words, "written_bytes"),
        number(words, "timed_calls"),
        number(words, "timed_ns"),
        number(words, "slow_calls"),
        buckets);
  }

  private static long number(Fields words, String name) throws InvalidDocument {
    return words.wholeNumber(name, 0, 0, Long.MAX_VALUE);
  }

  Counts plus(Counts other) {
    return combined(other, 1);
  }

  Counts minus(Counts other) {
    return combined(other, -1);
  }

  private Counts combined(Counts other, int sign) {
    List<Long> sums = new ArrayList<>();
    for (int i = 0; i < BUCKETS; i++) {
      sums.add(buckets.get(i) + sign * other.buckets.get(i));
    }
    return new Counts(
        calls + sign * other.calls,
        denied + sign * other.denied,
        readBytes + sign * other.readBytes,
        writtenBytes + sign * other.writtenBytes,
        timedCalls + sign * other.timedCalls,
        timedNanos + sign * other.timedNanos,
        slowCalls + sign * other.slowCalls,
        sums);
  }

  /** The upper bound of the bucket in which 99 % of the timed calls are reached; 0 for none. */
  long microsP99() {
    long reached = 0;
    for (int i = 0; i < BUCKETS; i++) {
      reached += buckets.get(i);
      if (timedCalls > 0 && reached * 100 >= timedCalls * 99) {
        return 1L << i;
      }
    }
    return 0;
  }
}
