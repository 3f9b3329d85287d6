package org.aionos.bench;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/** What was counted while requests went to one server for some seconds. */
final class Round {

  private final Target target;
  private final Histogram nanos = new Histogram(3);
  private final Map<String, Long> others = new TreeMap<>();
  private final Duration serverBefore;
  private final Duration clientBefore;
  private long good;
  private long begun;
  private double seconds;
  private double serverSeconds;
  private double clientSeconds;

  Round(Target target) {
    this.target = target;
    this.serverBefore = target.cpu();
    this.clientBefore = clientCpu();
    this.begun = System.nanoTime();
  }

  /** Begins the round anew at an instant of {@link System#nanoTime}. */
  void beginsAt(long instant) {
    begun = instant;
  }

  /** Counts an answer that is complete. */
  void count(Connection connection, long tookNanos) {
    nanos.recordValue(Math.max(0, tookNanos));
    if (connection.isGood()) {
      good++;
    } else {
      others.merge(connection.status(), 1L, Long::sum);
    }
  }

  Round end() {
    seconds = (System.nanoTime() - begun) / 1e9;
    serverSeconds = target.cpu().minus(serverBefore).toNanos() / 1e9;
    clientSeconds = clientCpu().minus(clientBefore).toNanos() / 1e9;
    return this;
  }

  double perSecond() {
    return good / seconds;
  }

  long calls() {
    return nanos.getTotalCount();
  }

  boolean isClean() {
    return others.isEmpty();
  }

  double millis(double percentile) {
    return nanos.getValueAtPercentile(percentile) / 1e6;
  }

  /** Processor time of the server for one answer. */
  double serverMicros() {
    return serverSeconds * 1e6 / nanos.getTotalCount();
  }

  @Override
  public String toString() {
    return "%-8s %,9.0f/s  server %5.1f us/call (%3.0f%%)  client %4.1f us/call  p50 %.2f p99 %.2f ms%s"
        .formatted(
            target.name(),
            perSecond(),
            serverMicros(),
            100 * serverSeconds / seconds,
            clientSeconds * 1e6 / nanos.getTotalCount(),
            millis(50),
            millis(99),
            failures());
  }

  /** The latencies, in one line. */
  String latencies() {
    return "%-8s p50 %.3f  p90 %.3f  p99 %.3f  p99.9 %.3f  max %.3f ms  (%,d calls, %,.0f/s)%s"
        .formatted(
            target.name(),
            millis(50),
            millis(90),
            millis(99),
            millis(99.9),
            nanos.getMaxValue() / 1e6,
            nanos.getTotalCount(),
            nanos.getTotalCount() / seconds,
            failures());
  }

  private String failures() {
    return others.isEmpty() ? "" : "  NOT GOOD: " + others;
  }

  private static Duration clientCpu() {
    var system =
        (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return Duration.ofNanos(system.getProcessCpuTime());
  }
}
