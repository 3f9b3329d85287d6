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
   * Looks for some seconds, for a launcher that is just being started steps into its group later.
   */
  private static final String SCRIPT =
      """
      cat >/dev/null
      rounds=0
      while [ $rounds -lt 50 ]; do
        for folder in "$@"; do
          find "$folder" -path '*/worker-*/cgroup.procs' 2>/dev/null | while read -r group; do
            while read -r pid; do kill -9 "$pid"; done <"$group"
            rmdir "${group%/cgroup.procs}"
          done
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

  /** Nothing is left to be ended. */
  @Override
  public void close() {
    process.destroyForcibly();
  }
}
