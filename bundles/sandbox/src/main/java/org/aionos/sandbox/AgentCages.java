package org.aionos.sandbox;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.AgentDoors;
import org.aionos.kernel.task.AgentLauncher;
import org.aionos.sandbox.LimitProfiles.Profile;
import org.aionos.sandbox.Profiles.Filter;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Agents in cages: the walls that tools get, and one way out, the relay to the kernel. See
 * docs/agents-as-processes.md.
 */
@Component(
    service = AgentLauncher.class,
    configurationPid = "org.aionos.sandbox",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class AgentCages implements AgentLauncher {

  private static final Logger log = LoggerFactory.getLogger(AgentCages.class);

  static final String FILTER = "seccomp_profile.agent.json";
  static final String LIMIT_PROFILE = "agent";

  /** Where the folder with the socket of the kernel is inside. */
  private static final String DOOR = "/aion/door";

  private static final String KERNEL_PORT = KERNEL_URL.substring(KERNEL_URL.lastIndexOf(':') + 1);

  /** What the walls themselves put there, and what is not to be mistaken for the system's own. */
  private static final Set<String> TAKEN =
      Set.of(
          "agent", "aion", "bin", "boot", "dev", "etc", "lib", "lib64", "proc", "root", "run",
          "sbin", "sys", "tmp", "usr", "var");

  private static final Pattern ID = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,127}");
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");
  private static final Pattern INSIDE =
      Pattern.compile("(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}){1,8}");

  /** What Linux takes in one command is 128 KiB an argument; ours share it with bubblewrap's. */
  private static final int TEXT_LENGTH_MAX = 64 << 10;

  /** Each takes two threads of the kernel; more than there are processors for, by far. */
  private static final int AGENTS_MAX = 256;

  /** Below that, bubblewrap and the relay alone are too much. */
  private static final long MEMORY_BYTES_MIN = 16L << 20;

  private static final int CPU_PERCENT_MAX = 100_000;

  /** A data directory may be older than the profile of agents. */
  private static final Limits LIMITS =
      new Limits(100, 256L << 20, 128, 64L << 20, 4L << 20, Duration.ofMinutes(1));

  /** That of all agents, which end together. */
  private static final Duration CLOSE_MAX = Duration.ofSeconds(10);

  private final Host host;
  private final AgentFiles files;
  private final FolderCopies copies;
  private final Duration startMax;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(Daemons.named("aion-agent-io"));
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(Daemons.named("aion-agent-clock"));

  /** The ids of those that run or are being started. Guarded by this, as is what follows. */
  private final Set<String> ids = new HashSet<>();

  /** Those whose end was not told yet. */
  private final Set<RunningAgent> running = new HashSet<>();

  private boolean closed;

  @Activate
  public AgentCages(SandboxConfig config, @Reference(name = "host") Host host) {
    this.host = host;
    this.files = new AgentFiles(host.folders());
    this.copies = new FolderCopies(host.folders(), "agents");
    this.startMax = Duration.ofMillis(config.startMillisMax());
  }

  // --- starting -------------------------------------------------------------------------------

  @Override
  public Running launch(Launch launch, Entrance entrance, Consumer<Exit> ended) {
    check(launch);
    if (!host.isBubblewrap()) {
      throw unavailable(
          "agents are run by bubblewrap alone, and sandbox.launcher is oci ("
              + host.launcher()
              + "): set sandbox.launcher: bubblewrap");
    }
    host.requireWalls();
    take(launch.id());
    Belongings belongings = new Belongings(launch);
    boolean started = false;
    try {
      RunningAgent agent = start(launch, belongings, entrance);
      started = true;
      add(agent);
      log.info("agent runs: run={} agent={}", launch.id(), launch.agent());
      agent.whenGone(exit -> gone(belongings, agent, exit, ended), threads);
      return agent;
    } catch (IOException failed) {
      throw unavailable("an agent cannot be started: " + failed.getMessage());
    } finally {
      if (!started) {
        belongings.giveBack();
      }
    }
  }

  private RunningAgent start(Launch launch, Belongings belongings, Entrance entrance)
      throws IOException {
    String tenant = launch.agent().tenant();
    Profile profile = profile();
    Filter filter = host.profiles().filter(FILTER).orElseThrow(() -> host.absent(FILTER));
    Devices.Granted devices = devices(profile.devices(), launch.resources().gpu());
    Map<String, Path> folders = belongings.folders(host.cages().groupOf(tenant));
    Program program =
        new Program(
            launch.id(),
            command(launch),
            new Surroundings("agent", folders, launch.environment(), CODE),
            files.filter(filter.compiled()),
            filter.calls(),
            limits(profile.limits(), launch.resources()),
            devices);
    open(entrance, belongings.door());
    LaunchedCage cage = host.cages().openFreezable(program, tenant);
    try {
      RunningAgent agent =
          new RunningAgent(launch.id(), cage, launch.outputBytesMax(), threads, clock);
      agent.awaitReady(startMax);
      return agent;
    } catch (RuntimeException unborn) {
      cage.kill();
      cage.end(Duration.ZERO);
      throw unborn;
    }
  }

  private static void open(Entrance entrance, Path door) {
    try {
      entrance.open(door);
    } catch (UncheckedIOException unopened) {
      throw unavailable(
          "there is no way to the kernel: "
              + unopened.getMessage()
              + "; if it is too long, set sandbox.unpack_dir");
    }
  }

  private static List<String> command(Launch launch) {
    List<String> command = new ArrayList<>();
    command.add(AgentFiles.RELAY);
    if (!launch.subprocesses()) {
      command.add("--alone");
    }
    command.addAll(List.of(DOOR + "/" + AgentDoors.SOCKET, KERNEL_PORT, "--"));
    command.addAll(launch.command());
    return command;
  }

  private Profile profile() {
    return host.profiles()
        .limits()
        .flatMap(known -> known.named(LIMIT_PROFILE))
        .orElse(new Profile(LIMITS, Devices.NONE));
  }

  private static Limits limits(Limits profile, Resources resources) {
    return new Limits(
        resources.cpuPercent(),
        resources.memoryBytesMax(),
        profile.processesMax(),
        profile.tmpBytesMax(),
        profile.outputBytesMax(),
        profile.wallMax());
  }

  private Devices.Granted devices(Devices named, Gpu gpu) throws IOException {
    return switch (gpu) {
      case NONE -> Devices.Granted.NOTHING;
      case OPTIONAL -> new Devices(named.paths(), true).granted(host.isRoot());
      case REQUIRED -> {
        if (named.paths().isEmpty()) {
          throw unavailable(
              "this agent needs a gpu, and the profile "
                  + LIMIT_PROFILE
                  + " of "
                  + host.profiles().path(Profiles.LIMITS)
                  + " names none: gpu: { devices: [...] }");
        }
        yield new Devices(named.paths(), false).granted(host.isRoot());
      }
    };
  }

  /** What an agent holds of ours from its start to its end: its id, copies, and a door's folder. */
  private final class Belongings {

    private final Launch launch;
    private final List<Folder> taken = new ArrayList<>();
    private @Nullable Path door;

    Belongings(Launch launch) {
      this.launch = launch;
    }

    /**
     * All that it is to see, by where it is inside.
     *
     * @param group of the agent's user; null if that is our own
     */
    Map<String, Path> folders(@Nullable Integer group) throws IOException {
      Map<String, Path> folders = new TreeMap<>(files.files());
      Path code = copy(launch.code());
      checkProgram(launch.command().get(0), code);
      folders.put(CODE, code);
      for (Map.Entry<String, Folder> each : launch.libraries().entrySet()) {
        folders.put(each.getKey(), copy(each.getValue()));
      }
      door = files.door(group);
      folders.put(DOOR, door);
      return folders;
    }

    private Path copy(Folder folder) throws IOException {
      Path copy = copies.take(folder);
      taken.add(folder);
      return copy;
    }

    Path door() {
      return requireNonNull(door, "door");
    }

    void giveBack() {
      taken.forEach(copies::giveBack);
      if (door != null) {
        ToolFolders.delete(door);
      }
      AgentCages.this.giveBack(launch.id());
    }
  }

  private synchronized void take(String id) {
    if (closed) {
      throw new Refused(Code.RESTARTING, "the sandbox bundle is being replaced; retry");
    }
    if (ids.size() >= AGENTS_MAX) {
      throw new Refused(Code.KERNEL_BUSY, AGENTS_MAX + " agents run, and no more can");
    }
    if (!ids.add(id)) {
      throw new Refused(Code.CONFLICT, "an agent runs under the id " + id + " already");
    }
  }

  private synchronized void giveBack(String id) {
    ids.remove(id);
    notifyAll();
  }

  private synchronized void add(RunningAgent agent) {
    running.add(agent);
    if (closed) {
      agent.kill();
    }
  }

  private void gone(Belongings belongings, RunningAgent agent, Exit exit, Consumer<Exit> ended) {
    Launch launch = belongings.launch;
    boolean ours = isClosed();
    log.info(
        "agent ended: run={} agent={} status={} out_of_memory={} cpu_ms={}",
        launch.id(),
        launch.agent(),
        exit.status(),
        exit.outOfMemory(),
        exit.usage().cpuMicros() / 1_000);
    if (log.isDebugEnabled()) {
      log.debug(
          "agent wrote to stderr: run={} text={}",
          launch.id(),
          Printable.of(exit.output().stderr()));
    }
    belongings.giveBack();
    try {
      ended.accept(ours ? new Exit(null, exit.outOfMemory(), exit.usage(), exit.output()) : exit);
    } finally {
      forget(agent);
    }
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  private synchronized void forget(RunningAgent agent) {
    running.remove(agent);
    notifyAll();
  }

  // --- what can be launched -------------------------------------------------------------------

  private static void check(Launch launch) {
    require(ID.matcher(launch.id()).matches(), "the id of a run must match " + ID);
    require(!launch.command().isEmpty(), "there is no command");
    int length = launch.command().stream().mapToInt(String::length).sum();
    for (Map.Entry<String, String> each : launch.environment().entrySet()) {
      require(
          VARIABLE.matcher(each.getKey()).matches(), "no variable has the name " + each.getKey());
      require(each.getValue().indexOf(0) < 0, "the variable " + each.getKey() + " holds a NUL");
      length += each.getKey().length() + each.getValue().length();
    }
    require(
        length <= TEXT_LENGTH_MAX, "command and environment are longer than " + TEXT_LENGTH_MAX);
    require(
        launch.command().stream().noneMatch(each -> each.indexOf(0) >= 0),
        "an argument holds a NUL");
    require(launch.outputBytesMax() >= 0, "less than no output cannot be kept");
    launch.libraries().keySet().forEach(AgentCages::checkLibrary);
    int cpu = launch.resources().cpuPercent();
    require(
        cpu >= 1 && cpu <= CPU_PERCENT_MAX,
        "cpu must be from 1 to " + CPU_PERCENT_MAX + " percent");
    require(
        launch.resources().memoryBytesMax() >= MEMORY_BYTES_MIN,
        "an agent needs at least " + MEMORY_BYTES_MIN + " bytes of memory");
  }

  private static void checkLibrary(String inside) {
    require(
        INSIDE.matcher(inside).matches() && !TAKEN.contains(inside.split("/", -1)[1]),
        "a library can be at a path of its own, as /libraries/sdk, not at " + inside);
  }

  private static void checkProgram(String program, Path code) {
    if (program.startsWith(CODE + "/")) {
      Path file = code.resolve(program.substring(CODE.length() + 1)).normalize();
      if (!file.startsWith(code) || !Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
        throw new Refused(Code.NOT_FOUND, "the agent's code has no file " + program);
      }
    } else if (program.startsWith("/usr/") && !Files.isExecutable(Path.of(program))) {
      throw unavailable("this host has no program " + program + "; install it");
    }
  }

  private static void require(boolean sound, String message) {
    if (!sound) {
      throw new Refused(Code.INVALID_FIELD, message);
    }
  }

  private static Refused unavailable(String why) {
    return new Refused(Code.TIER_UNAVAILABLE, why);
  }

  // --- ending ---------------------------------------------------------------------------------

  /** All agents end with it, and each is told of. */
  @Deactivate
  void close() {
    synchronized (this) {
      closed = true;
      running.forEach(RunningAgent::kill);
    }
    awaitNone();
    clock.shutdownNow();
    threads.shutdown();
  }

  private synchronized void awaitNone() {
    long end = System.nanoTime() + CLOSE_MAX.toNanos();
    try {
      while (!ids.isEmpty() || !running.isEmpty()) {
        long left = end - System.nanoTime();
        if (left <= 0) {
          log.error("agents do not end: runs={}", ids);
          return;
        }
        wait(left / 1_000_000 + 1);
      }
    } catch (InterruptedException now) {
      Thread.currentThread().interrupt();
    }
  }
}
