package org.aionos.scheduler;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.jspecify.annotations.Nullable;

/** How a call ended, as JSON values and back. The result stays at the top, for it may be deep. */
final class Outcomes {

  private Outcomes() {}

  static void write(Outcome outcome, Map<String, @Nullable Object> into) {
    if (outcome instanceof Outcome.Ok ok) {
      into.put("result", ok.result());
      write(ok.spent(), into);
      into.put("engine_kind", ok.engine().kind());
      into.put("engine_name", ok.engine().name());
    } else {
      write(((Outcome.Failed) outcome).problem(), into);
      write(outcome.spent(), into);
    }
  }

  static void write(Outcome.Spent spent, Map<String, @Nullable Object> into) {
    into.put("cost_usd", spent.costUsd().toPlainString());
    into.put("tokens_in", spent.tokensIn());
    into.put("tokens_out", spent.tokensOut());
  }

  /** Of entries that older kernels have written, those of failures say nothing: then nothing. */
  static Outcome.Spent spent(Fields fields) throws InvalidDocument {
    return new Outcome.Spent(
        new BigDecimal(fields.text("cost_usd", "0")),
        fields.wholeNumber("tokens_in", 0, 0, Long.MAX_VALUE),
        fields.wholeNumber("tokens_out", 0, 0, Long.MAX_VALUE));
  }

  static void write(Problem problem, Map<String, @Nullable Object> into) {
    into.put("code", problem.code().name());
    into.put("message", problem.message());
    into.put("pointer", problem.pointer());
    into.put("rule", problem.rule());
    into.put("policy_version", problem.policyVersion());
    into.put("admit", problem.admit());
    Duration retryAfter = problem.retryAfter();
    into.put("retry_after_ms", retryAfter == null ? null : retryAfter.toMillis());
  }

  static Outcome read(Fields fields) throws InvalidDocument {
    if (!fields.has("code")) {
      return new Outcome.Ok(
          fields.object("result").values(),
          spent(fields),
          new Outcome.Engine(fields.text("engine_kind"), fields.text("engine_name")));
    }
    Long retryAfterMillis = fields.wholeNumberOrNull("retry_after_ms", 0, Long.MAX_VALUE);
    return new Outcome.Failed(
        new Problem(
            Code.valueOf(fields.text("code")),
            fields.text("message"),
            fields.textOrNull("pointer"),
            fields.textOrNull("rule"),
            fields.textOrNull("policy_version"),
            fields.textOrNull("admit"),
            retryAfterMillis == null ? null : Duration.ofMillis(retryAfterMillis)),
        null,
        spent(fields));
  }
}
