package org.aionos.tool;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Map;

/**
 * The answer to a {@link Fetch}, whatever its status.
 *
 * @param status HTTP status
 * @param headers by name in lower case; of one that came several times the values are joined with
 *     commas
 * @param body as sent, not decompressed: the broker asks for no compression
 * @param url where it came from in the end, redirects followed
 */
@SuppressWarnings("ArrayRecordComponent") // Bytes are carried, never compared.
public record Fetched(int status, Map<String, String> headers, byte[] body, String url) {

  public Fetched {
    headers = Map.copyOf(headers);
  }

  /** The body as UTF-8. */
  public String text() {
    return new String(body, UTF_8);
  }
}
