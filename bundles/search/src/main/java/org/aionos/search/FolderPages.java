package org.aionos.search;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads an operator's folder: {@code .md}, {@code .txt} and {@code .html}. Links are not followed,
 * so nothing outside the folder becomes searchable. What cannot be read, or goes beyond a limit, is
 * left out, and the log says how many files that were. For one thread, once.
 */
final class FolderPages extends SimpleFileVisitor<Path> {

  private static final Logger log = LoggerFactory.getLogger(FolderPages.class);

  private static final int DEPTH_MAX = 8;
  private static final int FILE_BYTES_MAX = 1 << 20;
  private static final int FILES_MAX = 5_000;

  /** Texts stay on the heap for their snippets; this is at most 64 MiB of it. */
  private static final long BYTES_MAX = 32L << 20;

  private final Path root;
  private final List<Page> pages = new ArrayList<>();
  private long bytes;
  private int leftOut;

  private FolderPages(Path root) {
    this.root = root;
  }

  /**
   * @throws IOException if there is no such folder
   */
  static List<Page> read(Path folder) throws IOException {
    Path root = folder.toRealPath();
    FolderPages found = new FolderPages(root);
    Files.walkFileTree(root, Set.of(), DEPTH_MAX, found);
    log.info(
        "offline documents read: folder={} files={} left_out={}",
        root,
        found.pages.size(),
        found.leftOut);
    return found.pages;
  }

  @Override
  public FileVisitResult visitFile(Path file, BasicFileAttributes about) throws IOException {
    String name = root.relativize(file).toString().replace(File.separatorChar, '/');
    if (!about.isRegularFile() || !isDocument(name.toLowerCase(Locale.ROOT))) {
      return FileVisitResult.CONTINUE;
    }
    if (about.size() > FILE_BYTES_MAX
        || bytes + about.size() > BYTES_MAX
        || pages.size() == FILES_MAX) {
      leftOut++;
      return FileVisitResult.CONTINUE;
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] document = in.readNBytes(FILE_BYTES_MAX);
      bytes += document.length;
      // Bytes that are not UTF-8 become replacement characters: the rest may still be found.
      pages.add(Page.of(name, name, new String(document, UTF_8)));
      return FileVisitResult.CONTINUE;
    } catch (IOException unreadable) {
      return visitFileFailed(file, unreadable);
    }
  }

  @Override
  public FileVisitResult visitFileFailed(Path file, IOException why) throws IOException {
    if (file.equals(root)) {
      throw why;
    }
    leftOut++;
    return FileVisitResult.CONTINUE;
  }

  private static boolean isDocument(String name) {
    return name.endsWith(".md") || name.endsWith(".txt") || name.endsWith(".html");
  }
}
