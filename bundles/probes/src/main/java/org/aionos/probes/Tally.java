package org.aionos.probes;

import java.util.ArrayList;
import java.util.List;
import org.aionos.kernel.ToolProbes.Reading;

/** What one tool did, in all its processes, and whether that is unusual. For one thread. */
final class Tally {

  private static final long SECOND_NANOS = 1_000_000_000;

  /**
   * What is usual in a second.
   *
   * @param ioBytesMax of files, read and written
   */
  record Usual(long ioBytesMax, long deniedMax) {}

  /**
   * Something unusual.
   *
   * @param kind {@code latency}, {@code io} or {@code denied}
   */
  record Anomaly(String kind, String what) {}

  private final Usual usual;
  private Counts all = Counts.NONE;
  private Counts second = Counts.NONE;
  private long secondBegunNanos;

  Tally(Usual usual, long nowNanos) {
    this.usual = usual;
    this.secondBegunNanos = nowNanos;
  }

  /**
   * Adds what was counted since the last time; once a second is over, says what was unusual in it.
   */
  List<Anomaly> add(Counts more, long nowNanos) {
    all = all.plus(more);
    second = second.plus(more);
    long took = nowNanos - secondBegunNanos;
    if (took < SECOND_NANOS) {
      return List.of();
    }
    List<Anomaly> anomalies = anomalies((double) took / SECOND_NANOS);
    second = Counts.NONE;
    secondBegunNanos = nowNanos;
    return anomalies;
  }

  private List<Anomaly> anomalies(double seconds) {
    List<Anomaly> anomalies = new ArrayList<>();
    if (second.slowCalls() > 0) {
      anomalies.add(
          new Anomaly(
              "latency",
              second.slowCalls()
                  + " slow system calls; 99 % take less than "
                  + second.microsP99()
                  + " microseconds"));
    }
    long bytes = Math.round((second.readBytes() + second.writtenBytes()) / seconds);
    if (bytes > usual.ioBytesMax()) {
      anomalies.add(new Anomaly("io", bytes + " bytes of files a second"));
    }
    long denied = Math.round(second.denied() / seconds);
    if (denied > usual.deniedMax()) {
      anomalies.add(new Anomaly("denied", denied + " denied system calls a second"));
    }
    return anomalies;
  }

  Reading reading(String tool) {
    return new Reading(
        tool,
        all.calls(),
        all.denied(),
        all.readBytes(),
        all.writtenBytes(),
        all.slowCalls(),
        all.microsP99());
  }
}
