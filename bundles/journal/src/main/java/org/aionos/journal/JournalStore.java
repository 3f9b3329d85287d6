package org.aionos.journal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Lock;
import java.util.function.LongSupplier;
import org.aionos.kernel.Code;
import org.aionos.kernel.Journal.Event;
import org.aionos.kernel.JournalReader.CallRecord;
import org.aionos.kernel.JournalReader.Page;
import org.aionos.kernel.JournalReader.Query;
import org.aionos.kernel.JournalReader.Tail;
import org.aionos.kernel.JournalReader.Verification;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One journal in one folder: segments of chained records ({@link AppendLog} writes, {@link Search}
 * reads), signed checkpoints, and anchors where its beginning was deleted. Safe for use by many
 * threads.
 */
final class JournalStore implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(JournalStore.class);

  /**
   * What the store is given by its surroundings.
   *
   * @param ticker nanoseconds, for durations
   * @param background runs a task some time, on another thread; may drop it
   */
  record Surroundings(
      InstantSource clock, LongSupplier ticker, Disk disk, Meters meters, Executor background) {}

  private final Path folder;
  private final Settings settings;
  private final InstantSource clock;
  private final Executor background;
  private final FolderLock lock;
  private final SignedFile checkpoints;
  private final SignedFile anchors;
  private final Segments segments;
  private final Calls calls = new Calls();
  private final Tails tails = new Tails();
  private final AppendLog records;
  private final Search search;
  private final Retention retention;
  private final AutoCloseable gauge;
  private final AtomicBoolean checkpointAsked = new AtomicBoolean();
  private volatile boolean closed;

  /** Set by {@link #checkpoint}, one thread at a time. */
  private volatile long checkpointed;

  private JournalStore(Path folder, Settings settings, Surroundings given, FolderLock lock)
      throws IOException {
    this.folder = folder;
    this.settings = settings;
    this.clock = given.clock();
    this.background = given.background();
    this.lock = lock;
    SigningKey key = SigningKey.in(folder);
    this.checkpoints = new SignedFile(folder.resolve(Checkpoint.FILE), key);
    this.anchors = new SignedFile(folder.resolve(Anchor.FILE), key);
    Checkpoint last = lastCheckpoint();
    Recovery.Outcome found = Recovery.in(folder, given.disk(), last);
    this.segments = found.segments();
    this.checkpointed = last == null ? 0 : last.sequence();
    long openFrom = last == null ? segments.firstSequence() : last.openFrom();
    Optional<Event> interrupted = Unfinished.after(openFrom, segments, calls);
    this.records = new AppendLog(folder, settings, given, segments, calls, tails, found.end());
    this.search = new Search(segments, calls);
    this.retention = new Retention(settings, given.disk(), segments, anchors);
    this.gauge =
        given.meters().gauge("aion_journal_bytes", "Size of all journal segments", segments::bytes);
    found.notes().forEach(this::note);
    interrupted.ifPresent(this::note);
  }

  /**
   * Opens the journal of a folder, or begins one. What stands in it never keeps it from opening.
   *
   * @throws IOException if another kernel has it, or the folder cannot be used at all
   */
  static JournalStore open(Path folder, Settings settings, Surroundings given) throws IOException {
    Files.createDirectories(folder);
    FolderLock lock = FolderLock.take(folder);
    try {
      return new JournalStore(folder, settings, given, lock);
    } catch (IOException | RuntimeException failure) {
      lock.close();
      throw failure;
    }
  }

  /** Adds a record that is no outcome, and returns its sequence number once it is written. */
  long append(Draft draft) {
    long sequence = records.append(draft);
    if (sequence - checkpointed >= settings.checkpointRecordsMax()
        && !checkpointAsked.getAndSet(true)) {
      background.execute(this::checkpointQuietly);
    }
    return sequence;
  }

  /** Adds the outcome of a call. */
  void appendOutcome(long asked, Draft draft) {
    calls.ended(asked, append(draft));
  }

  Page query(Query query) {
    return reading(() -> search.query(query));
  }

  Optional<CallRecord> find(String auditId) {
    return reading(() -> search.find(auditId));
  }

  Tail tail(Query filter) {
    checkOpen();
    return tails.watch(filter);
  }

  /** Reads the whole chain, as far as it is written now. */
  Verification verify() {
    return reading(
        () -> {
          // Checkpoints first: the records that they speak of were written before them.
          long checkpointBytes = checkpoints.length();
          List<ChainCheck.Part> parts =
              segments.oldestFirst().stream()
                  .map(segment -> new ChainCheck.Part(segment.file(), segment.length()))
                  .toList();
          return new ChainCheck(folder, ChainCheck.keysIn(folder), 0).check(parts, checkpointBytes);
        });
  }

  /** Makes durable and signs for what was written since the last time. */
  synchronized void checkpoint() throws IOException {
    if (records.written() == checkpointed) {
      return;
    }
    // In this order: the outcome of a call that is not open now is among what is forced next.
    long openFrom = records.oldestOpen();
    AppendLog.Mark mark = records.force();
    Checkpoint checkpoint =
        new Checkpoint(
            segments.firstSequence(),
            mark.sequence(),
            openFrom,
            mark.head(),
            clock.instant().toString());
    checkpoints.append(checkpoint.body());
    checkpointed = mark.sequence();
  }

  /** Deletes what need not be kept any longer. */
  synchronized void prune() throws IOException {
    Optional<Event> pruned = retention.prune(clock.instant());
    if (pruned.isPresent()) {
      long first = segments.firstSequence();
      checkpoints.keep(
          line -> Checkpoint.parse(line).map(kept -> kept.sequence() >= first).orElse(true));
      note(pruned.get());
    }
  }

  /** What has to be done from time to time. Never throws: the next time may go better. */
  void keepHouse() {
    checkpointQuietly();
    try {
      prune();
    } catch (IOException | RuntimeException failure) {
      log.error("journal not pruned", failure);
    }
  }

  /** Signs for the end and gives the folder back, so that another can take it at once. */
  @Override
  public void close() {
    closed = true;
    records.close();
    checkpointQuietly();
    records.release();
    try {
      gauge.close();
      lock.close();
    } catch (Exception failure) {
      log.warn("journal not closed cleanly", failure);
    }
  }

  private void checkpointQuietly() {
    checkpointAsked.set(false);
    try {
      checkpoint();
    } catch (IOException | RuntimeException failure) {
      log.error("journal has no new checkpoint: sequence={}", records.written(), failure);
    }
  }

  private void note(Event event) {
    try {
      append(Draft.event(event));
    } catch (Refused unavailable) {
      log.error("journal event not recorded: kind={}", event.kind(), unavailable);
    }
  }

  private @Nullable Checkpoint lastCheckpoint() throws IOException {
    SignedLine last = checkpoints.last();
    return last == null || !last.isSignedBy(ChainCheck.keysIn(folder))
        ? null
        : Checkpoint.parse(last).orElse(null);
  }

  @FunctionalInterface
  private interface Reading<T> {
    T read() throws IOException;
  }

  private <T> T reading(Reading<T> reading) {
    checkOpen();
    Lock files = segments.reading();
    files.lock();
    try {
      return reading.read();
    } catch (IOException failure) {
      log.error("journal cannot be read", failure);
      throw new Refused(Code.JOURNAL_UNAVAILABLE, "the journal cannot be read; retry");
    } finally {
      files.unlock();
    }
  }

  private void checkOpen() {
    if (closed) {
      throw new Refused(Code.RESTARTING, "the journal is being replaced; retry");
    }
  }
}
