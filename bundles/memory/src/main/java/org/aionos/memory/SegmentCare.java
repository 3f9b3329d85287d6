package org.aionos.memory;

import java.io.IOException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.ObjectStore;
import org.aionos.kernel.memory.StoreUnavailable;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of segments after they were written.
 *
 * <p>A line that takes an item away is needed as long as an older segment of its agent may hold
 * that item: else it would be back when the index is made anew.
 */
final class SegmentCare {

  /** In one step; the rest is for the next. */
  private static final int DELETED_AT_ONCE = 100;

  private static final int DROPPED_AT_ONCE = 100;

  private final SegmentFiles files;
  private final EpisodicIndex index;
  private final @Nullable ObjectStore objects;
  private final EpisodicItems.Limits limits;
  private final OpenSegments open;
  private final SegmentReader reader;

  SegmentCare(
      SegmentFiles files,
      EpisodicIndex index,
      @Nullable ObjectStore objects,
      EpisodicItems.Limits limits,
      OpenSegments open,
      SegmentReader reader) {
    this.files = files;
    this.index = index;
    this.objects = objects;
    this.limits = limits;
    this.open = open;
    this.reader = reader;
  }

  /**
   * @throws StoreUnavailable if the object store is away; then the rest is for another time
   */
  void tend(Instant now) throws IOException {
    seal(now);
    rewrite();
    delete();
    upload();
    dropCopies();
  }

  // --- sealing --------------------------------------------------------------------------------

  private void seal(Instant now) {
    LocalDate today = LocalDate.ofInstant(now, ZoneOffset.UTC);
    long waiting = 0;
    for (Segment segment : index.segments()) {
      waiting += segment.waits() ? segment.length() : 0;
    }
    open.waitingBytes().set(waiting);
    // Many small ones can take as much room as a few large ones.
    boolean hurry = objects != null && waiting > limits.waitingBytesMax() / 2;
    for (Segment segment : index.segments()) {
      if (segment.state() == Segment.State.OPEN
          && (hurry
              || segment.length() >= limits.segmentBytesMax()
              || !segment.id().day().equals(today)
              || !now.isBefore(segment.begun().plus(limits.segmentAgeMax())))) {
        seal(segment.id());
      }
    }
  }

  private void seal(SegmentId id) {
    synchronized (open.turnOf(id.agent().tenant())) {
      change(
          id,
          segment -> segment.state() == Segment.State.OPEN,
          it -> it.is(Segment.State.SEALED, true));
      open.sealed(id);
      files.forget(id);
    }
  }

  /** In the turn of its tenant, as it is then. Whether it was as wanted. */
  private boolean change(SegmentId id, Predicate<Segment> which, UnaryOperator<Segment> change) {
    synchronized (open.turnOf(id.agent().tenant())) {
      Segment segment = index.segment(id).orElse(null);
      if (segment == null || !which.test(segment)) {
        return false;
      }
      try (EpisodicIndex.Writing writing = index.write(id.agent().tenant())) {
        writing.put(change.apply(segment));
        writing.commit();
      }
      return true;
    }
  }

  // --- uploading ------------------------------------------------------------------------------

  private void upload() throws IOException {
    if (objects == null) {
      return;
    }
    for (Segment segment : index.segments()) {
      if (segment.state() != Segment.State.SEALED) {
        continue;
      }
      byte[] lines = files.read(segment.id(), 0, (int) segment.length()).orElseThrow();
      objects.put(segment.id().objectName(), lines);
      change(
          segment.id(),
          still -> still.state() == Segment.State.SEALED,
          still -> still.is(Segment.State.UPLOADED, true));
      open.waitingBytes().addAndGet(-segment.length());
      if (Thread.currentThread().isInterrupted()) {
        return;
      }
    }
  }

  private void dropCopies() throws IOException {
    List<Segment> copies =
        index.segments().stream()
            .filter(each -> each.state() == Segment.State.UPLOADED && each.isLocal())
            .sorted(Comparator.comparing(Segment::begun))
            .toList();
    long bytes = copies.stream().mapToLong(Segment::length).sum();
    int dropped = 0;
    for (Segment copy : copies) {
      if (bytes <= limits.localBytesMax() || dropped++ == DROPPED_AT_ONCE) {
        return;
      }
      change(
          copy.id(),
          still -> still.state() == Segment.State.UPLOADED,
          still -> still.is(Segment.State.UPLOADED, false));
      deleteFile(copy.id());
      bytes -= copy.length();
    }
  }

  /** In the turn, since nobody may begin a segment in a folder that is just being deleted. */
  private void deleteFile(SegmentId id) throws IOException {
    synchronized (open.turnOf(id.agent().tenant())) {
      files.delete(id);
    }
  }

  // --- deleting -------------------------------------------------------------------------------

  private void delete() throws IOException {
    Map<AgentId, Long> oldest = oldest();
    List<SegmentId> doomed = new ArrayList<>();
    for (Segment segment : index.segments()) {
      boolean unwanted =
          segment.state() != Segment.State.OPEN
              && segment.live() == 0
              && (segment.removalBytes() == 0 || isOldest(segment, oldest));
      if (unwanted && doomed.size() < DELETED_AT_ONCE) {
        change(segment.id(), any -> true, any -> any.is(Segment.State.DOOMED, any.isLocal()));
        doomed.add(segment.id());
      }
    }
    if (doomed.isEmpty()) {
      return;
    }
    // After a power loss the index must not ask for what is gone.
    index.flush();
    for (SegmentId id : doomed) {
      if (objects != null) {
        objects.delete(id.objectName());
      }
      String tenant = id.agent().tenant();
      synchronized (open.turnOf(tenant)) {
        files.delete(id);
        try (EpisodicIndex.Writing writing = index.write(tenant)) {
          writing.forget(id);
          writing.commit();
        }
      }
    }
  }

  private Map<AgentId, Long> oldest() {
    Map<AgentId, Long> oldest = new HashMap<>();
    for (Segment each : index.segments()) {
      oldest.merge(each.id().agent(), each.id().firstChange(), Math::min);
    }
    return oldest;
  }

  private static boolean isOldest(Segment segment, Map<AgentId, Long> oldest) {
    return oldest.getOrDefault(segment.id().agent(), 0L) >= segment.id().firstChange();
  }

  // --- rewriting ------------------------------------------------------------------------------

  /** The one of which most is gone, if that is more than half. */
  private void rewrite() throws IOException {
    Map<AgentId, Long> oldest = oldest();
    Optional<Segment> worst =
        index.segments().stream()
            .filter(
                each ->
                    (each.state() == Segment.State.SEALED || each.state() == Segment.State.UPLOADED)
                        && kept(each, isOldest(each, oldest)) > 0
                        && kept(each, isOldest(each, oldest)) * 2 < each.length())
            .min(
                Comparator.comparingDouble(
                    each -> kept(each, isOldest(each, oldest)) / (double) each.length()));
    if (worst.isPresent()) {
      rewrite(worst.get(), isOldest(worst.get(), oldest));
    }
  }

  private static long kept(Segment segment, boolean isOldest) {
    return segment.liveBytes() + (isOldest ? 0 : segment.removalBytes());
  }

  private void rewrite(Segment old, boolean isOldest) throws IOException {
    byte[] bytes = reader.whole(old).orElse(null);
    if (bytes == null) {
      throw new IOException("a segment is missing: " + old.id());
    }
    List<SegmentLines.Line> lines = SegmentLines.read(bytes, 0).lines();
    String tenant = old.id().agent().tenant();
    synchronized (open.turnOf(tenant)) {
      List<SegmentLines.Line> wanted = new ArrayList<>();
      for (SegmentLines.Line line : lines) {
        EpisodicIndex.Entry entry = index.entry(line.place()).orElse(null);
        boolean isItem = line.item() != null;
        if (isItem ? stands(entry, old.id(), line) : entry == null && !isOldest) {
          wanted.add(line);
        }
      }
      SegmentLines copy = SegmentLines.copy(bytes, wanted);
      SegmentId id = SegmentId.of(old.id().agent(), old.id().day(), old.id().firstChange());
      files.write(id, copy.bytes());
      try (EpisodicIndex.Writing writing = index.write(tenant)) {
        writing.put(
            Segment.begun(id, old.begun())
                .is(Segment.State.SEALED, true)
                .until(copy.bytes().length));
        for (SegmentLines.Line line : copy.lines()) {
          EpisodicIndex.Entry entry = writing.entry(line.place()).orElse(null);
          if (line.item() == null || entry == null) {
            writing.put(writing.segment(id).plusRemoval(line.length()));
          } else {
            writing.move(line.place(), entry, id, line.offset(), line.length());
          }
        }
        writing.put(writing.segment(old.id()).emptied());
        writing.commit();
      }
      open.waitingBytes().addAndGet(copy.bytes().length);
    }
  }

  private static boolean stands(
      EpisodicIndex.@Nullable Entry entry, SegmentId in, SegmentLines.Line line) {
    return entry != null
        && entry.spot().segment().equals(in)
        && entry.spot().offset() == line.offset();
  }
}
