package org.aionos.sandbox;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.tool.Effects;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The workers that run, and those that wait warm for the next call. A worker serves one agent with
 * one tool for its whole life, so nothing it remembers can reach another.
 *
 * <p>At a bound a call takes the place of the worker that has been idle longest, and where none is
 * idle it waits for one until its deadline.
 */
final class WorkerPool {

  private static final Logger log = LoggerFactory.getLogger(WorkerPool.class);

  /** Calls in flight of a tool that goes away were drained by the router; the others are killed. */
  private static final Duration CLOSED_MAX = Duration.ofSeconds(15);

  /**
   * @param workersMax in all
   * @param perToolMax of one tool
   * @param callsMax of one worker, then it is replaced: what a tool leaks ends with it
   * @param idleMax of one worker, then it is ended
   */
  record Bounds(int workersMax, int perToolMax, int callsMax, Duration idleMax) {}

  /** Starts a worker and waits until it is ready. */
  @FunctionalInterface
  interface Starter {
    /**
     * @throws Refused if it does not become ready; nothing of it is left then
     */
    Worker start(Program program, AgentId agent) throws InterruptedException;
  }

  private record Idle(Worker worker, AgentId agent, long sinceNanos) {}

  private final Starter starter;
  private final Bounds bounds;
  private final LongSupplier nanoClock;

  /** Those longest idle first. Guarded by this, as is what follows. */
  private final List<Idle> idle = new ArrayList<>();

  private final Set<Worker> busy = new HashSet<>();

  /** Workers of each tool that run, start or end; also of one that is being closed. */
  private final Map<Program, Integer> places = new HashMap<>();

  private final Set<Program> closed = new HashSet<>();
  private int placesTaken;

  WorkerPool(Starter starter, Bounds bounds, LongSupplier nanoClock) {
    this.starter = starter;
    this.bounds = bounds;
    this.nanoClock = nanoClock;
  }

  /** Performs a call with a warm worker of this agent, else with a new one. */
  ToolResult call(Program program, AgentId agent, ToolCall call, Effects effects)
      throws ToolFailure, InterruptedException {
    Worker worker = take(program, agent);
    try {
      return worker.call(call, effects);
    } finally {
      giveBack(worker, agent);
    }
  }

  private Worker take(Program program, AgentId agent) throws InterruptedException {
    while (true) {
      Idle unwanted;
      synchronized (this) {
        if (closed.contains(program)) {
          throw new Refused(Code.RESTARTING, program.tool() + " is being replaced; retry");
        }
        Idle warm = warm(program, agent);
        if (warm != null && warm.worker.fit(bounds.callsMax())) {
          busy.add(warm.worker);
          return warm.worker;
        }
        unwanted = warm;
        if (unwanted == null && hasRoom(program)) {
          places.merge(program, 1, Integer::sum);
          placesTaken++;
          break;
        }
        if (unwanted == null) {
          unwanted = longestIdle(program);
        }
        if (unwanted == null) {
          wait();
          continue;
        }
      }
      end(unwanted.worker);
    }
    return started(program, agent);
  }

  private Worker started(Program program, AgentId agent) throws InterruptedException {
    Worker worker = null;
    try {
      worker = starter.start(program, agent);
    } finally {
      synchronized (this) {
        if (worker == null) {
          leave(program);
        } else {
          busy.add(worker);
        }
      }
    }
    return worker;
  }

  /** The worker of an agent that was used last: it is the likeliest to be in the caches. */
  private @Nullable Idle warm(Program program, AgentId agent) {
    for (int i = idle.size() - 1; i >= 0; i--) {
      Idle each = idle.get(i);
      if (each.worker.program().equals(program) && each.agent.equals(agent)) {
        return idle.remove(i);
      }
    }
    return null;
  }

  private boolean hasRoom(Program program) {
    return placesTaken < bounds.workersMax()
        && places.getOrDefault(program, 0) < bounds.perToolMax();
  }

  /** Of this tool if it has taken all its places, else of any. */
  private @Nullable Idle longestIdle(Program program) {
    boolean any = places.getOrDefault(program, 0) < bounds.perToolMax();
    for (int i = 0; i < idle.size(); i++) {
      if (any || idle.get(i).worker.program().equals(program)) {
        return idle.remove(i);
      }
    }
    return null;
  }

  private void giveBack(Worker worker, AgentId agent) {
    synchronized (this) {
      busy.remove(worker);
      if (worker.fit(bounds.callsMax()) && !closed.contains(worker.program())) {
        idle.add(new Idle(worker, agent, nanoClock.getAsLong()));
        notifyAll();
        return;
      }
    }
    end(worker);
  }

  /** Ends a worker that nobody uses, and frees its place once nothing of it runs any more. */
  private void end(Worker worker) {
    try {
      worker.end(Duration.ZERO);
    } finally {
      synchronized (this) {
        leave(worker.program());
      }
    }
  }

  private void leave(Program program) {
    placesTaken--;
    places.computeIfPresent(program, (tool, count) -> count == 1 ? null : count - 1);
    notifyAll();
  }

  /** Ends the workers that have been idle for too long, and those that hold up others. */
  void retire() {
    synchronized (this) {
      busy.forEach(Worker::killIfItHoldsUpOthers);
    }
    long oldest = nanoClock.getAsLong() - bounds.idleMax().toNanos();
    List<Worker> retired = new ArrayList<>();
    synchronized (this) {
      for (Iterator<Idle> each = idle.iterator(); each.hasNext(); ) {
        Idle next = each.next();
        if (next.sinceNanos - oldest <= 0 || !next.worker.fit(bounds.callsMax())) {
          each.remove();
          retired.add(next.worker);
        }
      }
    }
    retired.forEach(this::end);
  }

  /** Ends all workers of a tool, busy ones too, and admits no more. Returns when they are gone. */
  void close(Program program) {
    List<Worker> unused = new ArrayList<>();
    synchronized (this) {
      closed.add(program);
      idle.removeIf(each -> each.worker.program().equals(program) && unused.add(each.worker));
      busy.stream().filter(worker -> worker.program().equals(program)).forEach(Worker::kill);
      notifyAll();
    }
    unused.forEach(this::end);
    if (!Patience.await(CLOSED_MAX, () -> workers(program) == 0)) {
      log.error("workers of a tool do not end: tool={} left={}", program.tool(), workers(program));
    }
    synchronized (this) {
      closed.remove(program);
    }
  }

  /** Those that are ready, busy or idle. */
  synchronized List<Worker> ready() {
    List<Worker> ready = new ArrayList<>(busy);
    idle.forEach(each -> ready.add(each.worker));
    return ready;
  }

  synchronized int workers(Program program) {
    return places.getOrDefault(program, 0);
  }

  synchronized int workers() {
    return placesTaken;
  }
}
