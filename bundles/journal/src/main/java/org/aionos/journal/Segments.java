package org.aionos.journal;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/** The files of the journal, oldest first; the last is being written. Safe for many threads. */
final class Segments {

  private final ConcurrentSkipListMap<Long, Segment> byFirst = new ConcurrentSkipListMap<>();
  private final ReadWriteLock deletion = new ReentrantReadWriteLock();

  Segments(Collection<Segment> segments) {
    segments.forEach(this::add);
  }

  void add(Segment segment) {
    byFirst.put(segment.first(), segment);
  }

  void remove(Segment segment) {
    byFirst.remove(segment.first());
  }

  List<Segment> oldestFirst() {
    return new ArrayList<>(byFirst.values());
  }

  List<Segment> newestFirst() {
    return new ArrayList<>(byFirst.descendingMap().values());
  }

  /** Those that hold a record or later ones, oldest first. */
  List<Segment> from(long sequence) {
    Long start = byFirst.floorKey(sequence);
    return new ArrayList<>(
        start == null ? byFirst.values() : byFirst.tailMap(start, true).values());
  }

  /** The one that holds a record, if any does. */
  @Nullable Segment holding(long sequence) {
    Map.Entry<Long, Segment> found = byFirst.floorEntry(sequence);
    return found == null ? null : found.getValue();
  }

  long firstSequence() {
    return byFirst.firstEntry().getValue().first();
  }

  long bytes() {
    long bytes = 0;
    for (Segment segment : byFirst.values()) {
      bytes += segment.length();
    }
    return bytes;
  }

  /** Held by whoever reads files: while it is, none is deleted. Writers never take it. */
  Lock reading() {
    return deletion.readLock();
  }

  /** Held by whoever deletes files. */
  Lock deleting() {
    return deletion.writeLock();
  }
}
