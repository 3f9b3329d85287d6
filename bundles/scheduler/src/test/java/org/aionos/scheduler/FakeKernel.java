package org.aionos.scheduler;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleSupplier;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Asked;
import org.aionos.kernel.CallListener;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Declared;
import org.aionos.kernel.Journal;
import org.aionos.kernel.ManifestTrust;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Policy;
import org.aionos.kernel.Problem;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Reply;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.SyscallRouter;
import org.aionos.kernel.ToolCatalog;
import org.aionos.kernel.memory.Trust;
import org.aionos.kernel.task.AgentDoors;
import org.aionos.kernel.task.AgentLauncher;
import org.aionos.kernel.task.Scheduler;
import org.aionos.kernel.task.TaskCalls;
import org.aionos.kernel.task.TaskStore;
import org.jspecify.annotations.Nullable;

/** A scheduler with all around it that carries out calls, in memory. */
final class FakeKernel implements AutoCloseable {

  static final AgentId AGENT = new AgentId("acme", "ann");
  static final Caller ADMINISTRATOR = Caller.tenantSecret("acme", false);

  static final AgentProcess ANN =
      new AgentProcess(
          AGENT,
          "ann",
          "1",
          AgentProcess.State.ALIVE,
          1,
          new Declared(Set.of(), Set.of()),
          Map.of(),
          Map.of(),
          AgentProcess.Vitals.UNKNOWN,
          Instant.EPOCH,
          Instant.EPOCH,
          null);

  /** What a call does in the world, before it ends. */
  interface Effect {
    void happen(Syscall syscall) throws InterruptedException;
  }

  final Dispatcher scheduler;
  final BudgetLedger budgets;
  final SettingsFile settings;
  final List<Journal.Event> events = new CopyOnWriteArrayList<>();
  final AtomicInteger callsCancelled = new AtomicInteger();
  private final Effect effect;
  private final AtomicInteger calls = new AtomicInteger();
  private final String name;
  private final Map<String, Thread> running = new ConcurrentHashMap<>();

  FakeKernel(
      String name, TaskStore store, AtomicLong millis, String yaml, Effect effect, Path folder)
      throws IOException {
    this.name = name;
    this.effect = effect;
    Path own = Files.createDirectories(folder.resolve(name));
    Files.writeString(own.resolve("scheduler.yaml"), yaml);
    InstantSource clock = () -> Instant.ofEpochMilli(millis.get());
    this.settings = new SettingsFile(own);
    this.budgets = new BudgetLedger(own.resolve("state"), settings, clock);
    ManifestTrust trust =
        new ManifestTrust() {
          @Override
          public void check(byte[] manifest, byte @Nullable [] signature) {}

          @Override
          public void verify(byte[] manifest, byte @Nullable [] signature) {}
        };
    this.scheduler =
        new Dispatcher(
            new Around(),
            new OpenStore(store, name, true),
            settings,
            budgets,
            new OneAgent(),
            new AllGranted(),
            new Programs(own, own.resolve("state"), trust),
            new NoFolder(),
            new Recorded(),
            new Unmetered(),
            clock,
            () -> millis.get() * 1_000_000);
    scheduler.begin();
  }

  Scheduler.Task submit(String id, String intent, Map<String, @Nullable Object> params) {
    return scheduler
        .submit(
            new Scheduler.Submission(
                id, AGENT, intent, null, Map.of(), Map.of("attempts_max", 1), params, null),
            ADMINISTRATOR)
        .task();
  }

  @Override
  public void close() throws Exception {
    scheduler.close();
    budgets.close();
    settings.close();
  }

  /** The router: it asks the log of the task, does what the call does, and says how it ended. */
  private final class Calls implements SyscallRouter {

    @Override
    public void handle(Syscall syscall, CallListener listener) {
      String auditId = name + "/" + calls.incrementAndGet();
      Reply reply;
      try {
        TaskCalls.Turn turn = scheduler.begin(syscall);
        Reply recorded = turn.recorded();
        if (recorded == null) {
          running.put(auditId, Thread.currentThread());
          turn.asked(auditId);
          listener.begun(auditId);
          recorded = new Reply(auditId, carriedOut(syscall), Duration.ofMillis(1));
          turn.ended(recorded);
        }
        reply = recorded;
      } catch (Refused refused) {
        reply = new Reply(auditId, Outcome.failed(refused.problem()), Duration.ZERO);
      } finally {
        running.remove(auditId);
      }
      listener.ended(reply);
    }

    private Outcome carriedOut(Syscall syscall) {
      try {
        effect.happen(syscall);
        return Outcome.Ok.ofKernel(syscall.name(), Map.of("done", true));
      } catch (InterruptedException cancelled) {
        return Outcome.failed(
            Problem.of(org.aionos.kernel.Code.CANCELLED, "was cancelled in its middle"));
      }
    }

    @Override
    public List<Running> running() {
      return List.of();
    }

    @Override
    public boolean cancel(String auditId, String by) {
      Thread thread = running.get(auditId);
      if (thread == null) {
        return false;
      }
      callsCancelled.incrementAndGet();
      thread.interrupt();
      return true;
    }
  }

  private final class Around implements Neighbours {

    private final SyscallRouter router = new Calls();

    @Override
    public SyscallRouter router() {
      return router;
    }

    @Override
    public @Nullable ToolCatalog tools() {
      return null;
    }

    @Override
    public @Nullable AgentLauncher launcher() {
      return null;
    }

    @Override
    public @Nullable AgentDoors doors() {
      return null;
    }

    @Override
    public void listen(Runnable came) {}

    @Override
    public boolean areReady() {
      return true;
    }
  }

  private static final class OneAgent implements ProcessTable {

    @Override
    public AgentProcess register(Registration registration, Caller by) {
      throw new UnsupportedOperationException();
    }

    @Override
    public AgentProcess approve(AgentId agent, String digest, Caller by) {
      throw new UnsupportedOperationException();
    }

    @Override
    public AgentProcess heartbeat(AgentId agent, AgentProcess.Vitals vitals) {
      throw new UnsupportedOperationException();
    }

    @Override
    public AgentProcess setStopped(AgentId agent, boolean stopped, Caller by) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Optional<AgentProcess> seen(AgentId agent) {
      return find(agent);
    }

    @Override
    public Optional<AgentProcess> find(AgentId agent) {
      return agent.equals(AGENT) ? Optional.of(ANN) : Optional.empty();
    }

    @Override
    public List<AgentProcess> list(@Nullable String tenant) {
      return List.of(ANN);
    }
  }

  private static final class AllGranted implements Policy {

    @Override
    public Decision decide(Asked asked, AgentProcess agent, Set<String> needs) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Decision decideTool(
        Decision.Allow permit, AgentProcess agent, String tool, Set<String> needs, Trust trust) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Grants grants(AgentId agent, Declared declared) {
      return new Grants(declared.capabilities(), Map.of(), declared.syscalls());
    }

    @Override
    public Version version() {
      return new Version("1", "test", "");
    }
  }

  private final class Recorded implements Journal {

    @Override
    public Asked asked(Syscall syscall) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void ended(
        Asked asked, org.aionos.kernel.@Nullable Decision by, Outcome outcome, Duration took) {
      throw new UnsupportedOperationException();
    }

    @Override
    public String record(Event event) {
      events.add(requireNonNull(event));
      return "a" + events.size();
    }
  }

  private static final class NoFolder implements AgentLauncher.Folder {

    @Override
    public String digest() {
      return "00";
    }

    @Override
    public void copyTo(Path empty) {}
  }

  private static final class Unmetered implements Meters {

    @Override
    public Counter counter(String name, String help, String... labelNames) {
      return (amount, labelValues) -> {};
    }

    @Override
    public Histogram millis(String name, String help, String... labelNames) {
      return (value, labelValues) -> {};
    }

    @Override
    public AutoCloseable gauge(String name, String help, DoubleSupplier value) {
      return () -> {};
    }

    @Override
    public AutoCloseable gauge(
        String name, String help, String label, Map<String, DoubleSupplier> values) {
      return () -> {};
    }

    @Override
    public void writeText(OutputStream out) {}
  }

  /** Kinds of events of a task, by its id. */
  List<String> kinds(String task) {
    List<String> kinds = new ArrayList<>();
    for (Journal.Event event : events) {
      if (task.equals(event.facts().get("task_id"))) {
        kinds.add(event.kind());
      }
    }
    return kinds;
  }
}
