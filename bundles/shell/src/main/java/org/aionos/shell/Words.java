package org.aionos.shell;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.document.InvalidDocument;
import org.jspecify.annotations.Nullable;

/** What is shown of values that strangers chose. */
final class Words {

  private Words() {}

  /** On one line, and without what would move the cursor of a terminal. */
  static String line(@Nullable Object value) {
    if (value instanceof Map<?, ?> map) {
      Map<String, @Nullable Object> named = new LinkedHashMap<>();
      map.forEach((name, each) -> named.put(String.valueOf(name), each));
      return json(named);
    }
    return value == null ? "-" : value.toString().replaceAll("\\p{Cc}", " ");
  }

  static String line(@Nullable Object value, int lengthMax) {
    String line = line(value);
    return line.length() > lengthMax ? line.substring(0, lengthMax) + "…" : line;
  }

  /** JSON on one line; it escapes all that a terminal might take for a command, but for these. */
  static String json(Map<String, @Nullable Object> values) {
    StringBuilder safe = new StringBuilder();
    new String(Documents.write(values), UTF_8)
        .chars()
        .forEach(
            c -> {
              if (c >= 0x7f && c <= 0x9f) {
                safe.append(String.format(Locale.ROOT, "\\u%04x", c));
              } else {
                safe.append((char) c);
              }
            });
    return safe.toString();
  }

  /**
   * Reads an option that is a JSON object.
   *
   * @throws IllegalArgumentException that names the option
   */
  static Map<String, @Nullable Object> object(String option, @Nullable String json) {
    if (json == null) {
      return Map.of();
    }
    try {
      return Documents.json(json.getBytes(UTF_8)).values();
    } catch (InvalidDocument invalid) {
      throw new IllegalArgumentException(
          option + " is a JSON object: " + invalid.getMessage(), invalid);
    }
  }

  /** As {@code 3s}, {@code 12m}, {@code 5h}, {@code 8d}. */
  static String age(Duration age) {
    long seconds = Math.max(0, age.toSeconds());
    if (seconds < 120) {
      return seconds + "s";
    } else if (seconds < 7_200) {
      return age.toMinutes() + "m";
    }
    return age.toHours() < 48 ? age.toHours() + "h" : age.toDays() + "d";
  }
}
