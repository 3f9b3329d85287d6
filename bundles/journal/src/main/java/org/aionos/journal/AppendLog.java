package org.aionos.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.zip.CRC32C;
import org.aionos.kernel.Code;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The writing end of the journal. Safe for use by many threads.
 *
 * <p><b>{@code sync=process}.</b> Each thread writes its own record: that takes a few microseconds,
 * and to wait for another thread to do it takes more.
 *
 * <p><b>Group commit, {@code sync=always}.</b> Under {@code assigning}, held for about a
 * microsecond, a record gets its sequence number, its link in the chain and its place in the
 * pending batch. Whoever put the first record into a batch leads it: takes {@code writing} and
 * writes all that has gathered meanwhile. The others wait for the batch, not for the lock, and are
 * let go together; were they to queue for the lock, each would hold up the next and hardly two
 * records would share a force. So there is no writer thread, and no wake-up to lose: a batch with a
 * record in it has a leader.
 *
 * <p><b>Failure.</b> When a write fails, all records that were not written are lost: their writers
 * are refused, and the chain goes back to the last record written. From then on every record is
 * refused, until the file can be opened again and cut to that record.
 *
 * <p>Lock order: writing, assigning.
 */
final class AppendLog {

  private static final Logger log = LoggerFactory.getLogger(AppendLog.class);

  /** Often enough not to be noticed once the disk is well, seldom enough not to hurt a sick one. */
  private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Room for a few hundred records; a larger buffer is given back after its batch. */
  private static final int BUFFER_BYTES = 256 << 10;

  /** More is a clock that had run ahead and was set right; it must not falsify what follows. */
  private static final Duration STEP_BACK_MAX = Duration.ofSeconds(10);

  /**
   * How far the file has come.
   *
   * @param head hash of the last record, in hex
   */
  record Mark(long sequence, String head) {}

  /** Some ten microseconds, which is two writes. */
  private static final int SPINS = 300;

  private final Path folder;
  private final Settings settings;
  private final InstantSource clock;
  private final LongSupplier ticker;
  private final Disk disk;
  private final Segments segments;
  private final Calls calls;
  private final Tails tails;
  private final Meters.Counter records;
  private final Meters.Histogram writeMillis;

  private final ReentrantLock assigning = new ReentrantLock();
  private final ReentrantLock writing = new ReentrantLock();

  // Guarded by assigning.
  private final Chain chain;
  private final CRC32C crc = new CRC32C();
  private final TimeText times = new TimeText();
  private Instant lastTime;
  private Batch pending;

  // Set under both locks.
  private volatile boolean closed;
  private volatile boolean broken;

  // Guarded by writing.
  private final byte[] head = new byte[Format.HASH_BYTES];
  private byte @Nullable [] spare;
  private Segment segment;
  private Disk.Output output;
  private long retryAtNanos;

  /** Set under writing. */
  private volatile long written;

  /**
   * @param end where the chain ends in the last of the segments
   */
  AppendLog(
      Path folder,
      Settings settings,
      JournalStore.Surroundings given,
      Segments segments,
      Calls calls,
      Tails tails,
      Recovery.End end)
      throws IOException {
    this.folder = folder;
    this.settings = settings;
    this.clock = given.clock();
    this.ticker = given.ticker();
    this.disk = given.disk();
    this.segments = segments;
    this.calls = calls;
    this.tails = tails;
    Meters meters = given.meters();
    this.records = meters.counter("aion_journal_records_total", "Records written to the journal");
    this.writeMillis = meters.millis("aion_journal_write_ms", "Time of one write to the journal");
    this.chain = new Chain(end.head());
    this.chain.copyHead(head, 0);
    this.lastTime = end.time();
    this.written = end.sequence();
    this.pending = new Batch(written + 1, new byte[BUFFER_BYTES]);
    this.segment = end.segment();
    this.output = disk.resume(segment.file(), segment.length());
  }

  /**
   * Adds a record, and returns its sequence number once it stands in the file.
   *
   * @throws Refused {@code JOURNAL_UNAVAILABLE} or {@code RESTARTING}: it does not stand there
   */
  long append(Draft draft) {
    if (broken && !closed) {
      reopen();
    }
    return settings.sync() == Sync.PROCESS ? appendAlone(draft) : appendTogether(draft);
  }

  /** Writes the record by itself: a write costs less than waiting for another thread to do it. */
  private long appendAlone(Draft draft) {
    lockForWriting();
    try {
      Placed placed = place(draft);
      flush();
      return placed.sequenceIfWritten();
    } finally {
      writing.unlock();
    }
  }

  /** Shares one write, and one forcing of the disk, with whoever comes at the same time. */
  private long appendTogether(Draft draft) {
    Placed placed = place(draft);
    if (placed.sequence == placed.batch.first()) {
      lead(placed.batch);
    } else {
      placed.batch.awaitFate();
    }
    return placed.sequenceIfWritten();
  }

  /** A record's place in a batch that is not yet written. */
  private record Placed(Batch batch, long sequence) {

    long sequenceIfWritten() {
      if (batch.isLost()) {
        throw unavailable();
      }
      return sequence;
    }
  }

  private Placed place(Draft draft) {
    assigning.lock();
    try {
      checkOpen();
      Batch batch = pending;
      batch.makeRoomFor(draft);
      Instant now = now();
      long sequence = batch.end();
      if (draft.begins()) {
        calls.began(sequence);
      }
      // Last, for a batch with a record in it counts on this thread to come back and lead it.
      batch.frame(draft, now, times, chain, crc);
      return new Placed(batch, sequence);
    } finally {
      assigning.unlock();
    }
  }

  /** Spins for about as long as another thread's write takes; parking would take longer. */
  private void lockForWriting() {
    for (int spin = 0; spin < SPINS; spin++) {
      if (writing.tryLock()) {
        return;
      }
      Thread.onSpinWait();
    }
    writing.lock();
  }

  /** The sequence number of the last record in the file. */
  long written() {
    return written;
  }

  /** A record number below which every call has its outcome, or has been given up. */
  long oldestOpen() {
    assigning.lock();
    try {
      return calls.oldestOpen(pending.end());
    } finally {
      assigning.unlock();
    }
  }

  /** Makes durable what has been written, without stopping those who write more. */
  Mark force() throws IOException {
    Mark mark;
    Disk.Output written;
    writing.lock();
    try {
      mark = new Mark(this.written, HexFormat.of().formatHex(head));
      written = output;
    } finally {
      writing.unlock();
    }
    try {
      written.force();
    } catch (IOException failure) {
      breakDown(failure);
      throw failure;
    }
    return mark;
  }

  /** Writes and forces what is pending, then refuses all that comes. */
  void close() {
    writing.lock();
    try {
      change(() -> closed = true);
      if (!broken) {
        flush();
      }
      output.force();
    } catch (IOException failure) {
      log.error("journal not forced at close: segment={}", segment.name(), failure);
    } finally {
      writing.unlock();
    }
  }

  /** Gives the file back. Only after {@link #close}. */
  void release() {
    writing.lock();
    try {
      output.close();
    } catch (IOException failure) {
      log.warn("journal not closed: segment={}", segment.name(), failure);
    } finally {
      writing.unlock();
    }
  }

  private void checkOpen() {
    if (closed) {
      throw new Refused(Code.RESTARTING, "the journal is being replaced; retry");
    }
    if (broken) {
      throw unavailable();
    }
  }

  /** Hides small steps back, so that a search by time can stop early. */
  private Instant now() {
    Instant now = clock.instant();
    if (now.isAfter(lastTime) || now.isBefore(lastTime.minus(STEP_BACK_MAX))) {
      lastTime = now;
    }
    return lastTime;
  }

  private void lead(Batch batch) {
    writing.lock();
    try {
      // Unless the journal was closed, or broke down, before this thread had its turn.
      if (batch.isPending()) {
        flush();
      }
    } finally {
      writing.unlock();
    }
  }

  /** Writes all that is pending. Holds writing. */
  private void flush() {
    Batch batch = take();
    if (batch.count() == 0) {
      return;
    }
    long started = ticker.getAsLong();
    boolean done = false;
    try {
      write(batch);
      done = true;
    } catch (IOException failure) {
      log.error("journal unavailable: segment={} sequence={}", segment.name(), written, failure);
    } finally {
      if (!done) {
        lose(batch);
      }
    }
    if (done) {
      writeMillis.record((ticker.getAsLong() - started) / 1e6);
      records.add(batch.count());
      tails.publish(batch);
      keep(batch.bytes());
    }
  }

  private Batch take() {
    assigning.lock();
    try {
      Batch batch = pending;
      pending = new Batch(batch.end(), buffer());
      return batch;
    } finally {
      assigning.unlock();
    }
  }

  private byte[] buffer() {
    byte[] kept = spare;
    spare = null;
    return kept == null ? new byte[BUFFER_BYTES] : kept;
  }

  private void keep(byte[] buffer) {
    if (buffer.length == BUFFER_BYTES) {
      spare = buffer;
    }
  }

  private void write(Batch batch) throws IOException {
    if (!segment.isEmpty() && segment.length() + batch.length() > settings.segmentBytesMax()) {
      rotate();
    }
    output.write(batch.bytes(), 0, batch.length());
    if (settings.sync() == Sync.ALWAYS) {
      output.force();
    }
    segment.grew(batch.first(), batch.length());
    System.arraycopy(batch.bytes(), batch.headAt(), head, 0, head.length);
    written = batch.end() - 1;
    batch.written();
  }

  /** Begins a new segment. Until it is complete on disk, the old one stays the last. */
  private void rotate() throws IOException {
    // A later segment must not outlive the end of this one in a power loss.
    output.force();
    String previous = HexFormat.of().formatHex(head);
    Segment next = begin(disk, folder, new SegmentHeader(written + 1, previous));
    Disk.Output opened = disk.resume(next.file(), next.length());
    Disk.Output full = output;
    output = opened;
    segment = next;
    segments.add(next);
    full.close();
  }

  /** Makes an empty segment, durably, or leaves none. */
  static Segment begin(Disk disk, Path folder, SegmentHeader header) throws IOException {
    Path file = Segment.fileIn(folder, header.first());
    boolean done = false;
    try {
      disk.create(file, header.bytes());
      disk.forceFolder(folder);
      done = true;
    } finally {
      if (!done) {
        disk.delete(file);
      }
    }
    Segment segment = new Segment(file, header, Format.HEADER_BYTES);
    segment.index(new BlockIndex());
    return segment;
  }

  /** Gives up all records that are not in the file, and goes back to the last that is. */
  private void lose(Batch batch) {
    assigning.lock();
    try {
      broken = true;
      retryAtNanos = ticker.getAsLong() + RETRY_NANOS;
      batch.lost();
      pending.lost();
      pending = new Batch(written + 1, new byte[BUFFER_BYTES]);
      chain.reset(head);
      calls.forgetAfter(written);
    } finally {
      assigning.unlock();
    }
  }

  private void breakDown(IOException failure) {
    writing.lock();
    try {
      log.error("journal unavailable: segment={} sequence={}", segment.name(), written, failure);
      lose(take());
    } finally {
      writing.unlock();
    }
  }

  /** Opens the file anew at the last record written; at most once a second. */
  private void reopen() {
    writing.lock();
    try {
      if (!broken || closed) {
        return;
      }
      if (ticker.getAsLong() - retryAtNanos < 0) {
        throw unavailable();
      }
      retryAtNanos = ticker.getAsLong() + RETRY_NANOS;
      resume();
      change(() -> broken = false);
      log.info("journal available again: segment={} sequence={}", segment.name(), written);
    } catch (IOException still) {
      log.debug("journal still unavailable: segment={}", segment.name(), still);
      throw unavailable();
    } finally {
      writing.unlock();
    }
  }

  private void resume() throws IOException {
    Path half = Segment.fileIn(folder, written + 1);
    if (!half.equals(segment.file())) {
      // A segment that was begun when the disk failed must not be found beside this one later.
      disk.delete(half);
    }
    Disk.Output sick = output;
    output = disk.resume(segment.file(), segment.length());
    output.force();
    try {
      // Last, for whoever forces a closed output takes it for forced.
      sick.close();
    } catch (IOException failure) {
      log.debug("journal not closed: segment={}", segment.name(), failure);
    }
  }

  private void change(Runnable state) {
    assigning.lock();
    try {
      state.run();
    } finally {
      assigning.unlock();
    }
  }

  private static Refused unavailable() {
    return new Refused(
        Code.JOURNAL_UNAVAILABLE, "the journal cannot be written, so nothing may be done; retry");
  }
}
