package org.aionos.sandbox;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Builds the walls with bubblewrap: namespaces of their own for users, processes, mounts, network,
 * IPC, host name and cgroups; no capability; and, last of all, the filter.
 */
final class Bubblewrap implements Launcher {

  /** Nobody, inside. Outside it is the tenant's user, or the kernel's. */
  private static final String NOBODY = "65534";

  /**
   * What an address space may be beyond memory where there are no groups: much of it is never used.
   */
  private static final int ADDRESS_SPACE_FACTOR = 8;

  @Override
  public String name() {
    return "bubblewrap";
  }

  @Override
  public Optional<String> lacks() {
    return Programs.find("bwrap").isPresent()
        ? Optional.empty()
        : Optional.of("there is no bwrap; apt-get install bubblewrap");
  }

  @Override
  public Optional<String> lacks(SeccompProfile calls) {
    return Optional.empty();
  }

  /** Each process has limits of its own, and all die with the thread that started them. */
  @Override
  public boolean worksWithoutGroups() {
    return true;
  }

  @Override
  public Launch prepare(String id, Program program, User user, boolean grouped) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Programs.found("bwrap"));
    command.addAll(walls(Walls.around(program)));
    command.add("--");
    if (!grouped) {
      // Counted per user namespace, so only a limit set inside counts what is inside.
      command.addAll(
          List.of("/usr/bin/prlimit", "--nproc=" + program.limits().processesMax(), "--"));
    }
    command.addAll(program.command());
    return new Launch(preparation(program, grouped), command, () -> {});
  }

  private static String preparation(Program program, boolean grouped) {
    Limits limits = program.limits();
    List<String> lines = new ArrayList<>();
    lines.add("ulimit -c 0");
    lines.add("ulimit -n " + Walls.FILES_OPEN_MAX);
    lines.add("ulimit -f " + limits.tmpBytesMax() / 512);
    if (!grouped) {
      long kibibytes = limits.memoryBytesMax() >> 10;
      lines.add("ulimit -d " + kibibytes);
      lines.add("ulimit -v " + kibibytes * ADDRESS_SPACE_FACTOR);
    }
    lines.add("exec 9< " + LaunchedCages.quoted(program.filter()));
    return LaunchedCages.orNotLaunched(lines);
  }

  static List<String> walls(Walls walls) {
    List<String> options = new ArrayList<>();
    options.addAll(
        List.of(
            "--unshare-user",
            "--unshare-ipc",
            "--unshare-pid",
            "--unshare-uts",
            "--unshare-net",
            "--unshare-cgroup-try",
            "--disable-userns",
            "--die-with-parent",
            "--new-session"));
    options.addAll(List.of("--cap-drop", "ALL", "--uid", NOBODY, "--gid", NOBODY));
    options.addAll(List.of("--hostname", walls.surroundings().hostName(), "--clearenv"));
    walls
        .surroundings()
        .wholeEnvironment()
        .forEach((name, value) -> options.addAll(List.of("--setenv", name, value)));
    walls
        .folders()
        .forEach(
            (inside, folder) -> options.addAll(List.of("--ro-bind", folder.toString(), inside)));
    walls.links().forEach((inside, to) -> options.addAll(List.of("--symlink", to, inside)));
    options.addAll(List.of("--proc", "/proc", "--dev", "/dev"));
    walls
        .devices()
        .forEach(
            device -> options.addAll(List.of("--dev-bind", device.toString(), device.toString())));
    walls
        .memories()
        .forEach(
            (inside, bytes) ->
                options.addAll(List.of("--size", Long.toString(bytes), "--tmpfs", inside)));
    // The folder /dev is a file system in memory that takes files until somebody says otherwise.
    options.addAll(List.of("--remount-ro", "/dev"));
    options.addAll(
        List.of(
            "--chdir", walls.surroundings().beginning(), "--remount-ro", "/", "--seccomp", "9"));
    return options;
  }

  @Override
  public String fix(String said) {
    return said.contains("nknown option") ? "bubblewrap 0.8 or later is needed" : "";
  }
}
