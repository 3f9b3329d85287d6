package org.aionos.tasks.rocks;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.TaskStore.Row;
import org.aionos.tasks.TaskStoreContract;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RocksTasksTest extends TaskStoreContract {

  @TempDir static Path library;
  @TempDir Path folder;
  private long nanos;

  @BeforeAll
  static void load() throws IOException {
    RocksLibrary.load(library, "test");
  }

  @Override
  protected TaskStore open() {
    return RocksTasks.open(folder.resolve("tasks"), false, () -> nanos);
  }

  @Override
  protected void pass(long millis) {
    nanos += MILLISECONDS.toNanos(millis);
  }

  @Test
  void what_an_earlier_life_held_is_free_at_once() {
    store().add(row("t1"));
    Row held = store().claim("n1", 1).get(0);
    store().close();

    try (TaskStore next = open()) {
      assertThat(next.claim("n2", 9))
          .singleElement()
          .satisfies(row -> assertThat(row.revision()).isEqualTo(held.revision() + 1));
    }
  }

  @Test
  void nobody_else_opens_a_store_that_is_open() {
    assertThatThrownBy(this::open).isInstanceOf(UncheckedIOException.class);
  }
}
