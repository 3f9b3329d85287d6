package org.aionos.kernel;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Why a request was not carried out, in words safe to show to the caller: never a secret, never a
 * stack trace.
 *
 * @param message what is wrong and what to do next
 * @param pointer JSON pointer (RFC 6901) of the bad field in the request body
 * @param rule the policy rule that spoke
 * @param policyVersion the policy version that holds the rule
 * @param admit what would admit the call
 * @param retryAfter present where {@link Code#retry()} is {@code AFTER_DELAY}
 */
public record Problem(
    Code code,
    String message,
    @Nullable String pointer,
    @Nullable String rule,
    @Nullable String policyVersion,
    @Nullable String admit,
    @Nullable Duration retryAfter) {

  /** Long enough for a bundle to be swapped, short enough not to be noticed. */
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  public Problem {
    requireNonNull(message, "message");
    if (code == Code.OK) {
      throw new IllegalArgumentException("OK is not a problem");
    }
    if (code.retry() == Retry.AFTER_DELAY && retryAfter == null) {
      retryAfter = RETRY_AFTER;
    }
  }

  public static Problem of(Code code, String message) {
    return new Problem(code, message, null, null, null, null, null);
  }

  /** A problem with one field of the request body. */
  public static Problem at(String pointer, Code code, String message) {
    return new Problem(code, message, pointer, null, null, null, null);
  }

  public static Problem later(Code code, String message, Duration retryAfter) {
    return new Problem(code, message, null, null, null, null, retryAfter);
  }

  /** The same, with the rule that spoke. */
  public Problem ruledBy(String rule) {
    return new Problem(code, message, pointer, rule, policyVersion, admit, retryAfter);
  }

  public Problem admittedBy(String admit) {
    return new Problem(code, message, pointer, rule, policyVersion, admit, retryAfter);
  }
}
