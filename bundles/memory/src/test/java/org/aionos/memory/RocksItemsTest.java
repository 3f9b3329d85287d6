package org.aionos.memory;

import java.io.IOException;
import java.nio.file.Path;
import org.aionos.items.ItemStoreContract;
import org.aionos.kernel.memory.ItemStore;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

final class RocksItemsTest extends ItemStoreContract {

  @TempDir static Path library;
  @TempDir Path folder;

  @BeforeAll
  static void load() throws IOException {
    NativeLibrary.load(library, "test");
  }

  @Override
  protected ItemStore open() {
    return RocksItems.open(folder.resolve("items"), false);
  }
}
