package org.aionos.scheduler;

import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.task.TaskState;
import org.jspecify.annotations.Nullable;

/** How tasks end, and begin anew, that do not run. */
final class Ends {

  private Ends() {}

  static void end(
      Progress progress,
      Map<String, @Nullable Object> end,
      long nowMillis,
      String what,
      String why) {
    progress.endedMillis = nowMillis;
    progress.end = end;
    progress.because(nowMillis, what, why);
  }

  static void cancel(Progress progress, String by, long nowMillis) {
    end(
        progress,
        values(Problem.of(Code.CANCELLED, "cancelled by " + by)),
        nowMillis,
        "cancelled",
        "by " + by);
  }

  static Work cancelled(Work waiting, String by, long nowMillis) {
    return waiting.with(TaskState.CANCELLED, progress -> cancel(progress, by, nowMillis));
  }

  static Work failed(Work waiting, Problem why, long nowMillis) {
    return waiting.with(
        TaskState.FAILED,
        progress -> end(progress, values(why), nowMillis, "failed", why.message()));
  }

  /**
   * A task that has ended waits again, as if it had not been tried. What ended well is not done
   * again, unless the task has shown that it does not do the same twice.
   */
  static Work anew(Work ended, String by, long nowMillis) {
    return ended.with(
        TaskState.QUEUED,
        progress -> {
          progress.afresh =
              progress.end != null && Code.REPLAY_DIVERGED.name().equals(progress.end.get("code"));
          progress.attempt = 0;
          progress.cancelBy = null;
          progress.cancelAtOnce = false;
          progress.endedMillis = 0;
          progress.end = null;
          progress.notBeforeMillis = 0;
          progress.because(nowMillis, "replayed", "by " + by);
        });
  }

  private static Map<String, @Nullable Object> values(Problem problem) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    Outcomes.write(problem, values);
    return values;
  }
}
