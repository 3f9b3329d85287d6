package org.aionos.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.ConfinedTool;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.kernel.ToolGroups;
import org.aionos.kernel.ToolPackage;
import org.aionos.kernel.ToolTier;
import org.aionos.sandbox.LimitProfiles.Profile;
import org.aionos.sandbox.Profiles.Filter;
import org.aionos.sandbox.ToolFolders.Unpacked;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

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
public final class ProcessTier implements ToolTier, ToolGroups {

  static final String PYTHON = "python";

  private static final Path INTERPRETER = Path.of("/usr/bin/python3");

  private static final String FILTER_PROFILE = "default-restrictive";
  private static final Pattern PROFILE_NAME = Pattern.compile("[a-z0-9][a-z0-9_-]{0,62}");

  /** Enough to find a worker that has nothing to do soon after its time. */
  private static final Duration RETIRE = Duration.ofSeconds(1);

  private final Host host;
  private final WorkerPool workers;
  private final Semaphore places = new Semaphore(Room.PLACES, true);

  private final ExecutorService threads =
      Executors.newCachedThreadPool(Daemons.named("aion-sandbox-io"));
  private final ScheduledExecutorService retiring =
      Executors.newSingleThreadScheduledExecutor(Daemons.named("aion-sandbox-retire"));

  /** Guarded by this. */
  private final Set<ConfinedTool> open = new LinkedHashSet<>();

  @Activate
  public ProcessTier(SandboxConfig config, @Reference(name = "host") Host host) {
    this.host = host;
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
  }

  @Activate
  void begin() {
    retiring.scheduleWithFixedDelay(
        workers::retire, RETIRE.toMillis(), RETIRE.toMillis(), TimeUnit.MILLISECONDS);
  }

  // --- opening --------------------------------------------------------------------------------

  @Override
  public ConfinedTool open(ToolPackage tool) {
    ToolManifest manifest = tool.manifest();
    List<String> command = command(manifest, tool.paths());
    Filter filter = filter(text(manifest, "seccomp_profile", FILTER_PROFILE));
    Profile profile = profile(text(manifest, "cgroup", Host.LIMIT_PROFILE));
    Devices.Granted granted = granted(manifest, profile.devices());
    host.requireWalls();
    ToolFolders folders = host.folders();
    try {
      Unpacked unpacked = folders.unpack(tool, filter.compiled());
      Program program =
          new Program(
              manifest.nameAndVersion(),
              command,
              Surroundings.ofTool(unpacked.folder()),
              unpacked.filter(),
              filter.calls(),
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

  private Filter filter(String name) {
    String file = name.equals(FILTER_PROFILE) ? Host.FILTER : "seccomp_profile." + name + ".json";
    return host.profiles()
        .filter(file)
        .orElseThrow(() -> absent("/spec/security/seccomp_profile", file));
  }

  /** None for a tool that does not need them, for then its agent need not hold the capability. */
  private Devices.Granted granted(ToolManifest manifest, Devices devices) {
    if (!manifest.needs().contains(Devices.CAPABILITY)) {
      return Devices.Granted.NOTHING;
    }
    try {
      return devices.granted(host.isRoot());
    } catch (IOException unusable) {
      throw new Refused(Code.TIER_UNAVAILABLE, String.valueOf(unusable.getMessage()));
    }
  }

  private Profile profile(String name) {
    String pointer = "/spec/security/cgroup";
    LimitProfiles known =
        host.profiles().limits().orElseThrow(() -> absent(pointer, Profiles.LIMITS));
    return known
        .named(name)
        .orElseThrow(
            () ->
                invalid(
                    pointer + ": there is no profile " + name + "; there are " + known.names()));
  }

  private Refused absent(String pointer, String file) {
    return invalid(pointer + ": there is no " + host.profiles().path(file));
  }

  private static Refused invalid(String message) {
    return new Refused(Code.INVALID_FIELD, message);
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
    try {
      Cage cage = host.cages().open(program, agent.tenant());
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
    threads.shutdownNow();
  }
}
