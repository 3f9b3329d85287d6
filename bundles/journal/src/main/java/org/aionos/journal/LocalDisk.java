package org.aionos.journal;

import static java.nio.channels.FileChannel.MapMode.READ_WRITE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;

/**
 * The file system of this machine. Files stay open as {@link RandomAccessFile} because a {@link
 * FileChannel} is closed under everybody's feet when one of its callers is interrupted.
 */
final class LocalDisk implements Disk {

  /** Some hundred records; making so much room takes some ten microseconds. */
  private static final int ROOM_BYTES = 64 << 10;

  /** A frame's length, without which the rest of it is not there. */
  private static final int LEAD_BYTES = 4;

  private static final byte[] ZEROS = new byte[ROOM_BYTES];

  @Override
  public void create(Path file, byte[] content) throws IOException {
    try (RandomAccessFile created = new RandomAccessFile(file.toFile(), "rw")) {
      created.setLength(0);
      created.write(content);
      created.getFD().sync();
    }
  }

  @Override
  public Output resume(Path file, long length) throws IOException {
    if (Files.size(file) < length) {
      throw new EOFException(file.getFileName() + " is shorter than what was written to it");
    }
    RandomAccessFile opened = new RandomAccessFile(file.toFile(), "rw");
    try {
      opened.setLength(length);
      return new LocalOutput(file, opened, length);
    } catch (IOException | RuntimeException failure) {
      opened.close();
      throw failure;
    }
  }

  @Override
  public void delete(Path file) throws IOException {
    Files.deleteIfExists(file);
  }

  @Override
  public void forceFolder(Path folder) throws IOException {
    onChannel(
        folder,
        channel -> {
          channel.force(true);
          return folder;
        },
        READ);
  }

  private interface ChannelCall<T> {
    T on(FileChannel channel) throws IOException;
  }

  /** Does something on a channel of its own, anew if an interrupt closes that. */
  private static <T> T onChannel(Path file, ChannelCall<T> call, OpenOption... options)
      throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      while (true) {
        try (FileChannel channel = FileChannel.open(file, options)) {
          return call.on(channel);
        } catch (ClosedByInterruptException interrupt) {
          interrupted |= Thread.interrupted();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Writes through a window of memory onto the file: that costs no system call, and what stands in
   * it outlives the process as what was written by one does. The window is laid over zeros that
   * were written before, so that a full disk shows when room is made, as an exception, and not in
   * the middle of a record.
   */
  private static final class LocalOutput implements Output {

    private final Path path;
    private final RandomAccessFile file;

    /** Begins at {@link #length}. */
    private ByteBuffer window = ByteBuffer.allocate(0);

    private long length;

    /** Guarded by this, so that no file is closed while it is forced. */
    private boolean closed;

    LocalOutput(Path path, RandomAccessFile file, long length) {
      this.path = path;
      this.file = file;
      this.length = length;
    }

    @Override
    public void write(byte[] bytes, int offset, int count) throws IOException {
      if (count > window.remaining()) {
        makeRoom(count);
      }
      int at = window.position();
      try {
        window.put(at + LEAD_BYTES, bytes, offset + LEAD_BYTES, count - LEAD_BYTES);
        VarHandle.releaseFence();
        window.put(at, bytes, offset, LEAD_BYTES);
      } catch (InternalError fault) {
        // What the machine makes of a page that it cannot have: a sick disk, a file cut by others.
        throw new IOException("the journal's memory is not backed by its file", fault);
      }
      window.position(at + count);
      length += count;
    }

    private void makeRoom(int count) throws IOException {
      long end = length + Math.max(count, ROOM_BYTES);
      for (long at = file.length(); at < end; at += ZEROS.length) {
        file.seek(at);
        file.write(ZEROS, 0, (int) Math.min(ZEROS.length, end - at));
      }
      window =
          onChannel(path, channel -> channel.map(READ_WRITE, length, end - length), READ, WRITE);
    }

    @Override
    public synchronized void force() throws IOException {
      if (!closed) {
        file.getFD().sync();
      }
    }

    @Override
    public synchronized void close() throws IOException {
      if (!closed) {
        closed = true;
        try (file) {
          file.setLength(length);
        }
      }
    }
  }
}
