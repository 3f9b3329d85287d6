package org.aionos.journal;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.aionos.kernel.Journal.Event;

/**
 * Deletes whole segments, oldest first, once they are too old or all together too large. Signs for
 * each cut before it makes it, so that a crash at any point leaves a journal that begins at an
 * anchor. Not for use by two threads at once.
 */
final class Retention {

  private final Settings settings;
  private final Disk disk;
  private final Segments segments;
  private final SignedFile anchors;

  Retention(Settings settings, Disk disk, Segments segments, SignedFile anchors) {
    this.settings = settings;
    this.disk = disk;
    this.segments = segments;
    this.anchors = anchors;
  }

  /** Deletes what is due, unless somebody is reading; returns what to record about it. */
  Optional<Event> prune(Instant now) throws IOException {
    if (!segments.deleting().tryLock()) {
      return Optional.empty();
    }
    try {
      List<Anchor> cuts = cuts(now);
      if (cuts.isEmpty()) {
        return Optional.empty();
      }
      for (Anchor cut : cuts) {
        anchors.append(cut.body());
      }
      return Optional.of(deleteBefore(cuts.get(cuts.size() - 1)));
    } finally {
      segments.deleting().unlock();
    }
  }

  /** An anchor for the end of each segment that is due. */
  private List<Anchor> cuts(Instant now) throws IOException {
    List<Segment> all = segments.oldestFirst();
    Instant oldest = now.minus(settings.retention());
    long bytes = segments.bytes();
    List<Anchor> cuts = new ArrayList<>();
    for (int at = 0; at + 1 < all.size(); at++) {
      Segment kept = all.get(at + 1);
      boolean old = kept.firstTime().map(time -> time.isBefore(oldest)).orElse(false);
      if (!old && bytes <= settings.retentionBytesMax()) {
        break;
      }
      String reason = old ? "age" : "size";
      cuts.add(new Anchor(kept.first(), kept.previous(), reason, now.toString()));
      bytes -= all.get(at).length();
    }
    return cuts;
  }

  private Event deleteBefore(Anchor cut) throws IOException {
    long count = 0;
    long bytes = 0;
    for (Segment segment : segments.oldestFirst()) {
      if (segment.first() < cut.first()) {
        segments.remove(segment);
        disk.delete(segment.file());
        count++;
        bytes += segment.length();
      }
    }
    anchors.keep(
        line -> Anchor.parse(line).map(anchor -> anchor.first() >= cut.first()).orElse(true));
    return new Event(
        Recovery.TOPIC,
        "journal.pruned",
        null,
        Map.of(
            "segments", count, "bytes", bytes, "first_kept", cut.first(), "reason", cut.reason()));
  }
}
