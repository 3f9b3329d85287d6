package org.aionos.journal;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.aionos.journal.FrameInput.Found;
import org.aionos.kernel.Journal.Event;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the end of the chain on disk, whatever state the files are in.
 *
 * <p>A record that a crash tore is at the very end: nothing whole follows it, and no checkpoint
 * covers it, for a checkpoint is signed after the disk has what it covers. It is cut off. Anything
 * else that is not as it was written is a fault: the files stay as they are, for verification and
 * for whoever has to find out, and a new segment begins behind the highest number ever seen, linked
 * to the last good hash. So no audit id is given out twice.
 */
final class Recovery {

  private static final Logger log = LoggerFactory.getLogger(Recovery.class);

  static final String TOPIC = "kernel.journal";

  /** How far behind the last good record a number is believed. */
  private static final long LOST_MAX = 1L << 32;

  /** Stops a file that was made to look like endless beginnings of records. */
  private static final long SALVAGE_BYTES_MAX = 4L << 30;

  /**
   * Where the chain ends.
   *
   * @param time of the last record
   */
  record End(Segment segment, long sequence, String head, Instant time) {}

  /**
   * @param notes what the journal has to record about it
   */
  record Outcome(Segments segments, End end, List<Event> notes) {}

  private final Path folder;
  private final Disk disk;
  private final @Nullable Checkpoint checkpoint;
  private final List<Segment> segments = new ArrayList<>();
  private final List<Path> unreadable = new ArrayList<>();
  private final List<Event> notes = new ArrayList<>();

  private Recovery(Path folder, Disk disk, @Nullable Checkpoint checkpoint) {
    this.folder = folder;
    this.disk = disk;
    this.checkpoint = checkpoint;
  }

  /**
   * Brings a folder into a state in which it can be written.
   *
   * @param checkpoint the newest with a good signature
   */
  static Outcome in(Path folder, Disk disk, @Nullable Checkpoint checkpoint) throws IOException {
    Recovery recovery = new Recovery(folder, disk, checkpoint);
    recovery.readHeaders();
    End end = recovery.end();
    return new Outcome(new Segments(recovery.segments), end, recovery.notes);
  }

  private void readHeaders() throws IOException {
    List<Path> files = Segment.filesIn(folder);
    for (Path file : files) {
      boolean last = file.equals(files.get(files.size() - 1));
      if (last && Files.size(file) < Format.HEADER_BYTES) {
        log.warn("journal segment was only begun, deleting it: segment={}", file.getFileName());
        disk.delete(file);
        continue;
      }
      Optional<SegmentHeader> header =
          Segment.headerOf(file)
              .filter(found -> found.first() == Segment.firstByName(file).orElse(-1L));
      if (header.isPresent()) {
        segments.add(new Segment(file, header.get(), Files.size(file)));
      } else {
        unreadable.add(file);
      }
    }
  }

  private End end() throws IOException {
    if (segments.isEmpty()) {
      long highest = highest(0, null);
      if (highest > 0) {
        noteFault("no segment can be read", 0, highest);
      }
      return begin(highest, Format.GENESIS, Instant.EPOCH);
    }
    Segment last = segments.remove(segments.size() - 1);
    Walked walked = walk(last);
    End end = walked.end;
    segments.add(end.segment());
    long torn = walked.bytesBehind;
    long highest = highest(end.sequence(), torn > 0 ? end.segment() : null);
    if (highest > end.sequence()) {
      noteFault(last.name(), end.sequence(), highest);
      return begin(highest, end.head(), end.time());
    }
    if (torn > 0) {
      noteTorn(last.name(), end.sequence(), torn);
    }
    return end;
  }

  private End begin(long after, String previous, Instant time) throws IOException {
    Segment segment = AppendLog.begin(disk, folder, new SegmentHeader(after + 1, previous));
    segments.add(segment);
    return new End(segment, after, previous, time);
  }

  /**
   * @param bytesBehind what stands behind the end, not counting room that was made for more
   */
  private record Walked(End end, long bytesBehind) {}

  /** Goes through a segment up to its last good record. */
  private static Walked walk(Segment segment) throws IOException {
    BlockIndex index = new BlockIndex();
    Instant time = Instant.EPOCH;
    SegmentHeader header = segment.header();
    try (ChainWalk walk = new ChainWalk(segment.file(), header, segment.length())) {
      long begin = walk.end();
      while (walk.next() == Found.FRAME) {
        index.add(walk.sequence(), begin);
        begin = walk.end();
        time = Payload.time(walk.bytes(), walk.payloadAt());
      }
      Segment good = new Segment(segment.file(), header, walk.end());
      good.index(index);
      return new Walked(new End(good, walk.sequence(), walk.head(), time), walk.bytesBehind());
    }
  }

  /** The highest number that was ever given to a record, as far as can be told. */
  private long highest(long good, @Nullable Segment torn) throws IOException {
    long highest = checkpoint == null ? good : Math.max(good, checkpoint.sequence());
    if (torn != null) {
      highest = Math.max(highest, salvage(torn.file(), torn.length(), good));
    }
    for (Path file : unreadable) {
      long first = Segment.firstByName(file).orElse(0L);
      if (first > good && first - good < LOST_MAX) {
        highest = Math.max(highest, first);
      }
      highest = Math.max(highest, salvage(file, 0, good));
    }
    return highest;
  }

  /** The highest number of a whole record found anywhere behind a place; 0 if there is none. */
  private static long salvage(Path file, long from, long good) throws IOException {
    byte[] rest = rest(file, from);
    CRC32C crc = new CRC32C();
    long highest = 0;
    long looked = 0;
    for (int at = 0; at + Format.PAYLOAD_AT < rest.length && looked < SALVAGE_BYTES_MAX; at++) {
      int length = Format.intAt(rest, at);
      int payload = at + Format.PAYLOAD_AT;
      if (length <= 0 || length > rest.length - payload) {
        continue;
      }
      long sequence = Payload.sequence(rest, payload, length);
      if (sequence > good && sequence - good < LOST_MAX) {
        looked += length;
        if (FrameInput.checksumHolds(crc, rest, at, length)) {
          highest = Math.max(highest, sequence);
        }
      }
    }
    return highest;
  }

  private static byte[] rest(Path file, long from) throws IOException {
    try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "r")) {
      opened.seek(from);
      byte[] rest =
          new byte[(int) Math.min(2 * Settings.SEGMENT_BYTES_MAX, opened.length() - from)];
      opened.readFully(rest);
      return rest;
    }
  }

  private void noteTorn(String segment, long sequence, long bytes) {
    log.warn(
        "journal end was torn, cut off: segment={} bytes={} sequence={}", segment, bytes, sequence);
    notes.add(
        new Event(
            TOPIC,
            "journal.recovered",
            null,
            Map.of("segment", segment, "bytes", bytes, "after_sequence", sequence)));
  }

  private void noteFault(String where, long sequence, long highest) {
    log.error(
        "journal is not as it was written: segment={} after={} to={}", where, sequence, highest);
    notes.add(
        new Event(
            TOPIC,
            "journal.fault",
            null,
            Map.of("segment", where, "after_sequence", sequence, "lost_up_to", highest)));
  }
}
