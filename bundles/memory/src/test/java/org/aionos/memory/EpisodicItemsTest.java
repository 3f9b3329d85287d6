package org.aionos.memory;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import org.aionos.items.ItemStoreContract;
import org.aionos.kernel.memory.ItemStore;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

final class EpisodicItemsTest extends ItemStoreContract {

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
        false,
        null,
        EpisodicItems.Limits.USUAL,
        Duration.ofMillis(50),
        InstantSource.fixed(NOW));
  }
}
