package org.aionos.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.aionos.kernel.ToolPackage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tools, unpacked: a folder for each, which its cages show as {@code /tool}, with the compiled
 * filter beside it. Lives no longer than the tools are open.
 */
final class ToolFolders {

  private static final Logger log = LoggerFactory.getLogger(ToolFolders.class);

  /** Long enough to be told apart by people; the number beside it makes it the only one. */
  private static final int DIGEST_LENGTH = 16;

  private final Path root;
  private final AtomicLong numbers = new AtomicLong();

  /** Takes a folder that holds nothing else, and clears it of what a dead kernel left. */
  ToolFolders(Path root) {
    this.root = root;
    clear();
  }

  /** Makes the folder, once there is something for it: most kernels that are killed leave none. */
  void make() throws IOException {
    Files.createDirectories(root);
    // Whoever runs the tools must come through; there is nothing secret in them.
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwx--x--x"));
  }

  /** Makes a folder of ours beside the tools, which others come through and cannot list. */
  Path makeReachable(String name) throws IOException {
    make();
    Path folder = Files.createDirectories(own(name));
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    return folder;
  }

  /** An unpacked tool. */
  record Unpacked(Path folder, Path filter) {}

  /** Unpacks the files of a tool; what the jar says of itself stays out. */
  Unpacked unpack(ToolPackage tool, byte[] filter) throws IOException {
    String digest = tool.digest();
    String name =
        digest.substring(0, Math.min(DIGEST_LENGTH, digest.length()))
            + "-"
            + numbers.incrementAndGet();
    Unpacked unpacked = new Unpacked(root.resolve(name), root.resolve(name + ".bpf"));
    try {
      make();
      Files.createDirectory(unpacked.folder);
      for (String path : tool.paths()) {
        if (isOfTheTool(path)) {
          write(unpacked.folder.resolve(path).normalize(), unpacked.folder, tool.read(path));
        }
      }
      makeReadable(unpacked.folder);
      Files.write(unpacked.filter, filter);
      return unpacked;
    } catch (IOException | RuntimeException failed) {
      remove(unpacked);
      throw failed;
    }
  }

  /** A file, or folder, of ours beside the tools. */
  Path own(String name) {
    return root.resolve(name);
  }

  static boolean isOfTheTool(String path) {
    return !path.startsWith("META-INF/") && !path.startsWith("AION-INF/");
  }

  private static void write(Path file, Path folder, byte[] content) throws IOException {
    if (!file.startsWith(folder) || file.equals(folder)) {
      throw new IOException("the jar's entry " + file + " leaves its folder");
    }
    Files.createDirectories(file.getParent());
    Files.write(file, content, StandardOpenOption.CREATE_NEW);
  }

  private static void makeReadable(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      // Whatever a jar brings may be run: what it can do then is bounded by the cage, not by a bit.
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.setPosixFilePermissions(each, PosixFilePermissions.fromString("r-xr-xr-x"));
      }
    }
  }

  void remove(Unpacked unpacked) {
    delete(unpacked.folder);
    delete(unpacked.filter);
  }

  /** Removes all tools, and the folder itself. */
  void clear() {
    delete(root);
  }

  /** Deletes a file, or a folder with all that is in it; what cannot be deleted stays. */
  static void delete(Path path) {
    if (!Files.exists(path)) {
      return;
    }
    try {
      if (Files.isDirectory(path)) {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(path)) {
          // Some of it may be a tenant's user's, who must not lead us elsewhere.
          all = walk.filter(each -> Files.isDirectory(each, LinkOption.NOFOLLOW_LINKS)).toList();
        }
        // A user who is not root needs the right to write to take something out of a folder.
        for (Path folder : all) {
          Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
        }
      }
      try (Stream<Path> walk = Files.walk(path)) {
        for (Path each : walk.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(each);
        }
      }
    } catch (IOException stays) {
      log.warn("cannot remove an unpacked tool: path={}", path, stays);
    }
  }
}
