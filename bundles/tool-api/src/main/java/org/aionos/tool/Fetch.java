package org.aionos.tool;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A request over HTTP that a tool wants made.
 *
 * @param method {@code GET}, {@code POST} and so on, in capitals
 * @param url absolute, {@code https} or {@code http}
 * @param headers by name; those that belong to the connection, such as {@code Host}, are refused
 * @param body empty for none; not copied, so leave it alone
 * @param timeMax within which the answer must be there whole, redirects included; null: until the
 *     call's deadline
 */
@SuppressWarnings("ArrayRecordComponent") // Bytes are carried, never compared.
public record Fetch(
    String method,
    String url,
    Map<String, String> headers,
    byte[] body,
    @Nullable Duration timeMax) {

  public Fetch {
    requireNonNull(method, "method");
    requireNonNull(url, "url");
    requireNonNull(body, "body");
    headers = Map.copyOf(new LinkedHashMap<>(headers));
  }

  public Fetch(String method, String url, Map<String, String> headers, byte[] body) {
    this(method, url, headers, body, null);
  }

  /** A plain GET. */
  public static Fetch get(String url) {
    return new Fetch("GET", url, Map.of(), new byte[0]);
  }
}
