package org.aionos.sandbox;

import static java.nio.file.attribute.PosixFilePermissions.fromString;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.aionos.document.Documents;

/**
 * Builds the walls with an OCI runtime: runc, crun, or another that keeps their contract. It runs
 * as the user that the tool gets, never as root, and inside of the tool's group; so whatever it
 * does wrong is bounded as the tool is.
 *
 * <p>A shell is the first process inside. As the first process itself, a tool could not be ended by
 * its own signals and would have to wait for orphans.
 */
final class OciRuntime implements Launcher {

  private static final String VERSION = "1.0.2";

  /** Options before the command, by the name of the program. */
  private static final Map<String, List<String>> OPTIONS =
      Map.of(
          // Our own group bounds it.
          "crun", List.of("--cgroup-manager=disabled"),
          "runsc", List.of("--rootless", "--ignore-cgroups", "--network=none"));

  private static final List<String> FIRST_PROCESS =
      List.of("/bin/sh", "-c", "\"$@\"; exit $?", "aion-tool");

  private static final List<String> MASKED =
      List.of(
          "/proc/acpi",
          "/proc/asound",
          "/proc/interrupts",
          "/proc/kcore",
          "/proc/keys",
          "/proc/latency_stats",
          "/proc/sched_debug",
          "/proc/scsi",
          "/proc/timer_list",
          "/proc/timer_stats");

  private static final List<String> READ_ONLY =
      List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

  private final String runtime;
  private final Path folder;
  private final Path root;

  /**
   * @param runtime the absolute path of the program; empty if an operator has not said it
   * @param folder ours alone, which the tenants' users can reach
   */
  OciRuntime(String runtime, Path folder) {
    this.runtime = runtime;
    this.folder = folder;
    this.root = folder.resolve("root");
  }

  @Override
  public String name() {
    return "oci: " + runtime;
  }

  @Override
  public Optional<String> lacks() {
    if (!runtime.startsWith("/")) {
      return Optional.of(
          "sandbox.launcher is oci, and sandbox.oci_runtime is not the path of a program;"
              + " set it, as /usr/sbin/runc");
    }
    if (!Files.isExecutable(Path.of(runtime))) {
      return Optional.of(
          "there is no program "
              + runtime
              + " (sandbox.oci_runtime); install it, as apt-get install runc, or set"
              + " sandbox.launcher: bubblewrap");
    }
    return Optional.empty();
  }

  @Override
  public Optional<String> lacks(SeccompProfile calls) {
    return calls.comparesAnArgumentTwice()
        ? Optional.of(
            "a rule compares one argument twice, which OCI runtimes take for two rules, and admit"
                + " more; write it as MASKED_EQ or EQ, or set sandbox.launcher: bubblewrap")
        : Optional.empty();
  }

  @Override
  public boolean worksWithoutGroups() {
    return false;
  }

  @Override
  public Launch prepare(String id, Program program, User user, boolean grouped) throws IOException {
    Path bundle = folder.resolve(id);
    try {
      Walls walls = Walls.around(program);
      makeReachable(folder);
      makeRoot(walls);
      makeReachable(bundle);
      Path state = Files.createDirectory(bundle.resolve("state"));
      Files.setAttribute(state, "unix:uid", user.uid());
      Files.setAttribute(state, "unix:gid", user.gid());
      Path config = bundle.resolve("config.json");
      Files.write(config, Documents.write(config(walls, program, user)));
      Files.setPosixFilePermissions(config, fromString("r--r--r--"));
      return new Launch("", command(bundle, state, id), () -> ToolFolders.delete(bundle));
    } catch (IOException | RuntimeException failed) {
      ToolFolders.delete(bundle);
      throw failed;
    }
  }

  private List<String> command(Path bundle, Path state, String id) {
    List<String> command = new ArrayList<>();
    command.add(runtime);
    command.addAll(OPTIONS.getOrDefault(Path.of(runtime).getFileName().toString(), List.of()));
    command.addAll(List.of("--root", state.toString()));
    command.addAll(List.of("run", "--bundle", bundle.toString(), id));
    return command;
  }

  private static void makeReachable(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.setPosixFilePermissions(folder, fromString("rwx--x--x"));
  }

  /** An empty root with a place for everything: one for all cages, for nobody can write to it. */
  private synchronized void makeRoot(Walls walls) throws IOException {
    if (Files.isDirectory(root)) {
      return;
    }
    Path made = Files.createDirectory(folder.resolve("root.new"));
    List<String> places = new ArrayList<>(walls.folders().keySet());
    places.addAll(List.of("/proc", "/dev", "/tmp"));
    for (String each : places) {
      Files.createDirectories(made.resolve(each.substring(1)));
    }
    for (Map.Entry<String, String> link : walls.links().entrySet()) {
      Files.createSymbolicLink(made.resolve(link.getKey().substring(1)), Path.of(link.getValue()));
    }
    try (Stream<Path> all = Files.walk(made)) {
      for (Path each : all.filter(path -> !Files.isSymbolicLink(path)).toList()) {
        Files.setPosixFilePermissions(each, fromString("rwxr-xr-x"));
      }
    }
    Files.move(made, root);
  }

  // --- config.json ----------------------------------------------------------------------------

  private Map<String, Object> config(Walls walls, Program program, User user) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("ociVersion", VERSION);
    config.put("root", Map.of("path", root.toString(), "readonly", true));
    config.put("hostname", walls.surroundings().hostName());
    config.put("process", process(walls, program));
    config.put("mounts", mounts(walls));
    config.put("linux", linux(program.calls(), user));
    return config;
  }

  private static Map<String, Object> process(Walls walls, Program program) {
    List<String> command = new ArrayList<>(FIRST_PROCESS);
    command.addAll(program.command());
    Map<String, Object> capabilities = new LinkedHashMap<>();
    for (String set : List.of("bounding", "effective", "inheritable", "permitted", "ambient")) {
      capabilities.put(set, List.of());
    }
    Map<String, Object> process = new LinkedHashMap<>();
    process.put("terminal", false);
    // The one user that a runtime without root can be inside. It has no rights of root's.
    process.put("user", Map.of("uid", 0, "gid", 0));
    process.put("args", command);
    process.put("env", walls.environment());
    process.put("cwd", walls.surroundings().beginning());
    process.put("noNewPrivileges", true);
    process.put("capabilities", capabilities);
    process.put(
        "rlimits",
        List.of(
            resource("RLIMIT_CORE", 0),
            resource("RLIMIT_NOFILE", Walls.FILES_OPEN_MAX),
            resource("RLIMIT_FSIZE", program.limits().tmpBytesMax())));
    return process;
  }

  private static Map<String, Object> resource(String type, long max) {
    return Map.of("type", type, "soft", max, "hard", max);
  }

  private static List<Map<String, Object>> mounts(Walls walls) {
    List<Map<String, Object>> mounts = new ArrayList<>();
    walls
        .folders()
        .forEach(
            (inside, folder) ->
                mounts.add(
                    mount(inside, folder.toString(), "bind", "rbind", "ro", "nosuid", "nodev")));
    mounts.add(mount("/proc", "proc", "proc", "nosuid", "nodev", "noexec"));
    mounts.add(mount("/dev", "tmpfs", "tmpfs", "ro", "nosuid", "mode=755", "size=65536"));
    walls
        .devices()
        .forEach(
            device ->
                mounts.add(
                    mount(
                        device.toString(), device.toString(), "bind", "bind", "nosuid", "noexec")));
    walls
        .memories()
        .forEach(
            (inside, bytes) ->
                mounts.add(
                    mount(
                        inside,
                        "tmpfs",
                        "tmpfs",
                        "nosuid",
                        "nodev",
                        "mode=1777",
                        "size=" + bytes)));
    return mounts;
  }

  private static Map<String, Object> mount(
      String inside, String source, String type, String... options) {
    Map<String, Object> mount = new LinkedHashMap<>();
    mount.put("destination", inside);
    mount.put("type", type);
    mount.put("source", source);
    mount.put("options", List.of(options));
    return mount;
  }

  /** Without resources and without a path: the runtime is to make no group, and is inside ours. */
  private static Map<String, Object> linux(SeccompProfile calls, User user) {
    Map<String, Object> linux = new LinkedHashMap<>();
    linux.put(
        "namespaces",
        Stream.of("user", "pid", "network", "ipc", "uts", "mount", "cgroup")
            .map(type -> Map.of("type", type))
            .toList());
    linux.put("uidMappings", List.of(mapping(user.uid())));
    linux.put("gidMappings", List.of(mapping(user.gid())));
    linux.put("seccomp", calls.forOciRuntimes());
    linux.put("maskedPaths", MASKED);
    linux.put("readonlyPaths", READ_ONLY);
    return linux;
  }

  private static Map<String, Object> mapping(int host) {
    return Map.of("containerID", 0, "hostID", host, "size", 1);
  }

  @Override
  public String fix(String said) {
    if (said.contains("hybrid mode")) {
      return "crun takes no host with cgroups of both versions; use runc, or bubblewrap";
    }
    return "";
  }
}
