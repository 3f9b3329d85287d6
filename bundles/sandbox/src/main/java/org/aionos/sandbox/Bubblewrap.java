package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Builds cages with bubblewrap: namespaces of their own for users, processes, mounts, network, IPC,
 * host name and cgroups; no capability; a seccomp filter; a group; and, where the kernel runs as
 * root, a user of the tenant's own on the host.
 *
 * <p>The order is: a shell steps into the group, sets resource limits and opens the filter; {@code
 * setpriv} leaves root behind; bubblewrap builds the walls and, last of all, loads the filter. Each
 * replaces the one before it, so the process we started is bubblewrap's own.
 */
final class Bubblewrap implements Cages, AutoCloseable {

  /** Where programs are looked for; never in a PATH that somebody else has set. */
  private static final List<Path> FOLDERS =
      List.of(
          Path.of("/usr/bin"), Path.of("/bin"), Path.of("/usr/local/bin"), Path.of("/usr/sbin"));

  /** Nobody, inside. Outside it is the tenant's user, or the kernel's. */
  private static final String NOBODY = "65534";

  private static final long SHARED_MEMORY_BYTES_MAX = 64 << 10;
  private static final int FILES_OPEN_MAX = 256;

  /** The shell could not step into the group or set a limit. */
  static final int EXIT_NOT_LAUNCHED = 125;

  /**
   * What an address space may be beyond memory where there are no groups: much of it is never used.
   */
  private static final int ADDRESS_SPACE_FACTOR = 8;

  private static final Duration TRIAL_MAX = Duration.ofSeconds(10);

  private final ControlGroups groups;
  private final @Nullable TenantUids uids;
  private final AtomicLong cages = new AtomicLong();

  /**
   * Bubblewrap asks Linux to end it with its parent, and to Linux the parent is the thread that
   * started it. So one thread starts them all, and lives as long as we do.
   */
  private final ExecutorService launcher =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread thread = new Thread(task, "aion-sandbox-launcher");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * @param uids the tenants' users; null if the kernel is not root, and has one user for all
   */
  Bubblewrap(ControlGroups groups, @Nullable TenantUids uids) {
    this.groups = groups;
    this.uids = uids;
  }

  static boolean weAreRoot() throws IOException {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
  }

  @Override
  public Cage open(Program program, String tenant) throws IOException {
    List<String> identity = uids == null ? List.of() : identity(uids.of(tenant));
    ControlGroup group = groups.create("worker-" + cages.incrementAndGet(), program.limits());
    try {
      ProcessBuilder builder = new ProcessBuilder(command(program, group, identity));
      // bubblewrap empties the environment of the tool, not its own, which the tool can read as
      // /proc/1/environ.
      builder.environment().clear();
      return new BubblewrapCage(started(builder), group);
    } catch (IOException | RuntimeException failed) {
      group.remove();
      throw failed;
    }
  }

  /** An interrupt does not end the wait: a process that nobody waits for would have no owner. */
  private Process started(ProcessBuilder builder) throws IOException {
    Future<Process> starting = launcher.submit(builder::start);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return starting.get();
        } catch (InterruptedException later) {
          interrupted = true;
        }
      }
    } catch (ExecutionException failed) {
      throw new IOException(failed.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private List<String> command(Program program, ControlGroup group, List<String> identity)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("/bin/sh", "-c", preparation(program, group), "aion-tool"));
    command.addAll(identity);
    command.add(found("bwrap"));
    command.addAll(walls(program));
    command.add("--");
    if (group.doors().isEmpty()) {
      // Counted per user namespace, so only a limit set inside counts what is inside.
      command.addAll(
          List.of("/usr/bin/prlimit", "--nproc=" + program.limits().processesMax(), "--"));
    }
    command.addAll(program.command());
    return command;
  }

  private static String preparation(Program program, ControlGroup group) {
    Limits limits = program.limits();
    StringBuilder script = new StringBuilder("umask 077\n");
    for (Path door : group.doors()) {
      script.append("echo $$ > ").append(quoted(door)).append(orNotLaunched());
    }
    script.append("ulimit -c 0").append(orNotLaunched());
    script.append("ulimit -n ").append(FILES_OPEN_MAX).append(orNotLaunched());
    script.append("ulimit -f ").append(limits.tmpBytesMax() / 512).append(orNotLaunched());
    if (group.doors().isEmpty()) {
      long kibibytes = limits.memoryBytesMax() >> 10;
      script.append("ulimit -d ").append(kibibytes).append(orNotLaunched());
      script.append("ulimit -v ").append(kibibytes * ADDRESS_SPACE_FACTOR).append(orNotLaunched());
    }
    return script
        .append("exec 9< ")
        .append(quoted(program.filter()))
        .append(orNotLaunched())
        .append("exec \"$@\"\n")
        .toString();
  }

  private static String orNotLaunched() {
    return " || exit " + EXIT_NOT_LAUNCHED + "\n";
  }

  private static String quoted(Path path) {
    return "'" + path.toString().replace("'", "'\\''") + "'";
  }

  private static List<String> identity(int uid) throws IOException {
    return List.of(
        found("setpriv"),
        "--reuid=" + uid,
        "--regid=" + uid,
        "--clear-groups",
        "--inh-caps=-all",
        "--no-new-privs",
        "--");
  }

  private static List<String> walls(Program program) {
    List<String> walls = new ArrayList<>();
    walls.addAll(
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
    walls.addAll(List.of("--cap-drop", "ALL", "--uid", NOBODY, "--gid", NOBODY));
    walls.addAll(List.of("--hostname", "tool", "--clearenv"));
    walls.addAll(List.of("--setenv", "PATH", "/usr/bin:/bin"));
    walls.addAll(List.of("--setenv", "LANG", "C.UTF-8", "--setenv", "HOME", "/tmp"));
    walls.addAll(List.of("--ro-bind", "/usr", "/usr"));
    for (String each : List.of("lib", "lib64", "bin", "sbin")) {
      Path folder = Path.of("/" + each);
      if (Files.isSymbolicLink(folder)) {
        walls.addAll(List.of("--symlink", "usr/" + each, folder.toString()));
      } else if (Files.isDirectory(folder)) {
        walls.addAll(List.of("--ro-bind", folder.toString(), folder.toString()));
      }
    }
    // By these links Debian finds awk, among others. There is nothing else of /etc.
    walls.addAll(List.of("--ro-bind-try", "/etc/alternatives", "/etc/alternatives"));
    walls.addAll(List.of("--proc", "/proc", "--dev", "/dev"));
    walls.addAll(List.of("--size", Long.toString(SHARED_MEMORY_BYTES_MAX), "--tmpfs", "/dev/shm"));
    // The folder /dev is a file system in memory that takes files until somebody says otherwise.
    walls.addAll(List.of("--remount-ro", "/dev"));
    walls.addAll(
        List.of("--size", Long.toString(program.limits().tmpBytesMax()), "--tmpfs", "/tmp"));
    walls.addAll(List.of("--ro-bind", program.folder().toString(), "/tool"));
    walls.addAll(List.of("--chdir", "/tmp", "--remount-ro", "/", "--seccomp", "9"));
    return walls;
  }

  private static String found(String program) throws IOException {
    for (Path folder : FOLDERS) {
      Path file = folder.resolve(program);
      if (Files.isExecutable(file)) {
        return file.toString();
      }
    }
    throw new IOException("there is no " + program);
  }

  /**
   * Tries whether all the walls can be built here, with a program that does nothing.
   *
   * @return why not, and what to do about it; empty if they can
   */
  Optional<String> lacks(Program nothing) {
    if (!System.getProperty("os.arch").equals("amd64")) {
      return Optional.of(
          "seccomp filters are compiled for x86_64 alone, and this is "
              + System.getProperty("os.arch")
              + "; run the kernel on x86_64");
    }
    for (String program : List.of("bwrap", "setpriv")) {
      try {
        found(program);
      } catch (IOException absent) {
        String name = program.equals("bwrap") ? "bubblewrap" : "util-linux";
        return Optional.of(absent.getMessage() + "; apt-get install " + name);
      }
    }
    try {
      Cage cage = open(nothing, "aion");
      cage.in().close();
      byte[] said = new byte[0];
      Cage.Ending ending;
      try {
        // A host so slow that this takes longer than the patience below is no host for tools.
        ending = cage.end(TRIAL_MAX);
      } finally {
        said = cage.err().readNBytes(1_000);
      }
      return ending.exit() == 0
          ? Optional.empty()
          : Optional.of(explained(ending, new String(said, UTF_8).strip()));
    } catch (IOException failed) {
      return Optional.of(String.valueOf(failed.getMessage()));
    }
  }

  private static String explained(Cage.Ending ending, String said) {
    String why = said.isEmpty() ? "exit " + ending.exit() : said.lines().findFirst().orElse("");
    String fix;
    if (said.contains("namespace") || said.contains("uid map") || said.contains("userns")) {
      fix =
          "let users make namespaces: sysctl -w kernel.unprivileged_userns_clone=1"
              + " kernel.apparmor_restrict_unprivileged_userns=0 user.max_user_namespaces=10000"
              + " (those of them that this host has); in a container, admit unshare and mount";
    } else if (said.contains("nknown option")) {
      fix = "bubblewrap 0.8 or later is needed";
    } else if (said.contains("SECCOMP")) {
      fix = "a Linux with CONFIG_SECCOMP_FILTER is needed";
    } else {
      fix = "./aion doctor says what this host lacks";
    }
    return "a trial of bubblewrap failed (" + why + "); " + fix;
  }

  @Override
  public void close() {
    launcher.shutdownNow();
  }
}
