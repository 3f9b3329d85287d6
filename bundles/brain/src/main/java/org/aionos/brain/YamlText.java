package org.aionos.brain;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.aionos.document.Documents;
import org.jspecify.annotations.Nullable;

/**
 * Writes plain values as YAML that people read. The same values give the same text, always: the
 * digest of a version is of its bytes.
 */
final class YamlText {

  /** Words that no reader of YAML takes for anything else. */
  private static final Pattern PLAIN = Pattern.compile("[a-zA-Z_][a-zA-Z0-9_./-]*");

  private static final Pattern TAKEN_FOR_ELSE =
      Pattern.compile("(?i)(null|true|false|yes|no|on|off|y|n|nan|inf)");

  private YamlText() {}

  static String of(String heading, Map<String, @Nullable Object> values) {
    StringBuilder out = new StringBuilder("# ").append(heading).append('\n');
    block(values, "", out);
    return out.toString();
  }

  private static void block(Map<?, ?> values, String indent, StringBuilder out) {
    for (Map.Entry<?, ?> entry : values.entrySet()) {
      out.append(indent).append(text(String.valueOf(entry.getKey()))).append(':');
      Object value = entry.getValue();
      if (value instanceof Map<?, ?> map && !map.isEmpty()) {
        out.append('\n');
        block(map, indent + "  ", out);
      } else if (value instanceof List<?> list && list.stream().anyMatch(Map.class::isInstance)) {
        out.append('\n');
        items(list, indent + "  ", out);
      } else {
        out.append(' ').append(scalar(value)).append('\n');
      }
    }
  }

  private static void items(List<?> list, String indent, StringBuilder out) {
    for (Object item : list) {
      out.append(indent).append("- ").append(scalar(item)).append('\n');
    }
  }

  /** On one line; maps and lists in the form that JSON shares with YAML. */
  private static String scalar(@Nullable Object value) {
    if (value instanceof String text) {
      return text(text);
    }
    if (value instanceof BigDecimal number) {
      return number.toPlainString();
    }
    if (value instanceof List<?> list) {
      return "[" + String.join(", ", list.stream().map(YamlText::scalar).toList()) + "]";
    }
    return value instanceof Map<?, ?> map ? json(map) : String.valueOf(value);
  }

  private static String text(String text) {
    boolean plain = PLAIN.matcher(text).matches() && !TAKEN_FOR_ELSE.matcher(text).matches();
    if (plain) {
      return text;
    }
    String object = json(Map.of("t", text));
    return object.substring("{\"t\":".length(), object.length() - 1);
  }

  private static String json(Map<?, ?> map) {
    Map<String, Object> named = new java.util.LinkedHashMap<>();
    map.forEach((key, value) -> named.put(String.valueOf(key), value));
    return new String(Documents.write(named), UTF_8);
  }
}
