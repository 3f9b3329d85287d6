package org.aionos.policies;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.jspecify.annotations.Nullable;

/**
 * By what a version is judged while it is new. Where there is no {@code gates.yaml}, by {@link
 * #USUAL}.
 *
 * @param intervalSeconds figures are looked at so often
 * @param samplesMin with fewer calls in an interval nothing is concluded of it
 * @param failuresMax so many failures in a row end the version
 * @param inconclusiveMax after so many intervals in a row without a conclusion an operator is
 *     called
 * @param watchSeconds so long a version that holds for all goes on to be judged by what was before
 */
public record Gates(
    long intervalSeconds,
    long samplesMin,
    int failuresMax,
    int inconclusiveMax,
    long watchSeconds,
    List<Gate> gates) {

  /** Errors and latency beside those of the version before; a kernel is never without gates. */
  public static final Gates USUAL =
      new Gates(
          60,
          50,
          3,
          60,
          1_800,
          List.of(
              new Gate("errors", Metric.ERROR_RATE, null, new BigDecimal("2"), null),
              new Gate("latency", Metric.P95_MS, null, new BigDecimal("2"), null)));

  private static final int GATES_MAX = 50;

  public Gates {
    gates = List.copyOf(gates);
  }

  /** What is measured. */
  public enum Metric {
    /** 95th percentile of the latency of calls, in milliseconds. */
    P95_MS,
    /** Share of calls that ended by a fault of a tool, an operator or the kernel: 0 to 1. */
    ERROR_RATE,
    USD_PER_HOUR,
    /** One of the kernel's own meters. */
    QUERY;

    /** As it is written in files. */
    public String written() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * One bound. Of {@code max} and {@code maxRatio} there is at least one, and all that are there
   * must hold.
   *
   * @param max the figure itself
   * @param maxRatio the figure, by that of the stable group or of the time before
   * @param query only with {@link Metric#QUERY}
   */
  public record Gate(
      String name,
      Metric metric,
      @Nullable BigDecimal max,
      @Nullable BigDecimal maxRatio,
      @Nullable Query query) {}

  /**
   * @param labels what a sample of the meter must have among its labels; all that have are added up
   * @param perSecond whether its growth counts instead of its value
   */
  public record Query(String metric, Map<String, String> labels, boolean perSecond) {}

  static Gates read(Fields root) throws InvalidDocument {
    List<Gate> gates = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (Fields fields : root.list("gates")) {
      Gate gate = gate(fields);
      if (!names.add(gate.name())) {
        throw fields.invalid("name", "is the name of another gate too");
      }
      gates.add(gate);
    }
    if (gates.isEmpty() || gates.size() > GATES_MAX) {
      throw root.invalid("gates", "must be 1 to " + GATES_MAX);
    }
    return new Gates(
        root.wholeNumber("interval_s", USUAL.intervalSeconds, 1, 86_400),
        root.wholeNumber("samples_min", USUAL.samplesMin, 1, 1_000_000),
        (int) root.wholeNumber("failures_max", USUAL.failuresMax, 1, 100),
        (int) root.wholeNumber("inconclusive_max", USUAL.inconclusiveMax, 1, 10_000),
        root.wholeNumber("watch_s", USUAL.watchSeconds, 0, 604_800),
        gates);
  }

  private static Gate gate(Fields fields) throws InvalidDocument {
    Metric metric = Metric.valueOf(fields.text("metric").toUpperCase(Locale.ROOT));
    BigDecimal max = fields.numberOrNull("max", 0, Long.MAX_VALUE);
    BigDecimal ratio = fields.numberOrNull("max_ratio", 0, 1_000_000);
    if (max == null && ratio == null) {
      throw fields.invalid("max", "is missing, and so is max_ratio: one of them must be there");
    }
    if ((metric == Metric.QUERY) != fields.has("query")) {
      throw fields.invalid("query", "must be there for the metric query, and for no other");
    }
    if (metric == Metric.QUERY && ratio != null) {
      throw fields.invalid("max_ratio", "cannot be: a meter is of the whole kernel");
    }
    return new Gate(
        fields.text("name"),
        metric,
        max,
        ratio,
        fields.has("query") ? query(fields.object("query")) : null);
  }

  private static Query query(Fields fields) throws InvalidDocument {
    Map<String, String> labels = new TreeMap<>();
    Fields wanted = fields.objectOrEmpty("labels");
    for (String label : wanted.names()) {
      labels.put(label, wanted.text(label));
    }
    return new Query(
        fields.text("metric"), Map.copyOf(labels), fields.text("as", "value").equals("rate_per_s"));
  }
}
