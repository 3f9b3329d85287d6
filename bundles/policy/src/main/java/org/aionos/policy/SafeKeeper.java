package org.aionos.policy;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.aionos.kernel.policy.PolicyVersions.Figures;
import org.aionos.policies.Gates;
import org.aionos.policies.Gates.Gate;
import org.jspecify.annotations.Nullable;

/**
 * Judges a version by its gates, interval by interval. Knows neither time nor files. Not for many
 * threads.
 */
final class SafeKeeper {

  // A ratio to next to nothing says nothing: figures of before count as at least this.
  private static final double ERROR_RATE_MIN = 0.01;
  private static final double MILLIS_MIN = 1;
  private static final double USD_PER_CALL_MIN = 0.0001;

  /** What is to be done after an interval. */
  enum Next {
    GO_ON,
    /** It has failed too often in a row. */
    GO_BACK,
    /** For too long nothing could be concluded. */
    CALL_OPERATOR
  }

  private enum Verdict {
    PASSED,
    INCONCLUSIVE,
    FAILED
  }

  private int failures;
  private int inconclusive;
  private boolean paused;
  private String says = "";
  private Figures figures = Figures.NONE;
  private Figures beside = Figures.NONE;

  /**
   * Takes one interval into account.
   *
   * @param now of the version that is judged
   * @param other of the others in the same interval, or of the time before
   * @param meters what the gates' queries found, by gate; a meter that is not there is missing
   */
  Next judge(Gates gates, Figures now, Figures other, Map<String, Double> meters) {
    figures = now;
    beside = other;
    List<String> why = new ArrayList<>();
    switch (verdict(gates, now, other, meters, why)) {
      case PASSED -> {
        failures = 0;
        inconclusive = 0;
      }
      case INCONCLUSIVE -> inconclusive++;
      case FAILED -> {
        failures++;
        inconclusive = 0;
      }
    }
    says = String.join("; ", why);
    if (failures >= gates.failuresMax()) {
      return Next.GO_BACK;
    }
    return inconclusive >= gates.inconclusiveMax() && !paused ? Next.CALL_OPERATOR : Next.GO_ON;
  }

  /** The operator has been called, and is not called again. */
  void pause() {
    paused = true;
  }

  private static Verdict verdict(
      Gates gates, Figures now, Figures other, Map<String, Double> meters, List<String> why) {
    if (now.calls() < gates.samplesMin()) {
      why.add(now.calls() + " calls in the interval, of " + gates.samplesMin() + " that it takes");
      return Verdict.INCONCLUSIVE;
    }
    Verdict worst = Verdict.PASSED;
    for (Gate gate : gates.gates()) {
      Verdict each = verdict(gate, gates.samplesMin(), now, other, meters, why);
      worst = each.compareTo(worst) > 0 ? each : worst;
    }
    return worst;
  }

  private static Verdict verdict(
      Gate gate,
      long samplesMin,
      Figures now,
      Figures other,
      Map<String, Double> meters,
      List<String> why) {
    Double figure = figure(gate, now, meters);
    if (figure == null || figure.isNaN()) {
      why.add(gate.name() + ": the meter is not there");
      return Verdict.INCONCLUSIVE;
    }
    if (exceeds(figure, gate.max())) {
      why.add(String.format(Locale.ROOT, "%s: %.4g, at most %s", gate.name(), figure, gate.max()));
      return Verdict.FAILED;
    }
    if (gate.maxRatio() == null) {
      return Verdict.PASSED;
    }
    if (other.calls() < samplesMin) {
      why.add(gate.name() + ": there are too few calls to compare with");
      return Verdict.INCONCLUSIVE;
    }
    double ratio = ratio(gate, now, other);
    if (exceeds(ratio, gate.maxRatio())) {
      why.add(
          String.format(
              Locale.ROOT, "%s: %.4g times, at most %s", gate.name(), ratio, gate.maxRatio()));
      return Verdict.FAILED;
    }
    return Verdict.PASSED;
  }

  private static boolean exceeds(double figure, @Nullable BigDecimal max) {
    return max != null && figure > max.doubleValue();
  }

  private static @Nullable Double figure(Gate gate, Figures now, Map<String, Double> meters) {
    return switch (gate.metric()) {
      case P95_MS -> now.latencyMillisP95();
      case ERROR_RATE -> now.errorRate();
      case USD_PER_HOUR -> now.usdPerHour();
      case QUERY -> meters.get(gate.name());
    };
  }

  private static double ratio(Gate gate, Figures now, Figures other) {
    return switch (gate.metric()) {
      case P95_MS -> now.latencyMillisP95() / Math.max(MILLIS_MIN, other.latencyMillisP95());
      case ERROR_RATE -> now.errorRate() / Math.max(ERROR_RATE_MIN, other.errorRate());
      // Of a call, since one group has more calls than the other; intervals are alike.
      case USD_PER_HOUR -> usdOfCall(now) / Math.max(USD_PER_CALL_MIN, usdOfCall(other));
      case QUERY -> 0;
    };
  }

  private static double usdOfCall(Figures figures) {
    return figures.usdPerHour() / figures.calls();
  }

  int failures() {
    return failures;
  }

  int inconclusive() {
    return inconclusive;
  }

  boolean paused() {
    return paused;
  }

  /** Why the last interval was not passed; empty if it was. */
  String says() {
    return says;
  }

  Figures figures() {
    return figures;
  }

  Figures beside() {
    return beside;
  }
}
