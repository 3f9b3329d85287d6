package org.aionos.router;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Map;
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
import org.aionos.kernel.task.TaskCalls.Turn;
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
  private volatile Turn turn = Turn.NONE;
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

  /** The call has its place among those of its task. */
  void turn(Turn taken) {
    turn = taken;
  }

  /** Whether the task has made this call before, and is told again how it ended. */
  boolean isReplayed() {
    return turn.recorded() != null;
  }

  /** Ends the call as it ended before. Nothing is carried out; the record says so. */
  Outcome replay() {
    Reply before = requireNonNull(turn.recorded());
    Outcome nothingDone =
        new Outcome.Ok(
            Map.of(), Outcome.Spent.NOTHING, new Outcome.Engine("replay", before.auditId()));
    turn = Turn.NONE;
    end(nothingDone, before);
    return before.outcome();
  }

  /**
   * The call is about to be carried out.
   *
   * @throws org.aionos.kernel.Refused if its task's log cannot take it: then it must not be
   */
  void begun() {
    turn.asked(asked.auditId());
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
    return end(outcome, null);
  }

  private boolean end(Outcome outcome, @Nullable Reply answer) {
    if (!ended.compareAndSet(false, true)) {
      return false;
    }
    Duration took = Duration.ofNanos(nanoClock.getAsLong() - begunNanos);
    Reply reply = answer == null ? new Reply(asked.auditId(), outcome, took) : answer;
    try {
      journal.ended(asked, decision, outcome, took);
      turn.ended(reply);
    } catch (Refused unwritten) {
      // What is not on record must not be acknowledged; the intent stands, so it shows as unknown.
      reply =
          new Reply(
              asked.auditId(),
              Outcome.failed(
                  Problem.later(
                      Code.JOURNAL_UNAVAILABLE,
                      "the call may have run, but its outcome could not be recorded",
                      Duration.ofSeconds(1))),
              took);
    }
    listener.ended(reply);
    return true;
  }
}
