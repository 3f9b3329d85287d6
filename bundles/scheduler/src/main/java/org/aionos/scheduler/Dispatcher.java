package org.aionos.scheduler;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Journal;
import org.aionos.kernel.ManifestTrust;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Policy;
import org.aionos.kernel.Problem;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Reply;
import org.aionos.kernel.Role;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.ToolCatalog;
import org.aionos.kernel.Underway;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.AgentLauncher;
import org.aionos.kernel.task.Scheduler;
import org.aionos.kernel.task.TaskCalls;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.TaskStore.Row;
import org.aionos.kernel.task.Tier;
import org.aionos.scheduling.Schedule;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where all of it meets: takes tasks, answers what becomes of them, and hears the calls that they
 * make. What a method returned is in the store.
 */
@Component(service = {Scheduler.class, TaskCalls.class, Dispatcher.class})
public final class Dispatcher implements Scheduler, TaskCalls {

  private static final Logger log = LoggerFactory.getLogger(Dispatcher.class);

  private static final Duration SWEEP = Duration.ofMinutes(1);
  private static final int PAGE_MAX = 1_000;
  private static final Duration FULL_RETRY = Duration.ofSeconds(1);

  private final TaskStore store;
  private final SettingsFile settings;
  private final ProcessTable processes;
  private final TaskEvents events;
  private final Programs programs;
  private final Board board;
  private final Engine engine;
  private final Latencies latencies;
  private final Mail mail;
  private final Neighbours neighbours;
  private final InstantSource clock;
  private final List<AutoCloseable> opened = new ArrayList<>();
  private final ScheduledExecutorService sweeping =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "aion-task-sweep");
            thread.setDaemon(true);
            return thread;
          });
  private volatile boolean closed;

  @Activate
  public Dispatcher(
      BundleContext context,
      @Reference(name = "store") OpenStore store,
      @Reference(name = "settings") SettingsFile settings,
      @Reference(name = "budgets") BudgetLedger budgets,
      @Reference(name = "processes") ProcessTable processes,
      @Reference(name = "policy") Policy policy,
      @Reference(name = "trust") ManifestTrust trust,
      @Reference(name = "journal") Journal journal,
      @Reference(name = "meters") Meters meters) {
    this(
        new FoundNeighbours(context),
        store,
        settings,
        budgets,
        processes,
        policy,
        new Programs(
            Path.of(String.valueOf(context.getProperty("aion.config")), "agents"),
            state(context),
            trust),
        SdkFolder.of(context.getBundle()),
        journal,
        meters,
        InstantSource.system(),
        System::nanoTime);
  }

  private static Path state(BundleContext context) {
    try {
      return Files.createDirectories(
          Path.of(String.valueOf(context.getProperty("aion.state")), "scheduler"));
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
  }

  Dispatcher(
      Neighbours neighbours,
      OpenStore open,
      SettingsFile settings,
      BudgetLedger budgets,
      ProcessTable processes,
      Policy policy,
      Programs programs,
      AgentLauncher.Folder sdk,
      Journal journal,
      Meters meters,
      InstantSource clock,
      LongSupplier nanos) {
    this.store = open.store();
    this.settings = settings;
    this.processes = processes;
    this.programs = programs;
    this.clock = clock;
    this.events = new TaskEvents(journal);
    this.latencies = new Latencies();
    this.mail = new Mail(store, settings);
    this.board = new Board(settings.now(), clock);
    this.neighbours = neighbours;
    Starts starts = new Starts(processes, policy, programs, settings, neighbours, sdk);
    this.engine =
        new Engine(
            open,
            board,
            starts,
            budgets,
            settings,
            events,
            latencies,
            neighbours,
            meters,
            clock,
            nanos);
    neighbours.listen(engine::wake);
    budgets.tell(board::hold);
    opened.add(() -> budgets.tell(null));
    opened.add(settings.listen(this::rulesChanged));
    opened.add(
        meters.gauge(
            "aion_kernel_scheduler_queue_depth", "Tasks that wait, by queue", "queue", depths()));
    opened.add(meters.gauge("aion_kernel_scheduler_running", "Tasks that run", this::running));
  }

  @Activate
  void begin() {
    engine.start();
    sweeping.scheduleWithFixedDelay(
        this::sweepOrLog, SWEEP.toMillis(), SWEEP.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** What runs is taken away, and goes on where the next scheduler begins. */
  @Deactivate
  void close() {
    closed = true;
    sweeping.shutdownNow();
    mail.close();
    engine.close();
    if (neighbours instanceof FoundNeighbours found) {
      found.close();
    }
    for (AutoCloseable each : opened) {
      try {
        each.close();
      } catch (Exception unexpected) {
        log.warn("did not close: {}", unexpected.toString());
      }
    }
  }

  private void rulesChanged() {
    board.rules(settings.now());
    engine.wake();
  }

  private long running() {
    return board.counts().running().values().stream().mapToLong(Long::longValue).sum();
  }

  private Map<String, DoubleSupplier> depths() {
    Map<String, DoubleSupplier> depths = new LinkedHashMap<>();
    for (Tier tier : Tier.values()) {
      depths.put(tier.written(), () -> waiting(tier));
    }
    return depths;
  }

  private double waiting(Tier tier) {
    try {
      return store.waiting().getOrDefault(tier, 0L);
    } catch (StoreUnavailable away) {
      return Double.NaN;
    }
  }

  // --- taking tasks ---------------------------------------------------------------------------

  @Override
  public Accepted submit(Submission asked, Caller by) {
    requireOpen();
    Submissions.requireRight(by, asked.agent());
    Submissions.requireId(asked);
    Key key = new Key(asked.agent().tenant(), asked.id());
    String digest = Submissions.digest(asked);
    Optional<Work> known = work(key);
    if (known.isPresent()) {
      return same(known.get(), digest);
    }
    AgentProcess agent =
        processes
            .find(asked.agent())
            .orElseThrow(
                () ->
                    new Refused(
                        Problem.at(
                                "/agent_id",
                                Code.UNKNOWN_AGENT,
                                asked.agent() + " is not registered")
                            .admittedBy("POST /v1/agent/register")));
    Order order = Submissions.order(asked, agent, settings.now(), by.keyId(), clock.millis());
    Work work = Work.submitted(key, asked.agent(), order);
    Row row = work.row();
    requireRoom(key.tenant());
    events.asked("task.submitted", work, by.keyId());
    Row there = kept(() -> store.add(row));
    if (there != row) {
      return same(Work.of(there), digest);
    }
    engine.claimSoon();
    return new Accepted(Shown.whole(work), true);
  }

  private static Accepted same(Work there, String digest) {
    if (!there.order().digest().equals(digest)) {
      throw new Refused(
          Problem.at(
                  "/task_id",
                  Code.CONFLICT,
                  "this id stands for another task of the tenant, which asked for something else")
              .admittedBy("another task_id"));
    }
    return new Accepted(Shown.whole(there), false);
  }

  private void requireRoom(String tenant) {
    SchedulerSettings.Limits limits = settings.now().limits();
    if (kept(() -> store.unended(tenant)) >= limits.tenantQueuedMax()) {
      throw full("its tenant has", limits.tenantQueuedMax());
    }
    long waiting = kept(store::waiting).values().stream().mapToLong(Long::longValue).sum();
    if (waiting + running() >= limits.queuedMax()) {
      throw full("the queues have", limits.queuedMax());
    }
  }

  private static Refused full(String whose, int max) {
    return new Refused(
        Problem.later(
                Code.QUEUE_FULL, whose + " as many tasks as may wait and run: " + max, FULL_RETRY)
            .admittedBy("some end, or limits of scheduler.yaml are raised"));
  }

  // --- looking at them ------------------------------------------------------------------------

  @Override
  public Optional<Task> find(Key key) {
    requireOpen();
    return work(key).map(Shown::whole);
  }

  private Optional<Work> work(Key key) {
    return kept(() -> engine.work(key));
  }

  private Work existing(Key key) {
    return work(key).orElseThrow(() -> new Refused(Code.NOT_FOUND, "there is no task " + key.id()));
  }

  @Override
  public Page list(TaskStore.Filter filter, @Nullable String after, int limit) {
    requireOpen();
    TaskStore.Page page = kept(() -> store.list(filter, after, Math.min(limit, PAGE_MAX)));
    List<Task> tasks = new ArrayList<>();
    for (Row row : page.rows()) {
      readable(row).map(Shown::summary).ifPresent(tasks::add);
    }
    return new Page(tasks, page.next());
  }

  /** A row that is damaged must not hide the others. */
  private static Optional<Work> readable(Row row) {
    try {
      return Optional.of(Work.of(row));
    } catch (IllegalStateException damaged) {
      log.error("a task cannot be read: task={}", row.key(), damaged);
      return Optional.empty();
    }
  }

  @Override
  public Explanation explain(Key key) {
    requireOpen();
    Work work = existing(key);
    Manifest manifest = processes.find(work.agent()).map(Manifest::of).orElse(Manifest.NONE);
    return Explained.of(
        work,
        board.explain(key),
        manifest.slaMillis(),
        latencies.p95Millis(work.agent()),
        Money.least(manifest.usdMax(), work.order().quota().usd()),
        holder(work));
  }

  private Explained.@Nullable Holder holder(Work work) {
    if (work.node() == null) {
      return null;
    }
    return kept(() -> store.holder(work.key()))
        .map(
            hold ->
                new Explained.Holder(
                    hold.node(),
                    hold.node().equals(engine.node()),
                    hold.heldMillis() == 0 ? 0 : clock.millis() - hold.heldMillis(),
                    hold.lives()))
        .orElse(null);
  }

  @Override
  public Queues queues() {
    requireOpen();
    Schedule.Counts counts = board.counts();
    return new Queues(
        kept(store::waiting),
        counts.running(),
        counts.frozen(),
        counts.slots(),
        engine.preemptions(),
        closed,
        board.shares(),
        settings.version(),
        settings.rejected());
  }

  @Override
  public Turns turns() {
    return settings.configured().turns();
  }

  @Override
  public List<Process> processes(@Nullable String tenant) {
    return engine.processes(tenant);
  }

  // --- changing them --------------------------------------------------------------------------

  @Override
  public Task cancel(Key key, boolean atOnce, String by) {
    requireOpen();
    Work work = existing(key);
    if (work.state().isEnded()) {
      return Shown.whole(work);
    }
    events.asked("task.cancel_asked", work, by);
    cancelWherever(key, atOnce, by);
    return Shown.whole(existing(key));
  }

  /** What another node runs is that node's to end: it is told what is wanted. */
  private void cancelWherever(Key key, boolean atOnce, String by) {
    while (!engine.cancel(key, atOnce, by)) {
      Work work = existing(key);
      if (work.state().isEnded()) {
        return;
      }
      boolean waits = work.state().isWaiting();
      Work next = waits ? Ends.cancelled(work, by, clock.millis()) : work.wishedToEnd(by, atOnce);
      if (kept(() -> store.replace(next.row()))) {
        if (waits) {
          board.gone(key);
          events.came("task.cancelled", next, "by " + by);
          engine.wake();
        }
        engine.nudge(work.node(), key);
        return;
      }
    }
  }

  @Override
  public Task replay(Key key, String by) {
    requireOpen();
    Work work = existing(key);
    if (work.state() != TaskState.FAILED && work.state() != TaskState.CANCELLED) {
      throw new Refused(
          Code.CONFLICT,
          "only a task that failed or was cancelled can be replayed, and this one is "
              + work.state().written());
    }
    Work anew = Ends.anew(work, by, clock.millis());
    requireRoom(key.tenant());
    events.asked("task.replay_asked", work, by);
    if (!kept(() -> store.replace(anew.row()))) {
      throw new Refused(Code.CONFLICT, "somebody else has changed the task a moment ago");
    }
    engine.claimSoon();
    return Shown.whole(anew);
  }

  @Override
  public void approveEntry(AgentId agent, String digest, Caller by) {
    requireOpen();
    if (!by.has(Role.OPERATOR) || !by.maySee(agent.tenant())) {
      throw new Refused(
          Problem.of(Code.ROLE_REQUIRED, "this credential may not approve what runs on this host")
              .admittedBy("an operator's token"));
    }
    AgentProcess row =
        processes
            .find(agent)
            .orElseThrow(() -> new Refused(Code.NOT_FOUND, agent + " is not registered"));
    programs.requireDigest(row, digest);
    events.approved(agent, digest, by.keyId());
    programs.approve(row, digest);
  }

  // --- calls that tasks make ------------------------------------------------------------------

  @Override
  public Turn begin(Syscall syscall) {
    String task = syscall.caller().task();
    if (task == null || syscall.name().startsWith(TaskSyscalls.PREFIX)) {
      return Turn.NONE;
    }
    Held held = running(new Key(syscall.agent().tenant(), task));
    try {
      CallLog.Made made =
          held.log.make(syscall.name(), syscall.params(), () -> isRepeatable(syscall));
      if (made.reply() != null) {
        held.replayed();
      }
      return new LoggedTurn(held, made);
    } catch (Refused refused) {
      if (refused.problem().code() == Code.REPLAY_DIVERGED) {
        engine.stop(held, refused.problem());
      }
      throw refused;
    }
  }

  private Held running(Key key) {
    Held held = engine.held(key);
    if (held == null) {
      throw new Refused(Code.CONFLICT, "the task " + key.id() + " does not run here");
    }
    return held;
  }

  /** Whether a call of whose end nothing is known may be made once more. */
  private boolean isRepeatable(Syscall syscall) {
    if (!syscall.name().equals("tool.invoke")) {
      return Repeatable.isRepeatable(syscall.name());
    }
    ToolCatalog catalog = neighbours.tools();
    Object tool = syscall.params().get("tool");
    return catalog != null
        && catalog.tools().stream()
            .filter(installed -> installed.manifest().name().equals(tool))
            .findFirst()
            .map(installed -> installed.manifest().idempotent())
            .orElse(false);
  }

  private final class LoggedTurn implements Turn {

    private final Held held;
    private final CallLog.Made made;
    private boolean asked;
    private boolean unasked;

    LoggedTurn(Held held, CallLog.Made made) {
      this.held = held;
      this.made = made;
    }

    @Override
    public @Nullable Reply recorded() {
      return made.reply();
    }

    @Override
    public void asked(String auditId) {
      unasked = true;
      held.log.begun(made, auditId);
      unasked = false;
      asked = true;
    }

    @Override
    public @Nullable Map<String, @Nullable Object> before() {
      return made.before();
    }

    @Override
    public void suspended(Underway.SoFar soFar) {
      held.usedSoFar(soFar.spent());
      held.log.suspended(made, soFar);
      board.saved(held.key);
    }

    @Override
    public void ended(Reply reply) {
      if (unasked) {
        // The log did not take it, so the task has not made this call.
        return;
      }
      if (!asked) {
        held.log.begun(made, reply.auditId());
      }
      held.log.ended(made, reply);
      held.used(reply.outcome());
      board.saved(held.key);
    }
  }

  // --- what a task says of itself -------------------------------------------------------------

  /**
   * The task that makes a call.
   *
   * @throws Refused {@code CONFLICT} if no task does
   */
  Held of(Syscall syscall) {
    String task = syscall.caller().task();
    if (task == null) {
      throw new Refused(
          Code.CONFLICT, syscall.name() + " is for agents that the kernel runs as a task");
    }
    return running(new Key(syscall.agent().tenant(), task));
  }

  int checkpoint(Held held, Map<String, @Nullable Object> state) {
    int calls = held.log.save(state);
    held.checkpointed();
    board.saved(held.key);
    return calls;
  }

  Map<String, @Nullable Object> show(Held held) {
    Work work;
    synchronized (held) {
      work = held.work;
    }
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("task_id", work.key().id());
    values.put("agent_id", work.agent().toString());
    values.put("intent", work.order().intent());
    values.put("params", work.order().params());
    values.put("priority", work.order().priority());
    values.put("attempt", work.progress().attempt);
    values.put("starts", work.progress().starts);
    values.put("has_checkpoint", held.log.saved() != null);
    return values;
  }

  Mail mail() {
    return mail;
  }

  boolean isRegistered(AgentId agent) {
    return processes.find(agent).isPresent();
  }

  SchedulerSettings settings() {
    return settings.now();
  }

  // --- the rest -------------------------------------------------------------------------------

  private void requireOpen() {
    if (closed) {
      throw new Refused(Code.RESTARTING, "the scheduler is being replaced; retry");
    }
  }

  /** What asks the store. */
  private static <T> T kept(Supplier<T> step) {
    try {
      return step.get();
    } catch (StoreUnavailable away) {
      throw new Refused(
          Problem.of(Code.BACKEND_UNAVAILABLE, "the store of tasks does not answer; retry"));
    }
  }

  private void sweepOrLog() {
    try {
      sweep();
    } catch (StoreUnavailable away) {
      log.warn("old tasks are not taken away, the store does not answer: {}", away.getMessage());
    } catch (RuntimeException unexpected) {
      log.error("kernel fault: could not take old tasks away", unexpected);
    }
  }

  /** Takes tasks away that ended long ago. */
  void sweep() {
    long before = clock.millis() - settings.now().limits().kept().toMillis();
    for (TaskState state : TaskState.values()) {
      if (state.isEnded()) {
        sweep(state, before);
      }
    }
  }

  private void sweep(TaskState state, long beforeMillis) {
    String after = null;
    do {
      TaskStore.Page page =
          store.list(new TaskStore.Filter(null, null, state, null), after, PAGE_MAX);
      for (Row row : page.rows()) {
        if (row.submittedMillis() < beforeMillis
            && readable(row).map(work -> work.progress().endedMillis).orElse(0L) < beforeMillis) {
          store.remove(row.key());
        }
      }
      after = page.next();
    } while (after != null && !closed);
  }
}
