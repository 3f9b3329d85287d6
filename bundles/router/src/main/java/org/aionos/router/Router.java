package org.aionos.router;

import static java.util.Comparator.comparing;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.aionos.kernel.Admitted;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Blame;
import org.aionos.kernel.CallListener;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Decision.AfterApproval;
import org.aionos.kernel.Decision.Allow;
import org.aionos.kernel.Decision.Deny;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Policy;
import org.aionos.kernel.Problem;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Reply;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.SyscallRouter;
import org.aionos.kernel.policy.Approvals;
import org.aionos.kernel.task.Budgets;
import org.aionos.kernel.task.TaskCalls;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries a syscall through journal, process table, policy, the log of its task, budgets and
 * handler, in that order and once each.
 */
@Component(
    service = SyscallRouter.class,
    configurationPid = "org.aionos.router",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = RouterConfig.class)
public final class Router implements SyscallRouter {

  private static final Logger log = LoggerFactory.getLogger(Router.class);

  private static final Problem FAULT =
      Problem.of(Code.KERNEL_FAULT, "a fault of the kernel; see its log");

  /** The time limits of calls. */
  record Limits(int callsInFlightMax, Duration deadline, Duration deadlineMax, Duration drainMax) {}

  /** A call that was handed to its handler. */
  private record InFlight(Call call, Watchdog.Watch watch, Instant begun) {

    Running said() {
      Syscall syscall = call.asked.syscall();
      Object tool =
          syscall.name().equals(ToolCalls.INVOKE) ? syscall.params().get(ToolCalls.TOOL) : null;
      return new Running(
          call.asked.auditId(),
          syscall.name(),
          tool instanceof String name ? name : null,
          syscall.agent(),
          begun);
    }
  }

  private final ProcessTable processes;
  private final Policy policy;
  private final Approvals approvals;
  private final HandlerTable handlers;
  private final TaintedTasks tasks;
  private final Journal journal;
  private final Idempotency idempotency;
  private final TaskCalls taskCalls;
  private final Budgets budgets;
  private final Watchdog watchdog;
  private final Limits limits;
  private final InstantSource clock;
  private final LongSupplier nanoClock;
  private final Semaphore free;
  private final Holders callers = new Holders();
  private final ConcurrentMap<String, InFlight> inFlight = new ConcurrentHashMap<>();
  private final Meters.Counter counted;
  private final Meters.Histogram latencyMillis;

  @Activate
  public Router(
      RouterConfig config,
      BundleContext context,
      @Reference(name = "processes") ProcessTable processes,
      @Reference(name = "policy") Policy policy,
      @Reference(name = "approvals") Approvals approvals,
      @Reference(name = "handlers") HandlerTable handlers,
      @Reference(name = "tasks") TaintedTasks tasks,
      @Reference(name = "taskCalls") TaskCalls taskCalls,
      @Reference(name = "budgets") Budgets budgets,
      @Reference(name = "watchdog") Watchdog watchdog,
      @Reference(name = "journal") Journal journal,
      @Reference(name = "meters") Meters meters) {
    this(
        new Limits(
            config.callsInFlightMax(),
            Duration.ofMillis(config.deadlineMillis()),
            Duration.ofMillis(config.deadlineMillisMax()),
            Duration.ofMillis(config.drainMillisMax())),
        processes,
        policy,
        approvals,
        handlers,
        tasks,
        Idempotency.open(
            Path.of(String.valueOf(context.getProperty("aion.state")), "router"),
            Duration.ofSeconds(config.idempotencySeconds()),
            config.idempotencyKeysMax(),
            InstantSource.system()),
        taskCalls,
        budgets,
        watchdog,
        journal,
        meters,
        InstantSource.system(),
        System::nanoTime);
  }

  Router(
      Limits limits,
      ProcessTable processes,
      Policy policy,
      Approvals approvals,
      HandlerTable handlers,
      TaintedTasks tasks,
      Idempotency idempotency,
      TaskCalls taskCalls,
      Budgets budgets,
      Watchdog watchdog,
      Journal journal,
      Meters meters,
      InstantSource clock,
      LongSupplier nanoClock) {
    this.limits = limits;
    this.processes = processes;
    this.policy = policy;
    this.approvals = approvals;
    this.handlers = handlers;
    this.tasks = tasks;
    this.idempotency = idempotency;
    this.taskCalls = taskCalls;
    this.budgets = budgets;
    this.watchdog = watchdog;
    this.journal = journal;
    this.clock = clock;
    this.nanoClock = nanoClock;
    this.free = new Semaphore(limits.callsInFlightMax());
    this.counted =
        meters.counter(
            "aion_syscalls_total", "Syscalls that ended, by name and code", "syscall", "code");
    this.latencyMillis =
        meters.millis(
            "aion_kernel_syscall_latency_ms", "Milliseconds from request to outcome", "syscall");
  }

  /** New calls are refused from here on; those inside are waited for, so that none is lost. */
  @Deactivate
  void close() {
    boolean drained = callers.drain(limits.drainMax());
    idempotency.close();
    log.info("router closed: drained={}", drained);
  }

  @Override
  public void handle(Syscall syscall, CallListener listener) {
    if (!callers.enter()) {
      listener.ended(
          unrecorded(Problem.of(Code.RESTARTING, "the router is being replaced; retry")));
      return;
    }
    try {
      carry(syscall, listener);
    } finally {
      callers.leave();
    }
  }

  @Override
  public List<Running> running() {
    return inFlight.values().stream()
        .map(InFlight::said)
        .sorted(comparing(Running::begun).thenComparing(Running::auditId))
        .toList();
  }

  @Override
  public boolean cancel(String auditId, String by) {
    InFlight found = inFlight.get(auditId);
    if (found == null) {
      return false;
    }
    journal.record(
        new Journal.Event(
            "kernel.calls",
            "call.cancelled",
            found.call.asked.syscall().agent().tenant(),
            Map.of("call", auditId, "by", by)));
    found.call.cancel(by);
    found.watch.hasten();
    return true;
  }

  @Override
  public boolean suspend(String auditId) {
    InFlight found = inFlight.get(auditId);
    if (found == null || !found.call.suspend()) {
      return false;
    }
    found.watch.hasten();
    return true;
  }

  private void carry(Syscall syscall, CallListener listener) {
    long begunNanos = nanoClock.getAsLong();
    Call call;
    try {
      call = new Call(journal.asked(syscall), journal, listener, nanoClock, begunNanos);
    } catch (Refused unwritten) {
      listener.ended(unrecorded(unwritten.problem()));
      return;
    }
    Outcome outcome;
    try {
      outcome = admit(call);
    } catch (Refused refused) {
      outcome = Outcome.failed(refused.problem());
    } catch (RuntimeException | Error bug) {
      // A broken neighbour must not cost us the second half of the audit record.
      log.error("kernel fault: syscall={} audit={}", syscall.name(), call.asked.auditId(), bug);
      outcome = call.failed(FAULT);
    }
    call.end(outcome);
    measure(call, outcome);
  }

  // Refuses or passes on. Nothing above the call to run has an effect, so a refusal has nothing to
  // undo.
  private Outcome admit(Call call) {
    Asked asked = call.asked;
    Syscall syscall = asked.syscall();
    AgentProcess agent = agentOf(syscall);
    try (HandlerTable.Serving serving = handlers.lease(syscall.name())) {
      Decision decision = policy.decide(asked, agent, serving.needs());
      call.decided(decision);
      if (decision instanceof Deny deny) {
        return Outcome.failed(deny.problem());
      }
      Allow permit = decision instanceof AfterApproval later ? later.allow() : (Allow) decision;
      if (!free.tryAcquire()) {
        throw new Refused(Code.KERNEL_BUSY, "the kernel has as many calls in flight as it admits");
      }
      try {
        call.turn(taskCalls.begin(syscall));
        return call.isReplayed()
            ? call.replay()
            : charged(call, serving, agent, () -> run(call, serving, permit, agent));
      } finally {
        free.release();
      }
    }
  }

  private Outcome charged(
      Call call, HandlerTable.Serving serving, AgentProcess agent, Supplier<Outcome> run) {
    return idempotency.once(
        call.asked,
        () -> {
          Syscall syscall = call.asked.syscall();
          Budgets.Reservation reservation =
              budgets.reserve(syscall, agent, serving.handler().atMost(syscall));
          long begunNanos = nanoClock.getAsLong();
          Outcome outcome = null;
          try {
            outcome = run.get();
            return outcome;
          } catch (Refused notBegun) {
            outcome = Outcome.failed(notBegun.problem());
            throw notBegun;
          } finally {
            reservation.settle(
                outcome == null ? call.failed(FAULT) : outcome,
                Duration.ofNanos(nanoClock.getAsLong() - begunNanos));
          }
        });
  }

  private Outcome run(Call call, HandlerTable.Serving serving, Allow permit, AgentProcess agent) {
    if (call.decision() instanceof AfterApproval waiting) {
      // The last that can refuse: an approval is of one call that runs.
      approvals.use(waiting, call.asked, call.asked.syscall().name());
      call.decided(permit);
    }
    Duration left = timeAllowed(call.asked.syscall());
    Instant begun = clock.instant();
    Watchdog.Watch watch = watchdog.watch(left, () -> overrun(call));
    String auditId = call.asked.auditId();
    inFlight.put(auditId, new InFlight(call, watch, begun));
    try {
      call.begun();
      tasks.mayRead(call.asked.syscall(), serving.needs());
      return serving
          .handler()
          .run(new Admitted(call.asked, permit, agent, begun.plus(left), call::said, call));
    } catch (InterruptedException stopped) {
      return call.interrupted();
    } catch (Refused refused) {
      if (isOfRightOrBudget(refused)) {
        // Nothing was done: an idempotency key does not stand for it, and nobody is charged.
        throw refused;
      }
      return call.failed(refused.problem());
    } finally {
      inFlight.remove(auditId);
      watch.end();
    }
  }

  private static boolean isOfRightOrBudget(Refused refused) {
    Blame blame = refused.problem().code().blame();
    return blame == Blame.POLICY || blame == Blame.BUDGET;
  }

  private AgentProcess agentOf(Syscall syscall) {
    if (!syscall.caller().signsFor(syscall.agent())) {
      throw new Refused(
          Code.NOT_YOUR_AGENT, "this credential does not sign for " + syscall.agent());
    }
    AgentProcess agent =
        processes
            .seen(syscall.agent())
            .orElseThrow(
                () ->
                    new Refused(
                        Problem.of(Code.UNKNOWN_AGENT, syscall.agent() + " is not registered")
                            .admittedBy("POST /v1/agent/register")));
    if (agent.state() == AgentProcess.State.STOPPED) {
      throw new Refused(Code.AGENT_STOPPED, "an operator has stopped " + syscall.agent());
    }
    return agent;
  }

  private Duration timeAllowed(Syscall syscall) {
    Duration asked = syscall.budget().latencyMax();
    if (asked == null) {
      return limits.deadline();
    }
    return asked.compareTo(limits.deadlineMax()) < 0 ? asked : limits.deadlineMax();
  }

  private void overrun(Call call) {
    // Its thread goes on; but the call has ended, and nobody can cancel it any more.
    inFlight.remove(call.asked.auditId());
    if (call.end(call.interrupted())) {
      log.warn(
          "call overran and ignores its interrupt: audit={} syscall={}",
          call.asked.auditId(),
          call.asked.syscall().name());
    }
  }

  private void measure(Call call, Outcome outcome) {
    Syscall syscall = call.asked.syscall();
    long tookNanos = nanoClock.getAsLong() - call.begunNanos;
    // A caller chooses the name freely, so only names that are served become labels.
    String name = handlers.serves(syscall.name()) ? syscall.name() : "other";
    counted.add(1, name, outcome.code().name());
    latencyMillis.record(tookNanos / 1e6, name);
    Allow permit = call.permit();
    if (permit != null) {
      policy.observe(syscall, permit, outcome, Duration.ofNanos(tookNanos));
    }
  }

  private static Reply unrecorded(Problem problem) {
    return new Reply("", Outcome.failed(problem), Duration.ZERO);
  }
}
