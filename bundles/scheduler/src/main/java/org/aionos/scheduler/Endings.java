package org.aionos.scheduler;

import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Retry;
import org.aionos.kernel.task.TaskState;
import org.aionos.scheduler.Manifest.Restart;
import org.aionos.scheduler.Run.End;
import org.jspecify.annotations.Nullable;

/** What becomes of a task whose run has ended: over, tried again, or begun anew later. */
final class Endings {

  /** A service that ended well is started again, but not in a circle. */
  private static final long SERVICE_PAUSE_MILLIS = 1_000;

  /** A bundle is swapped in less than a second. */
  private static final long RESTART_PAUSE_MILLIS = 500;

  private final Board board;
  private final TaskEvents events;
  private final Latencies latencies;
  private final InstantSource clock;

  Endings(Board board, TaskEvents events, Latencies latencies, InstantSource clock) {
    this.board = board;
    this.events = events;
    this.latencies = latencies;
    this.clock = clock;
  }

  /**
   * @param change of its progress, to be kept with the state
   * @param then what follows once that is kept
   */
  record Next(TaskState state, Consumer<Progress> change, Runnable then) {}

  Next of(Held task, End end) {
    if (end instanceof End.Gone gone) {
      return task.cancelledBy != null ? cancelled(task) : interrupted(task, gone.why());
    }
    End.Ended ended = (End.Ended) end;
    if (task.cancelledBy != null) {
      return cancelled(task);
    }
    if (ended.outcome() instanceof Outcome.Ok) {
      return task.manifest.restart() == Restart.ALWAYS && task.work.isAgent()
          ? again(task, ended, SERVICE_PAUSE_MILLIS, "a service that ended well")
          : over(task, TaskState.SUCCEEDED, ended, "succeeded", "ended well");
    }
    return failed(task, ended, ((Outcome.Failed) ended.outcome()).problem());
  }

  private Next failed(Held task, End.Ended ended, Problem problem) {
    if (problem.code() == Code.RESTARTING && task.stopped == null) {
      return later(task, problem.message());
    }
    SchedulerSettings.Retries retry = task.work.order().retry();
    int attempt = task.work.progress().attempt;
    long pause = retry.after(attempt).toMillis();
    Long deadline = task.work.order().deadlineMillis();
    boolean retried =
        isRetryable(task, problem)
            && attempt < retry.attemptsMax()
            && (deadline == null || clock.millis() + pause < deadline);
    String why = problem.code() + ": " + problem.message();
    return retried
        ? again(task, ended, pause, why)
        : over(task, TaskState.FAILED, ended, "failed", why);
  }

  private static boolean isRetryable(Held task, Problem problem) {
    if (task.stopped != null) {
      return task.stopped.code() == Code.TIMED_OUT;
    }
    if (problem.code() == Code.AGENT_CRASHED) {
      return task.manifest.restart() != Restart.NEVER;
    }
    return problem.code().retry() == Retry.AFTER_DELAY || problem.code() == Code.KERNEL_FAULT;
  }

  private Next over(Held task, TaskState state, End.Ended ended, String what, String why) {
    Map<String, @Nullable Object> end = new LinkedHashMap<>(ended.more());
    Outcomes.write(ended.outcome(), end);
    return new Next(
        state,
        progress -> {
          progress.cpuMillis += ended.cpuMillis();
          Ends.end(progress, end, clock.millis(), what, why);
        },
        () -> {
          board.gone(task.key);
          latencies.add(task.work.agent(), clock.millis() - task.work.order().submittedMillis());
          events.came("task." + what, task.work, why);
        });
  }

  private Next again(Held task, End.Ended ended, long pauseMillis, String why) {
    long notBefore = clock.millis() + pauseMillis;
    return new Next(
        TaskState.QUEUED,
        progress -> {
          progress.notBeforeMillis = notBefore;
          progress.cpuMillis += ended.cpuMillis();
          progress.crashes = 0;
          if (ended.outcome() instanceof Outcome.Ok) {
            progress.afresh = true;
            progress.attempt = 0;
          }
          progress.because(clock.millis(), "queued again", why);
        },
        () -> {
          board.again(task.key, notBefore);
          events.came("task.queued_again", task.work, why);
        });
  }

  private Next interrupted(Held task, String why) {
    return new Next(
        TaskState.PREEMPTED,
        progress -> {
          progress.crashes = 0;
          progress.evictions++;
          progress.because(clock.millis(), "evicted", why);
        },
        () -> {
          board.again(task.key, clock.millis());
          events.came("task.evicted", task.work, why);
        });
  }

  /** A part of the kernel that it needs is being replaced. */
  private Next later(Held task, String why) {
    long notBefore = clock.millis() + RESTART_PAUSE_MILLIS;
    return new Next(
        TaskState.PREEMPTED,
        progress -> {
          progress.notBeforeMillis = notBefore;
          progress.because(clock.millis(), "waits", why);
        },
        () -> board.again(task.key, notBefore));
  }

  private Next cancelled(Held task) {
    String by = String.valueOf(task.cancelledBy);
    return new Next(
        TaskState.CANCELLED,
        progress -> Ends.cancel(progress, by, clock.millis()),
        () -> {
          board.gone(task.key);
          events.came("task.cancelled", task.work, "by " + by);
        });
  }
}
