package org.aionos.scheduler;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.Code;
import org.aionos.kernel.task.Scheduler.Task;
import org.aionos.kernel.task.TaskState;
import org.jspecify.annotations.Nullable;

/** A task as people see it: JSON values, with times as ISO 8601 in UTC. */
final class Shown {

  private Shown() {}

  /** Without its params and its output, which may be long. */
  static Task summary(Work work) {
    return new Task(work.key(), work.agent(), work.state(), values(work));
  }

  static Task whole(Work work) {
    Map<String, @Nullable Object> values = values(work);
    Progress progress = work.progress();
    values.put("params", work.order().params());
    values.put("quota", work.order().quota().values());
    values.put(
        "retry",
        Map.of(
            "attempts_max", work.order().retry().attemptsMax(),
            "backoff_ms", work.order().retry().backoff().toMillis(),
            "backoff_max_ms", work.order().retry().backoffMax().toMillis()));
    values.put("submitted_by", work.order().by());
    values.put("reasons", reasons(progress));
    if (progress.end != null) {
      putEnd(progress.end, values);
    }
    return new Task(work.key(), work.agent(), work.state(), values);
  }

  private static Map<String, @Nullable Object> values(Work work) {
    Progress progress = work.progress();
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("task_id", work.key().id());
    values.put("tenant", work.key().tenant());
    values.put("agent_id", work.agent().toString());
    values.put("intent", work.order().intent());
    values.put("queue", work.order().tier().written());
    values.put("priority", work.order().priority());
    values.put("state", work.state().written());
    values.put("attempt", progress.attempt);
    values.put("attempts_max", work.order().retry().attemptsMax());
    values.put("submitted_at", time(work.order().submittedMillis()));
    values.put("started_at", time(progress.firstStartMillis));
    values.put("ended_at", time(progress.endedMillis));
    if (work.state() == TaskState.QUEUED && progress.notBeforeMillis > 0) {
      values.put("not_before", time(progress.notBeforeMillis));
    }
    Long deadline = work.order().deadlineMillis();
    if (deadline != null) {
      values.put("deadline", time(deadline));
    }
    values.put("preemptions", progress.preemptions);
    values.put("evictions", progress.evictions);
    values.put("checkpoints", progress.checkpoints);
    values.put("usage", usage(progress));
    if (progress.end != null && progress.end.get("code") != null) {
      values.put("code", progress.end.get("code"));
    }
    return values;
  }

  private static Map<String, @Nullable Object> usage(Progress progress) {
    Map<String, @Nullable Object> usage = new LinkedHashMap<>();
    usage.put("run_ms", progress.runMillis);
    usage.put("cpu_ms", progress.cpuMillis);
    usage.put("calls", progress.calls);
    usage.put("replayed_calls", progress.replayedCalls);
    usage.put("tokens_in", progress.tokensIn);
    usage.put("tokens_out", progress.tokensOut);
    usage.put("cost_usd", progress.costUsd);
    return usage;
  }

  private static void putEnd(
      Map<String, @Nullable Object> end, Map<String, @Nullable Object> values) {
    Object code = end.get("code");
    if (code == null) {
      values.put("result", end.get("result"));
    } else {
      Code known = Code.valueOf(code.toString());
      Map<String, @Nullable Object> error = new LinkedHashMap<>();
      error.put("code", known.name());
      error.put("number", known.number());
      error.put("message", end.get("message"));
      for (String optional : List.of("pointer", "rule", "policy_version", "admit")) {
        if (end.get(optional) != null) {
          error.put(optional, end.get(optional));
        }
      }
      values.put("error", error);
    }
    if (end.containsKey("exit_status")) {
      Map<String, @Nullable Object> process = new LinkedHashMap<>();
      for (String part :
          List.of(
              "exit_status", "out_of_memory", "stdout", "stderr", "stdout_bytes", "stderr_bytes")) {
        process.put(part, end.get(part));
      }
      values.put("process", process);
    }
  }

  static List<Map<String, @Nullable Object>> reasons(Progress progress) {
    List<Map<String, @Nullable Object>> shown = new ArrayList<>();
    for (Map<String, @Nullable Object> reason : progress.reasons) {
      Map<String, @Nullable Object> each = new LinkedHashMap<>(reason);
      each.put("at", reason.get("at") instanceof Number at ? time(at.longValue()) : null);
      shown.add(each);
    }
    return shown;
  }

  static @Nullable String time(long millis) {
    return millis == 0 ? null : Instant.ofEpochMilli(millis).toString();
  }
}
