package org.aionos.memory;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.rocksdb.RocksDB;
import org.rocksdb.util.Environment;

/**
 * RocksDB's own loader leaves a copy of its library in {@code /tmp} with every crash. So it is
 * copied to a folder of ours, emptied first; a copy of its own for each life of the bundle, because
 * the JVM loads one file for one class loader only.
 */
final class NativeLibrary {

  private NativeLibrary() {}

  /**
   * @param life names this life of the bundle among all of this process
   */
  static void load(Path folder, String life) throws IOException {
    Files.createDirectories(folder);
    forgetFormerLives(folder);
    Path own = Files.createDirectories(folder.resolve(life));
    String name = Environment.getJniLibraryFileName("rocksdb");
    // The name under which RocksDB looks for it in a folder is not the one that its jar gives it.
    Path library = own.resolve(Environment.getJniLibraryFileName("rocksdbjni"));
    if (!Files.exists(library)) {
      try (InputStream in = NativeLibrary.class.getResourceAsStream("/" + name)) {
        if (in == null) {
          throw new IOException(
              "there is no RocksDB for this machine ("
                  + System.getProperty("os.name")
                  + ", "
                  + System.getProperty("os.arch")
                  + "); the kernel has it for Linux on x86_64 and aarch64");
        }
        Files.copy(in, library);
      }
    }
    RocksDB.loadLibrary(List.of(own.toString()));
  }

  /** A library that is loaded stays so although its file is gone. */
  private static void forgetFormerLives(Path folder) throws IOException {
    try (DirectoryStream<Path> lives = Files.newDirectoryStream(folder)) {
      for (Path life : lives) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(life)) {
          for (Path file : files) {
            Files.delete(file);
          }
        }
        Files.delete(life);
      }
    }
  }
}
