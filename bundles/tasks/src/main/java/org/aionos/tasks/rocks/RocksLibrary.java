package org.aionos.tasks.rocks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.aionos.files.NativeFolder;
import org.rocksdb.RocksDB;
import org.rocksdb.util.Environment;

/**
 * Loads the library of RocksDB, once in a life of the bundle that this is linked into. RocksDB is a
 * bundle of its own, and loads it once in its life, whoever asks first.
 */
public final class RocksLibrary {

  private static boolean loaded;

  private RocksLibrary() {}

  /**
   * @param folder for this bundle's copies of the library alone
   * @param life names this life of the bundle among all of this process
   * @throws IOException if there is none for this machine
   */
  public static synchronized void load(Path folder, String life) throws IOException {
    if (loaded) {
      return;
    }
    NativeFolder own = NativeFolder.fresh(folder, life);
    // The name under which RocksDB looks for it in a folder is not the one that its jar gives it.
    own.copy(
        RocksDB.class,
        "/" + Environment.getJniLibraryFileName("rocksdb"),
        Environment.getJniLibraryFileName("rocksdbjni"));
    RocksDB.loadLibrary(List.of(own.path().toString()));
    loaded = true;
  }
}
