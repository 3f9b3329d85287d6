package org.aionos.scheduler;

import static java.util.concurrent.TimeUnit.SECONDS;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Code;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.AgentDoors;
import org.aionos.kernel.task.Scheduler.Process;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.TaskStore.Row;
import org.aionos.scheduler.Run.End;
import org.aionos.scheduling.Action;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does what the board decides. One thread asks the board and hands out what it says; whatever takes
 * time (starting a process, freezing one, making calls) has a thread of its own.
 *
 * <p>Each step of a task's life is in the store before it is done, so a kernel that dies leaves
 * behind what the next one needs to go on.
 */
final class Engine implements Keeping.Owner {

  private static final Logger log = LoggerFactory.getLogger(Engine.class);

  private static final long LOOK_MILLIS = 250;

  /** A task whose every start ends the kernel must not do so for ever. */
  private static final int CRASHES_MAX = 100;

  /** A process that is killed is gone in some milliseconds. */
  private static final long LEAVING_MILLIS = 20;

  private static final String STOPS = "the scheduler stops";
  private static final String TAKEN = "another node has taken it";
  private static final String LOST = "this node was lost";

  private final TaskStore store;
  private final boolean shared;
  private final Claims claims;
  private final Arrivals arrivals;
  private final Keeping keeping;
  private final Endings endings;
  private final Wishes wishes;
  private final Board board;
  private final Starts starts;
  private final BudgetLedger budgets;
  private final SettingsFile settings;
  private final TaskEvents events;
  private final Neighbours neighbours;
  private final InstantSource clock;
  private final LongSupplier nanos;
  private final Meters.Counter preempted;
  private final Meters.Histogram waitedMillis;
  private final AtomicLong preemptions = new AtomicLong();
  private final ConcurrentMap<Key, Held> held = new ConcurrentHashMap<>();

  /** Tasks that are on their way from the store into {@link #held}. Guarded by itself. */
  private final Set<Key> starting = new HashSet<>();

  /** Runs that have not said yet that they ended, also those that nobody wants any more. */
  private final ConcurrentMap<Key, Run> live = new ConcurrentHashMap<>();

  /** What could not be kept yet, for the store was away. */
  private final Queue<Runnable> unkept = new ConcurrentLinkedQueue<>();

  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "aion-task");
            thread.setDaemon(true);
            return thread;
          });
  private final Thread loop = new Thread(this::loop, "aion-scheduler");

  private volatile boolean closing;

  /** The present name of this node: one that was lost gets another. */
  private volatile String node;

  /** Guarded by this, as the next two. */
  private boolean awake = true;

  private boolean toClaim = true;
  private int lives;

  // Of the loop's thread alone.
  private long lookedAtMillis;
  private long wishesAtMillis;
  private boolean answers = true;

  /** Whether what waits cannot run, though slots are free. */
  private boolean stalled;

  /** Of the gateway that was there last. */
  private @Nullable AgentDoors doors;

  Engine(
      OpenStore open,
      Board board,
      Starts starts,
      BudgetLedger budgets,
      SettingsFile settings,
      TaskEvents events,
      Latencies latencies,
      Neighbours neighbours,
      Meters meters,
      InstantSource clock,
      LongSupplier nanos) {
    this.node = open.node();
    this.store = open.store();
    this.shared = open.shared();
    this.nanos = nanos;
    this.claims = new Claims(store, node, nanos, this::lose);
    this.arrivals =
        new Arrivals(store, shared, board, starts, events, this::node, () -> closing, clock);
    this.keeping = new Keeping(store, clock, this);
    this.endings = new Endings(board, events, latencies, clock);
    this.wishes = new Wishes(store);
    this.board = board;
    this.starts = starts;
    this.budgets = budgets;
    this.settings = settings;
    this.events = events;
    this.neighbours = neighbours;
    this.clock = clock;
    this.preempted =
        meters.counter(
            "aion_kernel_preemption_count",
            "Tasks that made room for another, by their own queue",
            "queue");
    this.waitedMillis =
        meters.millis(
            "aion_kernel_scheduler_wait_ms",
            "Milliseconds from submission to the first start",
            "queue");
    loop.setDaemon(true);
  }

  void start() {
    claims.start();
    loop.start();
  }

  /**
   * Nothing is begun any more; what runs is taken away, and goes on where the next engine begins.
   * What this one held is others' to claim at once.
   */
  void close() {
    closing = true;
    wake();
    evictAll();
    try {
      loop.join(SECONDS.toMillis(5));
      evictAll();
      threads.shutdown();
      if (!threads.awaitTermination(5, SECONDS)) {
        log.warn("tasks do not end: count={}", held.size());
      }
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
    threads.shutdownNow();
    awaitLast();
    letGo();
    claims.close();
  }

  /** Those that were interrupted still write where they stand. */
  private void awaitLast() {
    try {
      if (!threads.awaitTermination(1, SECONDS)) {
        log.warn("some tasks are free when this node is given up: count={}", held.size());
      }
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
  }

  private void evictAll() {
    held.values().forEach(each -> evict(each, STOPS));
  }

  /** What waits here can begin elsewhere, without waiting for this node to be given up. */
  private void letGo() {
    try {
      if (shared) {
        arrivals.left().forEach(this::letGo);
        board.known().forEach(this::letGo);
      }
      wishes.close(node);
    } catch (StoreUnavailable away) {
      log.warn("what this node held is free when it is given up: {}", away.getMessage());
    }
  }

  private void letGo(Key key) {
    if (!held.containsKey(key)) {
      store
          .find(key)
          .map(Work::of)
          .filter(work -> work.state().isWaiting() && isOurs(work))
          .ifPresent(work -> store.replace(work.with(work.state(), same -> {}).letGo().row()));
    }
  }

  // --- the loop -------------------------------------------------------------------------------

  /** There may be something to decide. */
  synchronized void wake() {
    awake = true;
    notifyAll();
  }

  /** There may be tasks in the store that nobody holds. */
  synchronized void claimSoon() {
    toClaim = true;
    wake();
  }

  private void loop() {
    while (!closing) {
      try {
        boolean answered = fetch();
        if (neighbours.areReady()) {
          decide();
        }
        reopenDoors();
        lookNowAndThen();
        if (answered) {
          // Asked without our lock: who brings a neighbour may be about to wake us, and hold its.
          await(neighbours.areReady());
        } else {
          pause();
        }
      } catch (InterruptedException stopped) {
        return;
      } catch (RuntimeException | Error unexpected) {
        log.error("kernel fault: the scheduler's loop", unexpected);
        pause();
      }
    }
  }

  /** What the store has for this node; false if it does not answer. */
  private boolean fetch() {
    try {
      claim();
      arrivals.search();
      readWishes();
      answers = true;
    } catch (StoreUnavailable away) {
      if (answers) {
        log.warn("the store of tasks does not answer: {}", away.getMessage());
      }
      answers = false;
    }
    return answers;
  }

  /** Whatever takes time. */
  private void later(Runnable step) {
    try {
      threads.execute(step);
    } catch (RejectedExecutionException closed) {
      log.debug("the scheduler has stopped");
    }
  }

  private synchronized void await(boolean ready) throws InterruptedException {
    OptionalLong next = board.nextDecision();
    long now = clock.millis();
    // The clock may have been set back.
    long until = Math.min(lookedAtMillis, now) + LOOK_MILLIS;
    if (next.isPresent() && ready) {
      until = Math.min(until, next.getAsLong());
    }
    if (!awake && until > now) {
      wait(until - now);
    }
    awake = false;
  }

  private synchronized void pause() {
    try {
      wait(LOOK_MILLIS);
    } catch (InterruptedException stopped) {
      closing = true;
    }
  }

  private void decide() {
    List<Action> actions = board.decide();
    actions.forEach(this::handOut);
    stalled = Intake.isStalled(board.counts());
    if (shared && !actions.isEmpty()) {
      // There is room for others on the board.
      claimSoon();
    }
  }

  private void claim() {
    synchronized (this) {
      if (toClaim) {
        toClaim = false;
      } else if (!arrivals.areWaiting()) {
        return;
      }
    }
    if (arrivals.claim(stalled)) {
      // There are more; but what may run need not wait for them.
      claimSoon();
    }
    stalled = false;
  }

  private void handOut(Action action) {
    if (action instanceof Action.Preempt preempt) {
      later(preempt.victim(), () -> preempt(preempt));
    } else if (action instanceof Action.Resume resume) {
      later(resume.key(), () -> resume(resume.key()));
    } else {
      Key key = ((Action.Start) action).key();
      later(key, () -> start(key));
    }
  }

  private void later(Key key, Runnable step) {
    later(() -> guarded(key, step));
  }

  /** A task must not be lost to a fault of ours, nor its slot. */
  private void guarded(Key key, Runnable step) {
    try {
      step.run();
    } catch (StoreUnavailable away) {
      log.warn("the store of tasks does not answer: task={} why={}", key, away.getMessage());
      unkept.add(() -> guarded(key, step));
    } catch (RuntimeException | Error unexpected) {
      log.error("kernel fault: task={}", key, unexpected);
      failOrLeave(key);
    }
    wake();
  }

  /** Ends a task by which we have come to grief. */
  private void failOrLeave(Key key) {
    try {
      fail(key);
    } catch (StoreUnavailable away) {
      unkept.add(() -> guarded(key, () -> failOrLeave(key)));
    } catch (RuntimeException | Error again) {
      log.error("a task cannot be ended, and is left alone: task={}", key, again);
      board.gone(key);
    }
  }

  private void fail(Key key) {
    Problem fault = Problem.of(Code.KERNEL_FAULT, "a fault of the kernel; see its log");
    Held known = held.get(key);
    if (known == null) {
      failWaiting(key, fault);
      return;
    }
    Run run = known.run;
    ended(known, failed(fault));
    if (run != null) {
      run.evict("a fault of the kernel");
    }
  }

  private static End failed(Problem why) {
    return new End.Ended(Outcome.failed(why), Map.of(), 0);
  }

  // --- start, preempt, resume -----------------------------------------------------------------

  /** A task has a slot. */
  private void start(Key key) {
    if (live.containsKey(key) && !held.containsKey(key)) {
      // A former start of it was given up and is not quite gone: its calls would be taken for ours.
      board.again(key, clock.millis() + LEAVING_MILLIS);
      return;
    }
    if (!mayStart(key)) {
      return;
    }
    Held task;
    try {
      task = begin(key);
    } finally {
      synchronized (starting) {
        starting.remove(key);
        starting.notifyAll();
      }
    }
    if (task != null) {
      run(task);
    }
  }

  private boolean mayStart(Key key) {
    synchronized (starting) {
      return !closing && !held.containsKey(key) && starting.add(key);
    }
  }

  /** Returns once a task that is about to run does: then it can be told to end. */
  private void awaitStart(Key key) {
    synchronized (starting) {
      try {
        while (starting.contains(key)) {
          starting.wait();
        }
      } catch (InterruptedException stopped) {
        Thread.currentThread().interrupt();
        throw new Refused(Code.CANCELLED, "interrupted while the task was started");
      }
    }
  }

  /** Null if it is not to be run here any more. */
  private @Nullable Held begin(Key key) {
    while (!closing) {
      Work work = store.find(key).map(Work::of).orElse(null);
      if (work == null || work.state().isEnded() || !isOurs(work)) {
        board.gone(key);
        return null;
      }
      if (work.progress().cancelBy == null) {
        Held task = begun(work);
        if (task != null) {
          return task;
        }
      } else if (arrivals.endedAsWished(work)) {
        return null;
      }
    }
    return null;
  }

  private boolean isOurs(Work work) {
    return node.equals(work.node());
  }

  /** Null if somebody else has changed the task a moment ago. */
  private @Nullable Held begun(Work waiting) {
    long now = clock.millis();
    boolean isAttempt = waiting.state() == TaskState.QUEUED;
    CallLog log = callLog(waiting, isAttempt);
    if (log == null) {
      return null;
    }
    Work work =
        waiting.with(
            TaskState.RUNNING,
            progress -> {
              log.countInto(progress);
              progress.attempt += isAttempt ? 1 : 0;
              progress.starts++;
              progress.lastStartMillis = now;
              progress.notBeforeMillis = 0;
              progress.afresh = false;
              progress.firstStartMillis =
                  progress.firstStartMillis == 0 ? now : progress.firstStartMillis;
              progress.because(now, isAttempt ? "started" : "started again", "had a slot");
            });
    if (!store.replace(work.row())) {
      return null;
    }
    if (waiting.progress().firstStartMillis == 0) {
      waitedMillis.record(now - work.order().submittedMillis(), work.order().tier().written());
    }
    Held task = new Held(work, log, Manifest.NONE, now);
    held.put(work.key(), task);
    return task;
  }

  private void run(Held task) {
    Work work = task.work;
    if (!isOurs(work)) {
      // The node was lost, and has another name, since it was looked at.
      abandon(task, LOST);
      return;
    }
    try {
      AgentProcess agent = starts.agent(work.agent());
      task.manifest = Manifest.of(agent);
      budgets.open(
          work.key(),
          work.order().quota(),
          Money.least(task.manifest.usdMax(), work.order().quota().usd()),
          work.progress());
      if (work.progress().crashes > CRASHES_MAX) {
        Problem deadly =
            Problem.of(
                Code.AGENT_CRASHED, "ran " + work.progress().crashes + " times as the kernel died");
        // Not to be tried again either.
        stop(task, deadly);
        throw new Refused(deadly);
      }
      Run run = starts.run(work, agent, end -> said(task, end));
      boolean over;
      synchronized (task) {
        task.run = run;
        over = task.over;
      }
      events.came("task.started", work, "attempt " + work.progress().attempt);
      if (over) {
        return;
      }
      if (closing) {
        evict(task, STOPS);
      }
      endIfUnwanted(task);
      begin(task, run);
    } catch (Refused refused) {
      guarded(work.key(), () -> ended(task, failed(refused.problem())));
    }
  }

  private void begin(Held task, Run run) {
    live.put(task.key, run);
    boolean begun = false;
    try {
      run.begin();
      begun = true;
    } finally {
      if (!begun) {
        // It will never say that it ended.
        live.remove(task.key, run);
      }
    }
  }

  /** Null if the task is another node's by now. */
  private @Nullable CallLog callLog(Work work, boolean isAttempt) {
    Key key = work.key();
    String holder = String.valueOf(work.node());
    List<byte[]> kept = store.log(key);
    if (isAttempt || !work.isAgent()) {
      // What it may have failed of is made anew; and a call that failed ended a run of calls.
      int keep = work.progress().afresh ? 0 : CallLog.keptAfterFailure(kept);
      if (keep < kept.size()) {
        if (!store.cut(key, holder, keep)) {
          return null;
        }
        kept = kept.subList(0, keep);
      }
    }
    SchedulerSettings.Limits limits = settings.now().limits();
    return CallLog.of(
        kept,
        new CallLog.Bounds(limits.callsMax(), limits.logBytesMax()),
        new LogKeeper(
            store,
            key,
            holder,
            kept.size(),
            nanos,
            () -> taken(key, holder),
            LogKeeper.PAUSE_MILLIS),
        nanos);
  }

  /** The store says that who holds a task does so no more. */
  private void taken(Key key, String holder) {
    Held task = held.get(key);
    if (task != null && holder.equals(task.work.node())) {
      later(() -> abandon(task, TAKEN));
    }
  }

  private void preempt(Action.Preempt preempt) {
    Held task = held.get(preempt.victim());
    Run run = task == null ? null : task.run;
    if (task == null || run == null) {
      board.kept(preempt.victim());
      return;
    }
    String beneficiary = preempt.beneficiary().toString();
    try {
      run.freeze();
    } catch (Refused unfrozen) {
      log.warn("a task cannot be preempted: task={} why={}", task.key, unfrozen.getMessage());
      board.kept(task.key);
      return;
    }
    synchronized (task) {
      if (task.over) {
        return;
      }
      boolean kept =
          keeping.change(
              task,
              TaskState.PREEMPTED,
              progress -> {
                progress.preemptions++;
                progress.preemptedBy = beneficiary;
                progress.because(clock.millis(), "preempted", "made room for " + beneficiary);
              });
      if (!kept) {
        return;
      }
      task.frozen = true;
    }
    board.yielded(task.key);
    preemptions.incrementAndGet();
    preempted.add(1, task.work.order().tier().written());
    events.came("task.preempted", task.work, "made room for " + beneficiary);
    evictBeyondLimits();
  }

  /** One that has ended meanwhile, or was begun anew, is not what this was said of. */
  private void resume(Key key) {
    Held task = held.get(key);
    if (task == null) {
      return;
    }
    synchronized (task) {
      if (task.over || !task.frozen) {
        return;
      }
      task.runningSinceMillis = clock.millis();
      boolean kept =
          keeping.change(
              task,
              TaskState.RUNNING,
              progress -> progress.because(clock.millis(), "resumed", "had a slot again"));
      if (!kept) {
        return;
      }
      task.frozen = false;
    }
    events.came("task.resumed", task.work, "had a slot again");
    Run run = task.run;
    if (run != null) {
      run.thaw();
    }
  }

  /** Frozen agents hold memory. Those that lose least by it are begun anew later. */
  private void evictBeyondLimits() {
    SchedulerSettings.Limits limits = settings.now().limits();
    List<Held> frozen = new ArrayList<>();
    long bytes = 0;
    for (Held task : held.values()) {
      AgentRun run = task.agentRun();
      if (task.isFrozen() && run != null) {
        frozen.add(task);
        bytes += run.usage().memoryBytes();
      }
    }
    frozen.sort((a, b) -> Long.compare(unsaved(a), unsaved(b)));
    int count = frozen.size();
    for (Held task : frozen) {
      AgentRun run = task.agentRun();
      if (run == null || (count <= limits.frozenMax() && bytes <= limits.frozenBytesMax())) {
        return;
      }
      count--;
      bytes -= run.usage().memoryBytes();
      run.evict("frozen agents took too much memory");
    }
  }

  /** A rough measure of the work that is lost when a task has to begin anew. */
  private static long unsaved(Held task) {
    return task.work.progress().runMillis;
  }

  // --- the end --------------------------------------------------------------------------------

  /** A run says how it ended. */
  private void said(Held task, End end) {
    live.remove(task.key, task.run);
    guarded(task.key, () -> ended(task, end));
  }

  private void ended(Held task, End end) {
    synchronized (task) {
      if (task.over || task.lost) {
        return;
      }
      task.ending = true;
      // Its calls may still run; they are not those of its next start.
      task.log.close();
      Endings.Next next = endings.of(task, end);
      if (keeping.change(task, next.state(), next.change())) {
        task.over = true;
        held.remove(task.key, task);
        budgets.forget(task.key);
        next.then().run();
      }
    }
    wake();
  }

  @Override
  public void abandon(Held task, String why) {
    Run run;
    synchronized (task) {
      if (task.over) {
        return;
      }
      task.over = true;
      task.log.close();
      run = task.run;
    }
    log.warn("a task is not this node's any more: task={} why={}", task.key, why);
    forget(task);
    if (run != null) {
      later(() -> run.fail(Problem.of(Code.CONFLICT, why)));
    }
  }

  /** A task of the same key may be ours again: that one stays. */
  private void forget(Held task) {
    if (held.remove(task.key, task)) {
      budgets.forget(task.key);
      board.gone(task.key);
    }
  }

  /**
   * The store may have given everything to others. What is left there under the former name is
   * claimed by whoever comes first: so this node takes another.
   */
  private void lose() {
    if (!shared || closing) {
      return;
    }
    String former = node;
    synchronized (this) {
      lives++;
      node = former.replaceFirst("~\\d+$", "") + "~" + lives;
    }
    claims.call(node);
    List<Key> known = board.known();
    if (!known.isEmpty()) {
      log.error(
          "this node could not say that it lives, and stops its tasks: count={} node={} now={}",
          known.size(),
          former,
          node);
    }
    for (Held task : held.values()) {
      // Who keeps a change of it may be waiting for the store, with its lock. How its run ends now
      // is no end of the task.
      task.lost = true;
      forget(task);
      Run run = task.run;
      if (run != null) {
        later(() -> run.fail(Problem.of(Code.CONFLICT, LOST)));
      }
      later(() -> abandon(task, LOST));
    }
    known.stream().filter(key -> !held.containsKey(key)).forEach(board::gone);
    claimSoon();
  }

  @Override
  public String node() {
    return node;
  }

  @Override
  public boolean letsGo() {
    return closing && shared;
  }

  // --- what others ask ------------------------------------------------------------------------

  @Nullable Held held(Key key) {
    return held.get(key);
  }

  Optional<Work> work(Key key) {
    Held task = held.get(key);
    if (task != null) {
      synchronized (task) {
        return Optional.of(task.work);
      }
    }
    return store.find(key).map(Work::of);
  }

  @Override
  public void cancelSoon(Key key, boolean atOnce, String by) {
    later(() -> cancel(key, atOnce, by));
  }

  /** Asks a task that runs or stands frozen to end; false if there is none. */
  boolean cancel(Key key, boolean atOnce, String by) {
    awaitStart(key);
    Held task = held.get(key);
    if (task == null) {
      return false;
    }
    synchronized (task) {
      if (task.over) {
        return false;
      }
      task.cancelledBy = by;
    }
    endIfUnwanted(task);
    AgentRun run = task.agentRun();
    if (atOnce && run != null) {
      run.evict("killed by " + by);
    }
    return true;
  }

  /** Somebody may have said so before there was anything that could be told. */
  private static void endIfUnwanted(Held task) {
    Problem why;
    Run run;
    synchronized (task) {
      why =
          task.cancelledBy == null
              ? task.stopped
              : Problem.of(Code.CANCELLED, "cancelled by " + task.cancelledBy);
      run = task.run;
    }
    if (run != null && why != null) {
      run.fail(why);
    }
  }

  private static void evict(Held task, String why) {
    Run run;
    synchronized (task) {
      run = task.run;
    }
    if (run != null) {
      run.evict(why);
    }
  }

  // --- what other nodes ask ---------------------------------------------------------------------

  /** Has the holder of a task look at it. */
  void nudge(@Nullable String holder, Key key) {
    wishes.send(holder, key);
  }

  private void readWishes() {
    if (clock.millis() >= wishesAtMillis) {
      wishesAtMillis = clock.millis() + LOOK_MILLIS;
      wishes.read(node, this::lookAgain);
    }
  }

  /** Somebody else has changed a task that this node holds. */
  private void lookAgain(Key key) {
    Work there = store.find(key).map(Work::of).orElse(null);
    Held task = held.get(key);
    if (there == null || there.state().isEnded() || !isOurs(there)) {
      if (task == null) {
        board.gone(key);
      } else if (there == null || there.revision() > revision(task)) {
        later(() -> abandon(task, "it was ended elsewhere"));
      }
      return;
    }
    String by = there.progress().cancelBy;
    if (by == null) {
      return;
    }
    if (task != null) {
      synchronized (task) {
        task.work = there.revision() > task.work.revision() ? there : task.work;
      }
      cancelSoon(key, there.progress().cancelAtOnce, by);
    } else if (there.state().isWaiting() && !arrivals.endedAsWished(there)) {
      nudge(node, key);
    }
  }

  private static long revision(Held task) {
    synchronized (task) {
      return task.work.revision();
    }
  }

  /** A task must not go on as it does. */
  void stop(Held task, Problem why) {
    synchronized (task) {
      if (task.over || task.ending || task.stopped != null) {
        return;
      }
      task.stopped = why;
    }
    endIfUnwanted(task);
  }

  long preemptions() {
    return preemptions.get();
  }

  List<Process> processes(@Nullable String tenant) {
    List<Process> processes = new ArrayList<>();
    for (Held task : held.values()) {
      AgentRun run = task.agentRun();
      if (run != null && (tenant == null || tenant.equals(task.key.tenant()))) {
        processes.add(
            new Process(
                task.work.agent(),
                task.key.id(),
                task.isFrozen() ? "frozen" : "running",
                run.cores(),
                run.usage(),
                clock.millis() - task.work.progress().lastStartMillis));
      }
    }
    return processes;
  }

  /** Where the gateway was replaced, its doors went with it. */
  private void reopenDoors() {
    AgentDoors now = neighbours.doors();
    if (now == null || now == doors) {
      return;
    }
    AgentDoors before = doors;
    doors = now;
    if (before == null) {
      return;
    }
    for (Held task : held.values()) {
      AgentRun run = task.agentRun();
      if (run != null) {
        try {
          run.openThrough(now);
        } catch (RuntimeException unopened) {
          // Its folder goes with its process, which may just have ended.
          log.warn("an agent has no way to the kernel: task={}", task.key, unopened);
        }
      }
    }
  }

  // --- looking after it -----------------------------------------------------------------------

  private void lookNowAndThen() {
    long now = clock.millis();
    long since = now - lookedAtMillis;
    if (since >= 0 && since < LOOK_MILLIS) {
      return;
    }
    lookedAtMillis = now;
    held.values().forEach(task -> look(task, now, since));
    synchronized (this) {
      // Another node may have died, or put tasks in.
      toClaim = true;
    }
    // Not for as long as there are any: what cannot be kept now either comes back at once.
    for (int left = unkept.size(); left > 0; left--) {
      Runnable each = unkept.poll();
      if (each != null) {
        later(each);
      }
    }
    for (Key key : board.overdue()) {
      later(key, () -> overdue(key));
    }
    evictBeyondLimits();
  }

  /** What is wrong with one must not keep us from the others. */
  private void look(Held task, long now, long since) {
    try {
      AgentRun run = task.agentRun();
      if (run != null) {
        run.measure(since);
      }
      enforce(task, now);
    } catch (RuntimeException unexpected) {
      log.warn("could not look after a task: task={}", task.key, unexpected);
    }
  }

  private void enforce(Held task, long now) {
    Long quota = task.work.order().quota().timeMillis();
    Long timeout = task.work.isAgent() ? task.manifest.timeoutMillis() : null;
    if (quota != null && task.runMillis(now) > quota) {
      stop(task, Problem.of(Code.BUDGET_EXHAUSTED, "ran longer than quota.time_ms_max: " + quota));
    } else if (timeout != null && task.runMillisSinceStart(now) > timeout) {
      stop(task, Problem.of(Code.TIMED_OUT, "ran longer than timeout_ms of its agent: " + timeout));
    }
    if (task.work.isAgent()) {
      try {
        starts.agent(task.work.agent());
      } catch (Refused stoppedOrGone) {
        stop(task, stoppedOrGone.problem());
      }
    }
  }

  private void overdue(Key key) {
    Problem late = Problem.of(Code.TIMED_OUT, "its deadline has passed");
    while (true) {
      awaitStart(key);
      Held task = held.get(key);
      if (task != null) {
        stop(task, late);
        return;
      }
      if (failWaiting(key, late)) {
        return;
      }
      // It was started, or changed, just now.
    }
  }

  /**
   * Ends a task that waits here.
   *
   * @return false if it has changed meanwhile
   */
  private boolean failWaiting(Key key, Problem why) {
    Row row = store.find(key).orElse(null);
    if (row == null || row.state().isEnded() || !node.equals(row.node())) {
      board.gone(key);
      return true;
    }
    Work failed = Ends.failed(Work.of(row), why, clock.millis());
    if (!store.replace(failed.row())) {
      return false;
    }
    board.gone(key);
    events.came("task.failed", failed, why.message());
    return true;
  }
}
