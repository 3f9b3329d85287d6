package org.aionos.scheduler;

import java.math.BigDecimal;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.task.TaskStore.Key;
import org.jspecify.annotations.Nullable;

/** A task that runs here, or stands frozen. Guarded by itself. */
final class Held {

  final Key key;
  Work work;
  final CallLog log;

  /** Of its agent, as it was when the task started. */
  Manifest manifest;

  volatile @Nullable Run run;
  boolean frozen;
  boolean over;

  /** Whether it has ended, and that is about to be kept. */
  boolean ending;

  /** Whether others may have been given it; to be seen without its lock. */
  volatile boolean lost;

  /** Who wants it to end; null for nobody. */
  @Nullable String cancelledBy;

  /** Why it must not go on; null if it may. */
  @Nullable Problem stopped;

  /** A change of which nobody knows yet whether the store has it. */
  @Nullable InDoubt inDoubt;

  long runningSinceMillis;

  /** Since the last time this was added to its progress. */
  private Uses uses = Uses.NOTHING;

  /** How much of what this start has run is in its progress. */
  private long runMillisKept;

  Held(Work work, CallLog log, Manifest manifest, long nowMillis) {
    this.key = work.key();
    this.work = work;
    this.log = log;
    this.manifest = manifest;
    this.runningSinceMillis = nowMillis;
  }

  /**
   * @param uses that the progress of {@code work} has in it
   */
  record InDoubt(Work work, Uses uses) {}

  /**
   * What its calls have used.
   *
   * @param untilMillis since 1970
   */
  record Uses(
      long calls,
      long replayed,
      long tokensIn,
      long tokensOut,
      BigDecimal costUsd,
      int checkpoints,
      long untilMillis) {

    static final Uses NOTHING = new Uses(0, 0, 0, 0, BigDecimal.ZERO, 0, 0);

    Uses plus(long moreCalls, long moreReplayed, int moreCheckpoints, Outcome.Spent spent) {
      return new Uses(
          calls + moreCalls,
          replayed + moreReplayed,
          tokensIn + spent.tokensIn(),
          tokensOut + spent.tokensOut(),
          costUsd.add(spent.costUsd()),
          checkpoints + moreCheckpoints,
          untilMillis);
    }

    Uses minus(Uses other) {
      return new Uses(
          calls - other.calls,
          replayed - other.replayed,
          tokensIn - other.tokensIn,
          tokensOut - other.tokensOut,
          costUsd.subtract(other.costUsd),
          checkpoints - other.checkpoints,
          other.untilMillis);
    }
  }

  synchronized void used(Outcome outcome) {
    uses = uses.plus(1, 0, 0, outcome.spent());
  }

  /** By a call that was broken off, and has not ended. */
  synchronized void usedSoFar(Outcome.Spent spent) {
    uses = uses.plus(0, 0, 0, spent);
  }

  synchronized void replayed() {
    uses = uses.plus(0, 1, 0, Outcome.Spent.NOTHING);
  }

  synchronized void checkpointed() {
    uses = uses.plus(0, 0, 1, Outcome.Spent.NOTHING);
  }

  /** Adds to a progress what it has used by now; to be told whether that was {@link #kept}. */
  synchronized Uses addTo(Progress progress, long nowMillis) {
    progress.calls += uses.calls();
    progress.replayedCalls += uses.replayed();
    progress.tokensIn += uses.tokensIn();
    progress.tokensOut += uses.tokensOut();
    progress.costUsd = progress.costUsd.add(uses.costUsd());
    progress.checkpoints += uses.checkpoints();
    progress.runMillis += sinceRunning(nowMillis);
    return new Uses(
        uses.calls(),
        uses.replayed(),
        uses.tokensIn(),
        uses.tokensOut(),
        uses.costUsd(),
        uses.checkpoints(),
        nowMillis);
  }

  /** The store has it, with what was used until then. */
  synchronized void kept(Work now, Uses added) {
    work = now;
    inDoubt = null;
    uses = uses.minus(added);
    runMillisKept += sinceRunning(added.untilMillis());
    runningSinceMillis = added.untilMillis();
  }

  /** How long it has run in all, but for the time it stood frozen. */
  synchronized long runMillis(long nowMillis) {
    return work.progress().runMillis + sinceRunning(nowMillis);
  }

  /** The same, of this start alone. */
  synchronized long runMillisSinceStart(long nowMillis) {
    return runMillisKept + sinceRunning(nowMillis);
  }

  private long sinceRunning(long nowMillis) {
    return frozen ? 0 : Math.max(0, nowMillis - runningSinceMillis);
  }

  synchronized boolean isFrozen() {
    return frozen && !over;
  }

  synchronized @Nullable AgentRun agentRun() {
    return run instanceof AgentRun agent && !over ? agent : null;
  }
}
