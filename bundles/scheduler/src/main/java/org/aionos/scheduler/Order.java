package org.aionos.scheduler;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.task.Tier;
import org.aionos.scheduler.SchedulerSettings.Retries;
import org.jspecify.annotations.Nullable;

/**
 * What was asked for when a task was submitted. Never changes.
 *
 * @param intent as it was written
 * @param params JSON values by name
 * @param deadlineMillis since 1970; null for none
 * @param by who submitted it
 * @param digest SHA-256 of what was asked for: a second submission of the id must have the same
 */
record Order(
    String intent,
    int priority,
    Map<String, @Nullable Object> params,
    TaskQuota quota,
    Retries retry,
    @Nullable Long deadlineMillis,
    long submittedMillis,
    String by,
    String digest) {

  Tier tier() {
    return Tier.of(priority);
  }

  Intent meant() {
    Intent meant = Intent.read(intent);
    if (meant == null) {
      throw new IllegalStateException("a task has the intent " + intent);
    }
    return meant;
  }

  void write(Map<String, @Nullable Object> into) {
    into.put("intent", intent);
    into.put("priority", priority);
    into.put("params", params);
    into.put("quota", quota.values());
    into.put(
        "retry",
        Map.of(
            "attempts_max", retry.attemptsMax(),
            "backoff_ms", retry.backoff().toMillis(),
            "backoff_max_ms", retry.backoffMax().toMillis()));
    into.put("deadline", deadlineMillis);
    into.put("submitted", submittedMillis);
    into.put("by", by);
    into.put("digest", digest);
  }

  static Order read(Fields fields) throws InvalidDocument {
    return new Order(
        fields.text("intent"),
        (int) fields.wholeNumber("priority", 5, 0, 9),
        fields.objectOrEmpty("params").values(),
        TaskQuota.read(fields.objectOrEmpty("quota")),
        SchedulerSettings.retries(
            fields.objectOrEmpty("retry"), new Retries(1, Duration.ZERO, Duration.ZERO)),
        fields.wholeNumberOrNull("deadline", 0, Long.MAX_VALUE),
        fields.wholeNumber("submitted", 0, 0, Long.MAX_VALUE),
        fields.text("by"),
        fields.text("digest"));
  }

  /** What one task may use in its whole life; null where there is no limit. */
  record TaskQuota(
      @Nullable Long calls,
      @Nullable Long tokens,
      @Nullable BigDecimal usd,
      @Nullable Long timeMillis) {

    private static final long MAX = 1_000_000_000_000L;
    private static final int USD_MAX = 1_000_000;

    static TaskQuota read(Fields fields) throws InvalidDocument {
      fields.only("calls_max", "tokens_max", "usd_max", "time_ms_max");
      return new TaskQuota(
          fields.wholeNumberOrNull("calls_max", 0, MAX),
          fields.wholeNumberOrNull("tokens_max", 0, MAX),
          fields.numberOrNull("usd_max", 0, USD_MAX),
          fields.wholeNumberOrNull("time_ms_max", 1, MAX));
    }

    Map<String, @Nullable Object> values() {
      Map<String, @Nullable Object> values = new LinkedHashMap<>();
      put(values, "calls_max", calls);
      put(values, "tokens_max", tokens);
      put(values, "usd_max", usd);
      put(values, "time_ms_max", timeMillis);
      return values;
    }

    private static void put(
        Map<String, @Nullable Object> values, String name, @Nullable Object value) {
      if (value != null) {
        values.put(name, value);
      }
    }
  }
}
