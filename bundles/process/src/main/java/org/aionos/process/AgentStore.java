package org.aionos.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.format.DateTimeParseException;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.aionos.document.InvalidDocument;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

/**
 * The rows on disk. What {@link #write} wrote before it returned survives {@code kill -9}.
 *
 * <p>One thread of its own touches the file. An interrupt would close the file under whoever writes
 * it, and callers are interrupted at their deadlines.
 */
final class AgentStore {

  /** A commit rewrites a row's page and those above it: small pages, small commits. */
  private static final int PAGE_BYTES = 4_096;

  /**
   * How long space that fell free is left alone; the store's own 45 s let bursts bloat the file.
   */
  private static final int RETENTION_MILLIS = 2_000;

  /**
   * Space is only taken again once what freed it has reached the disk, or a power loss could leave
   * neither the old rows nor the new ones. So this is shorter than the retention.
   */
  private static final long SYNC_NANOS = 1_000_000_000L;

  /** Below this share of live bytes the file is rewritten bit by bit, so that it cannot grow on. */
  private static final int FILL_RATE_PERCENT = 50;

  private static final int COMPACTED_BYTES_MAX = 1 << 20;
  private static final int WRITES_BETWEEN_COMPACTIONS = 1_000;

  private final MVStore store;
  private final MVMap<String, byte[]> rows;
  private final ExecutorService writer;
  private final LongSupplier nanoClock;
  private long syncedNanos;
  private int writes;

  private AgentStore(MVStore store, ExecutorService writer, LongSupplier nanoClock) {
    this.store = store;
    this.nanoClock = nanoClock;
    this.syncedNanos = nanoClock.getAsLong();
    store.setRetentionTime(RETENTION_MILLIS);
    store.setVersionsToKeep(0);
    this.rows = store.openMap("agents");
    this.writer = writer;
  }

  static AgentStore open(Path folder, LongSupplier nanoClock) {
    try {
      Files.createDirectories(folder);
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
    ExecutorService writer =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread thread = new Thread(task, "aion-process-store");
              thread.setDaemon(true);
              return thread;
            });
    try {
      return on(writer, () -> new AgentStore(openFile(folder), writer, nanoClock));
    } catch (RuntimeException unusable) {
      writer.shutdown();
      throw unusable;
    }
  }

  private static MVStore openFile(Path folder) {
    return new MVStore.Builder()
        .fileName(folder.resolve("agents.mv").toString())
        .pageSplitSize(PAGE_BYTES)
        .autoCommitDisabled()
        .open();
  }

  /**
   * All rows, in no order.
   *
   * @throws IllegalStateException if one cannot be read: a table with holes would forget agents
   */
  List<Row> rows() {
    return on(writer, () -> rows.values().stream().map(AgentStore::row).toList());
  }

  private static Row row(byte[] bytes) {
    try {
      return Row.read(bytes);
    } catch (InvalidDocument | IllegalArgumentException | DateTimeParseException damaged) {
      throw new IllegalStateException("the process table's file is damaged", damaged);
    }
  }

  /** Writes rows, all or none. */
  void write(Collection<Row> changed) {
    run(
        () -> {
          changed.forEach(row -> rows.put(row.id().toString(), row.bytes()));
          syncNowAndThen();
          store.commit();
          compactNowAndThen();
        });
  }

  void close() {
    run(store::close);
    writer.shutdown();
  }

  private void syncNowAndThen() {
    long now = nanoClock.getAsLong();
    if (now - syncedNanos >= SYNC_NANOS) {
      store.sync();
      syncedNanos = now;
    }
  }

  private void compactNowAndThen() {
    if (++writes % WRITES_BETWEEN_COMPACTIONS == 0) {
      store.compact(FILL_RATE_PERCENT, COMPACTED_BYTES_MAX);
    }
  }

  private void run(Runnable task) {
    on(
        writer,
        () -> {
          task.run();
          return true;
        });
  }

  /** Waits whatever interrupts come, and leaves them to the caller. */
  private static <T> T on(ExecutorService writer, Supplier<T> task) {
    try {
      return CompletableFuture.supplyAsync(task, writer).join();
    } catch (CompletionException failed) {
      throw failed.getCause() instanceof RuntimeException cause ? cause : failed;
    }
  }
}
