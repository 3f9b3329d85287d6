package org.aionos.sandbox;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A process that waits for the end of this one, however it comes, and ends what it leaves in its
 * groups. For launchers that do not die with us.
 *
 * <p>It holds the far end of a pipe, which Linux closes when we die.
 */
final class Reaper implements AutoCloseable {

  /**
   * Takes the groups that there are at our end, and only those: the next kernel has groups of the
   * same names. A launcher that comes late finds no group to step into, and gives up.
   */
  private static final String SCRIPT =
      """
      while read -r line; do :; done
      IFS='
      '
      set -- $(find "$@" -type d -name 'worker-*')
      rounds=0
      while [ $# -gt 0 ] && [ $rounds -lt 50 ]; do
        for group in "$@"; do
          shift
          while read -r pid; do kill -9 "$pid"; done <"$group/cgroup.procs"
          rmdir "$group" || [ ! -d "$group" ] || set -- "$@" "$group"
        done
        rounds=$((rounds + 1))
        sleep 0.1
      done
      """;

  private final Process process;

  Reaper(List<Path> folders) throws IOException {
    List<String> command = new ArrayList<>();
    // A session of its own: what ends us by our process group is not to end it.
    command.addAll(List.of(Programs.found("setsid"), "/bin/sh", "-c", SCRIPT, "aion-reaper"));
    folders.forEach(folder -> command.add(folder.toString()));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD);
    builder.environment().clear();
    builder.environment().put("PATH", "/usr/bin:/bin");
    process = builder.start();
  }

  /** What Linux does for us when we die. */
  void kernelIsGone() throws IOException {
    process.getOutputStream().close();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Nothing is left to be ended. */
  @Override
  public void close() {
    process.destroyForcibly();
  }
}
