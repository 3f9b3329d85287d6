package org.aionos.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import org.aionos.items.FindContract;
import org.aionos.items.Items;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.ItemStore;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FoundItemsTest extends FindContract {

  @TempDir static Path library;
  @TempDir Path folder;
  private FoundItems found;

  @BeforeAll
  static void load() throws IOException {
    NativeLibrary.load(library, "found");
  }

  @Override
  protected ItemStore open() {
    found = FoundItems.open(folder.resolve("long"), false);
    return found;
  }

  @Test
  void what_the_index_had_not_committed_is_indexed_again_at_the_next_start() throws IOException {
    put(ANN, "committed", "words", Map.of());
    found.commit();
    put(ANN, "later", "words", Map.of());
    new Items(found, WHILE).delete(place(ANN, "committed"), NOW);
    Path crashed = folder.resolve("crashed");
    copy(folder.resolve("long"), crashed);

    FoundItems again = FoundItems.open(crashed, false);
    try {
      assertThat(again.find(ANN, Filter.ANY, probe("words", 5), NOW))
          .extracting(hit -> hit.item().place().key())
          .containsExactly("later");
    } finally {
      again.close();
    }
  }

  /** As a crash leaves it: the lock of a process that is no more does not hold. */
  private static void copy(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path each, BasicFileAttributes about)
              throws IOException {
            Files.createDirectories(to.resolve(from.relativize(each).toString()));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path each, BasicFileAttributes about)
              throws IOException {
            Files.copy(each, to.resolve(from.relativize(each).toString()));
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
