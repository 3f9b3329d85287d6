package org.aionos.tasks.rocks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.Tier;
import org.aionos.tasks.TaskStoreSpeed;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code mvn test -Dtest=RocksSpeedTest -Dtasks.calls=20000 -Dtasks.rows=100000} in this folder
 * measures more of them, {@code -Dtasks.sync=true} what it costs to outlive a power loss.
 */
final class RocksSpeedTest {

  private static final int CALLS = Integer.getInteger("tasks.calls", 500);
  private static final int ROWS = Integer.getInteger("tasks.rows", 2_000);
  private static final boolean SYNC = Boolean.getBoolean("tasks.sync");

  @TempDir Path folder;

  @BeforeEach
  void load() throws IOException {
    RocksLibrary.load(folder.resolve("library"), "test");
  }

  private TaskStore open() {
    return RocksTasks.open(folder.resolve("tasks"), SYNC, System::nanoTime);
  }

  @Test
  void calls_of_one_and_of_sixteen_threads_are_all_answered() throws Exception {
    try (TaskStore store = open()) {
      TaskStoreSpeed.print("rocks" + (SYNC ? " sync" : ""), store, CALLS);
    }
  }

  @Test
  void all_that_waited_can_be_claimed_after_the_store_was_opened_again() throws Exception {
    try (TaskStore store = open()) {
      for (int i = 0; i < ROWS; i++) {
        store.add(TaskStoreSpeed.row("task-" + i, i));
      }
    }
    long begun = System.nanoTime();
    try (TaskStore store = open()) {
      long opened = System.nanoTime();
      assertThat(store.claim("node", ROWS)).hasSize(ROWS);
      long claimed = System.nanoTime();
      assertThat(store.waiting()).containsEntry(Tier.NORMAL, (long) ROWS);
      System.out.printf(
          "rocks open with %d waiting: %.0f ms; claim of all: %.0f ms%n",
          ROWS, (opened - begun) / 1e6, (claimed - opened) / 1e6);
    }
    System.out.printf("rocks bytes a row of 1,000: %.0f%n", bytes() / (double) ROWS);
  }

  private long bytes() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("tasks"))) {
      return files.mapToLong(file -> file.toFile().length()).sum();
    }
  }
}
