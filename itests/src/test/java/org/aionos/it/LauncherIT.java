package org.aionos.it;

import static org.aionos.it.RunningKernel.RESEARCHER_V1;
import static org.aionos.it.RunningKernel.syscall;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Kernels whose process tools are launched by an OCI runtime, by each that this host has. */
@Order(8)
class LauncherIT {

  @BeforeAll
  static void look() {
    Doctor.assumeProcessTier();
  }

  private static Stream<Path> runtimes() {
    boolean both =
        Files.exists(Path.of("/sys/fs/cgroup/unified/cgroup.controllers"))
            && !RunningKernel.read(Path.of("/sys/fs/cgroup/unified/cgroup.controllers")).isBlank();
    return Stream.of("/usr/sbin/runc", "/usr/bin/runc", "/usr/bin/crun")
        .map(Path::of)
        .filter(Files::isExecutable)
        // crun refuses a host with cgroups of both versions.
        .filter(runtime -> !(both && runtime.endsWith("crun")))
        .map(LauncherIT::real)
        .distinct();
  }

  private static Path real(Path runtime) {
    try {
      return runtime.toRealPath();
    } catch (IOException gone) {
      throw new UncheckedIOException(gone);
    }
  }

  private static RunningKernel.Options kernel(String name, Path runtime) {
    return RunningKernel.named(name)
        .with("AION_SANDBOX_LAUNCHER", "oci")
        .with("AION_SANDBOX_OCI_RUNTIME", runtime.toString())
        .bare();
  }

  private static Answer call(RunningKernel kernel, String tool, Map<String, ?> arguments) {
    ObjectNode body = syscall("tool.invoke", RunningKernel.RESEARCHER);
    body.withObject("/params")
        .put("tool", tool)
        .setAll(RunningKernel.JSON.<ObjectNode>valueToTree(arguments));
    return kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/tool.invoke", body);
  }

  /** Answers one call, and is deaf to all that should end it from then on. */
  private static byte[] stubborn() {
    return ProcessToolIT.plain(
        "stubborn",
        "python:main.py",
        """
        import signal, sys, time
        for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
            signal.signal(each, signal.SIG_IGN)
        print('{"ready":true}', flush=True)
        sys.stdin.readline()
        print('{"result":{"pong":true}}', flush=True)
        while True:
            time.sleep(1)
        """);
  }

  @TestFactory
  Stream<DynamicTest> tools_run_and_nothing_of_them_outlives_the_kernel() {
    return runtimes()
        .map(runtime -> DynamicTest.dynamicTest(runtime.toString(), () -> runsAndEnds(runtime)));
  }

  private static void runsAndEnds(Path runtime) {
    RunningKernel kernel = kernel("launcher-" + runtime.getFileName(), runtime).start();
    kernel.allowAndDrop(ProcessToolIT.pings(), "ping.jar");
    kernel.allowAndDrop(stubborn(), "stubborn.jar");
    kernel.awaitTool("ping@1.0.0");
    kernel.awaitTool("stubborn@1.0.0");

    double warm = ProcessToolIT.median(500, () -> call(kernel, "ping", Map.of()).expect(200));
    double cold =
        ProcessToolIT.median(
            20,
            () -> call(kernel, "ping", Map.of("crash", 1)).expect(502, "TOOL_CRASHED"),
            () -> call(kernel, "ping", Map.of()).expect(200));
    System.out.printf(
        "process tier, %s, median ms: warm %.2f, cold %.1f%n", runtime.getFileName(), warm, cold);
    assertThat(warm).isLessThan(20);
    assertThat(cold).isLessThan(600);

    kernel.shell("bundle:restart org.aionos.sandbox");
    Await.until(
        "the tier is back",
        Duration.ofSeconds(30),
        () -> call(kernel, "ping", Map.of()).status() == 200);
    assertThat(reapers(kernel)).hasSize(1);

    call(kernel, "stubborn", Map.of()).expect(200);
    List<Path> groups = ProcessToolIT.workerGroups(kernel);
    List<Long> pids = groups.stream().flatMap(ProcessToolIT::pids).distinct().toList();
    assertThat(pids).hasSizeGreaterThan(3);
    assertThat(ProcessToolIT.unpacked(kernel)).isNotEmpty();

    kernel.kill9();

    Await.until(
        "no process of a tool runs on",
        Duration.ofSeconds(10),
        () -> pids.stream().allMatch(pid -> ProcessHandle.of(pid).isEmpty()));
    Await.until(
        "its groups are gone before there is another kernel",
        Duration.ofSeconds(10),
        () -> groups.stream().noneMatch(Files::exists));
    kernel.up();
    kernel.awaitTool("ping@1.0.0");
    call(kernel, "ping", Map.of()).expect(200);

    kernel.down();

    assertThat(ProcessToolIT.workerGroups(kernel)).isEmpty();
    assertThat(ProcessToolIT.unpacked(kernel)).isEmpty();
    assertThat(reapers(kernel)).isEmpty();
  }

  /** Processes that wait for the end of a kernel. */
  private static List<ProcessHandle> reapers(RunningKernel kernel) {
    String name = ProcessToolIT.sandboxName(kernel);
    return ProcessHandle.allProcesses()
        .filter(
            each -> {
              try {
                String line = Files.readString(Path.of("/proc/" + each.pid() + "/cmdline"));
                return line.contains("aion-reaper") && line.contains(name);
              } catch (IOException gone) {
                return false;
              }
            })
        .toList();
  }

  @Test
  void without_the_runtime_tools_are_refused_and_not_launched_another_way() {
    try (RunningKernel kernel = kernel("launcher-absent", Path.of("/opt/absent/runc")).start()) {
      kernel.allowAndDrop(ProcessToolIT.pings(), "ping.jar");

      kernel.awaitLog("there is no program /opt/absent/runc (sandbox.oci_runtime)");
      call(kernel, "ping", Map.of()).expect(404);
      kernel.down();
    }
  }
}
