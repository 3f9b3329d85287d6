package org.aionos.scheduling;

import java.util.Comparator;

/** Something that changes by time alone. */
final class Alarm extends Heap.Element {

  static final Comparator<Alarm> EARLIEST_FIRST =
      (one, other) -> {
        int order = Long.compare(one.atMillis, other.atMillis);
        return order != 0 ? order : Long.compare(one.number, other.number);
      };

  final long atMillis;
  final Runnable then;
  private final long number;

  /**
   * @param number among equal times the smaller goes first, so that a life can be played again
   */
  Alarm(long atMillis, long number, Runnable then) {
    this.atMillis = atMillis;
    this.number = number;
    this.then = then;
  }
}
