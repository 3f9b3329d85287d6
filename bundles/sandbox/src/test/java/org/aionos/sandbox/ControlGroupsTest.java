package org.aionos.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is written to which file, on trees as two hosts show them. The trees are plain folders: that
 * Linux then does as it is told, AttackTest shows, for the version that the machine has.
 */
final class ControlGroupsTest {

  private static final Limits LIMITS =
      new Limits(50, 128L << 20, 32, 16 << 20, 4 << 20, Duration.ofSeconds(30));

  @TempDir Path root;

  private static void file(Path file, String content) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }

  @Test
  void version_1_bounds_in_each_hierarchy_below_our_own_group() throws Exception {
    for (String each : List.of("memory/service", "cpu,cpuacct", "pids/service")) {
      Files.createDirectories(root.resolve(each));
    }
    Files.createSymbolicLink(root.resolve("cpu"), Path.of("cpu,cpuacct"));
    List<String> own = List.of("4:memory:/service", "3:cpu,cpuacct:/gone", "2:pids:/service");

    ControlGroups groups = ControlGroups.find(root, own, "k1");
    ControlGroup group = groups.create("worker-1", LIMITS, false);

    Path memory = root.resolve("memory/service/aion/k1/tools/worker-1");
    Path cpu = root.toRealPath().resolve("cpu,cpuacct/aion/k1/tools/worker-1");
    Path pids = root.resolve("pids/service/aion/k1/tools/worker-1");
    assertThat(groups.kind()).isEqualTo("cgroup v1");
    assertThat(memory.resolve("memory.limit_in_bytes")).hasContent("134217728");
    assertThat(memory.resolve("memory.memsw.limit_in_bytes")).as("not on this host").doesNotExist();
    assertThat(cpu.resolve("cpu.cfs_period_us")).hasContent("100000");
    assertThat(cpu.resolve("cpu.cfs_quota_us")).hasContent("50000");
    assertThat(pids.resolve("pids.max")).hasContent("32");
    assertThat(group.doors())
        .containsExactlyInAnyOrder(
            root.toRealPath().resolve("memory/service/aion/k1/tools/worker-1/cgroup.procs"),
            cpu.resolve("cgroup.procs"),
            root.toRealPath().resolve("pids/service/aion/k1/tools/worker-1/cgroup.procs"));
    file(memory.resolve("memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
    assertThat(group.outOfMemory()).isFalse();
    file(memory.resolve("memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
    assertThat(group.outOfMemory()).isTrue();
  }

  @Test
  void beside_version_1_a_group_of_version_2_is_made_for_probes_to_know_it_by() throws Exception {
    for (String each : List.of("memory", "cpu", "pids")) {
      Files.createDirectories(root.resolve(each));
    }
    file(root.resolve("unified/cgroup.procs"), "");
    Files.createDirectories(root.resolve("unified/service"));

    ControlGroup group =
        ControlGroups.find(root, List.of("0::/service"), "k1").create("worker-1", LIMITS, false);

    Path unified = root.toRealPath().resolve("unified/service/aion/k1/tools/worker-1");
    assertThat(group.unified()).isEqualTo(unified).isDirectory();
    assertThat(group.doors()).contains(unified.resolve("cgroup.procs"));
  }

  @Test
  void version_2_hands_its_controllers_down_to_the_tools() throws Exception {
    Path own = root.resolve("system.slice/aion.service");
    file(root.resolve("cgroup.controllers"), "cpu io memory pids\n");
    file(own.resolve("cgroup.controllers"), "cpu memory pids\n");
    file(own.resolve("cgroup.subtree_control"), "");

    ControlGroups groups = ControlGroups.find(root, List.of("0::/system.slice/aion.service"), "k1");
    ControlGroup group = groups.create("worker-1", LIMITS, false);

    Path tools = own.resolve("aion/k1/tools");
    for (Path each : List.of(own, own.resolve("aion"), own.resolve("aion/k1"), tools)) {
      assertThat(each.resolve("cgroup.subtree_control")).hasContent("+memory +cpu +pids");
    }
    Path folder = tools.resolve("worker-1");
    assertThat(folder.resolve("memory.max")).hasContent("134217728");
    assertThat(folder.resolve("memory.oom.group")).hasContent("1");
    assertThat(folder.resolve("pids.max")).hasContent("32");
    assertThat(folder.resolve("cpu.max")).hasContent("50000 100000");
    assertThat(group.doors()).containsExactly(folder.resolve("cgroup.procs"));
    assertThat(groups.folders()).containsExactly(tools);
    file(folder.resolve("memory.events"), "low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\n");
    assertThat(group.outOfMemory()).isTrue();
  }

  @Test
  void a_group_without_the_controllers_is_not_taken() throws Exception {
    file(root.resolve("cgroup.controllers"), "cpu\n");

    assertThatThrownBy(() -> ControlGroups.find(root, List.of("0::/"), "k1"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("has only [cpu]")
        .hasMessageContaining("Delegate=yes");
  }

  @Test
  void a_host_without_groups_is_told_what_would_help() throws Exception {
    assertThatThrownBy(() -> ControlGroups.find(root, List.of(), "k1"))
        .hasMessageContaining("mount -t cgroup2");
    Files.createDirectories(root.resolve("memory"));
    assertThatThrownBy(() -> ControlGroups.find(root, List.of(), "k1"))
        .hasMessageContaining("no cgroup controller cpu");
  }

  /** The files that version 2 has without controllers are on hosts of version 1 too. */
  @Test
  void what_runs_in_a_real_group_is_ended_with_it() throws Exception {
    Path hierarchy =
        Stream.of(
                Path.of("/sys/fs/cgroup/unified"),
                Path.of("/sys/fs/cgroup/pids"),
                Path.of("/sys/fs/cgroup"))
            .filter(each -> Files.isWritable(each.resolve("cgroup.procs")))
            .findFirst()
            .orElse(null);
    if (hierarchy == null) {
      // Not ours to write: AttackTest is refused there too, and says so.
      return;
    }
    Path above = hierarchy.resolve("aion-test-" + ProcessHandle.current().pid());
    Path folder = Files.createDirectories(above.resolve("worker-1"));
    ControlGroup group = new CgroupFolders(List.of(folder), folder.resolve("none"), null);
    Process process =
        new ProcessBuilder(
                "/bin/sh",
                "-c",
                "echo $$ > " + group.doors().get(0) + "; sleep 100 & setsid sleep 100 & wait")
            .start();
    assertThat(Patience.await(Duration.ofSeconds(5), () -> group.processes().size() == 3)).isTrue();

    CgroupFolders.sweep(List.of(above));

    assertThat(above).doesNotExist();
    assertThat(process.waitFor()).isEqualTo(137);
  }
}
