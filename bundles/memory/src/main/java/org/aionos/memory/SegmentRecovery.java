package org.aionos.memory;

import java.io.IOException;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;
import org.aionos.kernel.memory.ObjectStore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings index and segments together when memory is opened. */
final class SegmentRecovery {

  private static final Logger log = LoggerFactory.getLogger(SegmentRecovery.class);

  private static final int ITEMS_AT_ONCE = 2_000;
  private static final int NAMES_AT_ONCE = 1_000;

  private final SegmentFiles files;
  private final EpisodicIndex index;
  private final @Nullable ObjectStore objects;
  private final OpenSegments open;
  private final InstantSource clock;

  SegmentRecovery(
      SegmentFiles files,
      EpisodicIndex index,
      @Nullable ObjectStore objects,
      OpenSegments open,
      InstantSource clock) {
    this.files = files;
    this.index = index;
    this.objects = objects;
    this.open = open;
    this.clock = clock;
  }

  /**
   * Reads what segments have and the index has not.
   *
   * @return false if the index is no use: there is none, or it knows of what is not there
   */
  boolean recover() throws IOException {
    if (!index.isComplete()) {
      return false;
    }
    for (EpisodicIndex.Promise each : index.promises()) {
      files.redo(each.segment(), each.end(), each.lines());
    }
    // As the index knows them, before it learns more.
    Map<String, Long> lastChanges = new HashMap<>();
    index.totals().forEach((tenant, totals) -> lastChanges.put(tenant, totals.lastChange()));
    SortedMap<SegmentId, Long> sizes = files.all();
    for (Segment segment : index.segments()) {
      Long size = sizes.remove(segment.id());
      if (!isAsKnown(segment, size)) {
        log.error("a segment is not what the index says; all are read again: {}", segment.id());
        return false;
      }
    }
    for (SegmentId id : sizes.keySet()) {
      if (id.firstChange() > lastChanges.getOrDefault(id.agent().tenant(), 0L)) {
        readTail(Segment.begun(id, clock.instant()), sizes.get(id));
      } else {
        // A copy that was not finished, or one that was to be deleted.
        files.delete(id);
      }
    }
    for (EpisodicIndex.Promise each : index.promises()) {
      index.forgetPromises(each.segment().agent().tenant());
    }
    open.waitingBytes().set(waiting());
    return true;
  }

  private boolean isAsKnown(Segment segment, @Nullable Long size) throws IOException {
    if (size == null) {
      if (segment.isLocal() && segment.state() == Segment.State.UPLOADED) {
        put(segment.is(Segment.State.UPLOADED, false));
      }
      return !segment.isLocal() || !segment.waits();
    }
    if (size < segment.length()) {
      if (segment.waits()) {
        return false;
      }
      files.delete(segment.id());
      put(segment.is(segment.state(), false));
    } else if (segment.state() == Segment.State.OPEN) {
      readTail(segment, size);
    } else if (!segment.isLocal()) {
      files.delete(segment.id());
    }
    return true;
  }

  private void put(Segment segment) {
    try (EpisodicIndex.Writing writing = index.write(segment.id().agent().tenant())) {
      writing.put(segment);
      writing.commit();
    }
  }

  private void readTail(Segment segment, long size) throws IOException {
    byte[] tail =
        files.read(segment.id(), segment.length(), (int) (size - segment.length())).orElseThrow();
    long end = apply(segment, tail);
    if (end == 0) {
      files.delete(segment.id());
      return;
    }
    if (end < size) {
      files.truncate(segment.id(), end);
    }
    open.opened(segment.id());
  }

  /** The end of what is whole. */
  private long apply(Segment segment, byte[] bytes) {
    SegmentId id = segment.id();
    SegmentLines.Read read = SegmentLines.read(bytes, segment.length());
    if (read.end() == 0) {
      return 0;
    }
    EpisodicIndex.Writing writing = index.write(id.agent().tenant());
    try {
      writing.put(segment);
      for (SegmentLines.Line line : read.lines()) {
        writing.apply(id, line);
        if (writing.size() == ITEMS_AT_ONCE) {
          writing.commit();
          writing.close();
          writing = index.write(id.agent().tenant());
        }
      }
      writing.put(writing.segment(id).until(read.end()));
      writing.commit();
    } finally {
      writing.close();
    }
    return read.end();
  }

  /** Makes the index anew of all segments, here and in the object store. */
  void rebuild() throws IOException {
    index.clear();
    SortedMap<SegmentId, Long> here = files.all();
    Set<SegmentId> there = uploaded();
    Set<SegmentId> all = new TreeSet<>(here.keySet());
    all.addAll(there);
    for (SegmentId id : all) {
      read(id, here.get(id), there.contains(id));
    }
    index.complete();
    open.waitingBytes().set(waiting());
    if (!all.isEmpty()) {
      log.info("the index of episodic memory was made anew: segments={}", all.size());
    }
  }

  private void read(SegmentId id, @Nullable Long size, boolean isUploaded) throws IOException {
    Segment segment =
        Segment.begun(id, clock.instant())
            .is(isUploaded ? Segment.State.UPLOADED : Segment.State.SEALED, size != null);
    byte[] bytes = size == null ? download(id) : files.read(id, 0, size.intValue()).orElseThrow();
    long end = apply(segment, bytes);
    if (end < bytes.length) {
      // Of an open segment the last change may be torn; more is damage.
      log.warn("a segment is whole only in part: {} bytes={} of={}", id, end, bytes.length);
    }
    if (size != null && end == 0 && !isUploaded) {
      files.delete(id);
    }
  }

  private long waiting() {
    return index.segments().stream().filter(Segment::waits).mapToLong(Segment::length).sum();
  }

  private byte[] download(SegmentId id) throws IOException {
    return objects == null
        ? new byte[0]
        : objects
            .get(id.objectName())
            .orElseThrow(() -> new IOException("an object has gone while it was wanted: " + id));
  }

  private Set<SegmentId> uploaded() {
    Set<SegmentId> all = new TreeSet<>();
    if (objects == null) {
      return all;
    }
    String after = null;
    List<String> names;
    do {
      names = objects.names(SegmentId.TOP, after, NAMES_AT_ONCE);
      for (String name : names) {
        SegmentId.parse(name).ifPresent(all::add);
        after = name;
      }
    } while (!names.isEmpty());
    return all;
  }
}
