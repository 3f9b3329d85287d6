package org.aionos.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.AgentLauncher;

/**
 * Folders of agents, copied to where their users can read them: one copy to a digest, whoever needs
 * it. Those that were used last are kept for the next agent.
 */
final class FolderCopies {

  private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{16,128}");

  /** Copies that nobody uses: the code of agents that are started again and again. */
  private static final int UNUSED_MAX = 16;

  private final ToolFolders folders;
  private final String name;

  /** Digest to how many use it, the one used last at the end. Guarded by this. */
  private final Map<String, Integer> users = new LinkedHashMap<>();

  /**
   * @param name of the folder for them, in {@code folders}
   */
  FolderCopies(ToolFolders folders, String name) {
    this.folders = folders;
    this.name = name;
  }

  /**
   * A copy, which stays until it is given back.
   *
   * @throws Refused {@code NOT_FOUND} if there is nothing to copy
   * @throws IOException if it cannot be written
   */
  synchronized Path take(AgentLauncher.Folder folder) throws IOException {
    String digest = folder.digest();
    if (!DIGEST.matcher(digest).matches()) {
      throw new Refused(Code.INVALID_FIELD, "no digest of a folder: " + Printable.of(digest));
    }
    Path copy = folders.own(name).resolve(digest);
    Integer before = users.remove(digest);
    if (before == null) {
      copy(folder, copy);
    }
    users.put(digest, before == null ? 1 : before + 1);
    return copy;
  }

  synchronized void giveBack(AgentLauncher.Folder folder) {
    users.computeIfPresent(folder.digest(), (digest, count) -> count - 1);
    long unused = users.values().stream().filter(count -> count == 0).count();
    for (Iterator<Map.Entry<String, Integer>> each = users.entrySet().iterator();
        unused > UNUSED_MAX && each.hasNext(); ) {
      Map.Entry<String, Integer> eldest = each.next();
      if (eldest.getValue() == 0) {
        ToolFolders.delete(folders.own(name).resolve(eldest.getKey()));
        each.remove();
        unused--;
      }
    }
  }

  private void copy(AgentLauncher.Folder folder, Path to) throws IOException {
    folders.makeReachable(name);
    Path part = to.resolveSibling(to.getFileName() + ".part");
    ToolFolders.delete(part);
    ToolFolders.delete(to);
    Files.createDirectory(part);
    try {
      try {
        folder.copyTo(part);
      } catch (IOException absent) {
        throw new Refused(
            Code.NOT_FOUND, "the files of the agent cannot be had: " + absent.getMessage());
      }
      makeReadable(part);
      Files.move(part, to);
    } catch (IOException | RuntimeException failed) {
      ToolFolders.delete(part);
      throw failed;
    }
  }

  /** A link is left as it is: it leads to what is inside, and to change it would change its end. */
  private static void makeReadable(Path folder) throws IOException {
    List<Path> all;
    try (Stream<Path> walk = Files.walk(folder)) {
      all = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path each : all) {
      if (Files.isRegularFile(each, LinkOption.NOFOLLOW_LINKS)
          || Files.isDirectory(each, LinkOption.NOFOLLOW_LINKS)) {
        // Whatever is brought may be run: what it can do then is bounded by the cage, not by a bit.
        Files.setPosixFilePermissions(each, PosixFilePermissions.fromString("r-xr-xr-x"));
      }
    }
  }
}
