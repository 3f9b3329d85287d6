package org.aionos.scheduler;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Declared;
import org.aionos.kernel.Journal;
import org.aionos.kernel.ManifestTrust;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Policy;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Reply;
import org.aionos.kernel.Role;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.SyscallRouter;
import org.aionos.kernel.ToolCatalog;
import org.aionos.kernel.memory.Trust;
import org.aionos.kernel.task.AgentDoors;
import org.aionos.kernel.task.AgentLauncher;
import org.aionos.kernel.task.Scheduler.Submission;
import org.aionos.kernel.task.Scheduler.Task;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.tasks.MapTasks;
import org.jspecify.annotations.Nullable;

/** A scheduler with all that is around it in the test's hand. */
final class World implements AutoCloseable {

  static final AgentId AGENT = new AgentId("acme", "worker");
  static final Caller SECRET = Caller.tenantSecret("acme", false);
  static final Caller OPERATOR = Caller.person("olga", Role.OPERATOR, null);

  final Path folder;
  final FakeClock clock = new FakeClock();
  final MapTasks tasks = new MapTasks(clock::nanos);
  final FakeJournal journal = new FakeJournal();
  final FakeProcesses processes = new FakeProcesses();
  final FakeMeters meters = new FakeMeters();
  final FakeRouter router = new FakeRouter();
  final FakeLauncher launcher = new FakeLauncher();
  volatile @Nullable AgentLauncher launcherThere = launcher;
  volatile @Nullable AgentDoors doors = new FakeLauncher.FakeDoors();
  volatile boolean ready = true;
  volatile ToolCatalog catalog = new NoTools();
  private final List<Dispatcher> lives = new ArrayList<>();
  private final List<SettingsFile> files = new ArrayList<>();
  SettingsFile settings;
  BudgetLedger budgets;
  Programs programs;
  FaultyTasks store;
  Dispatcher scheduler;
  private volatile Runnable wake = () -> {};
  private FakeNeighbours around = new FakeNeighbours();

  World(Path folder) {
    this.folder = folder;
    agent(AGENT, Map.of());
    try {
      Path code = Files.createDirectories(folder.resolve("agents/acme/worker"));
      Files.writeString(code.resolve("main.py"), "print()");
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
    settings("slots: 2\nminimum_runtime_ms: 0\nretry: {attempts_max: 3, backoff_ms: 1000}\n");
  }

  World settings(String yaml) {
    try {
      Files.writeString(folder.resolve("scheduler.yaml"), yaml);
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
    if (settings != null) {
      settings.reload();
    }
    return this;
  }

  /** A kernel begins. */
  World start() {
    settings = new SettingsFile(folder);
    files.add(settings);
    budgets = new BudgetLedger(folder.resolve("state"), settings, clock);
    programs = new Programs(folder.resolve("agents"), folder.resolve("state"), new NoTrust());
    store = new FaultyTasks(tasks);
    FakeNeighbours neighbours = new FakeNeighbours();
    around = neighbours;
    scheduler =
        new Dispatcher(
            neighbours,
            new OpenStore(store, "node-" + lives.size(), false),
            settings,
            budgets,
            processes,
            new FakePolicy(),
            programs,
            new NoSdk(),
            journal,
            meters,
            clock,
            System::nanoTime);
    neighbours.life = scheduler;
    lives.add(scheduler);
    router.tasks = scheduler;
    scheduler.begin();
    return this;
  }

  /** The kernel dies, and all its processes with it; after a while the next one takes over. */
  void killAndStart() {
    store.cutOff();
    agentsDie();
    clock.advance(Duration.ofMillis(MapTasks.CLAIM_MILLIS + 1_000));
    start();
  }

  /** Those of the present kernel, and it launches no more. */
  private void agentsDie() {
    synchronized (launcher) {
      around.dead = true;
      launcher.agents.forEach(agent -> agent.gone = true);
    }
  }

  /** The kernel stops in an orderly way, and the next one begins. */
  void stopAndStart() {
    scheduler.close();
    agentsDie();
    clock.advance(Duration.ofMinutes(1));
    start();
  }

  @Override
  public void close() {
    lives.forEach(Dispatcher::close);
    files.forEach(SettingsFile::close);
    launcher.close();
  }

  // --- what tests do --------------------------------------------------------------------------

  AgentProcess agent(AgentId id, Map<String, @Nullable Object> spec) {
    Map<String, @Nullable Object> whole = new TreeMap<>(spec);
    whole.putIfAbsent("entry", "python -m main");
    return processes.put(id, AgentProcess.State.ALIVE, whole);
  }

  /** An operator vouches for the agent's program as it is. */
  void approve() {
    AgentProcess row = processes.find(AGENT).orElseThrow();
    try {
      programs.of(row);
    } catch (Refused unapproved) {
      String rule = String.valueOf(unapproved.problem().rule());
      programs.approve(row, rule.substring(rule.indexOf(':') + 1));
    }
  }

  static Submission submission(
      String id, String intent, Map<String, @Nullable Object> params, @Nullable Integer priority) {
    return new Submission(id, AGENT, intent, priority, Map.of(), Map.of(), params, null);
  }

  Key call(String id, Map<String, @Nullable Object> params) {
    return submit(submission(id, "syscall:tool.invoke", params, null));
  }

  /** A workflow of calls with these values of {@code n}, and of {@code hold} the same. */
  Key workflow(String id, int priority, Object... values) {
    List<Object> steps = new ArrayList<>();
    for (Object value : values) {
      steps.add(
          Map.of(
              "id",
              "s" + steps.size(),
              "syscall",
              "tool.invoke",
              "params",
              Map.of("n", value, "hold", value)));
    }
    return submit(submission(id, "workflow", Map.of("steps", steps), priority));
  }

  Key launch(String id, int priority) {
    return submit(submission(id, "agent:worker", Map.of(), priority));
  }

  Key submit(Submission submission) {
    return scheduler.submit(submission, SECRET).task().key();
  }

  Task task(Key key) {
    return scheduler.find(key).orElseThrow();
  }

  void advance(Duration by) {
    clock.advance(by);
    wake.run();
  }

  void wake() {
    wake.run();
  }

  /** What a task's agent calls, through its door. */
  Reply callOf(Key key, Object value) {
    CompletableFuture<Reply> told = new CompletableFuture<>();
    router.handle(syscallOf(key, value), told::complete);
    try {
      return told.get(20, TimeUnit.SECONDS);
    } catch (Exception neverTold) {
      throw new AssertionError(neverTold);
    }
  }

  static Syscall syscallOf(Key key, Object value) {
    return new Syscall(
        "tool.invoke",
        AGENT,
        Caller.agentTask(AGENT, key.id()),
        Syscall.Context.NONE,
        Set.of(),
        Map.of("n", value, "hold", value),
        Syscall.Budget.NONE,
        "");
  }

  void awaitState(Key key, TaskState state) {
    Poll.until(
        () -> key + " to be " + state + ", but it is " + tasks.find(key).map(Work::of),
        () -> {
          wake.run();
          return tasks.find(key).map(row -> row.state() == state).orElse(false);
        });
  }

  void awaitAgents(int count) {
    Poll.until(
        () -> count + " agents, but there were " + launcher.agents.size(),
        () -> {
          wake.run();
          return launcher.agents.size() >= count;
        });
  }

  Work work(Key key) {
    return Work.of(tasks.find(key).orElseThrow());
  }

  static @Nullable Object at(Task task, String... path) {
    Object at = task.values();
    for (String part : path) {
      at = at instanceof Map<?, ?> map ? map.get(part) : null;
    }
    return at;
  }

  Code code(Key key) {
    return Code.valueOf(String.valueOf(at(task(key), "error", "code")));
  }

  // --- who is around it -----------------------------------------------------------------------

  private final class FakeNeighbours implements Neighbours {
    volatile @Nullable Dispatcher life;
    boolean dead;

    @Override
    public @Nullable SyscallRouter router() {
      Dispatcher mine = life;
      return ready && mine != null ? router.of(mine) : null;
    }

    @Override
    public ToolCatalog tools() {
      return catalog;
    }

    @Override
    public @Nullable AgentLauncher launcher() {
      AgentLauncher there = launcherThere;
      return there == null
          ? null
          : (launch, entrance, ended) -> {
            synchronized (launcher) {
              if (dead) {
                throw new Refused(Code.RESTARTING, "this kernel is dead");
              }
              return there.launch(launch, entrance, ended);
            }
          };
    }

    @Override
    public @Nullable AgentDoors doors() {
      return doors;
    }

    @Override
    public void listen(Runnable came) {
      wake = came;
    }

    @Override
    public boolean areReady() {
      return ready;
    }
  }

  static final class FakeProcesses implements ProcessTable {
    final Map<AgentId, AgentProcess> rows = new ConcurrentHashMap<>();

    AgentProcess put(AgentId id, AgentProcess.State state, Map<String, @Nullable Object> spec) {
      Map<String, @Nullable Object> manifest = new LinkedHashMap<>();
      manifest.put("spec", spec);
      AgentProcess row =
          new AgentProcess(
              id,
              id.name(),
              "1",
              state,
              1,
              new Declared(Set.of(), Set.of()),
              Map.of(),
              manifest,
              AgentProcess.Vitals.UNKNOWN,
              Instant.EPOCH,
              Instant.EPOCH,
              null);
      rows.put(id, row);
      return row;
    }

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
      return Optional.ofNullable(rows.get(agent));
    }

    @Override
    public List<AgentProcess> list(@Nullable String tenant) {
      return List.copyOf(rows.values());
    }
  }

  static final class FakeJournal implements Journal {
    final List<Event> events = new CopyOnWriteArrayList<>();
    volatile boolean away;

    @Override
    public Asked asked(Syscall syscall) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void ended(Asked asked, @Nullable Decision by, Outcome outcome, Duration took) {
      throw new UnsupportedOperationException();
    }

    @Override
    public String record(Event event) {
      if (away) {
        throw new Refused(Code.JOURNAL_UNAVAILABLE, "the disk is full");
      }
      events.add(event);
      return "ev";
    }

    List<String> kinds() {
      return events.stream().map(Event::kind).toList();
    }
  }

  static final class FakeMeters implements Meters {
    final Map<String, Long> counts = new ConcurrentHashMap<>();

    @Override
    public Counter counter(String name, String help, String... labelNames) {
      return (amount, labels) -> counts.merge(name + List.of(labels), amount, Long::sum);
    }

    @Override
    public Histogram millis(String name, String help, String... labelNames) {
      return (value, labels) -> counts.merge(name + List.of(labels), 1L, Long::sum);
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
    public void writeText(OutputStream out) {
      throw new UnsupportedOperationException();
    }
  }

  private static final class FakePolicy implements Policy {
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
      return new Grants(Set.of(), Map.of(), Set.of());
    }

    @Override
    public Version version() {
      throw new UnsupportedOperationException();
    }
  }

  private static final class NoTrust implements ManifestTrust {
    @Override
    public void check(byte[] manifest, byte @Nullable [] signature) {
      throw new Refused(Code.TOOL_NOT_TRUSTED, "nobody is trusted");
    }

    @Override
    public void verify(byte[] manifest, byte @Nullable [] signature) {
      throw new Refused(Code.TOOL_NOT_TRUSTED, "nobody is trusted");
    }
  }

  private static final class NoSdk implements AgentLauncher.Folder {
    @Override
    public String digest() {
      return "00";
    }

    @Override
    public void copyTo(Path empty) {}
  }

  private static final class NoTools implements ToolCatalog {
    @Override
    public List<Installed> tools() {
      return List.of();
    }

    @Override
    public boolean holds(String origin) {
      return false;
    }

    @Override
    public Optional<org.aionos.kernel.Problem> refusal(String origin) {
      return Optional.empty();
    }

    @Override
    public Trial trial(
        String tool, String version, int percent, java.util.function.Consumer<String> deviated) {
      throw new UnsupportedOperationException();
    }
  }
}
