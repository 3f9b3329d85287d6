package org.aionos.trust;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The main section of a {@code MANIFEST.MF}. The framework has a parser of its own, so only what
 * all parsers must take alike is taken: no header twice, no stray line ends, nothing that is not a
 * header or its continuation.
 */
final class Headers {

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,69}");

  private final Map<String, String> values = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);

  private Headers() {}

  /**
   * @throws IllegalArgumentException with the reason
   */
  static Headers read(byte[] manifest) {
    Headers headers = new Headers();
    // Byte by byte: a character may be cut in two where a line is.
    headers.read(new String(manifest, ISO_8859_1).replace("\r\n", "\n"));
    return headers;
  }

  /** Names are the same whatever their case. */
  @Nullable String get(String name) {
    return values.get(name);
  }

  private void read(String text) {
    require(text.endsWith("\n"), "its manifest does not end with a line end");
    require(text.indexOf('\r') < 0 && text.indexOf(0) < 0, "its manifest has stray characters");
    String header = "";
    for (String line : text.split("\n", -1)) {
      if (line.startsWith(" ")) {
        require(!header.isEmpty(), "its manifest begins in the middle of a header");
        header += line.substring(1);
        continue;
      }
      if (!header.isEmpty()) {
        add(header);
      }
      if (line.isEmpty()) {
        require(!values.isEmpty(), "its manifest begins with an empty line");
        return;
      }
      header = line;
    }
  }

  private void add(String header) {
    int colon = header.indexOf(": ");
    String name = colon < 0 ? "" : header.substring(0, colon);
    require(NAME.matcher(name).matches(), "its manifest has a line that is not a header");
    String value = new String(header.substring(colon + 2).getBytes(ISO_8859_1), UTF_8);
    require(values.put(name, value) == null, "its manifest has the header " + name + " twice");
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(otherwise);
    }
  }
}
