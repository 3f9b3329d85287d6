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
import java.util.stream.Collectors;
import org.aionos.sandbox.Launcher.Launch;
import org.jspecify.annotations.Nullable;

/**
 * Starts cages: in a group, as a user of the tenant's own where the kernel runs as root, behind the
 * walls that a launcher builds.
 *
 * <p>The order is: a shell steps into the group and does what the launcher needs; {@code setpriv}
 * leaves root behind; the launcher builds the walls and, last of all, loads the filter. Each
 * replaces the one before it, so the process we started is the launcher's own.
 */
final class LaunchedCages implements Cages, AutoCloseable {

  /** The shell could not step into the group or set a limit. */
  static final int EXIT_NOT_LAUNCHED = 125;

  private static final Duration TRIAL_MAX = Duration.ofSeconds(10);

  private final Launcher launcher;
  private final ControlGroups groups;
  private final @Nullable TenantUids uids;
  private final @Nullable Reaper reaper;
  private final AtomicLong cages = new AtomicLong();

  /**
   * bubblewrap asks Linux to end it with its parent, and to Linux the parent is the thread that
   * started it. So one thread starts them all, and lives as long as we do.
   */
  private final ExecutorService starting =
      Executors.newSingleThreadExecutor(Daemons.named("aion-sandbox-launcher"));

  /**
   * @param uids the tenants' users; null if the kernel is not root, and has one user for all
   */
  LaunchedCages(Launcher launcher, ControlGroups groups, @Nullable TenantUids uids)
      throws IOException {
    this.launcher = launcher;
    this.groups = groups;
    this.uids = uids;
    this.reaper = launcher.worksWithoutGroups() ? null : new Reaper(groups.folders());
  }

  static boolean weAreRoot() throws IOException {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
  }

  @Override
  public Cage open(Program program, String tenant) throws IOException {
    return launched(program, tenant, false);
  }

  /** The same, in a group that can be frozen where this host has such. */
  LaunchedCage openFreezable(Program program, String tenant) throws IOException {
    return launched(program, tenant, true);
  }

  private LaunchedCage launched(Program program, String tenant, boolean freezable)
      throws IOException {
    Launcher.User user = uids == null ? weOurselves() : tenantUser(uids.of(tenant));
    String id = "worker-" + cages.incrementAndGet();
    ControlGroup group = groups.create(id, program.limits(), freezable);
    Runnable left = () -> {};
    try {
      Launch launch = launcher.prepare(id, program, user, !group.doors().isEmpty());
      left = launch.left();
      ProcessBuilder builder = new ProcessBuilder(command(launch, group, identity(program, user)));
      // bubblewrap empties the environment of the tool, not its own, which the tool can read as
      // /proc/1/environ.
      builder.environment().clear();
      return new LaunchedCage(started(builder), group, left);
    } catch (IOException | RuntimeException failed) {
      group.remove();
      left.run();
      throw failed;
    }
  }

  private static Launcher.User weOurselves() throws IOException {
    Path self = Path.of("/proc/self");
    return new Launcher.User(
        (Integer) Files.getAttribute(self, "unix:uid"),
        (Integer) Files.getAttribute(self, "unix:gid"));
  }

  /**
   * The group of the host that a tenant's programs are in, and nobody else; null if they run as our
   * own user.
   */
  @Nullable Integer groupOf(String tenant) throws IOException {
    return uids == null ? null : Integer.valueOf(tenantUser(uids.of(tenant)).gid());
  }

  private static Launcher.User tenantUser(int uid) {
    return new Launcher.User(uid, uid);
  }

  /** An interrupt does not end the wait: a process that nobody waits for would have no owner. */
  private Process started(ProcessBuilder builder) throws IOException {
    Future<Process> starting = this.starting.submit(builder::start);
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

  private static List<String> command(Launch launch, ControlGroup group, List<String> identity) {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("/bin/sh", "-c", preparation(launch, group), "aion-tool"));
    command.addAll(identity);
    command.addAll(launch.command());
    return command;
  }

  private static String preparation(Launch launch, ControlGroup group) {
    List<String> doors = group.doors().stream().map(door -> "echo $$ > " + quoted(door)).toList();
    return "umask 077\n" + orNotLaunched(doors) + launch.preparation() + "exec \"$@\"\n";
  }

  /** Lines of shell, each of which must succeed. */
  static String orNotLaunched(List<String> lines) {
    StringBuilder script = new StringBuilder();
    lines.forEach(
        line -> script.append(line).append(" || exit ").append(EXIT_NOT_LAUNCHED).append('\n'));
    return script.toString();
  }

  static String quoted(Path path) {
    return "'" + path.toString().replace("'", "'\\''") + "'";
  }

  /** Without root it is our own user, and our own groups. */
  private List<String> identity(Program program, Launcher.User user) throws IOException {
    if (uids == null) {
      return List.of();
    }
    String groups =
        program.devices().groups().stream().map(String::valueOf).collect(Collectors.joining(","));
    return List.of(
        Programs.found("setpriv"),
        "--reuid=" + user.uid(),
        "--regid=" + user.gid(),
        groups.isEmpty() ? "--clear-groups" : "--groups=" + groups,
        "--inh-caps=-all",
        "--no-new-privs",
        "--");
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
    if (Programs.find("setpriv").isEmpty()) {
      return Optional.of("there is no setpriv; apt-get install util-linux");
    }
    Optional<String> absent = launcher.lacks();
    if (absent.isPresent()) {
      return absent;
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

  private String explained(Cage.Ending ending, String said) {
    String why = said.isEmpty() ? "exit " + ending.exit() : said.lines().findFirst().orElse("");
    String fix = launcher.fix(said);
    if (!fix.isEmpty()) {
      return "a trial of " + launcher.name() + " failed (" + why + "); " + fix;
    }
    if (said.contains("namespace") || said.contains("uid map") || said.contains("userns")) {
      fix =
          "let users make namespaces: sysctl -w kernel.unprivileged_userns_clone=1"
              + " kernel.apparmor_restrict_unprivileged_userns=0 user.max_user_namespaces=10000"
              + " (those of them that this host has); in a container, admit unshare and mount";
    } else if (said.contains("SECCOMP")) {
      fix = "a Linux with CONFIG_SECCOMP_FILTER is needed";
    } else {
      fix = "./aion doctor says what this host lacks";
    }
    return "a trial of " + launcher.name() + " failed (" + why + "); " + fix;
  }

  /** Why a filter cannot stand before a tool here; empty if it can. */
  Optional<String> lacks(SeccompProfile calls) {
    return launcher.lacks(calls);
  }

  @Override
  public void close() {
    starting.shutdownNow();
    if (reaper != null) {
      reaper.close();
    }
  }
}
