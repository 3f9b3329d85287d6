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

  /** Below this share of live bytes the file is rewritten bit by bit, so that it cannot grow on. */
  private static final int FILL_RATE_PERCENT = 50;

  private static final int COMPACTED_BYTES_MAX = 1 << 20;
  private static final int WRITES_BETWEEN_COMPACTIONS = 1_000;

  private final MVStore store;
  private final MVMap<String, byte[]> rows;
  private final ExecutorService writer;
  private int writes;

  private AgentStore(MVStore store, ExecutorService writer) {
    this.store = store;
    this.rows = store.openMap("agents");
    this.writer = writer;
  }

  static AgentStore open(Path folder) {
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
      return on(writer, () -> new AgentStore(openFile(folder), writer));
    } catch (RuntimeException unusable) {
      writer.shutdown();
      throw unusable;
    }
  }

  private static MVStore openFile(Path folder) {
    return new MVStore.Builder()
        .fileName(folder.resolve("agents.mv").toString())
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
          store.commit();
          compactNowAndThen();
        });
  }

  void close() {
    run(store::close);
    writer.shutdown();
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
