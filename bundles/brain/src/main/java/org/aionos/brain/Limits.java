package org.aionos.brain;

import java.math.BigDecimal;
import org.aionos.kernel.policy.Tuning;
import org.jspecify.annotations.Nullable;

/** What one tenant may use, in units of each; null where there is no limit. */
record Limits(
    @Nullable BigDecimal concurrency,
    @Nullable BigDecimal tokenRate,
    @Nullable BigDecimal usdPerHour,
    @Nullable BigDecimal callsPerHour) {

  static final Limits NONE = new Limits(null, null, null, null);

  /** One kind of limit. */
  enum Kind {
    MAX_CONCURRENCY,
    TOKEN_RATE,
    USD_PER_HOUR,
    CALLS_PER_HOUR;

    /** As it is written in {@code quotas.yaml}. */
    String written() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }

    boolean isWhole() {
      return this != USD_PER_HOUR;
    }
  }

  static Limits of(Tuning.Quota quota) {
    return new Limits(
        whole(quota.maxConcurrency()),
        whole(quota.tokenRate()),
        quota.usdPerHour(),
        whole(quota.callsPerHour()));
  }

  private static @Nullable BigDecimal whole(@Nullable Number number) {
    return number == null ? null : BigDecimal.valueOf(number.longValue());
  }

  @Nullable BigDecimal of(Kind kind) {
    return switch (kind) {
      case MAX_CONCURRENCY -> concurrency;
      case TOKEN_RATE -> tokenRate;
      case USD_PER_HOUR -> usdPerHour;
      case CALLS_PER_HOUR -> callsPerHour;
    };
  }

  /** The lower one of each. */
  Limits and(Limits other) {
    return new Limits(
        lower(concurrency, other.concurrency),
        lower(tokenRate, other.tokenRate),
        lower(usdPerHour, other.usdPerHour),
        lower(callsPerHour, other.callsPerHour));
  }

  private static @Nullable BigDecimal lower(@Nullable BigDecimal one, @Nullable BigDecimal other) {
    return one == null || other == null ? (one == null ? other : one) : one.min(other);
  }
}
