package org.aionos.router;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.aionos.kernel.Asked;
import org.aionos.kernel.CallListener;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Interim;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Reply;
import org.jspecify.annotations.Nullable;

/**
 * One syscall between its two journal records. However many try to end it, it ends once: the first
 * outcome is written and answered, later ones are dropped.
 */
final class Call {

  final Asked asked;
  private final Journal journal;
  private final CallListener listener;
  private final LongSupplier nanoClock;
  private final long begunNanos;
  private final AtomicBoolean ended = new AtomicBoolean();
  private volatile @Nullable Decision decision;
  private volatile @Nullable String cancelledBy;

  Call(
      Asked asked,
      Journal journal,
      CallListener listener,
      LongSupplier nanoClock,
      long begunNanos) {
    this.asked = asked;
    this.journal = journal;
    this.listener = listener;
    this.nanoClock = nanoClock;
    this.begunNanos = begunNanos;
  }

  void decided(Decision by) {
    decision = by;
  }

  void begun() {
    listener.begun(asked.auditId());
  }

  /** Passes on what the call says, until it has ended. */
  void said(Interim interim) {
    if (!ended.get()) {
      listener.said(interim);
    }
  }

  void cancel(String by) {
    cancelledBy = by;
  }

  /** The outcome of a call that was interrupted. */
  Outcome interrupted() {
    String by = cancelledBy;
    return Outcome.failed(
        by == null
            ? Problem.of(Code.TIMED_OUT, "the deadline passed before the call had ended")
            : Problem.of(Code.CANCELLED, "cancelled by " + by));
  }

  /** Writes and answers an outcome; false if the call had ended before. */
  boolean end(Outcome outcome) {
    if (!ended.compareAndSet(false, true)) {
      return false;
    }
    Duration took = Duration.ofNanos(nanoClock.getAsLong() - begunNanos);
    Outcome told = outcome;
    try {
      journal.ended(asked, decision, outcome, took);
    } catch (Refused unwritten) {
      // What is not on record must not be acknowledged; the intent stands, so it shows as unknown.
      told =
          Outcome.failed(
              Problem.later(
                  Code.JOURNAL_UNAVAILABLE,
                  "the call may have run, but its outcome could not be recorded",
                  Duration.ofSeconds(1)));
    }
    listener.ended(new Reply(asked.auditId(), told, took));
    return true;
  }
}
