package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.aionos.document.InvalidDocument;
import org.aionos.files.WholeFile;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.ConfinedTool;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.kernel.ToolGroups;
import org.aionos.kernel.ToolPackage;
import org.aionos.kernel.ToolTier;
import org.aionos.sandbox.LimitProfiles.Profile;
import org.aionos.sandbox.ToolFolders.Unpacked;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tiers {@code exec}, {@code rust} and {@code python}: a tool is a program of the host's own
 * architecture, or a script, that runs in a cage and speaks lines of JSON. See
 * docs/process-tools.md.
 */
@Component(
    service = {ToolTier.class, ToolGroups.class},
    configurationPid = "org.aionos.sandbox",
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    property = {
      ToolTier.TIERS + "=exec",
      ToolTier.TIERS + "=rust",
      ToolTier.TIERS + "=" + ProcessTier.PYTHON
    })
@Designate(ocd = SandboxConfig.class)
public final class ProcessTier implements ToolTier, ToolGroups {

  static final String PYTHON = "python";

  /** The launcher that is a runtime of the Open Container Initiative. */
  static final String OCI = "oci";

  private static final Logger log = LoggerFactory.getLogger(ProcessTier.class);

  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
  private static final Path OWN_CGROUPS = Path.of("/proc/self/cgroup");
  private static final Path ROOTS_TOOLS = Path.of("/var/lib/aion");
  private static final Path INTERPRETER = Path.of("/usr/bin/python3");

  private static final String FILTER_PROFILE = "default-restrictive";
  private static final String LIMIT_PROFILE = "default";
  private static final Pattern PROFILE_NAME = Pattern.compile("[a-z0-9][a-z0-9_-]{0,62}");

  /** Enough to find a worker that has nothing to do soon after its time. */
  private static final Duration RETIRE = Duration.ofSeconds(1);

  /** How much of the digest of the state folder names this kernel on the host. */
  private static final int NAME_LENGTH = 12;

  private final Path profiles;
  private final Pattern devices;
  private final boolean root;
  private final ToolFolders folders;
  private final @Nullable ControlGroups groups;
  private final @Nullable LaunchedCages cages;
  private final WorkerPool workers;
  private final Semaphore places = new Semaphore(Room.PLACES, true);

  /** Why no tool can be opened, as far as that is known from the start; empty if it is not so. */
  private final String noGroups;

  private final ExecutorService threads = Executors.newCachedThreadPool(named("aion-sandbox-io"));
  private final ScheduledExecutorService retiring =
      Executors.newSingleThreadScheduledExecutor(named("aion-sandbox-retire"));

  /** Whether all walls were built once; what was there then does not go away. Guarded by this. */
  private boolean tried;

  /** Guarded by this. */
  private final Set<ConfinedTool> open = new LinkedHashSet<>();

  @Activate
  public ProcessTier(SandboxConfig config, BundleContext context) throws IOException {
    this(
        config,
        Path.of(String.valueOf(context.getProperty("aion.state")), "sandbox"),
        Path.of(String.valueOf(context.getProperty("aion.config")), "sandbox"),
        Devices.GPUS);
  }

  /**
   * @param state ours alone, and whose path names this kernel on the host
   * @param profiles the folder of seccomp_profile.json and cgroup_profiles.yaml
   * @param devices those that a profile may name
   */
  ProcessTier(SandboxConfig config, Path state, Path profiles, Pattern devices) throws IOException {
    this.root = LaunchedCages.weAreRoot();
    this.devices = devices;
    String kernel = nameOf(state);
    this.profiles = profiles;
    Files.createDirectories(state);
    Path swept = state.resolve("cgroups.txt");
    sweep(swept);
    this.folders = new ToolFolders(unpackFolder(config, root, state, kernel));
    Launcher launcher =
        config.launcher().equals(OCI)
            ? new OciRuntime(config.ociRuntime(), folders.own("cages"))
            : new Bubblewrap();
    ControlGroups found = null;
    String why = "";
    try {
      found = ControlGroups.find(CGROUPS, Files.readAllLines(OWN_CGROUPS), kernel);
      WholeFile.write(swept, lines(found.folders()));
    } catch (IOException none) {
      why =
          none.getMessage()
              + (launcher.worksWithoutGroups()
                  ? "; or, with less isolation, set sandbox.degraded: true"
                  : "; without cgroups there is sandbox.launcher: bubblewrap alone");
      if (config.degraded() && launcher.worksWithoutGroups()) {
        log.warn(
            "tools are isolated less than they should be: why={} setting=sandbox.degraded",
            none.getMessage());
        found = new NoControlGroups();
        why = "";
      }
    }
    this.noGroups = why;
    this.groups = found;
    TenantUids uids =
        root ? new TenantUids(state.resolve("tenant-uids.tsv"), config.uidFirst()) : null;
    this.cages = found == null ? null : new LaunchedCages(launcher, found, uids);
    Duration startMax = Duration.ofMillis(config.startMillisMax());
    this.workers =
        new WorkerPool(
            (program, agent) -> start(program, agent, startMax),
            new WorkerPool.Bounds(
                config.workersMax(),
                config.workersPerToolMax(),
                config.callsPerWorkerMax(),
                Duration.ofSeconds(config.idleSecondsMax())),
            System::nanoTime);
    log.info(
        "process tier: launcher={} isolation={}",
        launcher.name(),
        found == null ? "unavailable: " + why : found.kind());
  }

  @Activate
  void begin() {
    retiring.scheduleWithFixedDelay(
        workers::retire, RETIRE.toMillis(), RETIRE.toMillis(), TimeUnit.MILLISECONDS);
  }

  private static Path unpackFolder(SandboxConfig config, boolean root, Path state, String kernel) {
    if (!config.unpackDir().isEmpty()) {
      return Path.of(config.unpackDir(), kernel);
    }
    // The state folder is the kernel's alone, and the users that tools run as are others.
    return root ? ROOTS_TOOLS.resolve(kernel) : state.resolve("tools");
  }

  /** One kernel to a state folder, so a folder names a kernel, and finds again what it left. */
  static String nameOf(Path state) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(state.toAbsolutePath().normalize().toString().getBytes(UTF_8));
      return HexFormat.of().formatHex(digest).substring(0, NAME_LENGTH);
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  private static byte[] lines(List<Path> folders) {
    StringBuilder lines = new StringBuilder();
    folders.forEach(folder -> lines.append(folder).append('\n'));
    return lines.toString().getBytes(UTF_8);
  }

  /** Ends what a kernel that died has left. A kernel may be started in another group each time. */
  private static void sweep(Path swept) throws IOException {
    try {
      for (String folder : Files.readAllLines(swept)) {
        CgroupFolders.sweep(Path.of(folder));
      }
    } catch (NoSuchFileException firstTime) {
      log.debug("no kernel was here before");
    }
  }

  private static ThreadFactory named(String name) {
    return task -> {
      Thread thread = new Thread(task, name);
      thread.setDaemon(true);
      return thread;
    };
  }

  // --- opening --------------------------------------------------------------------------------

  @Override
  public ConfinedTool open(ToolPackage tool) {
    ToolManifest manifest = tool.manifest();
    List<String> command = command(manifest, tool.paths());
    Filter filter = filter(text(manifest, "seccomp_profile", FILTER_PROFILE));
    Profile profile = profile(text(manifest, "cgroup", LIMIT_PROFILE));
    Devices.Granted granted = granted(manifest, profile.devices());
    requireWalls();
    try {
      Unpacked unpacked = folders.unpack(tool, filter.compiled);
      Program program =
          new Program(
              manifest.nameAndVersion(),
              command,
              unpacked.folder(),
              unpacked.filter(),
              filter.calls,
              profile.limits(),
              granted);
      ProcessTool opened = new ProcessTool(program, unpacked, workers, folders, this::closed);
      synchronized (this) {
        open.add(opened);
      }
      return opened;
    } catch (IOException failed) {
      throw new Refused(
          Code.TIER_UNAVAILABLE, "the tool cannot be unpacked: " + failed.getMessage());
    }
  }

  private synchronized void closed(ProcessTool tool) {
    open.remove(tool);
  }

  private static List<String> command(ToolManifest manifest, List<String> paths) {
    String target = manifest.target();
    if (!ToolFolders.isOfTheTool(target) || !paths.contains(target)) {
      throw invalid("/spec/entry: the jar has no file " + target);
    }
    String file = "/tool/" + target;
    if (!manifest.tier().equals(PYTHON)) {
      return List.of(file);
    }
    if (!Files.isExecutable(INTERPRETER)) {
      throw new Refused(
          Code.TIER_UNAVAILABLE, "there is no " + INTERPRETER + "; apt-get install python3");
    }
    // -B: /tool takes no compiled files. -u: a line is sent when it is written.
    return List.of(INTERPRETER.toString(), "-B", "-u", "-E", "-s", file);
  }

  private static String text(ToolManifest manifest, String name, String absent) {
    Object value = manifest.security().get(name);
    if (value == null) {
      return absent;
    }
    if (value instanceof String text && PROFILE_NAME.matcher(text).matches()) {
      return text;
    }
    throw invalid("/spec/security/" + name + ": must be the name of a profile");
  }

  /** What a tool may ask of Linux, as it is written and as Linux reads it. */
  private record Filter(SeccompProfile calls, byte[] compiled) {}

  private Filter filter(String name) {
    String file =
        name.equals(FILTER_PROFILE) ? "seccomp_profile.json" : "seccomp_profile." + name + ".json";
    try {
      SeccompProfile calls = SeccompProfile.read(read(file, "/spec/security/seccomp_profile"));
      Optional<String> unsaid = cages == null ? Optional.empty() : cages.lacks(calls);
      if (unsaid.isPresent()) {
        throw unusable(file, unsaid.get());
      }
      return new Filter(calls, SeccompFilter.of(calls));
    } catch (InvalidDocument invalid) {
      throw unusable(file, invalid.describe());
    } catch (IllegalArgumentException tooLong) {
      throw unusable(file, String.valueOf(tooLong.getMessage()));
    }
  }

  /** None for a tool that does not need them, for then its agent need not hold the capability. */
  private Devices.Granted granted(ToolManifest manifest, Devices devices) {
    if (!manifest.needs().contains(Devices.CAPABILITY)) {
      return Devices.Granted.NOTHING;
    }
    try {
      return devices.granted(root);
    } catch (IOException unusable) {
      throw new Refused(Code.TIER_UNAVAILABLE, String.valueOf(unusable.getMessage()));
    }
  }

  private Profile profile(String name) {
    String file = "cgroup_profiles.yaml";
    try {
      LimitProfiles known = LimitProfiles.read(read(file, "/spec/security/cgroup"), devices);
      return known
          .named(name)
          .orElseThrow(
              () ->
                  invalid(
                      "/spec/security/cgroup: there is no profile "
                          + name
                          + "; there are "
                          + known.names()));
    } catch (InvalidDocument invalid) {
      throw unusable(file, invalid.describe());
    }
  }

  private byte[] read(String file, String pointer) {
    try {
      return Files.readAllBytes(profiles.resolve(file));
    } catch (NoSuchFileException absent) {
      throw invalid(pointer + ": there is no " + profiles.resolve(file));
    } catch (IOException unreadable) {
      throw unusable(file, String.valueOf(unreadable.getMessage()));
    }
  }

  private static Refused invalid(String message) {
    return new Refused(Code.INVALID_FIELD, message);
  }

  private Refused unusable(String file, String why) {
    return new Refused(Code.TIER_UNAVAILABLE, profiles.resolve(file) + " cannot be used: " + why);
  }

  private synchronized void requireWalls() {
    if (tried) {
      return;
    }
    if (cages == null) {
      throw new Refused(Code.TIER_UNAVAILABLE, noGroups);
    }
    Optional<String> lacks = cages.lacks(nothing());
    if (lacks.isPresent()) {
      throw new Refused(Code.TIER_UNAVAILABLE, lacks.get());
    }
    tried = true;
  }

  /** A program that does nothing, behind the walls that tools get. */
  private Program nothing() {
    Path file = folders.own("trial.bpf");
    Filter filter = filter(FILTER_PROFILE);
    try {
      folders.make();
      Files.write(file, filter.compiled);
    } catch (IOException unwritable) {
      throw new Refused(
          Code.TIER_UNAVAILABLE, "cannot write to " + file + ": " + unwritable.getMessage());
    }
    return new Program(
        "trial",
        List.of("/usr/bin/true"),
        folders.own("."),
        file,
        filter.calls,
        profile(LIMIT_PROFILE).limits(),
        Devices.Granted.NOTHING);
  }

  @Override
  public List<Group> groups() {
    List<Group> groups = new ArrayList<>();
    for (Worker worker : workers.ready()) {
      Path folder = worker.unified();
      if (folder != null) {
        String tool = worker.program().tool();
        groups.add(new Group(tool.substring(0, tool.indexOf('@')), folder));
      }
    }
    return groups;
  }

  private Worker start(Program program, AgentId agent, Duration startMax)
      throws InterruptedException {
    if (cages == null) {
      throw new Refused(Code.TIER_UNAVAILABLE, noGroups);
    }
    try {
      Cage cage = cages.open(program, agent.tenant());
      return Worker.ready(
          program, cage, new Room(places, System::nanoTime), startMax, threads, System::nanoTime);
    } catch (IOException failed) {
      throw new Refused(
          Code.TIER_UNAVAILABLE, "a worker cannot be started: " + failed.getMessage());
    }
  }

  /** Workers that run now, idle ones included. */
  int workers() {
    return workers.workers();
  }

  @Deactivate
  void close() {
    retiring.shutdownNow();
    List<ConfinedTool> left;
    synchronized (this) {
      left = new ArrayList<>(open);
      open.clear();
    }
    left.forEach(ConfinedTool::close);
    if (cages != null) {
      cages.close();
    }
    if (groups != null) {
      groups.folders().forEach(CgroupFolders::sweep);
    }
    threads.shutdownNow();
    folders.clear();
  }
}
