package org.aionos.memory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.aionos.files.WholeFile;
import org.aionos.items.ObjectNames;
import org.aionos.kernel.memory.ObjectStore;
import org.aionos.kernel.memory.StoreUnavailable;
import org.jspecify.annotations.Nullable;

/** Objects as files below a folder, each written whole or not at all. */
final class FolderObjects implements ObjectStore {

  private static final int NAMES_MAX = 1_000;

  private final Path folder;

  FolderObjects(Path folder) {
    this.folder = folder.toAbsolutePath().normalize();
  }

  private Path file(String name) {
    return folder.resolve(ObjectNames.checked(name));
  }

  /** One at a time: two writers of one object would write to the same unfinished file. */
  @Override
  public synchronized void put(String name, byte[] bytes) {
    Path file = file(name);
    try {
      WholeFile.write(file, bytes);
    } catch (IOException failed) {
      throw unavailable(failed);
    }
  }

  @Override
  public Optional<byte[]> get(String name) {
    Path file = file(name);
    try {
      return Optional.of(Files.readAllBytes(file));
    } catch (NoSuchFileException absent) {
      return Optional.empty();
    } catch (IOException failed) {
      throw unavailable(failed);
    }
  }

  @Override
  public Optional<byte[]> get(String name, long from, int length) {
    Path file = file(name);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer bytes = ByteBuffer.allocate(length);
      while (bytes.hasRemaining()) {
        if (channel.read(bytes, from + bytes.position()) < 0) {
          throw new IOException("the object ends before");
        }
      }
      return Optional.of(bytes.array());
    } catch (NoSuchFileException absent) {
      return Optional.empty();
    } catch (IOException failed) {
      throw unavailable(failed);
    }
  }

  @Override
  public void delete(String name) {
    Path file = file(name);
    try {
      Files.deleteIfExists(file);
    } catch (IOException failed) {
      throw unavailable(failed);
    }
  }

  @Override
  public List<String> names(String prefix, @Nullable String after, int limit) {
    Path top = folder.resolve(ObjectNames.checkedPrefix(prefix));
    Path start = prefix.isEmpty() || prefix.endsWith("/") ? top : top.getParent();
    TreeSet<String> names = new TreeSet<>();
    try {
      Files.walkFileTree(
          start,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              String name = folder.relativize(file).toString();
              boolean unfinished = file.getFileName().toString().startsWith(".");
              if (!unfinished
                  && name.startsWith(prefix)
                  && (after == null || name.compareTo(after) > 0)) {
                names.add(name);
              }
              return FileVisitResult.CONTINUE;
            }

            /** Gone since its folder was read. */
            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failed)
                throws IOException {
              if (failed instanceof NoSuchFileException) {
                return FileVisitResult.CONTINUE;
              }
              throw failed;
            }
          });
    } catch (IOException failed) {
      throw unavailable(failed);
    }
    return names.stream().limit(Math.min(limit, NAMES_MAX)).toList();
  }

  private static StoreUnavailable unavailable(IOException failed) {
    return new StoreUnavailable("the folder of objects cannot be read or written", failed);
  }

  @Override
  public void close() {}
}
