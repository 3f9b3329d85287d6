package org.aionos.journal;

import java.util.TreeSet;

/**
 * Which calls have no outcome yet, and where the outcomes of recent calls stand. Safe for use by
 * many threads.
 */
final class Calls {

  /** More calls than a kernel runs at once; beyond it the oldest is taken for lost. */
  static final int OPEN_MAX = 1 << 16;

  /** The calls of about the last ten seconds of a very busy kernel; half a megabyte. */
  private static final int RECENT = 1 << 15;

  private final TreeSet<Long> open = new TreeSet<>();

  /** A call's place is its number modulo the size: a new call takes the place of an old one. */
  private final long[] asked = new long[RECENT];

  private final long[] ended = new long[RECENT];

  synchronized void began(long call) {
    open.add(call);
    if (open.size() > OPEN_MAX) {
      open.pollFirst();
    }
  }

  /** Notes that the outcome of a call stands in the file. */
  synchronized void ended(long call, long outcome) {
    open.remove(call);
    int place = (int) (call % RECENT);
    asked[place] = call;
    ended[place] = outcome;
  }

  /** Forgets calls whose intent never reached the file. */
  synchronized void forgetAfter(long sequence) {
    open.tailSet(sequence, false).clear();
  }

  /** Calls without an outcome, oldest first. */
  synchronized long[] open() {
    return open.stream().mapToLong(Long::longValue).toArray();
  }

  synchronized void forgetOpen() {
    open.clear();
  }

  synchronized long oldestOpen(long otherwise) {
    return open.isEmpty() ? otherwise : open.first();
  }

  synchronized boolean isOpen(long call) {
    return open.contains(call);
  }

  /** Where the outcome of a call stands; 0 if it is not remembered. */
  synchronized long outcomeOf(long call) {
    int place = (int) (call % RECENT);
    return asked[place] == call ? ended[place] : 0;
  }
}
