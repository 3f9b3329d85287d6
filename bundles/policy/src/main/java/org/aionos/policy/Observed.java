package org.aionos.policy;

import java.time.Duration;
import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.policy.PolicyVersions.Figures;

/** What is counted of the calls that one version let run. Threads share it and never wait. */
final class Observed {

  /** No call takes an hour. */
  private static final long MICROS_MAX = Duration.ofHours(1).toNanos() / 1_000;

  /** A percentile is right to a hundredth. */
  private static final int DIGITS = 2;

  private static final double MICROS_PER_MILLI = 1_000;
  private static final double SECONDS_PER_HOUR = 3_600;

  private final Recorder micros = new Recorder(1, MICROS_MAX, DIGITS);
  private final LongAdder errors = new LongAdder();
  private final DoubleAdder usd = new DoubleAdder();

  void record(Outcome outcome, Duration took) {
    micros.recordValue(Math.max(1, Math.min(MICROS_MAX, took.toNanos() / 1_000)));
    if (isError(outcome)) {
      errors.increment();
    }
    double cost = outcome.spent().costUsd().doubleValue();
    if (cost != 0) {
      usd.add(cost);
    }
  }

  /** What a caller did wrong, or a policy or a budget refused, says nothing against a version. */
  private static boolean isError(Outcome outcome) {
    return switch (outcome.code().blame()) {
      case TOOL, OPERATOR, KERNEL -> true;
      case NOBODY, CALLER, POLICY, BUDGET -> false;
    };
  }

  /** What came in since the last time, which took so long. One thread asks. */
  Figures take(double seconds) {
    Histogram interval = micros.getIntervalHistogram();
    long calls = interval.getTotalCount();
    long failed = errors.sumThenReset();
    double cost = usd.sumThenReset();
    return new Figures(
        calls,
        calls == 0 ? 0 : Math.min(1, (double) failed / calls),
        interval.getValueAtPercentile(95) / MICROS_PER_MILLI,
        seconds <= 0 ? 0 : cost * SECONDS_PER_HOUR / seconds);
  }
}
