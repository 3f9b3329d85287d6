package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.aionos.document.Documents;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.ConfinedTool;
import org.aionos.kernel.Refused;
import org.aionos.tool.ToolCall;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** What an OCI runtime is told, and what becomes of one that does not do it. */
final class OciRuntimeTest {

  private static final Path CONFIG = Path.of("../../config/sandbox");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  /** The users of tenants must come through. */
  @BeforeEach
  void open() throws IOException {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
  }

  private static Program program(SeccompProfile calls) {
    return program(calls, Devices.Granted.NOTHING);
  }

  private static Program program(SeccompProfile calls, Devices.Granted devices) {
    return new Program(
        "x@1.0.0",
        List.of("/tool/bin/x", "-v"),
        Surroundings.ofTool(Path.of("/some/where")),
        Path.of("/x.bpf"),
        calls,
        new Limits(50, 128L << 20, 32, 16 << 20, 1 << 20, Duration.ofSeconds(30)),
        devices);
  }

  private SeccompProfile shipped() throws Exception {
    return SeccompProfile.read(Files.readAllBytes(CONFIG.resolve("seccomp_profile.json")));
  }

  private Launcher.User ourselves() throws IOException {
    return new Launcher.User(
        (Integer) Files.getAttribute(folder, "unix:uid"),
        (Integer) Files.getAttribute(folder, "unix:gid"));
  }

  @Test
  void the_walls_are_written_as_a_bundle_and_taken_away_again() throws Exception {
    OciRuntime runc = new OciRuntime("/usr/sbin/runc", folder.resolve("cages"));

    Launcher.Launch launch = runc.prepare("worker-1", program(shipped()), ourselves(), true);

    Path bundle = folder.resolve("cages/worker-1");
    assertThat(launch.command())
        .containsExactly(
            "/usr/sbin/runc",
            "--root",
            bundle.resolve("state").toString(),
            "run",
            "--bundle",
            bundle.toString(),
            "worker-1");
    JsonNode config = JSON.readTree(bundle.resolve("config.json").toFile());
    assertThat(config.at("/linux/namespaces").findValuesAsText("type"))
        .containsExactlyInAnyOrder("user", "pid", "network", "ipc", "uts", "mount", "cgroup");
    assertThat(config.at("/root/readonly").asBoolean()).isTrue();
    assertThat(config.at("/process/noNewPrivileges").asBoolean()).isTrue();
    assertThat(config.at("/process/capabilities")).hasSize(5).allMatch(JsonNode::isEmpty);
    assertThat(config.at("/process/args/4").asText()).isEqualTo("/tool/bin/x");
    assertThat(config.at("/linux/uidMappings/0/hostID").asInt()).isEqualTo(ourselves().uid());
    assertThat(config.at("/linux/uidMappings/0/size").asInt()).isEqualTo(1);
    assertThat(config.at("/mounts").findValuesAsText("destination"))
        .contains("/usr", "/tool", "/proc", "/dev", "/dev/shm", "/tmp");
    for (JsonNode mount : config.at("/mounts")) {
      boolean bound = mount.get("type").asText().equals("bind");
      assertThat(mount.get("options").toString()).contains(bound ? "\"ro\"" : "\"nosuid\"");
    }

    launch.left().run();

    assertThat(bundle).doesNotExist();
  }

  /** What a runtime leaves is its user's, and the one who takes it away may be root. */
  @Test
  void a_link_that_a_runtime_leaves_leads_nowhere() throws Exception {
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Files.setPosixFilePermissions(elsewhere, PosixFilePermissions.fromString("r-xr-xr-x"));
    Path kept = folder.resolve("kept");
    Files.writeString(kept, "kept");
    OciRuntime runc = new OciRuntime("/usr/sbin/runc", folder.resolve("cages"));
    Launcher.Launch launch = runc.prepare("worker-3", program(shipped()), ourselves(), true);
    Path state = folder.resolve("cages/worker-3/state");
    Files.createSymbolicLink(state.resolve("folder"), elsewhere);
    Files.createSymbolicLink(state.resolve("file"), kept);

    launch.left().run();

    assertThat(state).doesNotExist();
    assertThat(kept).hasContent("kept");
    assertThat(Files.getPosixFilePermissions(elsewhere))
        .isEqualTo(PosixFilePermissions.fromString("r-xr-xr-x"));
  }

  @Test
  void a_device_is_bound_for_each_launcher() throws Exception {
    Devices.Granted granted = new Devices.Granted(List.of(Path.of("/dev/nvidia0")), Set.of(44));
    Program program = program(shipped(), granted);

    List<String> options = Bubblewrap.walls(Walls.around(program));
    int at = options.indexOf("--dev-bind");
    assertThat(options.subList(at, at + 3))
        .containsExactly("--dev-bind", "/dev/nvidia0", "/dev/nvidia0");
    // A new /dev would hide it, and nothing can be put into one that is read-only.
    assertThat(at).isBetween(options.indexOf("--dev"), options.indexOf("--remount-ro"));

    OciRuntime runc = new OciRuntime("/usr/sbin/runc", folder.resolve("cages"));
    runc.prepare("worker-2", program, ourselves(), true);
    JsonNode config = JSON.readTree(folder.resolve("cages/worker-2/config.json").toFile());
    List<JsonNode> bound = new ArrayList<>();
    config.at("/mounts").forEach(bound::add);
    assertThat(bound)
        .filteredOn(mount -> mount.get("destination").asText().equals("/dev/nvidia0"))
        .singleElement()
        .asString()
        .contains("\"source\":\"/dev/nvidia0\"")
        .doesNotContain("nodev");
    assertThat(options).doesNotContain("/dev/nvidiactl");
  }

  /** A runtime gets the very rules that our own filter is compiled from. */
  @Test
  void the_filter_says_what_the_profile_says() throws Exception {
    SeccompProfile shipped = shipped();
    byte[] written = Documents.write(shipped.forOciRuntimes());

    assertThat(SeccompProfile.read(written)).isEqualTo(shipped);
    assertThat(shipped.comparesAnArgumentTwice()).isFalse();
  }

  @Test
  void every_action_and_comparison_is_written_as_it_was_read() throws Exception {
    SeccompProfile profile =
        SeccompProfile.read(
            """
            {"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [
              {"names": ["read"], "action": "SCMP_ACT_LOG"},
              {"names": ["write"], "action": "SCMP_ACT_TRAP"},
              {"names": ["open"], "action": "SCMP_ACT_KILL"},
              {"names": ["close"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
              {"names": ["ioctl"], "action": "SCMP_ACT_ALLOW", "args": [
                {"index": 1, "value": 18446744073709551615, "valueTwo": 7, "op": "SCMP_CMP_MASKED_EQ"},
                {"index": 2, "value": 3, "op": "SCMP_CMP_GT"}]}]}
            """
                .getBytes(UTF_8));

    assertThat(SeccompProfile.read(Documents.write(profile.forOciRuntimes()))).isEqualTo(profile);
  }

  /** A runtime would admit a call that fits either. */
  @Test
  void a_rule_that_compares_an_argument_twice_is_refused() throws Exception {
    Path profiles = Files.createDirectory(folder.resolve("profiles"));
    Files.copy(CONFIG.resolve("cgroup_profiles.yaml"), profiles.resolve("cgroup_profiles.yaml"));
    Files.writeString(
        profiles.resolve("seccomp_profile.json"),
        """
        {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
          {"names": ["ioctl"], "action": "SCMP_ACT_ALLOW", "args": [
            {"index": 1, "value": 3, "op": "SCMP_CMP_GE"}, {"index": 1, "value": 5, "op": "SCMP_CMP_LE"}]}]}
        """);

    assertThat(refusal("/usr/bin/true", profiles))
        .contains("compares one argument twice")
        .contains("sandbox.launcher: bubblewrap");
  }

  @Test
  void a_runtime_that_is_not_there_is_refused_with_the_fix() throws Exception {
    assertThat(refusal("/opt/no/runc", CONFIG))
        .contains("there is no program /opt/no/runc")
        .contains("apt-get install runc");
    assertThat(refusal("runc", CONFIG)).contains("sandbox.oci_runtime is not the path");
  }

  @Test
  void a_runtime_that_cannot_build_the_walls_is_refused_with_its_own_words() throws Exception {
    Path runtime = runtime("echo 'cannot do it today' >&2; exit 1");

    assertThat(refusal(runtime.toString(), CONFIG))
        .contains("a trial of oci: " + runtime + " failed (cannot do it today)");
    assertThat(left()).isEmpty();
  }

  @Test
  void nothing_is_left_of_a_runtime_that_hangs() throws Exception {
    Path runtime =
        runtime(
            """
            grep -q /usr/bin/true "$5/config.json" && exit 0
            trap '' TERM INT HUP
            while true; do sleep 1; done
            """);
    TierOnHost tier = tier(runtime.toString(), CONFIG);
    try (ConfinedTool tool = tier.open(Jar.attacker(Map.of()))) {
      assertThatThrownBy(
              () ->
                  tool.invoke(
                      new ToolCall("sc-0", "hostile", Map.of(), Instant.MAX, null),
                      new AgentId("tenantA", "researcher-1"),
                      new AttackTest.NoEffects()))
          .isInstanceOfSatisfying(
              Refused.class,
              refused -> assertThat(refused.problem().code()).isEqualTo(Code.TOOL_FAULT))
          .hasMessageContaining("was not ready within");
      assertThat(tier.workers()).isZero();
      assertThat(left()).isEmpty();
    } finally {
      tier.close();
    }
  }

  /** Only such a host can show it. */
  @TestFactory
  Stream<DynamicTest> crun_is_refused_on_a_host_with_cgroups_of_both_versions() {
    boolean both =
        CgroupFolders.lines(Path.of("/sys/fs/cgroup/unified/cgroup.controllers")).stream()
            .anyMatch(line -> !line.isBlank());
    Optional<String> crun = Programs.find("crun");
    return both && crun.isPresent()
        ? Stream.of(
            DynamicTest.dynamicTest(
                "crun",
                () -> assertThat(refusal(crun.get(), CONFIG)).contains("use runc, or bubblewrap")))
        : Stream.empty();
  }

  // --- runtimes -------------------------------------------------------------------------------

  private Path runtime(String script) throws IOException {
    Path runtime = Files.writeString(folder.resolve("runtime"), "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(runtime, PosixFilePermissions.fromString("rwxr-xr-x"));
    return runtime;
  }

  private TierOnHost tier(String runtime, Path profiles) throws IOException {
    return new TierOnHost(
        Configs.launchedBy(runtime).startingWithin(500),
        folder.resolve("state"),
        profiles,
        Devices.GPUS);
  }

  private String refusal(String runtime, Path profiles) throws IOException {
    TierOnHost tier = tier(runtime, profiles);
    try {
      tier.open(Jar.attacker(Map.of()));
      return "";
    } catch (Refused refused) {
      assertThat(refused.problem().code()).isEqualTo(Code.TIER_UNAVAILABLE);
      return refused.problem().message();
    } finally {
      tier.close();
    }
  }

  /** Processes of the runtime, and cages on disk. */
  private List<String> left() throws IOException {
    List<String> left = new ArrayList<>();
    String runtime = folder.resolve("runtime").toString();
    ProcessHandle.allProcesses()
        .filter(each -> each.info().commandLine().orElse("").contains(runtime))
        .forEach(each -> left.add(each.toString()));
    String kernel = Host.nameOf(folder.resolve("state"));
    for (Path cages :
        List.of(Path.of("/var/lib/aion", kernel, "cages"), folder.resolve("state/tools/cages"))) {
      if (Files.exists(cages)) {
        try (Stream<Path> all = Files.list(cages)) {
          all.filter(each -> each.getFileName().toString().startsWith("worker-"))
              .forEach(each -> left.add(each.toString()));
        }
      }
    }
    return left;
  }
}
