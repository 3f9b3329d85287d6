package org.aionos.model;

import java.io.Serial;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A provider did not give an answer. Its words are safe to show: they hold neither addresses nor
 * keys.
 */
final class ProviderFailure extends Exception {

  @Serial private static final long serialVersionUID = 1L;

  /** What is to be done about it. */
  enum Kind {
    /** It could not be reached, broke off, failed, or is overloaded: the same may work later. */
    UNAVAILABLE(true, true),
    /** All its places are taken, by our own count. */
    BUSY(false, false),
    /** It is left alone, since it failed often. */
    LEFT_ALONE(false, false),
    /** It says nonsense, or too much of it. */
    NONSENSE(false, true),
    /** It does not know the key, or the model, that the operator configured. */
    MISCONFIGURED(false, true),
    /** There is no such model. */
    UNKNOWN_MODEL(false, false),
    /** It does not take this request. */
    REFUSED(false, false),
    /** The answer is longer than we take. */
    TOO_LARGE(false, false),
    /**
     * The time of the call is over, which its caller has chosen: whoever asks for too little must
     * not take the route away from others.
     */
    LATE(false, false);

    private final boolean retried;
    private final boolean counted;

    Kind(boolean retried, boolean counted) {
      this.retried = retried;
      this.counted = counted;
    }

    /** Whether the same request at the same route may do better. */
    boolean isRetried() {
      return retried;
    }

    /** Whether it speaks against the route. */
    boolean isCounted() {
      return counted;
    }
  }

  private final Kind kind;
  private final transient @Nullable Duration retryAfter;

  ProviderFailure(Kind kind, String message) {
    this(kind, message, null);
  }

  ProviderFailure(Kind kind, String message, @Nullable Duration retryAfter) {
    super(message, null, false, false);
    this.kind = kind;
    this.retryAfter = retryAfter;
  }

  Kind kind() {
    return kind;
  }

  String why() {
    return String.valueOf(getMessage());
  }

  /** How long the provider wants to be left alone; null if it does not say. */
  @Nullable Duration retryAfter() {
    return retryAfter;
  }
}
