package org.aionos.memory;

import java.time.Instant;

/**
 * A file of lines, and what is known of it.
 *
 * @param isLocal whether a copy is on this disk
 * @param length of its lines, in bytes; what follows in the file was never acknowledged
 * @param live how many of its lines are items as they are now
 * @param liveBytes length of those
 * @param removalBytes length of lines that take an item away
 */
record Segment(
    SegmentId id,
    State state,
    boolean isLocal,
    long length,
    int live,
    long liveBytes,
    long removalBytes,
    Instant begun) {

  /** Kept by number: a new one goes to the end. */
  enum State {
    /** Lines are added. */
    OPEN,
    /** Complete, and on this disk alone. */
    SEALED,
    /** In the object store. */
    UPLOADED,
    /** Nobody wants it; it is being deleted. */
    DOOMED
  }

  static Segment begun(SegmentId id, Instant now) {
    return new Segment(id, State.OPEN, true, 0, 0, 0, 0, now);
  }

  Segment is(State next, boolean local) {
    return new Segment(id, next, local, length, live, liveBytes, removalBytes, begun);
  }

  Segment plus(int items, long itemBytes) {
    return new Segment(
        id, state, isLocal, length, live + items, liveBytes + itemBytes, removalBytes, begun);
  }

  Segment plusRemoval(long bytes) {
    return new Segment(id, state, isLocal, length, live, liveBytes, removalBytes + bytes, begun);
  }

  Segment until(long end) {
    return new Segment(id, state, isLocal, end, live, liveBytes, removalBytes, begun);
  }

  /** Nothing in it counts any more. */
  Segment emptied() {
    return new Segment(id, state, isLocal, length, 0, 0, 0, begun);
  }

  boolean waits() {
    return state == State.OPEN || state == State.SEALED;
  }
}
