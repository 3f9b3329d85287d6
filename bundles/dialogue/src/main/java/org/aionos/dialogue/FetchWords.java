package org.aionos.dialogue;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.tool.Fetch;
import org.aionos.tool.Fetched;
import org.jspecify.annotations.Nullable;

/** A request over HTTP and its answer, as JSON; the same for the syscall and for the effect. */
public final class FetchWords {

  /** What a request may say. */
  public static final String[] NAMES = {
    "effect", "id", "method", "url", "headers", "body", "body_base64", "timeout_ms"
  };

  private static final int HEADERS_MAX = 64;

  /** No call lasts longer. */
  private static final long TIMEOUT_MILLIS_MAX = 3_600_000;

  private FetchWords() {}

  public static Fetch request(Fields words) throws InvalidDocument {
    Map<String, String> headers = new LinkedHashMap<>();
    Fields given = words.objectOrEmpty("headers");
    if (given.names().size() > HEADERS_MAX) {
      throw words.invalid("headers", "are more than " + HEADERS_MAX);
    }
    for (String name : given.names()) {
      headers.put(name, given.text(name));
    }
    Long millis = words.wholeNumberOrNull("timeout_ms", 1, TIMEOUT_MILLIS_MAX);
    return new Fetch(
        words.text("method", "GET"),
        words.text("url"),
        headers,
        body(words),
        millis == null ? null : Duration.ofMillis(millis));
  }

  private static byte[] body(Fields words) throws InvalidDocument {
    if (!words.has("body_base64")) {
      return words.text("body", "").getBytes(UTF_8);
    }
    if (words.has("body")) {
      throw words.invalid("body_base64", "stands beside body");
    }
    try {
      return Base64.getDecoder().decode(words.text("body_base64"));
    } catch (IllegalArgumentException malformed) {
      throw words.invalid("body_base64", "is not Base64");
    }
  }

  public static Map<String, @Nullable Object> result(Fetched answer) {
    Map<String, @Nullable Object> words = new LinkedHashMap<>();
    words.put("status", answer.status());
    words.put("url", answer.url());
    words.put("headers", answer.headers());
    try {
      words.put("body", UTF_8.newDecoder().decode(ByteBuffer.wrap(answer.body())).toString());
    } catch (CharacterCodingException binary) {
      words.put("body_base64", Base64.getEncoder().encodeToString(answer.body()));
    }
    return words;
  }
}
