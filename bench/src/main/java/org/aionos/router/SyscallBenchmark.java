package org.aionos.router;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.aionos.journal.JournalComponent;
import org.aionos.journal.Journals;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Reply;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.SyscallHandler;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.kernel.task.Budgets;
import org.aionos.kernel.task.TaskCalls;
import org.aionos.policy.Policies;
import org.aionos.policy.VersionedPolicy;
import org.aionos.telemetry.PrometheusMeters;
import org.aionos.tool.ToolResult;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;
import org.osgi.framework.Constants;

/**
 * One syscall through the kernel's spine, on one thread: two records in a real journal on a real
 * disk, the real policy, the real watchdog and meters. Around it HTTP, signature and JSON are
 * missing; see {@code EdgeBenchmark}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(
    value = 2,
    jvmArgsAppend = {"-XX:+UseSerialGC", "-Xms64m", "-Xmx512m"})
public class SyscallBenchmark {

  private static final String TEXT = "x".repeat(1_000);
  private static final int RESULT_BYTES_MAX = 4_194_304;

  private Path folder = Path.of("");
  private @org.jspecify.annotations.Nullable JournalComponent journal;
  private @org.jspecify.annotations.Nullable VersionedPolicy policy;
  private @org.jspecify.annotations.Nullable Router router;
  private Watchdog watchdog = new Watchdog();
  private Syscall handled = call("model.generate");
  private Syscall invoked = call(ToolCalls.INVOKE);

  /** Opens a kernel without a framework in a folder of its own. */
  @Setup
  public void open() throws IOException {
    folder = Files.createTempDirectory("aion-bench");
    var meters = new PrometheusMeters();
    journal = Journals.open(Files.createDirectories(folder.resolve("journal")), meters);
    policy = Policies.open(folder, journal, meters);
    HandlerTable handlers = new HandlerTable(Duration.ofSeconds(1));
    handlers.bindHandler(
        admitted -> Outcome.Ok.ofKernel("echo", admitted.syscall().params()),
        properties(1, handled.name()));
    handlers.bindHandler(tools(policy, journal), properties(2, invoked.name()));
    router =
        new Router(
            new Router.Limits(
                160, Duration.ofSeconds(30), Duration.ofMinutes(10), Duration.ofSeconds(5)),
            new OneAgent(),
            policy,
            handlers,
            tasks,
            Idempotency.open(
                folder.resolve("router"), Duration.ofDays(1), 1_000, InstantSource.system()),
            syscall -> TaskCalls.Turn.NONE,
            (syscall, agent) -> Budgets.Reservation.NONE,
            watchdog,
            journal,
            meters,
            InstantSource.system(),
            System::nanoTime);
    check(handled);
    check(invoked);
  }

  private final TaintedTasks tasks = new TaintedTasks();

  private ToolCalls tools(VersionedPolicy rules, JournalComponent journal) {
    ToolTable table =
        new ToolTable(Duration.ofSeconds(1), new VersionTrial.Rules(50, 5, 0.02, 1.5));
    ToolManifest manifest =
        new ToolManifest(
            "echo",
            "1.0.0",
            "",
            "bundle",
            "",
            "text:string",
            "text:string",
            Set.of(),
            Map.of(),
            Map.of(),
            2_000,
            1_000);
    table.install(
        manifest,
        "bench:echo",
        InstalledTool.trusted((call, effects) -> ToolResult.of(Map.of("text", call.text("text")))));
    return new ToolCalls(
        table,
        rules,
        tasks,
        new Workspaces(folder.resolve("workspaces"), new Workspace.Limits(1 << 20, 100, 1 << 20)),
        new ToolSettings(folder, journal),
        watchdog,
        InstantSource.system(),
        System::nanoTime,
        RESULT_BYTES_MAX);
  }

  @TearDown
  public void close() throws IOException, InterruptedException {
    if (router != null && policy != null && journal != null) {
      router.close();
      Policies.close(policy);
      Journals.close(journal);
    }
    watchdog.close();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  /** A handler that hands back its parameters. */
  @Benchmark
  public void handler(Blackhole sink) {
    carry(handled, sink::consume);
  }

  /**
   * A tool that hands back its text: lease, second decision, schemas and check of the result on
   * top.
   */
  @Benchmark
  public void tool(Blackhole sink) {
    carry(invoked, sink::consume);
  }

  private void carry(Syscall syscall, java.util.function.Consumer<Reply> reply) {
    if (router != null) {
      router.handle(syscall, reply);
    }
  }

  /** What is measured must be calls that were carried out. */
  private void check(Syscall syscall) {
    carry(
        syscall,
        reply -> {
          if (!(reply.outcome() instanceof Outcome.Ok)) {
            throw new IllegalStateException("not carried out: " + reply);
          }
        });
  }

  private static Syscall call(String name) {
    Map<String, @org.jspecify.annotations.Nullable Object> params = new LinkedHashMap<>();
    params.put("tool", "echo");
    params.put("text", TEXT);
    return new Syscall(
        name,
        OneAgent.ID,
        Caller.tenantSecret(OneAgent.ID.tenant(), true),
        new Syscall.Context(
            "bench", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", null),
        Set.of(),
        params,
        new Syscall.Budget(null, Duration.ofSeconds(2)),
        "0".repeat(64));
  }

  private static Map<String, Object> properties(long id, String name) {
    return Map.of(Constants.SERVICE_ID, id, SyscallHandler.NAMES, name);
  }
}
