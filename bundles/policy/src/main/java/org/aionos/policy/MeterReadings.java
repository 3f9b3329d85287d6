package org.aionos.policy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.aionos.kernel.Meters;
import org.aionos.policies.Gates;
import org.jspecify.annotations.Nullable;

/**
 * What gates ask of the kernel's meters, out of their text form (Prometheus 0.0.4). Not for many
 * threads.
 */
final class MeterReadings {

  private final Meters meters;
  private final Map<String, Double> before = new HashMap<>();

  MeterReadings(Meters meters) {
    this.meters = meters;
  }

  /**
   * The answers by gate; a gate whose meter is not there, or of which there is no earlier reading
   * yet to see it grow, is missing.
   *
   * @param seconds since the last reading
   */
  Map<String, Double> read(Gates gates, double seconds) {
    Map<String, Double> found = new HashMap<>();
    String text = null;
    for (Gates.Gate gate : gates.gates()) {
      Gates.Query query = gate.query();
      if (query != null) {
        text = text == null ? text() : text;
        Double value = sum(text, query);
        Double answer = query.perSecond() ? rate(gate.name(), value, seconds) : value;
        if (answer != null) {
          found.put(gate.name(), answer);
        }
      }
    }
    return found;
  }

  private @Nullable Double rate(String gate, @Nullable Double value, double seconds) {
    Double last = value == null ? before.remove(gate) : before.put(gate, value);
    // A counter that fell has begun anew.
    return value == null || last == null || seconds <= 0
        ? null
        : Double.valueOf((value < last ? value : value - last) / seconds);
  }

  private String text() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      meters.writeText(out);
    } catch (IOException cannotBeHere) {
      return "";
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  /** Adds up all samples of a meter that have the labels; null if there is none. */
  static @Nullable Double sum(String text, Gates.Query query) {
    Double sum = null;
    for (String line : text.split("\n", -1)) {
      if (line.startsWith(query.metric())) {
        String rest = line.substring(query.metric().length());
        int labels = rest.startsWith("{") ? closing(rest) : -1;
        boolean ours = rest.startsWith(" ") || labels > 0;
        if (ours && has(labels > 0 ? rest.substring(1, labels) : "", query.labels())) {
          Double value = value(rest.substring(labels + 1).strip());
          sum = value == null ? sum : Double.valueOf(sum == null ? value : sum + value);
        }
      }
    }
    return sum;
  }

  /** Where the labels end: a value may have any character in it. */
  private static int closing(String labels) {
    boolean quoted = false;
    for (int i = 0; i < labels.length(); i++) {
      char c = labels.charAt(i);
      if (quoted && c == '\\') {
        i++;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (!quoted && c == '}') {
        return i;
      }
    }
    return -1;
  }

  private static boolean has(String labels, Map<String, String> wanted) {
    String all = "," + labels + ",";
    return wanted.entrySet().stream()
        .allMatch(
            label ->
                all.contains("," + label.getKey() + "=\"" + escaped(label.getValue()) + "\","));
  }

  private static String escaped(String value) {
    return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
  }

  private static @Nullable Double value(String text) {
    int end = text.indexOf(' ');
    try {
      return Double.valueOf(end < 0 ? text : text.substring(0, end));
    } catch (NumberFormatException infinite) {
      return null;
    }
  }
}
