package org.aionos.router;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
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
  private final Consumer<Reply> reply;
  private final LongSupplier nanoClock;
  private final long begunNanos;
  private final AtomicBoolean ended = new AtomicBoolean();
  private volatile @Nullable Decision decision;

  Call(
      Asked asked,
      Journal journal,
      Consumer<Reply> reply,
      LongSupplier nanoClock,
      long begunNanos) {
    this.asked = asked;
    this.journal = journal;
    this.reply = reply;
    this.nanoClock = nanoClock;
    this.begunNanos = begunNanos;
  }

  void decided(Decision by) {
    decision = by;
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
    reply.accept(new Reply(asked.auditId(), told, took));
    return true;
  }
}
