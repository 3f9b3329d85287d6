package org.aionos.sandbox;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a program sees of the host, said once for every launcher. All else a launcher has of its
 * own: the namespaces, the first process, {@code /proc}, the usual devices, and that the root is
 * read-only.
 *
 * @param folders of the host, read-only: where they are inside, and what of the host is there
 * @param links where they are inside, and where they lead
 * @param memories file systems in memory, and the bytes each takes
 * @param devices of the host, where they are on the host
 * @param surroundings what this program finds besides; its folders are among {@code folders}
 */
record Walls(
    Map<String, Path> folders,
    Map<String, String> links,
    Map<String, Long> memories,
    List<Path> devices,
    Surroundings surroundings) {

  static final Map<String, String> ENVIRONMENT =
      Map.of("PATH", "/usr/bin:/bin", "LANG", "C.UTF-8", "HOME", "/tmp");

  static final int FILES_OPEN_MAX = 256;

  private static final long SHARED_MEMORY_BYTES_MAX = 64 << 10;

  /** By these links Debian finds awk, among others. There is nothing else of /etc. */
  private static final Path ALTERNATIVES = Path.of("/etc/alternatives");

  static Walls around(Program program) {
    Map<String, Path> folders = new LinkedHashMap<>();
    Map<String, String> links = new LinkedHashMap<>();
    folders.put("/usr", Path.of("/usr"));
    for (String each : List.of("lib", "lib64", "bin", "sbin")) {
      Path folder = Path.of("/" + each);
      if (Files.isSymbolicLink(folder)) {
        links.put("/" + each, "usr/" + each);
      } else if (Files.isDirectory(folder)) {
        folders.put("/" + each, folder);
      }
    }
    if (Files.isDirectory(ALTERNATIVES)) {
      folders.put(ALTERNATIVES.toString(), ALTERNATIVES);
    }
    folders.putAll(program.surroundings().folders());
    Map<String, Long> memories = new LinkedHashMap<>();
    memories.put("/dev/shm", SHARED_MEMORY_BYTES_MAX);
    memories.put("/tmp", program.limits().tmpBytesMax());
    return new Walls(folders, links, memories, program.devices().paths(), program.surroundings());
  }

  /** The environment as lines {@code NAME=value}. */
  List<String> environment() {
    List<String> lines = new ArrayList<>();
    surroundings.wholeEnvironment().forEach((name, value) -> lines.add(name + "=" + value));
    return lines;
  }
}
