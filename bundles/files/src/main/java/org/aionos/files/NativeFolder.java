package org.aionos.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A folder for the native libraries of one life of a bundle. Libraries that unpack themselves leave
 * a copy in {@code /tmp} with every crash; and the JVM loads one file for one class loader only, so
 * each life needs copies of its own.
 */
public final class NativeFolder {

  private final Path folder;

  private NativeFolder(Path folder) {
    this.folder = folder;
  }

  /**
   * Makes the folder of this life and takes away those of former ones: a library that is loaded
   * stays so although its file is gone.
   *
   * @param life names this life of the bundle among all of this process
   */
  public static NativeFolder fresh(Path parent, String life) throws IOException {
    Files.createDirectories(parent);
    try (DirectoryStream<Path> lives = Files.newDirectoryStream(parent)) {
      for (Path former : lives) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(former)) {
          for (Path file : files) {
            Files.delete(file);
          }
        }
        Files.delete(former);
      }
    }
    return new NativeFolder(Files.createDirectories(parent.resolve(life)));
  }

  public Path path() {
    return folder;
  }

  /**
   * @param resource of the owner's class loader; the name below {@link #path} is given
   * @throws IOException if there is none, which is so on machines that the kernel does not support
   */
  public Path copy(Class<?> owner, String resource, String name) throws IOException {
    Path file = folder.resolve(name);
    try (InputStream in = owner.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IOException(
            "there is no "
                + resource
                + " for this machine ("
                + System.getProperty("os.name")
                + ", "
                + System.getProperty("os.arch")
                + "); the kernel has it for Linux on x86_64 and aarch64");
      }
      Files.copy(in, file);
    }
    return file;
  }
}
