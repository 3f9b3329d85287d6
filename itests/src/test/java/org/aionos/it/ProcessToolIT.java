package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.aionos.it.RunningKernel.RESEARCHER_V1;
import static org.aionos.it.RunningKernel.syscall;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** Tools that run as programs of their own, from a dropped jar to the last trace of them. */
@Order(7)
class ProcessToolIT {

  private static final String CODER = "agent://tenantA/coder-1";
  private static final String OTHER_CODER = "agent://tenantA/coder-2";
  private static final String PATIENT_CODER = "agent://tenantA/coder-3";

  private static RunningKernel kernel;

  @BeforeAll
  static void start() {
    Doctor.assumeProcessTier();
    kernel =
        RunningKernel.named("process-tools").with("AION_PROBES_TOOLS", "python_run").bare().start();
    for (String agent : List.of(CODER, OTHER_CODER, PATIENT_CODER)) {
      ObjectNode registration = RunningKernel.JSON.createObjectNode();
      registration.put("agent_id", agent).put("name", "coder").put("version", "1.0.0");
      registration.putArray("capabilities").add("filesystem");
      kernel.call(RESEARCHER_V1, "POST", "/v1/agent/register", registration).expect(200);
    }
    deploy("python_run-1.1.0");
    deploy("table_stats-1.0.0");
    deploy("find_text-1.0.0");
    kernel.allowAndDrop(pings(), "ping.jar");
    kernel.awaitTool("python_run@1.1.0");
    kernel.awaitTool("table_stats@1.0.0");
    kernel.awaitTool("find_text@1.0.0");
    kernel.awaitTool("ping@1.0.0");
  }

  @AfterAll
  static void stop() {
    if (kernel != null) {
      kernel.down();
    }
  }

  private static void deploy(String jar) {
    String tool = jar.substring(0, jar.lastIndexOf('-'));
    kernel.allowAndDrop(
        RunningKernel.readBytes(
            RunningKernel.ROOT.resolve("tool-plugins/" + tool + "/target/" + jar + ".jar")),
        jar + ".jar");
  }

  /** Answers at once, unless it is told to sleep, burn or crash. */
  static byte[] pings() {
    return plain(
        "ping",
        "exec:bin/ping",
        """
        #!/usr/bin/python3 -EsB
        import json, os, sys, time
        print('{"ready":true}', flush=True)
        for line in sys.stdin:
            arguments = json.loads(line)["arguments"]
            if "crash" in arguments:
                os._exit(3)
            if "sleep" in arguments:
                time.sleep(arguments["sleep"])
            end = time.monotonic() + arguments.get("burn", 0)
            while time.monotonic() < end:
                pass
            print('{"result":{"pong":true}}', flush=True)
        """);
  }

  static byte[] plain(String name, String entry, String script) {
    return ToolJars.files(
            """
            apiVersion: aion.os/v1
            kind: Tool
            metadata: { name: %s, version: 1.0.0, description: A tool of the tests. }
            spec:
              entry: "%s"
              capabilities_required: []
              limits: { timeout_ms: 20000, concurrency: 64 }
            """
                .formatted(name, entry))
        .header("Bundle-ManifestVersion", "2")
        .header("Bundle-SymbolicName", "org.example.tool." + name)
        .header("Bundle-Version", "1.0.0")
        .entry(entry.substring(entry.indexOf(':') + 1), script)
        .bytes();
  }

  private static Answer call(
      String agent, String tool, Map<String, ?> arguments, int latencyMillis) {
    ObjectNode body = syscall("tool.invoke", agent);
    body.withObject("/params")
        .put("tool", tool)
        .setAll(RunningKernel.JSON.<ObjectNode>valueToTree(arguments));
    body.putObject("budget").put("latency_ms", latencyMillis);
    return kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/tool.invoke", body);
  }

  private static Answer python(String agent, String code) {
    return call(agent, "python_run", Map.of("code", code), 30_000);
  }

  @Test
  void probes_count_what_a_watched_tool_asks_of_linux_or_say_why_they_cannot() {
    python(CODER, "open('/usr/bin/python3', 'rb').read(100_000) and None").expect(200);
    Await.until(
        "probes have looked",
        Duration.ofSeconds(20),
        () -> !kernel.shell("aion:probes --no-format").contains("waiting"));

    String shown = kernel.shell("aion:probes --no-format");
    if (shown.contains("unavailable")) {
      assertThat(shown).contains("this host does not ");
      return;
    }
    assertThat(shown).contains("probes: watching");
    Await.until(
        "what it reads is counted",
        Duration.ofSeconds(20),
        () -> {
          python(
                  CODER,
                  """
                  import ctypes
                  open('/usr/bin/python3', 'rb').read(100_000)
                  ctypes.CDLL(None).unshare(0x10000000)
                  None
                  """)
              .expect(200);
          return metric("aion_tool_file_read_bytes_total", "python_run") > 100_000
              && metric("aion_tool_denied_system_calls_total", "python_run") > 0;
        });
    assertThat(metric("aion_tool_system_calls_total", "table_stats")).as("not watched").isZero();
  }

  private static double metric(String name, String tool) {
    return kernel
        .call(Signer.nobody(), "GET", "/metrics")
        .expect(200)
        .text()
        .lines()
        .filter(line -> line.startsWith(name + "{tool=\"" + tool + "\"}"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .findFirst()
        .orElse(0);
  }

  @Test
  void code_shows_what_it_has_while_it_runs_and_is_gone_once_it_is_cancelled() {
    ObjectNode body = syscall("tool.invoke", PATIENT_CODER);
    body.withObject("/params")
        .put("tool", "python_run")
        .put(
            "code",
            """
            import time
            progress(0.5, "half")
            partial(primes=[2, 3, 5])
            time.sleep(30)
            """);
    body.putObject("budget").put("latency_ms", 30_000);
    List<Path> before = workerGroups(kernel);
    List<Path> working;
    try (LiveCall live = LiveCall.begin(kernel, body)) {
      assertThat(live.expect("progress").toString())
          .isEqualTo("{\"done\":0.5,\"message\":\"half\"}");
      assertThat(live.expect("partial").toString()).isEqualTo("{\"primes\":[2,3,5]}");

      working = workerGroups(kernel);
      working.removeAll(before);
      assertThat(working).isNotEmpty();
      kernel
          .call(RunningKernel.RESEARCHER_V2, "POST", "/v1/calls/" + live.auditId + "/cancel")
          .expect(202);

      assertThat(live.expect("result").at("/error/code").asText()).isEqualTo("CANCELLED");
    }
    Await.until(
        "the worker of the cancelled call is gone: " + working,
        Duration.ofSeconds(10),
        () -> working.stream().noneMatch(Files::exists));
  }

  @Test
  void code_runs_and_its_output_and_last_value_come_back() {
    Answer answer =
        python(
                CODER,
                """
            import sys
            print("on stdout")
            print("on stderr", file=sys.stderr)
            {"sum": sum(range(10)), "words": "a b".split()}
            """)
            .expect(200);

    assertThat(answer.at("/result/stdout")).isEqualTo("on stdout\n");
    assertThat(answer.at("/result/stderr")).isEqualTo("on stderr\n");
    assertThat(answer.json().at("/result/value").toString())
        .isEqualTo("{\"sum\":45,\"words\":[\"a\",\"b\"]}");
    assertThat(answer.json().at("/result").has("error")).isFalse();
  }

  @Test
  void a_fault_in_the_code_is_the_agents_own_to_read() {
    Answer answer = python(CODER, "x = 1\nx / 0").expect(200);
    assertThat(answer.at("/result/error/type")).isEqualTo("ZeroDivisionError");
    assertThat(answer.at("/result/error/traceback")).contains("line 2").doesNotContain("main.py");

    assertThat(python(CODER, "def").expect(200).at("/result/error/type")).isEqualTo("SyntaxError");
    assertThat(
            call(CODER, "python_run", Map.of("code", "while 1: pass", "timeout_s", 0.3), 10_000)
                .expect(200)
                .at("/result/error/type"))
        .isEqualTo("TimeoutError");
    Answer number = call(CODER, "python_run", Map.of("code", 7), 10_000);
    assertThat(number.expect(400, "INVALID_FIELD").at("/error/pointer")).isEqualTo("/params/code");
  }

  @Test
  void each_call_begins_anew_and_files_stay() {
    python(CODER, "kept = 1\nworkspace.write_text('kept.txt', 'in a file')").expect(200);

    Answer next =
        python(
            CODER,
            "'kept.txt' in workspace.list(), workspace.read_text('kept.txt'), 'kept' in globals()");

    assertThat(next.json().at("/result/value").toString()).isEqualTo("[true,\"in a file\",false]");
    assertThat(python(CODER, "workspace.read_text('absent.txt')").at("/result/error/message"))
        .contains("absent.txt");
  }

  @Test
  void a_second_agent_never_sees_what_the_first_has_left() {
    python(
            CODER,
            "open('/tmp/left', 'w').write('mine')\n" + "workspace.write_text('mine.txt', 'mine')")
        .expect(200);

    Answer other =
        python(OTHER_CODER, "import os\n[os.listdir('/tmp'), workspace.list()]").expect(200);

    assertThat(other.json().at("/result/value").toString()).isEqualTo("[[],[]]");
  }

  @Test
  void the_ways_to_end_badly_have_codes_of_their_own() {
    call(CODER, "python_run", Map.of("code", "while True: pass"), 600).expect(504, "TIMED_OUT");
    python(CODER, "x = []\nwhile True: x.append(b'x' * 1000000)").expect(502, "TOOL_OUT_OF_MEMORY");
    python(CODER, "import os\nos._exit(3)").expect(502, "TOOL_CRASHED");
    python(CODER, "import ctypes\nctypes.string_at(0)").expect(502, "TOOL_CRASHED");
    assertThat(python(CODER, "import socket\nsocket.socket()").at("/result/error/type"))
        .isEqualTo("PermissionError");
    python(CODER, "1 + 1").expect(200);
  }

  @Test
  void what_a_tool_can_find_holds_no_secret() {
    Answer answer =
        python(
                CODER,
                """
                import os, pathlib
                found = dict(os.environ)
                for file in pathlib.Path('/proc').glob('[0-9]*/environ'):
                    try:
                        found[str(file)] = file.read_text()
                    except OSError as e:
                        pass
                found
                """)
            .expect(200);

    assertThat(answer.text())
        .doesNotContain("TENANT_A_SECRET")
        .doesNotContain(kernel.token())
        .doesNotContain("KARAF")
        .doesNotContain("AION_");
  }

  @Test
  void a_table_is_described() {
    Answer answer =
        call(CODER, "table_stats", Map.of("text", "name,age\nann,30\nbob,40\neve,\n"), 10_000)
            .expect(200);
    assertThat(answer.json().at("/result/rows").asInt()).isEqualTo(3);
    assertThat(answer.json().at("/result/columns/1/mean").asDouble()).isEqualTo(35.0);
    assertThat(answer.json().at("/result/columns/1/empty").asInt()).isEqualTo(1);

    python(CODER, "workspace.write_text('t.csv', 'a;b\\n1;x\\n')").expect(200);
    assertThat(
            call(CODER, "table_stats", Map.of("path", "t.csv"), 10_000)
                .expect(200)
                .at("/result/columns/0/name"))
        .isEqualTo("a");
    call(CODER, "table_stats", Map.of("path", "absent.csv"), 10_000).expect(422, "TOOL_FAILED");
  }

  @Test
  void lines_are_found_in_all_files_of_a_workspace() {
    python(
            CODER,
            """
            workspace.write_text('find/a.txt', 'one\\nHello, world\\nthree\\n')
            workspace.write_text('find/deep/b.md', 'سلام\\nhello ' + 'x' * 600 + '\\nhello again')
            """)
        .expect(200);

    Answer found = find(Map.of("pattern", "hel+o", "path", "find", "context", 1)).expect(200);
    assertThat(found.json().at("/result/matches").size()).isEqualTo(2);
    assertThat(found.at("/result/matches/0/file")).isEqualTo("find/deep/b.md");
    assertThat(found.json().at("/result/matches/0/line").asInt()).isEqualTo(2);
    assertThat(found.at("/result/matches/0/text")).hasSize(501).endsWith("…");
    assertThat(found.at("/result/matches/0/before/0")).isEqualTo("سلام");
    assertThat(found.at("/result/matches/0/after/0")).isEqualTo("hello again");
    assertThat(found.json().at("/result/files").asInt()).isEqualTo(2);
    assertThat(found.json().at("/result/truncated").asBoolean()).isFalse();

    Answer first =
        find(Map.of("pattern", "^HELLO", "path", "find/", "ignore_case", true, "limit", 1));
    assertThat(first.expect(200).at("/result/matches/0/text")).isEqualTo("Hello, world");
    assertThat(first.json().at("/result/truncated").asBoolean()).isTrue();
    assertThat(
            find(Map.of("pattern", "\\p{Arabic}", "path", "find/deep/b.md"))
                .expect(200)
                .json()
                .at("/result/matches/0/line")
                .asInt())
        .isEqualTo(1);
  }

  @Test
  void what_cannot_be_searched_for_is_the_callers_to_mend() {
    assertThat(find(Map.of("pattern", "é(b")).expect(422, "TOOL_FAILED").at("/error/message"))
        .contains("bad_argument", "at character 2: unclosed group");
    assertThat(
            find(Map.of("pattern", "\\w{1000}{1000}"))
                .expect(422, "TOOL_FAILED")
                .at("/error/message"))
        .contains("too large");
    assertThat(
            find(Map.of("pattern", "x", "path", "absent"))
                .expect(422, "TOOL_FAILED")
                .at("/error/message"))
        .contains("not_found");
    assertThat(
            find(Map.of("pattern", "x", "path", "../other"))
                .expect(422, "TOOL_FAILED")
                .at("/error/message"))
        .contains("bad_argument");
    find(Map.of("pattern", "x", "limit", 0)).expect(400, "INVALID_FIELD");
  }

  private static Answer find(Map<String, ?> arguments) {
    return call(CODER, "find_text", arguments, 10_000);
  }

  @Test
  void a_profile_that_there_is_not_keeps_a_tool_out() {
    byte[] jar =
        ToolJars.files(
                """
                apiVersion: aion.os/v1
                kind: Tool
                metadata: { name: profiled, version: 1.0.0, description: A tool of the tests. }
                spec:
                  entry: "exec:bin/x"
                  security: { cgroup: enormous }
                """)
            .header("Bundle-ManifestVersion", "2")
            .header("Bundle-SymbolicName", "org.example.tool.profiled")
            .entry("bin/x", "#!/bin/sh\n")
            .bytes();

    kernel.allowAndDrop(jar, "profiled.jar");

    kernel.awaitLog("/spec/security/cgroup: there is no profile enormous");
  }

  /** A GPU that no host has; the shipped profiles name none. */
  @Test
  void a_gpu_that_the_host_lacks_keeps_out_a_tool_that_needs_it_and_no_other() throws IOException {
    Path profiles = kernel.data().resolve("config/sandbox/cgroup_profiles.yaml");
    Files.writeString(
        profiles,
        "  gpu: { inherits: python, gpu: { devices: [/dev/nvidia-none] } }\n",
        StandardOpenOption.APPEND);

    kernel.allowAndDrop(computing("computes", "gpu"), "computes.jar");
    kernel.allowAndDrop(computing("reads", "filesystem"), "reads.jar");

    kernel.awaitLog("this host has no device /dev/nvidia-none");
    kernel.awaitTool("reads@1.0.0");
    assertThat(kernel.tools()).doesNotContain("computes@1.0.0");
  }

  private static byte[] computing(String name, String capability) {
    return ToolJars.files(
            """
            apiVersion: aion.os/v1
            kind: Tool
            metadata: { name: %s, version: 1.0.0, description: A tool of the tests. }
            spec:
              entry: "exec:bin/x"
              capabilities_required: [%s]
              security: { cgroup: gpu }
            """
                .formatted(name, capability))
        .header("Bundle-ManifestVersion", "2")
        .header("Bundle-SymbolicName", "org.example.tool." + name)
        .entry("bin/x", "#!/bin/sh\n")
        .bytes();
  }

  @Test
  void a_warm_call_is_quick_and_a_cold_one_is_not_slow() {
    double warm = median(500, () -> call(CODER, "ping", Map.of(), 5_000).expect(200));
    double code = median(100, () -> python(CODER, "1 + 1").expect(200));
    double cold =
        median(
            20,
            () -> call(OTHER_CODER, "ping", Map.of("crash", 1), 5_000).expect(502, "TOOL_CRASHED"),
            () -> call(OTHER_CODER, "ping", Map.of(), 5_000).expect(200));

    System.out.printf(
        "process tier, median ms: warm %.2f, python_run %.2f, cold %.1f%n", warm, code, cold);
    assertThat(warm).isLessThan(20);
    assertThat(cold).isLessThan(400);
  }

  @Test
  void tools_that_wait_or_burn_do_not_hold_up_a_call_of_another() {
    kernel.allowAndDrop(RunningKernel.readBytes(RunningKernel.ECHO_1_0), "echo-1.0.0.jar");
    kernel.awaitTool("echo@1.0.0");
    double alone = p99();
    double besideWaiting = p99Beside(50, Map.of("sleep", 1));
    double besideBurning = p99Beside(4, Map.of("burn", 2));

    System.out.printf(
        "echo, p99 ms: alone %.1f, beside 50 waiting %.1f, beside 4 burning %.1f%n",
        alone, besideWaiting, besideBurning);
    assertThat(besideWaiting).isLessThan(500);
    assertThat(besideBurning).isLessThan(500);
  }

  private static double p99Beside(int calls, Map<String, ?> arguments) {
    ExecutorService callers = Executors.newFixedThreadPool(calls);
    try {
      // Once, so that what is measured beside is calls, not starts.
      all(callers, calls, Map.of("sleep", 0.3));
      List<Future<?>> running = submitted(callers, calls, arguments);
      double p99 = p99();
      finish(running);
      return p99;
    } finally {
      callers.shutdownNow();
    }
  }

  private static void all(ExecutorService callers, int calls, Map<String, ?> arguments) {
    finish(submitted(callers, calls, arguments));
  }

  private static List<Future<?>> submitted(
      ExecutorService callers, int calls, Map<String, ?> arguments) {
    List<Future<?>> running = new ArrayList<>();
    for (int i = 0; i < calls; i++) {
      running.add(callers.submit(() -> call(CODER, "ping", arguments, 30_000).expect(200)));
    }
    return running;
  }

  private static void finish(List<Future<?>> running) {
    for (Future<?> each : running) {
      try {
        each.get();
      } catch (InterruptedException | ExecutionException failed) {
        throw new AssertionError(failed);
      }
    }
  }

  private static double p99() {
    List<Long> nanos = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      long began = System.nanoTime();
      call(CODER, "echo", Map.of("text", "x"), 5_000).expect(200);
      nanos.add(System.nanoTime() - began);
    }
    return nanos.stream().sorted().toList().get(197) / 1e6;
  }

  static double median(int times, Runnable what) {
    return median(times, () -> {}, what);
  }

  static double median(int times, Runnable before, Runnable what) {
    List<Long> nanos = new ArrayList<>();
    for (int i = 0; i < times; i++) {
      before.run();
      long began = System.nanoTime();
      what.run();
      nanos.add(System.nanoTime() - began);
    }
    return nanos.stream().sorted().toList().get(times / 2) / 1e6;
  }

  @Test
  void nothing_is_left_when_the_kernel_is_down() {
    RunningKernel ending = RunningKernel.named("process-tools-end").bare().start();
    ending.allowAndDrop(pings(), "ping.jar");
    ending.awaitTool("ping@1.0.0");
    ObjectNode body = syscall("tool.invoke", RunningKernel.RESEARCHER);
    body.withObject("/params").put("tool", "ping");
    ending.call(RESEARCHER_V1, "POST", "/v1/syscall/tool.invoke", body).expect(200);
    List<Path> groups = workerGroups(ending);
    List<Long> pids = groups.stream().flatMap(ProcessToolIT::pids).toList();
    assertThat(groups).isNotEmpty();
    assertThat(pids).isNotEmpty();

    ending.down();

    assertThat(workerGroups(ending)).isEmpty();
    assertThat(pids).allMatch(pid -> ProcessHandle.of(pid).isEmpty());
    assertThat(unpacked(ending)).isEmpty();
  }

  @Test
  void nothing_runs_on_after_a_crash_of_the_kernel_and_the_next_one_sweeps() {
    RunningKernel crashing = RunningKernel.named("process-tools-crash").bare().start();
    crashing.allowAndDrop(pings(), "ping.jar");
    crashing.awaitTool("ping@1.0.0");
    ObjectNode body = syscall("tool.invoke", RunningKernel.RESEARCHER);
    body.withObject("/params").put("tool", "ping");
    crashing.call(RESEARCHER_V1, "POST", "/v1/syscall/tool.invoke", body).expect(200);
    List<Path> groups = workerGroups(crashing);
    List<Long> pids = groups.stream().flatMap(ProcessToolIT::pids).toList();
    assertThat(pids).isNotEmpty();

    crashing.kill9();

    Await.until(
        "no process of the tool runs on",
        Duration.ofSeconds(10),
        () -> pids.stream().allMatch(pid -> ProcessHandle.of(pid).isEmpty()));
    crashing.up();
    Await.until(
        "its groups are swept",
        Duration.ofSeconds(30),
        () -> groups.stream().noneMatch(Files::exists));
    crashing.down();
  }

  // --- what is left ---------------------------------------------------------------------------

  /** The folders in which a kernel keeps its groups stand in a file of its state. */
  static List<Path> workerGroups(RunningKernel of) {
    List<Path> groups = new ArrayList<>();
    try {
      for (String folder :
          Files.readAllLines(of.data().resolve("state/sandbox/cgroups.txt"), UTF_8)) {
        if (Files.isDirectory(Path.of(folder))) {
          try (Stream<Path> all = Files.walk(Path.of(folder))) {
            all.filter(each -> each.getFileName().toString().startsWith("worker-"))
                .forEach(groups::add);
          }
        }
      }
      return groups;
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  static Stream<Long> pids(Path group) {
    try {
      return Files.readAllLines(group.resolve("cgroup.procs")).stream().map(Long::valueOf);
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  /** What stands unpacked, of a kernel that is root or not. */
  static List<Path> unpacked(RunningKernel of) {
    String kernelName = sandboxName(of);
    return Stream.of(Path.of("/var/lib/aion", kernelName), of.data().resolve("state/sandbox/tools"))
        .filter(Files::exists)
        .toList();
  }

  static String sandboxName(RunningKernel of) {
    byte[] state = of.data().resolve("state/sandbox").toString().getBytes(UTF_8);
    return java.util.HexFormat.of().formatHex(Signer.sha256(state)).substring(0, 12);
  }
}
