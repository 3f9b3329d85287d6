package org.aionos.scheduler;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.aionos.kernel.CallListener;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Reply;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.SyscallRouter;
import org.aionos.kernel.Underway;
import org.aionos.kernel.task.TaskCalls;
import org.jspecify.annotations.Nullable;

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

      @Override
      public boolean suspend(String auditId) {
        return all.suspend(auditId);
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
    Writing writing = new Writing(turn.before());
    Reply reply = reply(audit, run(syscall, audit, turn, listener, writing));
    try {
      if (suspended.remove(audit) && reply.outcome().code() == Code.CANCELLED) {
        turn.suspended(writing.soFar());
      } else {
        turn.ended(reply);
      }
    } catch (Refused unwritten) {
      reply = reply(audit, Outcome.failed(Problem.of(Code.JOURNAL_UNAVAILABLE, "unknown")));
    }
    listener.ended(reply);
  }

  /** What {@code model.generate} has written: one word for each permit in {@link #words}. */
  private static final class Writing {
    private final List<String> text = new ArrayList<>();
    private final int before;

    Writing(@Nullable Map<String, @Nullable Object> state) {
      if (state != null) {
        text.addAll(List.of(String.valueOf(state.get("text")).split(" ")));
      }
      before = text.size();
    }

    synchronized Underway.SoFar soFar() {
      return new Underway.SoFar(Map.of("text", String.join(" ", text)), spent());
    }

    synchronized Outcome.Spent spent() {
      return new Outcome.Spent(BigDecimal.ZERO, 10, text.size() - before);
    }

    synchronized void add(String word) {
      text.add(word);
    }

    synchronized int size() {
      return text.size();
    }
  }

  static final int WORDS = 8;

  final Semaphore words = new Semaphore(0);

  private Outcome write(Writing writing) throws InterruptedException {
    while (writing.size() < WORDS) {
      words.acquire();
      writing.add("word" + writing.size());
    }
    return new Outcome.Ok(
        writing.soFar().state(), writing.spent(), new Outcome.Engine("model", "fake/model"));
  }

  private Outcome run(
      Syscall syscall, String audit, TaskCalls.Turn turn, CallListener listener, Writing writing) {
    running.put(audit, Thread.currentThread());
    try {
      turn.asked(audit);
      listener.begun(audit);
      carriedOut.add(syscall);
      CountDownLatch latch = held.get(String.valueOf(syscall.params().get("hold")));
      if (latch != null) {
        latch.await();
      }
      return syscall.name().equals("model.generate") ? write(writing) : handler.run(syscall);
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

  private final Set<String> suspended = ConcurrentHashMap.newKeySet();

  @Override
  public boolean suspend(String auditId) {
    Thread thread = running.get(auditId);
    boolean can =
        thread != null && carriedOut.get(carriedOut.size() - 1).name().equals("model.generate");
    if (can) {
      suspended.add(auditId);
      cancel(auditId, "the scheduler");
    }
    return can;
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
