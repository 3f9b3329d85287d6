package org.aionos.journal;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;

/**
 * Sees to it that one kernel writes a journal, not two. The operating system takes the lock back
 * when the process dies. Nobody else in this process may open the file: on POSIX systems closing it
 * would give the lock away.
 */
final class FolderLock implements AutoCloseable {

  private static final String FILE = "journal.lock";

  private final RandomAccessFile file;

  private FolderLock(RandomAccessFile file) {
    this.file = file;
  }

  /**
   * Takes the lock of a folder.
   *
   * @throws IOException if another holds it
   */
  static FolderLock take(Path folder) throws IOException {
    RandomAccessFile file = new RandomAccessFile(folder.resolve(FILE).toFile(), "rw");
    try {
      if (file.getChannel().tryLock() != null) {
        return new FolderLock(file);
      }
      file.close();
    } catch (OverlappingFileLockException here) {
      file.close();
    }
    throw new IOException("another kernel is writing the journal in " + folder);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
