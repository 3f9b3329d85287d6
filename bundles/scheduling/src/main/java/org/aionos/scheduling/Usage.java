package org.aionos.scheduling;

import java.util.Arrays;

/** Slot time of the last window, to a twelfth of it. */
final class Usage {

  private static final int BUCKETS = 12;

  private final long[] slotMillis = new long[BUCKETS];
  private long newest = Long.MIN_VALUE;
  private long widthMillis;

  void add(long fromMillis, long toMillis, int slots, long windowMillis) {
    long width = width(windowMillis);
    long from = Math.max(fromMillis, toMillis - windowMillis);
    while (from < toMillis) {
      long bucket = Math.floorDiv(from, width);
      long end = Math.min(toMillis, (bucket + 1) * width);
      turnTo(bucket);
      slotMillis[(int) Math.floorMod(bucket, (long) BUCKETS)] += slots * (end - from);
      from = end;
    }
  }

  long slotMillis(long nowMillis, long windowMillis) {
    turnTo(Math.floorDiv(nowMillis, width(windowMillis)));
    long sum = 0;
    for (long each : slotMillis) {
      sum += each;
    }
    return sum;
  }

  private long width(long windowMillis) {
    long width = Math.max(1, windowMillis / BUCKETS);
    if (width != widthMillis) {
      // Another window: what was counted is in buckets of another size.
      Arrays.fill(slotMillis, 0);
      newest = Long.MIN_VALUE;
      widthMillis = width;
    }
    return width;
  }

  private void turnTo(long bucket) {
    if (bucket <= newest) {
      return;
    }
    long first = newest == Long.MIN_VALUE ? bucket - BUCKETS + 1 : newest + 1;
    for (long each = Math.max(first, bucket - BUCKETS + 1); each <= bucket; each++) {
      slotMillis[(int) Math.floorMod(each, (long) BUCKETS)] = 0;
    }
    newest = bucket;
  }
}
