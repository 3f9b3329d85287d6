package org.aionos.journal;

import java.io.IOException;
import java.nio.file.Path;

/**
 * The few things the journal asks of a file system when it writes segments. None of them may be cut
 * short by an interrupt of the calling thread.
 */
interface Disk {

  /** Creates a file, or replaces what it holds, durably. */
  void create(Path file, byte[] content) throws IOException;

  /**
   * Opens a file to append to it, cut to a length. While it is open it may be longer than what was
   * written: then it ends in zeros.
   *
   * @throws IOException also if the file is shorter
   */
  Output resume(Path file, long length) throws IOException;

  void delete(Path file) throws IOException;

  /** Makes the creation and deletion of files in a folder durable. */
  void forceFolder(Path folder) throws IOException;

  /** One open file. Safe for one writer, and any number of threads that force. */
  interface Output extends AutoCloseable {

    /**
     * Appends bytes. They outlive the process once this returns. Their first four are written last
     * and must not be zero: a process that dies in between, or another that reads along, finds
     * zeros there.
     */
    void write(byte[] bytes, int offset, int length) throws IOException;

    /** Makes durable what was written. Does nothing once closed. */
    void force() throws IOException;

    /** Cuts the file to what was written, and closes it. */
    @Override
    void close() throws IOException;
  }
}
