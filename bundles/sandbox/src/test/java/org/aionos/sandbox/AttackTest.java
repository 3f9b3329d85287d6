package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.aionos.document.Documents;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.ConfinedTool;
import org.aionos.kernel.Refused;
import org.aionos.tool.Effects;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a hostile tool tries, behind the real walls, of every launcher that this host has; and the
 * same without walls, where it must succeed, or the test would show nothing.
 */
@ParameterizedClass(name = "{0}")
@MethodSource("launchers")
final class AttackTest {

  private static final String BUBBLEWRAP = "bubblewrap";

  private static final AgentId AGENT = new AgentId("tenantA", "researcher-1");
  private static final Path CONFIG = Path.of("../../config/sandbox");

  /** Calls that end badly; a long run takes {@code -Dsandbox.runaways=1000}. */
  private static final int RUNAWAYS = Integer.getInteger("sandbox.runaways", 40);

  /** Nobody else on the machine. */
  private static final int USER = 199_999;

  /** What not every Linux is built with. Behind the walls the door is closed all the same. */
  private static final Set<String> HOST_MAY_LACK =
      Set.of("a vsock socket", "sysrq", "load a module", "io_uring", "userfaultfd", "keyctl");

  private static final Pattern ABSENT =
      Pattern.compile("No such file|not implemented|Address family not supported");

  private static final Path BOTH_VERSIONS = Path.of("/sys/fs/cgroup/unified/cgroup.controllers");

  @TempDir static Path root;

  private static Path folder;
  private static Configs configs;
  private static boolean oci;
  private static ServerSocket kernelPort;
  private static Path script;
  private static TierOnHost tier;
  private static ConfinedTool tool;

  /** Bubblewrap, and the OCI runtimes that are installed here. */
  static List<String> launchers() {
    List<String> launchers = new ArrayList<>(List.of(BUBBLEWRAP));
    Programs.find("runc").ifPresent(launchers::add);
    // On a host with cgroups of both versions crun refuses, which OciRuntimeTest shows.
    if (CgroupFolders.lines(BOTH_VERSIONS).stream().allMatch(String::isBlank)) {
      Programs.find("crun").ifPresent(launchers::add);
    }
    return launchers;
  }

  @Parameter String launcher;

  @BeforeParameterizedClassInvocation
  static void open(String launcher) throws IOException {
    Assumptions.assumeTrue(
        Programs.find("bwrap").isPresent(), "bubblewrap is not installed; ./aion test installs it");
    oci = !launcher.equals(BUBBLEWRAP);
    configs = Configs.launchedBy(oci ? launcher : "");
    folder = Files.createDirectory(root.resolve(Path.of(launcher).getFileName()));
    kernelPort = new ServerSocket(0);
    script = Files.write(folder.resolve("attack.py"), Jar.resource("attack.py"));
    tier = new TierOnHost(configs, folder.resolve("state"), CONFIG, Devices.GPUS);
    tool = opened();
  }

  /** CI fails on what is skipped here unless `./aion doctor` says that the host lacks something. */
  private static ConfinedTool opened() {
    try {
      return tier.open(Jar.attacker(Map.of()));
    } catch (Refused refused) {
      boolean lacking = refused.problem().code() == Code.TIER_UNAVAILABLE;
      Assumptions.assumeFalse(lacking, refused.getMessage());
      throw refused;
    }
  }

  @AfterParameterizedClassInvocation
  static void close() throws IOException {
    if (tier != null) {
      tier.close();
      assertThat(tier.workers()).isZero();
      assertThat(cgroups()).isEmpty();
      kernelPort.close();
    }
  }

  @AfterEach
  void the_tool_still_answers() throws Exception {
    assertThat(call("hello", "").value()).containsEntry("breached", true);
    assertThat(cgroups()).hasSize(tier.workers());
  }

  /** Attacks that end with an answer; what stands beside each is the argument. */
  private static Map<String, String> held() {
    Map<String, String> held = attacks(ProcessHandle.current().pid());
    held.put("connect to the kernel", Integer.toString(kernelPort.getLocalPort()));
    return held;
  }

  private static Map<String, String> attacks(long pid) {
    Map<String, String> held = new LinkedHashMap<>();
    for (String name :
        List.of(
            "read /etc/shadow",
            "a symlink out",
            "a hard link to its own file",
            "environments in /proc",
            "its own environment",
            "folders of the host",
            "write to /",
            "write to /usr",
            "write to /dev",
            "write to its own file",
            "sysrq",
            "core_pattern",
            "the kernel's log",
            "an inet socket",
            "an inet6 socket",
            "a unix socket",
            "a netlink socket",
            "a packet socket",
            "a vsock socket",
            "ptrace",
            "process_vm_readv",
            "pidfd_getfd",
            "keyctl",
            "io_uring",
            "bpf",
            "perf_event_open",
            "userfaultfd",
            "mount",
            "remount",
            "chroot",
            "mknod",
            "unshare mounts",
            "unshare users",
            "setns",
            "clone into new users",
            "setresuid",
            "setgroups",
            "TIOCSTI",
            "TIOCSTI with high bits",
            "load a module",
            "reboot",
            "open_by_handle_at",
            "set the clock",
            "syslog",
            "exec of a memfd",
            "40 processes",
            "64 MiB in /tmp",
            "1 MiB in /dev/shm")) {
      held.put(name, "");
    }
    held.put("kill a process of the host", Long.toString(pid));
    held.put("memory of a process of the host", Long.toString(pid));
    held.put("roots of processes", Long.toString(pid));
    return held;
  }

  /**
   * Those that agents must be held off from too, which may have sockets, more processes and more
   * room.
   *
   * @param pid of a process of the host
   */
  static Map<String, String> heldByAgentsToo(long pid) {
    Map<String, String> held = new LinkedHashMap<>(attacks(pid));
    held.keySet()
        .removeAll(Set.of("an inet socket", "a unix socket", "40 processes", "64 MiB in /tmp"));
    return held;
  }

  @TestFactory
  Stream<DynamicTest> is_held_off() {
    return held().entrySet().stream()
        .map(
            each ->
                DynamicTest.dynamicTest(
                    each.getKey(),
                    () -> {
                      ToolResult result = call(each.getKey(), each.getValue());

                      assertThat(result.value()).as("%s", result).containsEntry("breached", false);
                    }));
  }

  @TestFactory
  Stream<DynamicTest> would_succeed_without_walls() {
    return held().entrySet().stream()
        .map(
            each ->
                DynamicTest.dynamicTest(
                    each.getKey(),
                    () -> {
                      Map<String, Object> result = unconfined(each.getKey(), each.getValue());

                      boolean absent =
                          HOST_MAY_LACK.contains(each.getKey())
                              && ABSENT.matcher(String.valueOf(result.get("detail"))).find();
                      assertThat(absent || Boolean.TRUE.equals(result.get("breached")))
                          .as("%s", result)
                          .isTrue();
                    }));
  }

  @Test
  void the_x32_interface_is_closed() throws Exception {
    if (oci) {
      // The runtime's own compiler kills for it.
      assertRefused("x32", Code.TOOL_FORBIDDEN_CALL);
      return;
    }
    assertThat(call("x32", "").value())
        .containsEntry("breached", false)
        .containsEntry("detail", "OSError(38, 'Function not implemented')");
  }

  @Test
  void it_is_started_with_three_open_files() throws Exception {
    assertThat(call("files it was started with", "").value()).containsEntry("breached", false);
    assertThat(
            run(
                "/bin/sh",
                "-c",
                "exec 7</etc/passwd; exec python3 " + script + " \"$0\"",
                "files it was started with"))
        .contains("\"breached\": true");
  }

  @Test
  void memory_beyond_the_limit_is_out_of_memory() throws Exception {
    assertRefused("200 MiB of memory", Code.TOOL_OUT_OF_MEMORY);
    assertThat(unconfined("200 MiB of memory", "")).containsEntry("breached", true);
  }

  /** A tenth, so that twenty processes get more without a limit however busy the machine is. */
  @Test
  void processors_are_shared_out() throws Exception {
    Path profiles = Files.createDirectories(folder.resolve("profiles"));
    Files.copy(CONFIG.resolve("seccomp_profile.json"), profiles.resolve("seccomp_profile.json"));
    Files.writeString(
        profiles.resolve("cgroup_profiles.yaml"),
        Files.readString(CONFIG.resolve("cgroup_profiles.yaml"))
            + "  tenth: { inherits: default, cpu: { percent: 10 } }\n");
    TierOnHost slow = new TierOnHost(configs, folder.resolve("slow"), profiles, Devices.GPUS);
    try (ConfinedTool tenth = slow.open(Jar.attacker(Map.of("cgroup", "tenth")))) {
      ToolResult result = tenth.invoke(toolCall("all processors", "", 30), AGENT, new NoEffects());

      assertThat(result.value()).as("%s", result).containsEntry("breached", false);
    } finally {
      slow.close();
    }
    assertThat(unconfined("all processors", "")).containsEntry("breached", true);
  }

  /**
   * A device that does no harm and belongs to a group, as GPUs do, stands in for one. Only root can
   * make it, and not in every container.
   */
  @TestFactory
  Stream<DynamicTest> a_device_of_its_profile_is_there_for_a_tool_that_needs_gpu()
      throws Exception {
    Path device = Path.of("/dev/aion-test-" + ProcessHandle.current().pid());
    run("mknod", "--mode=660", device.toString(), "c", "1", "5");
    if (!Files.exists(device)) {
      return Stream.empty();
    }
    Files.setAttribute(device, "unix:gid", USER);
    return Stream.of(
            DynamicTest.dynamicTest("needs gpu", () -> assertOpens(device, "gpu", true)),
            DynamicTest.dynamicTest("needs another", () -> assertOpens(device, "network", false)))
        .onClose(device.toFile()::delete);
  }

  private static void assertOpens(Path device, String capability, boolean opens) throws Exception {
    Path profiles = Files.createDirectories(folder.resolve("gpu-profiles"));
    Files.write(
        profiles.resolve("seccomp_profile.json"),
        Files.readAllBytes(CONFIG.resolve("seccomp_profile.json")));
    Files.writeString(
        profiles.resolve("cgroup_profiles.yaml"),
        Files.readString(CONFIG.resolve("cgroup_profiles.yaml"))
            + "  gpu: { inherits: default, gpu: { devices: ["
            + device
            + "] } }\n");
    Pattern only = Pattern.compile(Pattern.quote(device.toString()));
    TierOnHost devices = new TierOnHost(configs, folder.resolve("devices"), profiles, only);
    try (ConfinedTool user =
        devices.open(Jar.attacker(Map.of("cgroup", "gpu")).needing(capability))) {
      ToolCall call = toolCall("open a device", device.toString(), 10);

      ToolResult result = user.invoke(call, AGENT, new NoEffects());

      assertThat(result.value()).as("%s", result).containsEntry("breached", opens);
    } finally {
      devices.close();
    }
  }

  @Test
  void the_i386_interface_is_a_forbidden_call() throws Exception {
    assertRefused("int 0x80", ofI386());
  }

  /** A Linux without that interface refuses the instruction, before any filter is asked. */
  private static Code ofI386() throws IOException, InterruptedException {
    boolean isThere = !run("python3", script.toString(), "int 0x80", "").isEmpty();
    return isThere ? Code.TOOL_FORBIDDEN_CALL : Code.TOOL_CRASHED;
  }

  @Test
  void output_without_end_is_cut() throws Exception {
    assertRefused("endless output", Code.TOOL_OUTPUT_LIMIT);
    assertRefused("endless errors", Code.TOOL_OUTPUT_LIMIT);
    assertRefused("endless lines", Code.TOOL_FAULT);
    assertThat(run("python3", script.toString(), "endless output", "256"))
        .hasSizeGreaterThan(16 << 20);
  }

  @Test
  void a_crash_is_told_from_other_ends() {
    assertRefused("a crash", Code.TOOL_CRASHED);
    assertRefused("a crash by signal", Code.TOOL_CRASHED);
  }

  @Test
  void inodes_are_bounded() throws Exception {
    boolean held;
    try {
      held =
          Boolean.FALSE.equals(
              callWithin("many inodes", "", Duration.ofSeconds(20)).value().get("breached"));
    } catch (Refused refused) {
      held = refused.problem().code() == Code.TOOL_OUT_OF_MEMORY;
    } catch (InterruptedException tooSlow) {
      held = true;
    }

    assertThat(held).isTrue();
    assertThat(unconfined("many inodes", "2000")).containsEntry("breached", true);
  }

  @Test
  void a_fork_bomb_ends_at_the_deadline() {
    assertThatThrownBy(() -> callWithin("a fork bomb", "", Duration.ofMillis(700)))
        .isInstanceOf(InterruptedException.class);
    assertThat(tier.workers()).isZero();
    assertThat(cgroups()).isEmpty();
  }

  @Test
  void a_daemon_that_ignores_signals_does_not_outlive_its_call() throws Exception {
    assertThat(call("a daemon", "600").value()).containsEntry("breached", true);
    assertThat(pythons()).isEmpty();

    assertThatThrownBy(() -> callWithin("a daemon and no answer", "601", Duration.ofMillis(500)))
        .isInstanceOf(InterruptedException.class);
    assertThat(pythons()).isEmpty();

    Process bare = new ProcessBuilder("python3", script.toString(), "a daemon", "20").start();
    assertThat(bare.waitFor(10, TimeUnit.SECONDS)).isTrue();
    List<ProcessHandle> daemons = processesOf("a daemon");
    assertThat(daemons).as("without walls it does").isNotEmpty();
    daemons.forEach(ProcessHandle::destroyForcibly);
  }

  @Test
  void a_tool_that_does_not_read_ends_at_the_deadline() {
    String long1MiB = "x".repeat(1 << 20);

    assertThatThrownBy(() -> callWithin("never read again", "", Duration.ofMillis(500)))
        .isInstanceOf(InterruptedException.class);
    assertThatThrownBy(() -> callWithin("never read again", long1MiB, Duration.ofMillis(500)))
        .isInstanceOf(InterruptedException.class);
    assertThat(tier.workers()).isZero();
  }

  @Test
  void an_agent_never_sees_what_another_has_left() throws Exception {
    AgentId sibling = new AgentId("tenantA", "researcher-2");
    AgentId stranger = new AgentId("tenantB", "researcher-1");

    try (ConfinedTool other = tier.open(Jar.attacker(Map.of()))) {
      assertThat(remembered(other, AGENT)).isEqualTo("(None, False)");
      assertThat(remembered(other, AGENT)).isEqualTo("('of researcher-1', True)");
      assertThat(remembered(other, sibling)).isEqualTo("(None, False)");
      assertThat(remembered(other, stranger)).isEqualTo("(None, False)");
      assertThat(remembered(tool, AGENT)).isEqualTo("(None, False)");
    }
  }

  private static Object remembered(ConfinedTool tool, AgentId agent) throws Exception {
    ToolCall call = toolCall("remember", "of " + agent.name(), 10);
    return tool.invoke(call, agent, new NoEffects()).value().get("detail");
  }

  @Test
  void runaway_calls_leave_nothing() throws Exception {
    int files = openFiles();
    Set<Code> codes = new TreeSet<>();
    for (int i = 0; i < RUNAWAYS; i += 4) {
      for (String attack : List.of("a crash", "a crash by signal", "int 0x80", "endless output")) {
        try {
          call(attack, "");
        } catch (Refused refused) {
          codes.add(refused.problem().code());
        }
      }
    }

    assertThat(codes).isEqualTo(EnumSet.of(Code.TOOL_OUTPUT_LIMIT, ofI386(), Code.TOOL_CRASHED));
    assertThat(tier.workers()).isZero();
    assertThat(cgroups()).isEmpty();
    assertThat(pythons()).isEmpty();
    assertThat(
            Patience.await(
                Duration.ofSeconds(5), () -> openFiles() <= files + 4 && Thread.activeCount() < 60))
        .as("open files: %s before, %s now", files, openFiles())
        .isTrue();
  }

  @Test
  void what_a_dead_kernel_left_is_swept() throws Exception {
    Path state = folder.resolve("dying");
    TierOnHost dead = new TierOnHost(configs, state, CONFIG, Devices.GPUS);
    ConfinedTool abandoned = dead.open(Jar.attacker(Map.of()));
    abandoned.invoke(toolCall("hello", "", 10), AGENT, new NoEffects());
    assertThat(cgroups()).hasSize(tier.workers() + 1);

    TierOnHost next = new TierOnHost(configs, state, CONFIG, Devices.GPUS);

    assertThat(cgroups()).hasSize(tier.workers());
    dead.close();
    next.close();
  }

  @Test
  void the_example_of_the_documentation_works() throws Exception {
    String page = Files.readString(Path.of("../../docs/process-tools.md"));
    String after = page.substring(page.indexOf("```python\n") + "```python\n".length());
    Effects files =
        new NoEffects() {
          @Override
          public String readText(String path) {
            return "three words here";
          }
        };

    try (ConfinedTool example = tier.open(Jar.python(after.substring(0, after.indexOf("```"))))) {
      assertThat(example.invoke(toolCall("", "", 10), AGENT, files).value())
          .containsEntry("words", 3);
      assertThatThrownBy(() -> example.invoke(toolCall("", "", 10), AGENT, new NoEffects()))
          .isInstanceOfSatisfying(
              ToolFailure.class,
              failure -> assertThat(failure.code()).isEqualTo(ToolFailure.Code.NOT_FOUND));
    }
  }

  @Test
  void what_cannot_be_a_process_tool_is_refused_with_the_field() {
    assertInvalid("exec:bin/absent", Map.of(), "/spec/entry");
    assertInvalid("python:META-INF/x", Map.of(), "/spec/entry");
    assertInvalid("exec:bin/x", Map.of("cgroup", "enormous"), "/spec/security/cgroup");
    assertInvalid("exec:bin/x", Map.of("cgroup", 7), "/spec/security/cgroup");
    for (Object profile : List.of("none", "../../../etc/passwd", true)) {
      assertInvalid(
          "exec:bin/x", Map.of("seccomp_profile", profile), "/spec/security/seccomp_profile");
    }
  }

  private static void assertInvalid(String entry, Map<String, Object> security, String field) {
    Map<String, byte[]> files = Map.of("bin/x", new byte[0], "META-INF/x", new byte[0]);

    assertThatThrownBy(() -> tier.open(Jar.of(entry, security, files)))
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> {
              assertThat(refused.problem().code()).isEqualTo(Code.INVALID_FIELD);
              assertThat(refused.problem().message()).startsWith(field);
            });
  }

  @Test
  void a_kernel_that_is_not_root_holds_them_off_too() throws Exception {
    if (!LaunchedCages.weAreRoot()) {
      // Then this whole class is that test.
      return;
    }
    List<Path> delegated = delegate();
    try {
      List<String> said = asUser(delegated, "cgroups", attacksOfAUser());
      assertThat(said).hasSize(attacksOfAUser().size());
      assertThat(said.subList(0, said.size() - 4)).allMatch(line -> line.endsWith(": false"));
      assertThat(said.subList(said.size() - 4, said.size()))
          .containsExactly(
              "200 MiB of memory: TOOL_OUT_OF_MEMORY",
              "int 0x80: " + ofI386(),
              "endless output: TOOL_OUTPUT_LIMIT",
              "hello: true");
      if (!oci) {
        assertThat(asUser(delegated, "cgroups", List.of(AttackAsUser.AN_AGENT)))
            .containsExactly("an agent: b'kernel\\n'");
      }
    } finally {
      CgroupFolders.sweep(delegated);
    }
  }

  @Test
  void without_groups_tools_are_refused_unless_an_operator_wants_them_all_the_same()
      throws Exception {
    if (!LaunchedCages.weAreRoot()) {
      return;
    }
    assertThat(asUser(List.of(), "cgroups", List.of("hello")))
        .singleElement()
        .asString()
        .startsWith("TIER_UNAVAILABLE")
        .contains(oci ? "sandbox.launcher: bubblewrap" : "sandbox.degraded: true");
    if (oci) {
      assertThat(asUser(List.of(), "degraded", List.of("hello")))
          .singleElement()
          .asString()
          .startsWith("TIER_UNAVAILABLE")
          .contains("sandbox.launcher: bubblewrap");
      return;
    }
    assertThat(asUser(List.of(), "degraded", List.of("40 processes", "mount", "hello")))
        .containsExactly("40 processes: false", "mount: false", "hello: true");
  }

  private static List<String> attacksOfAUser() {
    List<String> attacks = new ArrayList<>(held().keySet());
    attacks.remove("connect to the kernel");
    attacks.addAll(List.of("200 MiB of memory", "int 0x80", "endless output", "hello"));
    return attacks;
  }

  /** Groups that belong to another user, as an administrator gives them away. */
  private static List<Path> delegate() throws IOException {
    Path root = Path.of("/sys/fs/cgroup");
    List<Path> hierarchies =
        Files.exists(root.resolve("cgroup.controllers"))
            ? List.of(root)
            : ControlGroups.CONTROLLERS.stream().map(root::resolve).toList();
    List<Path> delegated = new ArrayList<>();
    for (Path each : hierarchies) {
      Path group =
          Files.createDirectories(each.resolve("aion-user-" + ProcessHandle.current().pid()));
      Files.setAttribute(group, "unix:uid", USER);
      for (String file : List.of("cgroup.procs", "cgroup.subtree_control")) {
        if (Files.exists(group.resolve(file))) {
          Files.setAttribute(group.resolve(file), "unix:uid", USER);
        }
      }
      delegated.add(group);
    }
    return delegated;
  }

  /** Runs {@link AttackAsUser} in those groups, from copies that the user can read. */
  private static List<String> asUser(List<Path> groups, String how, List<String> attacks)
      throws IOException, InterruptedException {
    Path home = Files.createTempDirectory("aion-attack-user");
    try {
      StringBuilder classes = new StringBuilder();
      int number = 0;
      for (String each : System.getProperty("java.class.path").split(":")) {
        if (Files.exists(Path.of(each))) {
          Path copy = home.resolve("classes-" + number++);
          run("/bin/cp", "-r", each, copy.toString());
          classes.append(copy).append(':');
        }
      }
      run("/bin/cp", "-r", CONFIG.toString(), home.resolve("profiles").toString());
      run("/bin/chown", "-R", Integer.toString(USER), home.toString());
      StringBuilder script = new StringBuilder();
      groups.forEach(group -> script.append("echo $$ > ").append(group).append("/cgroup.procs\n"));
      script.append("exec setpriv --reuid=").append(USER).append(" --regid=").append(USER);
      script.append(" --clear-groups -- \"$@\"");
      List<String> command =
          new ArrayList<>(
              List.of(
                  "/bin/sh",
                  "-c",
                  script.toString(),
                  "as-user",
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-XX:+UseSerialGC",
                  "-cp",
                  classes.toString(),
                  "org.aionos.sandbox.AttackAsUser",
                  home.resolve("state").toString(),
                  home.resolve("profiles").toString(),
                  how,
                  configs.ociRuntime()));
      command.addAll(attacks);
      return run(command.toArray(String[]::new)).lines().toList();
    } finally {
      run("/bin/rm", "-rf", home.toString());
    }
  }

  // --- calls ----------------------------------------------------------------------------------

  private static ToolResult call(String attack, String argument) throws Exception {
    return call(AGENT, attack, argument);
  }

  private static ToolResult call(AgentId agent, String attack, String argument) throws Exception {
    return tool.invoke(toolCall(attack, argument, 30), agent, new NoEffects());
  }

  private static ToolCall toolCall(String attack, String argument, int seconds) {
    return new ToolCall(
        "sc-000000000000",
        "hostile",
        Map.of("attack", attack, "argument", argument),
        Instant.now().plusSeconds(seconds),
        null);
  }

  /** As the router does it: at the deadline the thread is interrupted. */
  private static ToolResult callWithin(String attack, String argument, Duration deadline)
      throws Exception {
    Thread caller = Thread.currentThread();
    CompletableFuture<Void> watchdog =
        CompletableFuture.runAsync(
            caller::interrupt,
            CompletableFuture.delayedExecutor(deadline.toMillis(), TimeUnit.MILLISECONDS));
    try {
      return call(attack, argument);
    } finally {
      watchdog.cancel(true);
      Thread.interrupted();
    }
  }

  private static void assertRefused(String attack, Code code) {
    assertThatThrownBy(() -> call(attack, ""))
        .isInstanceOfSatisfying(
            Refused.class, refused -> assertThat(refused.problem().code()).isEqualTo(code));
    assertThat(tier.workers()).isZero();
    assertThat(cgroups()).isEmpty();
  }

  private static Map<String, Object> unconfined(String attack, String argument)
      throws IOException, InterruptedException, InvalidDocument {
    return Documents.json(run("python3", script.toString(), attack, argument).getBytes(UTF_8))
        .values();
  }

  private static String run(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .redirectInput(Path.of("/dev/null").toFile())
            .start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);
    process.waitFor();
    return said;
  }

  // --- what is left ---------------------------------------------------------------------------

  private static List<String> cgroups() {
    List<String> found = new ArrayList<>();
    try (Stream<Path> all = Files.walk(Path.of("/sys/fs/cgroup"))) {
      all.filter(each -> each.getFileName().toString().startsWith("worker-"))
          .filter(
              each ->
                  each.toString().contains("memory")
                      || !Files.exists(Path.of("/sys/fs/cgroup/memory")))
          .filter(each -> isOurs(each.toString()))
          .forEach(each -> found.add(each.toString()));
    } catch (IOException | java.io.UncheckedIOException changing) {
      return cgroups();
    }
    return found;
  }

  /** Another kernel on this machine has groups of its own. */
  private static boolean isOurs(String group) {
    return Stream.of("state", "dying")
        .anyMatch(name -> group.contains(Host.nameOf(folder.resolve(name))));
  }

  private static List<ProcessHandle> pythons() {
    return processesOf("/tool/attack.py").stream()
        .filter(
            each -> {
              try {
                return isOurs(Files.readString(Path.of("/proc/" + each.pid() + "/cgroup")));
              } catch (IOException gone) {
                return false;
              }
            })
        .toList();
  }

  private static List<ProcessHandle> processesOf(String argument) {
    return ProcessHandle.allProcesses()
        .filter(
            each -> {
              try {
                return Files.readString(Path.of("/proc/" + each.pid() + "/cmdline"))
                    .contains(argument);
              } catch (IOException gone) {
                return false;
              }
            })
        .filter(each -> !each.equals(ProcessHandle.current()))
        .toList();
  }

  private static int openFiles() {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return (int) files.count();
    } catch (IOException unreadable) {
      throw new java.io.UncheckedIOException(unreadable);
    }
  }

  /** The tools of these tests have no outside world. */
  static class NoEffects implements Effects {
    @Override
    public String readText(String path) throws ToolFailure {
      throw new ToolFailure(ToolFailure.Code.NOT_FOUND, "no file " + path);
    }

    @Override
    public void writeText(String path, String text) throws ToolFailure {
      throw new ToolFailure(ToolFailure.Code.NOT_PERMITTED, "read only");
    }

    @Override
    public List<String> list(String path) {
      return List.of("notes.txt");
    }

    @Override
    public org.aionos.tool.Fetched fetch(org.aionos.tool.Fetch request) {
      throw new AssertionError("fetches " + request.url());
    }
  }
}
