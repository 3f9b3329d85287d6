package org.aionos.scheduler;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.jspecify.annotations.Nullable;

/**
 * How far a task is. Changed only while nobody else sees it: see {@link Work#with}. Times are
 * milliseconds since 1970, 0 for not yet.
 */
final class Progress {

  /** Enough to see how a task fared; older reasons are in the journal. */
  private static final int REASONS_MAX = 40;

  /** Attempts that were begun and were not merely interrupted. */
  int attempt;

  /** Processes or calls begun, interrupted ones included. */
  int starts;

  long notBeforeMillis;
  long firstStartMillis;
  long lastStartMillis;
  long endedMillis;
  int preemptions;
  int evictions;

  /** How often in a row the kernel has died while it ran. */
  int crashes;

  int checkpoints;
  long runMillis;
  long cpuMillis;
  long calls;
  long replayedCalls;
  long tokensIn;
  long tokensOut;
  BigDecimal costUsd = BigDecimal.ZERO;

  /** Whether its next start makes all calls anew, those too that ended well. */
  boolean afresh;

  /** What became of it: {@link Outcomes}, and of an agent its exit and output; null until then. */
  @Nullable Map<String, @Nullable Object> end;

  /** Whom it made room for last; null for nobody. */
  @Nullable String preemptedBy;

  /** Who wants it to end, where another node held it when he said so; null for nobody. */
  @Nullable String cancelBy;

  boolean cancelAtOnce;

  final List<Map<String, @Nullable Object>> reasons = new ArrayList<>();

  /** Notes what happened to the task, and why. */
  void because(long atMillis, String what, String why) {
    Map<String, @Nullable Object> reason = new LinkedHashMap<>();
    reason.put("at", atMillis);
    reason.put("what", what);
    reason.put("why", why);
    if (reasons.size() == REASONS_MAX) {
      // The first one says how it began, and is kept.
      reasons.remove(1);
    }
    reasons.add(reason);
  }

  Progress copy() {
    Progress copy = new Progress();
    copy.attempt = attempt;
    copy.starts = starts;
    copy.notBeforeMillis = notBeforeMillis;
    copy.firstStartMillis = firstStartMillis;
    copy.lastStartMillis = lastStartMillis;
    copy.endedMillis = endedMillis;
    copy.preemptions = preemptions;
    copy.evictions = evictions;
    copy.crashes = crashes;
    copy.checkpoints = checkpoints;
    copy.runMillis = runMillis;
    copy.cpuMillis = cpuMillis;
    copy.calls = calls;
    copy.replayedCalls = replayedCalls;
    copy.tokensIn = tokensIn;
    copy.tokensOut = tokensOut;
    copy.costUsd = costUsd;
    copy.afresh = afresh;
    copy.end = end;
    copy.preemptedBy = preemptedBy;
    copy.cancelBy = cancelBy;
    copy.cancelAtOnce = cancelAtOnce;
    copy.reasons.addAll(reasons);
    return copy;
  }

  Map<String, @Nullable Object> values() {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("attempt", attempt);
    values.put("starts", starts);
    values.put("not_before", notBeforeMillis);
    values.put("first_start", firstStartMillis);
    values.put("last_start", lastStartMillis);
    values.put("ended", endedMillis);
    values.put("preemptions", preemptions);
    values.put("evictions", evictions);
    values.put("crashes", crashes);
    values.put("checkpoints", checkpoints);
    values.put("run_ms", runMillis);
    values.put("cpu_ms", cpuMillis);
    values.put("calls", calls);
    values.put("replayed_calls", replayedCalls);
    values.put("tokens_in", tokensIn);
    values.put("tokens_out", tokensOut);
    values.put("cost_usd", costUsd.toPlainString());
    values.put("afresh", afresh);
    values.put("end", end);
    values.put("preempted_by", preemptedBy);
    if (cancelBy != null) {
      values.put("cancel_by", cancelBy);
      values.put("cancel_at_once", cancelAtOnce);
    }
    values.put("reasons", reasons);
    return values;
  }

  static Progress read(Fields fields) throws InvalidDocument {
    Progress progress = new Progress();
    progress.attempt = (int) number(fields, "attempt");
    progress.starts = (int) number(fields, "starts");
    progress.notBeforeMillis = number(fields, "not_before");
    progress.firstStartMillis = number(fields, "first_start");
    progress.lastStartMillis = number(fields, "last_start");
    progress.endedMillis = number(fields, "ended");
    progress.preemptions = (int) number(fields, "preemptions");
    progress.evictions = (int) number(fields, "evictions");
    progress.crashes = (int) number(fields, "crashes");
    progress.checkpoints = (int) number(fields, "checkpoints");
    progress.runMillis = number(fields, "run_ms");
    progress.cpuMillis = number(fields, "cpu_ms");
    progress.calls = number(fields, "calls");
    progress.replayedCalls = number(fields, "replayed_calls");
    progress.tokensIn = number(fields, "tokens_in");
    progress.tokensOut = number(fields, "tokens_out");
    progress.costUsd = new BigDecimal(fields.text("cost_usd", "0"));
    progress.afresh = fields.flag("afresh", false);
    progress.end = fields.has("end") ? fields.object("end").values() : null;
    progress.preemptedBy = fields.textOrNull("preempted_by");
    progress.cancelBy = fields.textOrNull("cancel_by");
    progress.cancelAtOnce = fields.flag("cancel_at_once", false);
    for (Fields reason : fields.list("reasons")) {
      progress.reasons.add(reason.values());
    }
    return progress;
  }

  private static long number(Fields fields, String name) throws InvalidDocument {
    return fields.wholeNumber(name, 0, 0, Long.MAX_VALUE);
  }
}
