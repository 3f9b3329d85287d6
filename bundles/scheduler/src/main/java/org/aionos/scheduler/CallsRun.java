package org.aionos.scheduler;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.CallListener;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Interim;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Reply;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.SyscallRouter;
import org.jspecify.annotations.Nullable;

/**
 * Makes the calls of a task, one after the other. Can be preempted between two of them, and in the
 * middle of one that can go on later: that one is broken off, and made again from where it was.
 */
final class CallsRun implements Run {

  /** Longer than any call may take: the router answers each before. */
  private static final long CALL_SECONDS_MAX = 4_000;

  /** A call that has begun a moment ago cannot tell yet how far it is: it is asked again. */
  private static final long LOOK_MILLIS = 20;

  private final AgentId agent;
  private final String task;
  private final List<Steps.Step> steps;
  private final boolean single;
  private final Supplier<@Nullable SyscallRouter> routers;
  private final Consumer<End> ended;
  private final CompletableFuture<Boolean> over = new CompletableFuture<>();

  /** Guarded by this, as all that follows. */
  private boolean toFreeze;

  private boolean frozen;
  private @Nullable Problem failure;
  private @Nullable String evicted;
  private @Nullable String callInFlight;

  /** The call that is broken off, to be made again; null for none. */
  private @Nullable String suspended;

  /**
   * @param single whether the result of the only step is the task's own
   */
  CallsRun(
      AgentId agent,
      String task,
      List<Steps.Step> steps,
      boolean single,
      Supplier<@Nullable SyscallRouter> routers,
      Consumer<End> ended) {
    this.agent = agent;
    this.task = task;
    this.steps = steps;
    this.single = single;
    this.routers = routers;
    this.ended = ended;
  }

  @Override
  public void begin() {
    End end;
    try {
      end = carryOut();
    } catch (Refused refused) {
      end = failed(refused.problem());
    } catch (InterruptedException stopped) {
      end = new End.Gone("the kernel stops");
    }
    over.complete(true);
    synchronized (this) {
      notifyAll();
    }
    ended.accept(end);
  }

  private End carryOut() throws InterruptedException {
    Map<String, Map<String, @Nullable Object>> results = new LinkedHashMap<>();
    Outcome.Spent spent = Outcome.Spent.NOTHING;
    Outcome.Ok last = Outcome.Ok.ofKernel("task", Map.of());
    for (Steps.Step step : steps) {
      End stopped = betweenSteps();
      if (stopped != null) {
        return stopped;
      }
      Map<String, @Nullable Object> params = single ? step.params() : Steps.resolved(step, results);
      Reply reply = call(step, params);
      while (wasSuspended(reply)) {
        stopped = betweenSteps();
        if (stopped != null) {
          return stopped;
        }
        reply = call(step, params);
      }
      if (!(reply.outcome() instanceof Outcome.Ok ok)) {
        return afterFailure(step, ((Outcome.Failed) reply.outcome()).problem());
      }
      results.put(step.id(), ok.result());
      spent = spent.plus(ok.spent());
      last = ok;
    }
    Outcome.Ok whole =
        single
            ? last
            : new Outcome.Ok(
                Map.of("steps", results), spent, new Outcome.Engine("kernel", "kernel/workflow"));
    return new End.Ended(whole, Map.of(), 0);
  }

  private synchronized boolean wasSuspended(Reply reply) {
    boolean was = reply.auditId().equals(suspended) && reply.outcome().code() == Code.CANCELLED;
    suspended = null;
    return was && failure == null;
  }

  /** A call that was cancelled because the run is to end, ends the run as it is to end. */
  private synchronized End afterFailure(Steps.Step step, Problem problem) {
    if (failure != null) {
      return failed(failure);
    }
    if (evicted != null && problem.code() == Code.TIMED_OUT) {
      // It was in the way of a scheduler that stops, and was broken off.
      return new End.Gone(evicted);
    }
    return failed(
        single
            ? problem
            : new Problem(
                problem.code(),
                "step " + step.id() + ": " + problem.message(),
                problem.pointer(),
                problem.rule(),
                problem.policyVersion(),
                problem.admit(),
                problem.retryAfter()));
  }

  private static End failed(Problem problem) {
    return new End.Ended(Outcome.failed(problem), Map.of(), 0);
  }

  /** Where a run can be stopped; null if it goes on. */
  private synchronized @Nullable End betweenSteps() throws InterruptedException {
    while (toFreeze && failure == null && evicted == null) {
      frozen = true;
      notifyAll();
      wait();
    }
    frozen = false;
    if (evicted != null) {
      return new End.Gone(evicted);
    }
    return failure == null ? null : failed(failure);
  }

  private Reply call(Steps.Step step, Map<String, @Nullable Object> params)
      throws InterruptedException {
    SyscallRouter router = routers.get();
    if (router == null) {
      throw new Refused(Code.RESTARTING, "the router is being replaced; retry");
    }
    CompletableFuture<Reply> reply = new CompletableFuture<>();
    router.handle(syscall(step, params), new Listener(reply));
    try {
      return reply.get(CALL_SECONDS_MAX, TimeUnit.SECONDS);
    } catch (java.util.concurrent.ExecutionException | TimeoutException neverTold) {
      throw new IllegalStateException("a call was never answered", neverTold);
    }
  }

  private Syscall syscall(Steps.Step step, Map<String, @Nullable Object> params) {
    return new Syscall(
        step.syscall(),
        agent,
        Caller.agentTask(agent, task),
        new Syscall.Context(task, null, null),
        step.capsRequired(),
        params,
        step.budget(),
        CallLog.digest(step.syscall(), params));
  }

  private final class Listener implements CallListener {

    private final CompletableFuture<Reply> reply;

    Listener(CompletableFuture<Reply> reply) {
      this.reply = reply;
    }

    @Override
    public void begun(String auditId) {
      boolean unwanted;
      synchronized (CallsRun.this) {
        callInFlight = auditId;
        unwanted = failure != null;
      }
      if (unwanted) {
        cancelCall();
      }
    }

    @Override
    public void said(Interim interim) {}

    @Override
    public void ended(Reply told) {
      synchronized (CallsRun.this) {
        callInFlight = null;
      }
      reply.complete(told);
    }
  }

  @Override
  public boolean isPreemptible() {
    return steps.size() > 1 || Repeatable.canGoOn(steps.get(0).syscall());
  }

  @Override
  public void freeze() {
    synchronized (this) {
      toFreeze = true;
    }
    try {
      while (!standsStill()) {
        suspendCall();
      }
    } catch (InterruptedException stopped) {
      thaw();
      Thread.currentThread().interrupt();
      throw new Refused(Code.RESTARTING, "the scheduler stops");
    }
  }

  private synchronized boolean standsStill() throws InterruptedException {
    if (toFreeze && !frozen && !over.isDone()) {
      wait(LOOK_MILLIS);
    }
    return !toFreeze || frozen || over.isDone();
  }

  private void suspendCall() {
    String auditId;
    synchronized (this) {
      auditId = callInFlight;
      if (auditId == null || auditId.equals(suspended)) {
        return;
      }
      // Before it is, so that its end is understood, however soon it comes.
      suspended = auditId;
    }
    SyscallRouter router = routers.get();
    if (router == null || !router.suspend(auditId)) {
      synchronized (this) {
        suspended = null;
      }
    }
  }

  @Override
  public synchronized void thaw() {
    toFreeze = false;
    notifyAll();
  }

  @Override
  public void fail(Problem why) {
    synchronized (this) {
      failure = failure == null ? why : failure;
      notifyAll();
    }
    cancelCall();
  }

  /** After the call in flight, whose effect nobody could tell if it was broken off. */
  @Override
  public synchronized void evict(String why) {
    evicted = evicted == null ? why : evicted;
    notifyAll();
  }

  private void cancelCall() {
    String auditId;
    synchronized (this) {
      auditId = callInFlight;
    }
    SyscallRouter router = routers.get();
    if (auditId != null && router != null) {
      router.cancel(auditId, "the scheduler");
    }
  }
}
