package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The files of the host that agents see besides their own: the relay, what makes {@code localhost}
 * a name, and the folder of the socket; and the filter before each of them.
 */
final class AgentFiles {

  /** Where the relay is inside. */
  static final String RELAY = "/aion/relay";

  private static final String RELAY_RESOURCE = "/relay/aion-relay";

  /**
   * Who is asked for a name is for the library of each program to say, unless this says: nobody.
   */
  private static final Map<String, String> NAMES =
      Map.of("/etc/hosts", "127.0.0.1 localhost\n", "/etc/nsswitch.conf", "hosts: files\n");

  private static final String FILES = "agent-files";
  private static final String DOORS = "doors";
  private static final Set<PosixFilePermission> ONLY_WE =
      PosixFilePermissions.fromString("rwx------");

  private final ToolFolders folders;

  /** Guarded by this, as is what follows. */
  private byte[] compiled = {};

  private int filters;
  private int doors;
  private boolean made;

  AgentFiles(ToolFolders folders) {
    this.folders = folders;
  }

  /**
   * A new folder for the socket of an agent. Nobody comes to it but root and one group.
   *
   * @param group of the agent's user; null if that is our own
   */
  synchronized Path door(@Nullable Integer group) throws IOException {
    Path door = folders.makeReachable(DOORS).resolve(Integer.toString(++doors));
    Files.createDirectory(door, PosixFilePermissions.asFileAttribute(ONLY_WE));
    if (group != null) {
      Files.setAttribute(door, "unix:gid", group);
      Files.setPosixFilePermissions(door, PosixFilePermissions.fromString("rwx--x---"));
    }
    return door;
  }

  /** The files that every agent sees, by where they are inside. */
  synchronized Map<String, Path> files() throws IOException {
    Path own = folders.own(FILES);
    Map<String, Path> files = new TreeMap<>();
    files.put(RELAY, own.resolve("relay"));
    NAMES.keySet().forEach(name -> files.put(name, own.resolve(Path.of(name).getFileName())));
    if (!made) {
      folders.makeReachable(FILES);
      unpackRelay(own.resolve("relay"));
      for (Map.Entry<String, String> each : NAMES.entrySet()) {
        Path file = own.resolve(Path.of(each.getKey()).getFileName());
        Files.write(file, each.getValue().getBytes(US_ASCII));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r--r--"));
      }
      made = true;
    }
    return files;
  }

  private static void unpackRelay(Path file) throws IOException {
    try (InputStream program = AgentFiles.class.getResourceAsStream(RELAY_RESOURCE)) {
      if (program == null) {
        throw new IOException("this build carries no relay; bundles/sandbox/build-relay makes it");
      }
      Files.copy(program, file, StandardCopyOption.REPLACE_EXISTING);
    }
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r-xr-xr-x"));
  }

  /**
   * A file with a filter. Another one than before gets a file of its own: agents may be starting.
   */
  synchronized Path filter(byte[] filter) throws IOException {
    Path file = folders.own("agent-" + filters + ".bpf");
    if (!Arrays.equals(filter, compiled)) {
      folders.make();
      file = folders.own("agent-" + ++filters + ".bpf");
      Files.write(file, filter);
      compiled = filter.clone();
    }
    return file;
  }
}
