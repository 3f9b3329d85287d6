package org.aionos.memory;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import org.aionos.items.ItemStoreContract;
import org.aionos.kernel.memory.ItemStore;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** With flushes of the disk, and small segments that are rewritten and deleted meanwhile. */
final class FlushedEpisodicItemsTest extends ItemStoreContract {

  @TempDir static Path library;
  @TempDir Path folder;

  @BeforeAll
  static void load() throws IOException {
    NativeLibrary.load(library, "test");
  }

  @Override
  protected ItemStore open() {
    return EpisodicItems.open(
        folder,
        folder.resolve("index"),
        true,
        new FolderObjects(folder.resolve("objects")),
        new EpisodicItems.Limits(2_000, Duration.ofSeconds(1), 1 << 20, 2_000),
        Duration.ofMillis(5),
        InstantSource.fixed(NOW));
  }
}
