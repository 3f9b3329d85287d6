package org.aionos.memory;

import java.nio.file.Path;
import org.aionos.items.ObjectStoreContract;
import org.aionos.kernel.memory.ObjectStore;
import org.junit.jupiter.api.io.TempDir;

final class FolderObjectsTest extends ObjectStoreContract {

  @TempDir Path folder;

  @Override
  protected ObjectStore open() {
    return new FolderObjects(folder.resolve("objects"));
  }
}
