package org.aionos.memory;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.aionos.files.WholeFile;

/**
 * Segments on disk. No file is kept open: opening one costs some 20 microseconds, and there are as
 * many segments as agents.
 */
final class SegmentFiles {

  private final Path folder;
  private final boolean sync;
  private final ConcurrentMap<SegmentId, Flushed> flushed = new ConcurrentHashMap<>();

  /** How far a file is on the disk itself. */
  private static final class Flushed {
    long end;
  }

  /**
   * @param sync whether {@link #flush} does
   */
  SegmentFiles(Path folder, boolean sync) {
    this.folder = folder.toAbsolutePath().normalize();
    this.sync = sync;
  }

  private Path file(SegmentId id) {
    return folder.resolve(id.objectName());
  }

  /** Writes these at the end; what stands behind it is of a write that failed. */
  void append(SegmentId id, long end, byte[] lines) throws IOException {
    Path file = file(id);
    if (end == 0) {
      Files.createDirectories(file.getParent());
    }
    try (FileChannel channel = FileChannel.open(file, CREATE, WRITE)) {
      if (channel.size() > end) {
        channel.truncate(end);
      }
      try {
        ByteBuffer left = ByteBuffer.wrap(lines);
        while (left.hasRemaining()) {
          channel.write(left, end + left.position());
        }
      } catch (IOException failed) {
        channel.truncate(end);
        throw failed;
      }
    }
    if (end == 0 && sync) {
      flushFolders(id);
    }
  }

  /** All that may be new: a file is only there for good once its folder is. */
  private void flushFolders(SegmentId id) throws IOException {
    Path each = folder;
    flushFolder(each);
    for (Path part : Path.of(id.folderName())) {
      each = each.resolve(part);
      flushFolder(each);
    }
  }

  private static void flushFolder(Path each) throws IOException {
    try (FileChannel directory = FileChannel.open(each, READ)) {
      directory.force(true);
    }
  }

  /** Writes a whole segment, durably. */
  void write(SegmentId id, byte[] lines) throws IOException {
    WholeFile.write(file(id), lines);
  }

  /** Returns when it is on the disk up to there. Who comes while one flushes waits for the next. */
  void flush(SegmentId id, long end) throws IOException {
    if (!sync) {
      return;
    }
    Flushed known = flushed.computeIfAbsent(id, absent -> new Flushed());
    synchronized (known) {
      if (known.end >= end) {
        return;
      }
      try (FileChannel channel = FileChannel.open(file(id), WRITE)) {
        long written = channel.size();
        channel.force(false);
        known.end = written;
      } catch (NoSuchFileException elsewhere) {
        // Its items are in the object store, or nobody wants them any more.
        flushed.remove(id);
      }
    }
  }

  /** Nothing is added any more. */
  void forget(SegmentId id) {
    flushed.remove(id);
  }

  /** Writes these where they belong if they are not there. */
  void redo(SegmentId id, long end, byte[] lines) throws IOException {
    Path file = file(id);
    // What is behind them was written later.
    if (!Files.exists(file) || Files.size(file) < end + lines.length) {
      append(id, end, lines);
    }
  }

  void truncate(SegmentId id, long end) throws IOException {
    try (FileChannel channel = FileChannel.open(file(id), WRITE)) {
      channel.truncate(end);
    }
  }

  /** Empty if it is not on this disk. */
  Optional<byte[]> read(SegmentId id, long from, int length) throws IOException {
    try (FileChannel channel = FileChannel.open(file(id), READ)) {
      ByteBuffer bytes = ByteBuffer.allocate(length);
      while (bytes.hasRemaining()) {
        if (channel.read(bytes, from + bytes.position()) < 0) {
          throw new IOException("a segment ends before " + (from + length) + ": " + id);
        }
      }
      return Optional.of(bytes.array());
    } catch (NoSuchFileException elsewhere) {
      return Optional.empty();
    }
  }

  void delete(SegmentId id) throws IOException {
    Path file = file(id);
    Files.deleteIfExists(file);
    flushed.remove(id);
    Path day = file.getParent();
    try {
      Files.deleteIfExists(day);
    } catch (IOException others) {
      // There are other segments of that day.
    }
  }

  /** All that are here, with their sizes, as they were written. What was left unfinished goes. */
  SortedMap<SegmentId, Long> all() throws IOException {
    SortedMap<SegmentId, Long> all = new TreeMap<>();
    Path top = folder.resolve(SegmentId.TOP);
    if (!Files.isDirectory(top)) {
      return all;
    }
    Files.walkFileTree(
        top,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (file.getFileName().toString().startsWith(".")) {
              Files.delete(file);
            }
            SegmentId.parse(folder.relativize(file).toString())
                .ifPresent(id -> all.put(id, attributes.size()));
            return FileVisitResult.CONTINUE;
          }
        });
    return all;
  }
}
