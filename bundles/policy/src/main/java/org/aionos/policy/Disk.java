package org.aionos.policy;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;

/**
 * Files, folders and links that are there whole or not at all, whatever happens meanwhile, and stay
 * there through a power loss once a method has returned. What is being made has a name with a dot
 * before it.
 */
final class Disk {

  /** Told before each single operation. Tests die in it. */
  interface Step {
    void before(String operation);
  }

  private final Step step;

  Disk(Step step) {
    this.step = step;
  }

  /** Makes a folder with these files in it. There must be none of the name. */
  void makeFolder(Path folder, Map<String, byte[]> files) throws IOException {
    Path parent = parent(folder);
    makeFolders(parent);
    Path made = parent.resolve("." + folder.getFileName() + ".making");
    sweep(made);
    step.before("make " + made.getFileName());
    Files.createDirectory(made);
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      writeNew(made.resolve(file.getKey()), file.getValue());
    }
    flush(made);
    step.before("rename to " + folder.getFileName());
    Files.move(made, folder, ATOMIC_MOVE);
    flush(parent);
  }

  /** Creates or replaces a file. */
  void write(Path file, byte[] content) throws IOException {
    Path parent = parent(file);
    makeFolders(parent);
    Path made = parent.resolve("." + file.getFileName() + ".making");
    Files.deleteIfExists(made);
    writeNew(made, content);
    step.before("rename to " + file.getFileName());
    Files.move(made, file, ATOMIC_MOVE);
    flush(parent);
  }

  /** Makes a symbolic link point to something, whether it pointed to something else or was none. */
  void point(Path link, Path target) throws IOException {
    Path parent = parent(link);
    Path made = parent.resolve("." + link.getFileName() + ".making");
    Files.deleteIfExists(made);
    step.before("link " + made.getFileName());
    Files.createSymbolicLink(made, target);
    step.before("rename to " + link.getFileName());
    Files.move(made, link, ATOMIC_MOVE);
    flush(parent);
  }

  /** Takes a folder of files away. */
  void remove(Path folder) throws IOException {
    Path parent = parent(folder);
    Path going = parent.resolve("." + folder.getFileName() + ".going");
    sweep(going);
    step.before("rename to " + going.getFileName());
    Files.move(folder, going, ATOMIC_MOVE);
    sweep(going);
    flush(parent);
  }

  /** Removes what a crash has left: a folder of files, or a file. Nothing there is fine. */
  void sweep(Path left) throws IOException {
    if (Files.isDirectory(left, LinkOption.NOFOLLOW_LINKS)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(left)) {
        for (Path file : files) {
          step.before("delete " + file.getFileName());
          Files.delete(file);
        }
      }
    }
    step.before("delete " + left.getFileName());
    Files.deleteIfExists(left);
  }

  private static Path parent(Path path) {
    return requireNonNull(path.toAbsolutePath().getParent());
  }

  private void makeFolders(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      step.before("make " + folder.getFileName());
      Files.createDirectories(folder);
      flush(parent(folder));
    }
  }

  private void writeNew(Path file, byte[] content) throws IOException {
    step.before("create " + file.getFileName());
    try (FileChannel channel = FileChannel.open(file, CREATE_NEW, WRITE)) {
      ByteBuffer left = ByteBuffer.wrap(content);
      step.before("write " + file.getFileName());
      while (left.hasRemaining()) {
        channel.write(left);
      }
      step.before("flush " + file.getFileName());
      channel.force(true);
    }
  }

  /** What a folder lists is only durable once the folder is. */
  private void flush(Path folder) throws IOException {
    step.before("flush " + folder.getFileName());
    try (FileChannel directory = FileChannel.open(folder, READ)) {
      directory.force(true);
    }
  }
}
