package org.aionos.journal;

import static java.nio.file.StandardOpenOption.READ;

import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The file system of this machine. Writes through {@link RandomAccessFile} because a {@link
 * FileChannel} is closed under everybody's feet when one of its callers is interrupted.
 */
final class LocalDisk implements Disk {

  @Override
  public Output create(Path file) throws IOException {
    return open(file, 0);
  }

  @Override
  public Output resume(Path file, long length) throws IOException {
    if (Files.size(file) < length) {
      throw new EOFException(file.getFileName() + " is shorter than what was written to it");
    }
    return open(file, length);
  }

  @Override
  public void delete(Path file) throws IOException {
    Files.deleteIfExists(file);
  }

  @Override
  public void forceFolder(Path folder) throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      while (!forced(folder)) {
        interrupted |= Thread.interrupted();
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** False if an interrupt came in between. */
  private static boolean forced(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, READ)) {
      channel.force(true);
      return true;
    } catch (ClosedByInterruptException interrupt) {
      return false;
    }
  }

  private static Output open(Path file, long length) throws IOException {
    RandomAccessFile opened = new RandomAccessFile(file.toFile(), "rw");
    try {
      opened.setLength(length);
      opened.seek(length);
      return new LocalOutput(opened);
    } catch (IOException | RuntimeException failure) {
      opened.close();
      throw failure;
    }
  }

  private static final class LocalOutput implements Output {

    private final RandomAccessFile file;

    /** Guarded by this, so that no file is closed while it is forced. */
    private boolean closed;

    LocalOutput(RandomAccessFile file) {
      this.file = file;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      file.write(bytes, offset, length);
    }

    @Override
    public synchronized void force() throws IOException {
      if (!closed) {
        file.getFD().sync();
      }
    }

    @Override
    public synchronized void close() throws IOException {
      closed = true;
      file.close();
    }
  }
}
