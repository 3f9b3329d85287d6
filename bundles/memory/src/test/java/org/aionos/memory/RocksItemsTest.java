package org.aionos.memory;

import java.io.IOException;
import java.nio.file.Path;
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
  ItemStore open() {
    return RocksItems.open(folder.resolve("items"), false);
  }
}
