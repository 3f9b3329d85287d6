package org.aionos.scheduler;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HexFormat;
import org.aionos.kernel.task.AgentLauncher;

/**
 * The code of an agent as it was when its digest was taken.
 *
 * @param written the digest as manifests write it, {@code sha256:<hex>}
 */
record CodeFolder(Path folder, String written) implements AgentLauncher.Folder {

  @Override
  public String digest() {
    return written.substring(written.indexOf(':') + 1);
  }

  @Override
  public void copyTo(Path empty) throws IOException {
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path at, BasicFileAttributes attributes)
              throws IOException {
            if (at.equals(folder)) {
              return FileVisitResult.CONTINUE;
            }
            if (!Programs.isCode(at)) {
              return FileVisitResult.SKIP_SUBTREE;
            }
            Files.createDirectory(empty.resolve(folder.relativize(at).toString()));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (Programs.isCode(file) && attributes.isRegularFile()) {
              Path copy = empty.resolve(folder.relativize(file).toString());
              Files.copy(file, copy);
              copy.toFile().setExecutable(Files.isExecutable(file), false);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    // Somebody may have written while we copied.
    if (!HexFormat.of().formatHex(Programs.digestOf(empty)).equals(digest())) {
      throw new IOException(folder + " was changed while it was copied");
    }
  }
}
