package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.aionos.files.WholeFile;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.sandbox.Profiles.Filter;
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
 * What this host isolates programs by, tools and agents alike: the launcher, the groups, the users
 * of the tenants, the profiles, and a folder that those users can reach. There is one, so that
 * nobody sweeps the groups of another or gives a user away twice.
 */
@Component(
    service = Host.class,
    configurationPid = "org.aionos.sandbox",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = SandboxConfig.class)
public final class Host {

  /** The launcher that is a runtime of the Open Container Initiative. */
  static final String OCI = "oci";

  /** The profile of tools that name none. */
  static final String FILTER = "seccomp_profile.json";

  /** Likewise. */
  static final String LIMIT_PROFILE = "default";

  private static final Logger log = LoggerFactory.getLogger(Host.class);

  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
  private static final Path OWN_CGROUPS = Path.of("/proc/self/cgroup");
  private static final Path ROOTS_TOOLS = Path.of("/var/lib/aion");

  /** How much of the digest of the state folder names this kernel on the host. */
  private static final int NAME_LENGTH = 12;

  private final boolean root;
  private final Launcher launcher;
  private final ToolFolders folders;
  private final Profiles profiles;
  private final @Nullable ControlGroups groups;
  private final @Nullable LaunchedCages cages;

  /** Why no program can be run, as far as that is known from the start; empty if it is not so. */
  private final String noGroups;

  /** Whether all walls were built once; what was there then does not go away. Guarded by this. */
  private boolean tried;

  @Activate
  public Host(SandboxConfig config, BundleContext context) throws IOException {
    this(
        config,
        Path.of(String.valueOf(context.getProperty("aion.state")), "sandbox"),
        Path.of(String.valueOf(context.getProperty("aion.config")), "sandbox"),
        Devices.GPUS,
        CGROUPS);
  }

  /**
   * @param state ours alone, and whose path names this kernel on the host
   * @param profiles the folder of seccomp_profile.json and cgroup_profiles.yaml
   * @param devices those that a profile may name
   * @param cgroups where the host shows its cgroups
   */
  Host(SandboxConfig config, Path state, Path profiles, Pattern devices, Path cgroups)
      throws IOException {
    this.root = LaunchedCages.weAreRoot();
    String kernel = nameOf(state);
    Files.createDirectories(state);
    Path swept = state.resolve("cgroups.txt");
    sweep(swept);
    this.folders = new ToolFolders(unpackFolder(config, root, state, kernel));
    this.launcher =
        config.launcher().equals(OCI)
            ? new OciRuntime(config.ociRuntime(), folders.own("cages"))
            : new Bubblewrap();
    ControlGroups found = null;
    String why = "";
    try {
      found = ControlGroups.find(cgroups, Files.readAllLines(OWN_CGROUPS), kernel);
      WholeFile.write(swept, lines(found.folders()));
    } catch (IOException none) {
      why =
          none.getMessage()
              + (launcher.worksWithoutGroups()
                  ? "; or, with less isolation, set sandbox.degraded: true"
                  : "; without cgroups there is sandbox.launcher: bubblewrap alone");
      if (config.degraded() && launcher.worksWithoutGroups()) {
        log.warn(
            "programs are isolated less than they should be: why={} setting=sandbox.degraded",
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
    this.profiles = new Profiles(profiles, devices, launcher::lacks);
    log.info(
        "process tier: launcher={} isolation={}",
        launcher.name(),
        found == null ? "unavailable: " + why : found.kind());
  }

  private static Path unpackFolder(SandboxConfig config, boolean root, Path state, String kernel) {
    if (!config.unpackDir().isEmpty()) {
      return Path.of(config.unpackDir(), kernel);
    }
    // The state folder is the kernel's alone, and the users that programs run as are others.
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
      CgroupFolders.sweep(Files.readAllLines(swept).stream().map(Path::of).toList());
    } catch (NoSuchFileException firstTime) {
      log.debug("no kernel was here before");
    }
  }

  /** Whether the kernel is root, and programs run as users of their tenants. */
  boolean isRoot() {
    return root;
  }

  /** Which launcher builds the walls here, for operators. */
  String launcher() {
    return launcher.name();
  }

  /** Whether it is bubblewrap, which lives and dies with what it starts. */
  boolean isBubblewrap() {
    return launcher instanceof Bubblewrap;
  }

  /** A folder that the users of all programs can reach. */
  ToolFolders folders() {
    return folders;
  }

  Profiles profiles() {
    return profiles;
  }

  /**
   * What starts programs.
   *
   * @throws Refused {@code TIER_UNAVAILABLE} if there is nothing to bound them by
   */
  LaunchedCages cages() {
    if (cages == null) {
      throw new Refused(Code.TIER_UNAVAILABLE, noGroups);
    }
    return cages;
  }

  /**
   * Tries, until it has succeeded once, whether all walls can be built here.
   *
   * @throws Refused {@code TIER_UNAVAILABLE} with the reason and the fix
   */
  synchronized void requireWalls() {
    if (tried) {
      return;
    }
    Optional<String> lacks = cages().lacks(nothing());
    if (lacks.isPresent()) {
      throw new Refused(Code.TIER_UNAVAILABLE, lacks.get());
    }
    tried = true;
  }

  /** A program that does nothing, behind the walls that tools get. */
  private Program nothing() {
    Path file = folders.own("trial.bpf");
    Filter filter = profiles.filter(FILTER).orElseThrow(() -> absent(FILTER));
    try {
      folders.make();
      Files.write(file, filter.compiled());
    } catch (IOException unwritable) {
      throw new Refused(
          Code.TIER_UNAVAILABLE, "cannot write to " + file + ": " + unwritable.getMessage());
    }
    Limits limits =
        profiles
            .limits()
            .flatMap(known -> known.named(LIMIT_PROFILE))
            .orElseThrow(() -> absent(Profiles.LIMITS + ", or no profile " + LIMIT_PROFILE))
            .limits();
    return new Program(
        "trial",
        List.of("/usr/bin/true"),
        Surroundings.ofTool(folders.own(".")),
        file,
        filter.calls(),
        limits,
        Devices.Granted.NOTHING);
  }

  /** What an operator has to bring. */
  Refused absent(String file) {
    return new Refused(Code.TIER_UNAVAILABLE, "there is no " + profiles.path(file));
  }

  /** Whatever still runs is ended. */
  @Deactivate
  void close() {
    if (cages != null) {
      cages.close();
    }
    if (groups != null) {
      CgroupFolders.sweep(groups.folders());
    }
    folders.clear();
  }
}
