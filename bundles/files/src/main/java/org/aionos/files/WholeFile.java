package org.aionos.files;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** A file that is seen whole or not at all, whatever happens while it is written. */
public final class WholeFile {

  private WholeFile() {}

  /** Creates or replaces a file, durably. */
  public static void write(Path file, byte[] content) throws IOException {
    write(file, content, false);
  }

  /** Creates or replaces a file that only its owner may read, durably. */
  public static void writeSecret(Path file, byte[] content) throws IOException {
    write(file, content, true);
  }

  private static void write(Path file, byte[] content, boolean secret) throws IOException {
    Path folder = Files.createDirectories(file.toAbsolutePath().getParent());
    Path written = folder.resolve("." + file.getFileName() + ".writing");
    Files.deleteIfExists(written);
    if (secret) {
      Files.createFile(
          written,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    }
    try (FileChannel channel = FileChannel.open(written, CREATE, WRITE, TRUNCATE_EXISTING)) {
      ByteBuffer left = ByteBuffer.wrap(content);
      while (left.hasRemaining()) {
        channel.write(left);
      }
      channel.force(true);
    }
    Files.move(written, file, ATOMIC_MOVE);
    // The rename itself is only durable once the folder is.
    try (FileChannel directory = FileChannel.open(folder, READ)) {
      directory.force(true);
    }
  }
}
