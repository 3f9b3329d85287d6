package org.aionos.process;

import java.time.Instant;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.AgentProcess.State;
import org.aionos.kernel.AgentProcess.Vitals;

/**
 * An agent in memory: its row as it stands on disk, and the signs of life since. Signs come from
 * many threads and take no lock; the row is replaced under the table's lock.
 */
final class Agent {

  /**
   * Agents with a metric series of their own: the first ones registered, so that a restart gives
   * the same ones. All others share one series.
   */
  private static final int SERIES_MAX = 1_000;

  private final String writtenId;
  private final String[] labels;
  private volatile Row row;
  private volatile Vitals vitals = Vitals.UNKNOWN;
  private volatile long seenMillis;
  private volatile long leaseNanos;

  /**
   * @param leaseNanos when the lease begins: now, however long the kernel was away
   */
  Agent(Row row, long leaseNanos) {
    this.row = row;
    this.writtenId = row.id().toString();
    this.seenMillis = row.lastSeenAt().toEpochMilli();
    this.leaseNanos = leaseNanos;
    this.labels =
        row.place() < SERIES_MAX
            ? new String[] {row.id().tenant(), row.id().name()}
            : new String[] {"other", "other"};
  }

  String writtenId() {
    return writtenId;
  }

  /** Values of the labels tenant and agent. */
  String[] labels() {
    return labels;
  }

  Row row() {
    return row;
  }

  void become(Row changed) {
    row = changed;
  }

  void say(Vitals news) {
    vitals = news;
  }

  void seen(long wallMillis, long nanos) {
    seenMillis = wallMillis;
    leaseNanos = nanos;
  }

  Instant seenAt() {
    return Instant.ofEpochMilli(seenMillis);
  }

  long ageNanos(long nanos) {
    return nanos - leaseNanos;
  }

  AgentProcess shown(Lease lease, long nanos) {
    Row now = row;
    State state = lease.state(now.state(), ageNanos(nanos));
    return now.shown(state, seenAt(), vitals);
  }
}
