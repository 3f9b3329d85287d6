package org.aionos.scheduler;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.aionos.kernel.CallListener;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Reply;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.SyscallRouter;
import org.aionos.kernel.task.TaskCalls;

/** Takes calls through the log of their tasks as the router does, and answers as it is told. */
final class FakeRouter implements SyscallRouter {

  interface Handler {
    Outcome run(Syscall syscall) throws InterruptedException;
  }

  /** Calls that were carried out. */
  final List<Syscall> carriedOut = new CopyOnWriteArrayList<>();

  private final Map<String, Thread> running = new ConcurrentHashMap<>();
  private final Map<Object, CountDownLatch> held = new ConcurrentHashMap<>();
  private final AtomicInteger numbers = new AtomicInteger();
  volatile TaskCalls tasks;
  volatile Handler handler =
      syscall -> Outcome.Ok.ofKernel(syscall.name(), Map.of("echo", syscall.params()));

  /** From now on, calls with this value of {@code hold} wait until released. */
  CountDownLatch hold(Object value) {
    CountDownLatch latch = new CountDownLatch(1);
    held.put(value, latch);
    return latch;
  }

  List<Object> done(String param) {
    List<Object> done = new ArrayList<>();
    carriedOut.forEach(syscall -> done.add(syscall.params().get(param)));
    return done;
  }

  boolean isRunning() {
    return !running.isEmpty();
  }

  @Override
  public void handle(Syscall syscall, CallListener listener) {
    handle(tasks, syscall, listener);
  }

  /** The same router, as one life of the kernel has it: what a dead one begins gets nowhere. */
  SyscallRouter of(TaskCalls life) {
    FakeRouter all = this;
    return new SyscallRouter() {
      @Override
      public void handle(Syscall syscall, CallListener listener) {
        all.handle(life, syscall, listener);
      }

      @Override
      public List<Running> running() {
        return all.running();
      }

      @Override
      public boolean cancel(String auditId, String by) {
        return all.cancel(auditId, by);
      }
    };
  }

  private void handle(TaskCalls life, Syscall syscall, CallListener listener) {
    String audit = "sc-" + numbers.incrementAndGet();
    TaskCalls.Turn turn;
    try {
      turn = life.begin(syscall);
    } catch (Refused refused) {
      listener.ended(reply(audit, Outcome.failed(refused.problem())));
      return;
    }
    Reply recorded = turn.recorded();
    if (recorded != null) {
      listener.ended(recorded);
      return;
    }
    Reply reply = reply(audit, run(syscall, audit, turn, listener));
    try {
      turn.ended(reply);
    } catch (Refused unwritten) {
      reply = reply(audit, Outcome.failed(Problem.of(Code.JOURNAL_UNAVAILABLE, "unknown")));
    }
    listener.ended(reply);
  }

  private Outcome run(Syscall syscall, String audit, TaskCalls.Turn turn, CallListener listener) {
    running.put(audit, Thread.currentThread());
    try {
      turn.asked(audit);
      listener.begun(audit);
      carriedOut.add(syscall);
      CountDownLatch latch = held.get(String.valueOf(syscall.params().get("hold")));
      if (latch != null) {
        latch.await();
      }
      return handler.run(syscall);
    } catch (Refused refused) {
      return Outcome.failed(refused.problem());
    } catch (InterruptedException stopped) {
      boolean cancelled = !running.containsKey(audit);
      return Outcome.failed(Problem.of(cancelled ? Code.CANCELLED : Code.TIMED_OUT, "interrupted"));
    } finally {
      running.remove(audit);
    }
  }

  private static Reply reply(String audit, Outcome outcome) {
    return new Reply(audit, outcome, Duration.ofMillis(1));
  }

  @Override
  public List<Running> running() {
    return List.of();
  }

  @Override
  public boolean cancel(String auditId, String by) {
    Thread thread = running.remove(auditId);
    if (thread != null) {
      thread.interrupt();
    }
    return thread != null;
  }
}
