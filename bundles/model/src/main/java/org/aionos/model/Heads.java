package org.aionos.model;

import java.io.ByteArrayOutputStream;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeFormatter;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.model.ProviderFailure.Kind;
import org.eclipse.jetty.client.Response;
import org.jspecify.annotations.Nullable;

/** What the head of an answer says about it. */
final class Heads {

  /** A message is a line or two. */
  private static final int REFUSAL_BYTES_MAX = 16 << 10;

  private static final int QUOTED_MAX = 300;
  private static final long SECONDS_MAX = 86_400;

  /** A shorter one would blank out half of a message. */
  private static final int KEY_LENGTH_MIN = 4;

  private final InstantSource clock;

  Heads(InstantSource clock) {
    this.clock = clock;
  }

  /**
   * Waits for the head of an answer.
   *
   * @throws ProviderFailure unless the answer is one
   */
  void check(Exchange exchange, ModelSettings.Provider provider)
      throws InterruptedException, ProviderFailure {
    Response head = exchange.head();
    int status = head.getStatus();
    if (status == 200) {
      return;
    }
    if (status == 429 || status >= 500) {
      exchange.leave();
      throw new ProviderFailure(
          Kind.UNAVAILABLE,
          status == 429 ? "is asked too much (429)" : "failed (" + status + ")",
          retryAfter(head.getHeaders().get("retry-after")));
    }
    if (status == 404) {
      throw new ProviderFailure(Kind.UNKNOWN_MODEL, "is not known to its provider (404)");
    }
    if (status == 400 || status == 413 || status == 422) {
      throw new ProviderFailure(
          Kind.REFUSED, "does not take this request (" + status + ")" + words(exchange, provider));
    }
    boolean key = status == 401 || status == 403;
    throw new ProviderFailure(
        Kind.MISCONFIGURED,
        key ? "does not take the operator's key (" + status + ")" : "answers " + status);
  }

  private @Nullable Duration retryAfter(@Nullable String written) {
    if (written == null) {
      return null;
    }
    try {
      return Duration.ofSeconds(
          Math.min(SECONDS_MAX, Math.max(0, Long.parseLong(written.strip()))));
    } catch (NumberFormatException date) {
      return until(written.strip());
    }
  }

  private @Nullable Duration until(String date) {
    try {
      Instant then = Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(date));
      Duration wait = Duration.between(clock.instant(), then);
      return wait.isNegative() ? Duration.ZERO : wait;
    } catch (DateTimeException nonsense) {
      return null;
    }
  }

  /** What the provider says of the caller's own request; never its key. */
  private static String words(Exchange exchange, ModelSettings.Provider provider)
      throws InterruptedException, ProviderFailure {
    byte[] body = body(exchange, REFUSAL_BYTES_MAX);
    String said;
    try {
      Fields answer = Documents.json(body);
      said =
          answer.value("error") instanceof String text
              ? text
              : answer.objectOrEmpty("error").text("message", answer.text("message", ""));
    } catch (InvalidDocument notOurs) {
      return "";
    }
    String key = provider.key();
    String safe =
        key != null && key.length() >= KEY_LENGTH_MIN ? said.replace(key, "[withheld]") : said;
    String line = safe.replaceAll("[\\p{Cntrl}\\s]+", " ").strip();
    int end = Math.min(QUOTED_MAX, line.length());
    // Not between the two halves of one character.
    end -= end > 0 && Character.isHighSurrogate(line.charAt(end - 1)) ? 1 : 0;
    return line.isEmpty() ? "" : ": " + line.substring(0, end);
  }

  /**
   * The whole body.
   *
   * @throws ProviderFailure {@code TOO_LARGE}, or if it breaks off
   */
  static byte[] body(Exchange exchange, int bytesMax) throws InterruptedException, ProviderFailure {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (byte[] more = exchange.next(); more != null; more = exchange.next()) {
      body.write(more, 0, more.length);
      if (body.size() > bytesMax) {
        throw new ProviderFailure(Kind.TOO_LARGE, "says more than " + bytesMax + " bytes");
      }
    }
    return body.toByteArray();
  }
}
