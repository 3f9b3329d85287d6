package org.aionos.router;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.aionos.kernel.Asked;
import org.aionos.kernel.CallListener;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Decision.Allow;
import org.aionos.kernel.Interim;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Reply;
import org.aionos.kernel.Underway;
import org.aionos.kernel.task.TaskCalls.Turn;
import org.jspecify.annotations.Nullable;

/**
 * One syscall between its two journal records. However many try to end it, it ends once: the first
 * outcome is written and answered, later ones are dropped. One that does not end well is charged
 * for what its handler says that it has used.
 */
final class Call implements Underway {

  private static final SoFar NOTHING = new SoFar(Map.of(), Outcome.Spent.NOTHING);
  private static final String PREEMPTED = "the scheduler, to go on later";

  final Asked asked;
  private final Journal journal;
  private final CallListener listener;
  private final LongSupplier nanoClock;
  final long begunNanos;
  private final AtomicBoolean ended = new AtomicBoolean();
  private volatile @Nullable Decision decision;
  private volatile Turn turn = Turn.NONE;
  private volatile @Nullable String cancelledBy;
  private volatile @Nullable Supplier<SoFar> progress;
  private volatile boolean suspended;
  private volatile boolean replayed;

  /** How far it was when it was broken off, once somebody has asked. Guarded by this. */
  private @Nullable SoFar soFar;

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

  @Nullable Decision decision() {
    return decision;
  }

  /** The decision that let it run; null if it was not carried out. */
  @Nullable Allow permit() {
    return !replayed && decision instanceof Allow allow ? allow : null;
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
    replayed = true;
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

  @Override
  public @Nullable Map<String, @Nullable Object> before() {
    return turn.before();
  }

  @Override
  public void report(Supplier<SoFar> soFar) {
    progress = soFar;
  }

  void cancel(String by) {
    cancelledBy = by;
  }

  /** Whether it is a task's that can go on later from where it is; then it is to be broken off. */
  boolean suspend() {
    boolean can = asked.syscall().caller().task() != null && progress != null;
    if (can) {
      suspended = true;
      cancelledBy = PREEMPTED;
    }
    return can;
  }

  /** The outcome of a call that was interrupted. */
  Outcome interrupted() {
    String by = cancelledBy;
    return failed(
        by == null
            ? Problem.of(Code.TIMED_OUT, "the deadline passed before the call had ended")
            : Problem.of(Code.CANCELLED, "cancelled by " + by));
  }

  /** The outcome of a call that was begun and did not end well. */
  Outcome failed(Problem problem) {
    return new Outcome.Failed(problem, null, soFar().spent());
  }

  private synchronized SoFar soFar() {
    SoFar known = soFar;
    if (known == null) {
      Supplier<SoFar> asked = progress;
      known = asked == null ? NOTHING : asked.get();
      soFar = known;
    }
    return known;
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
      if (suspended && outcome.code() == Code.CANCELLED) {
        turn.suspended(soFar());
      } else {
        turn.ended(reply);
      }
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
