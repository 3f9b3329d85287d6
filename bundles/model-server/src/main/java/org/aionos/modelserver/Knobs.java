package org.aionos.modelserver;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** How the server is told to behave. Guarded by itself. */
final class Knobs {

  private long tokenDelayMillis;
  private long firstTokenDelayMillis;
  private int failStatus;
  private int failTimes;
  private int failSkip;
  private @Nullable String retryAfter;
  private int cutAfterTokens = -1;
  private int cutTimes;
  private boolean hang;
  private boolean usageWithheld;
  private @Nullable String key;
  private final Deque<String> answers = new ArrayDeque<>();

  /** How one request is treated. */
  record Turn(
      long tokenDelayMillis,
      long firstTokenDelayMillis,
      int failStatus,
      @Nullable String retryAfter,
      int cutAfterTokens,
      boolean hang,
      boolean usageWithheld,
      @Nullable String answer) {}

  /**
   * Sets what is named, and leaves the rest: {@code token_delay_ms, first_token_delay_ms}; {@code
   * fail_status} with {@code fail_times} (-1 for always), {@code fail_skip} (so many go well
   * before) and {@code retry_after}; {@code cut_after_tokens} with {@code cut_times}; {@code hang};
   * {@code no_usage}; {@code answers}, each said once; {@code key}, which callers must show.
   */
  synchronized void set(JsonNode said) {
    tokenDelayMillis = said.path("token_delay_ms").asLong(tokenDelayMillis);
    firstTokenDelayMillis = said.path("first_token_delay_ms").asLong(firstTokenDelayMillis);
    failStatus = said.path("fail_status").asInt(failStatus);
    failSkip = said.path("fail_skip").asInt(failSkip);
    failTimes = said.path("fail_times").asInt(said.has("fail_status") ? -1 : failTimes);
    retryAfter = said.has("retry_after") ? said.get("retry_after").asText() : retryAfter;
    cutAfterTokens = said.path("cut_after_tokens").asInt(cutAfterTokens);
    cutTimes = said.path("cut_times").asInt(said.has("cut_after_tokens") ? -1 : cutTimes);
    hang = said.path("hang").asBoolean(hang);
    usageWithheld = said.path("no_usage").asBoolean(usageWithheld);
    key = said.has("key") ? said.get("key").asText() : key;
    said.path("answers").forEach(each -> answers.add(each.asText()));
    if (said.has("answer")) {
      answers.add(said.get("answer").asText());
    }
  }

  synchronized void reset() {
    tokenDelayMillis = 0;
    firstTokenDelayMillis = 0;
    failStatus = 0;
    failTimes = 0;
    failSkip = 0;
    retryAfter = null;
    cutAfterTokens = -1;
    cutTimes = 0;
    hang = false;
    usageWithheld = false;
    key = null;
    answers.clear();
  }

  synchronized boolean admits(@Nullable String authorization) {
    return key == null || ("Bearer " + key).equals(authorization);
  }

  synchronized Turn next() {
    boolean fails = failTimes != 0 && failStatus > 0 && failSkip == 0;
    failSkip -= failSkip > 0 ? 1 : 0;
    failTimes -= fails && failTimes > 0 ? 1 : 0;
    boolean cuts = !fails && cutTimes != 0 && cutAfterTokens >= 0;
    cutTimes -= cuts && cutTimes > 0 ? 1 : 0;
    return new Turn(
        tokenDelayMillis,
        firstTokenDelayMillis,
        fails ? failStatus : 0,
        retryAfter,
        cuts ? cutAfterTokens : -1,
        hang,
        usageWithheld,
        fails || hang ? null : answers.poll());
  }
}
