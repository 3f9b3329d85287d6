package org.aionos.scheduler;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.task.Scheduler.Explanation;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.scheduling.Explanation.AgentConcurrency;
import org.aionos.scheduling.Explanation.Behind;
import org.aionos.scheduling.Explanation.FrozenFull;
import org.aionos.scheduling.Explanation.HeldUntil;
import org.aionos.scheduling.Explanation.MinimumRuntime;
import org.aionos.scheduling.Explanation.Reason;
import org.aionos.scheduling.Explanation.RetryAt;
import org.aionos.scheduling.Explanation.SlotsFull;
import org.aionos.scheduling.Explanation.Standing;
import org.aionos.scheduling.Explanation.TenantConcurrency;
import org.jspecify.annotations.Nullable;

/** Says why a task stands where it stands, in a sentence and in values. */
final class Explained {

  private Explained() {}

  /**
   * Who holds a task.
   *
   * @param sinceMillis since 1970; 0 if that is not known
   * @param lives false if others may claim the task, for the node is lost
   */
  record Holder(String node, boolean isHere, long sinceMillis, boolean lives) {}

  /**
   * @param board what the schedule says of it
   * @param slaMillis of its agent; null for none
   * @param p95Millis from submission to the end, of the latest tasks of its agent; null for none
   */
  static Explanation of(
      Work work,
      org.aionos.scheduling.Explanation board,
      @Nullable Long slaMillis,
      @Nullable Long p95Millis,
      @Nullable BigDecimal usdMax,
      @Nullable Holder holder) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("task_id", work.key().id());
    values.put("agent_id", work.agent().toString());
    values.put("state", work.state().written());
    Holder other = holder == null || holder.isHere() || work.state().isEnded() ? null : holder;
    String summary = other == null ? summary(work, board) : summary(work, other);
    values.put("summary", summary);
    values.put("queue", work.order().tier().written());
    if (holder != null) {
      values.put("node", values(holder));
    }
    if (work.state().isWaiting() && other == null) {
      values.put("queue_now", board.tier().written());
      values.put("position", board.position());
      values.put("waits_for", board.reasons().stream().map(Explained::values).toList());
    }
    values.put("preemptions", work.progress().preemptions);
    values.put("preempted_by", work.progress().preemptedBy);
    values.put("evictions", work.progress().evictions);
    if (slaMillis != null) {
      Map<String, @Nullable Object> sla = new LinkedHashMap<>();
      sla.put("p95_ms", slaMillis);
      sla.put("p95_ms_measured", p95Millis);
      sla.put("raised_after_ms", slaMillis / 2);
      sla.put("raised", board.raised());
      values.put("sla", sla);
    }
    if (usdMax != null) {
      values.put("budget", Map.of("usd_max", usdMax, "cost_usd", work.progress().costUsd));
    }
    values.put("history", Shown.reasons(work.progress()));
    return new Explanation(work.key(), summary, values);
  }

  private static String summary(Work work, org.aionos.scheduling.Explanation board) {
    if (work.state().isEnded()) {
      return lastReason(work);
    }
    if (work.state() == TaskState.RUNNING) {
      return board.standing() == Standing.YIELDING ? "is being preempted" : "runs";
    }
    if (board.standing() == Standing.UNKNOWN) {
      return "waits for a node to take it";
    }
    List<Reason> reasons = board.reasons();
    String waits =
        reasons.isEmpty()
            ? "is about to run"
            : "waits: " + words(reasons.get(0)) + "; it goes on when " + reasons.get(0).remedy();
    return work.state() == TaskState.PREEMPTED && work.progress().preemptedBy != null
        ? "was preempted by " + work.progress().preemptedBy + " and " + waits
        : waits;
  }

  private static String summary(Work work, Holder holder) {
    String does = work.state() == TaskState.RUNNING ? "runs" : "waits";
    String since = holder.sinceMillis() == 0 ? "" : " since " + Shown.time(holder.sinceMillis());
    return holder.lives()
        ? does + " on the node " + holder.node() + ", which holds it" + since
        : "was on the node "
            + holder.node()
            + ", which is lost; it goes on when another node has taken it";
  }

  private static Map<String, @Nullable Object> values(Holder holder) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("name", holder.node());
    values.put("here", holder.isHere());
    values.put("since", Shown.time(holder.sinceMillis()));
    values.put("lives", holder.lives());
    return values;
  }

  private static String lastReason(Work work) {
    List<Map<String, @Nullable Object>> reasons = work.progress().reasons;
    Map<String, @Nullable Object> last = reasons.get(reasons.size() - 1);
    return last.get("what") + ": " + last.get("why");
  }

  private static String words(Reason reason) {
    if (reason instanceof RetryAt retry) {
      return "not before " + Shown.time(retry.atMillis());
    } else if (reason instanceof HeldUntil held) {
      return "the budget of its "
          + (held.ofAgent() ? "agent" : "tenant")
          + " is used up until "
          + Shown.time(held.untilMillis());
    } else if (reason instanceof TenantConcurrency tenant) {
      return "its tenant runs " + tenant.running() + " of " + tenant.max() + " at once";
    } else if (reason instanceof AgentConcurrency agent) {
      return "its agent runs " + agent.running() + " of " + agent.max() + " at once";
    } else if (reason instanceof SlotsFull slots) {
      return "all " + slots.slots() + " slots are taken";
    } else if (reason instanceof Behind behind) {
      return behind.tasks() + " tasks in " + behind.tier().written() + " are before it";
    } else if (reason instanceof MinimumRuntime runtime) {
      return runtime.running() + " may run until " + Shown.time(runtime.untilMillis());
    } else {
      return ((FrozenFull) reason).frozen() + " tasks are frozen, as many as may be";
    }
  }

  private static Map<String, @Nullable Object> values(Reason reason) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    if (reason instanceof RetryAt retry) {
      values.put("reason", "retry_at");
      values.put("until", Shown.time(retry.atMillis()));
    } else if (reason instanceof HeldUntil held) {
      values.put("reason", held.ofAgent() ? "agent_budget" : "tenant_budget");
      values.put("until", Shown.time(held.untilMillis()));
    } else if (reason instanceof TenantConcurrency tenant) {
      values.put("reason", "tenant_concurrency");
      values.put("running", tenant.running());
      values.put("max", tenant.max());
    } else if (reason instanceof AgentConcurrency agent) {
      values.put("reason", "agent_concurrency");
      values.put("running", agent.running());
      values.put("max", agent.max());
    } else if (reason instanceof SlotsFull slots) {
      values.put("reason", "slots_full");
      values.put("slots", slots.slots());
      values.put("holders", slots.holders().stream().map(Key::toString).toList());
    } else if (reason instanceof Behind behind) {
      values.put("reason", "behind");
      values.put("tasks", behind.tasks());
      values.put("queue", behind.tier().written());
    } else if (reason instanceof MinimumRuntime runtime) {
      values.put("reason", "minimum_runtime");
      values.put("until", Shown.time(runtime.untilMillis()));
    } else {
      values.put("reason", "frozen_full");
      values.put("frozen", ((FrozenFull) reason).frozen());
    }
    values.put("detail", words(reason));
    values.put("admit", reason.remedy());
    return values;
  }
}
