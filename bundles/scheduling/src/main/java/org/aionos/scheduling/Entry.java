package org.aionos.scheduling;

import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/** A job and where it stands. */
final class Entry extends Heap.Element {

  /** Priority with ageing is an order that does not change: nothing has to be sorted again. */
  static final Comparator<Entry> ORDER =
      (one, other) -> {
        int order = Long.compare(one.order, other.order);
        return order != 0 ? order : Long.compare(one.number, other.number);
      };

  enum State {
    /** Waits for its time; is in no queue. */
    DELAYED,
    WAITING,
    RUNNING,
    YIELDING
  }

  final Job job;
  final Agent agent;
  final long number;
  AgentShare home;
  State state = State.DELAYED;
  long order;

  /** Whether it goes on where it was when it gets a slot. */
  boolean resumable;

  /** Whether it is frozen here, and holds memory. */
  boolean frozen;

  boolean raised;
  long startedMillis;
  long savedMillis;
  long spareUntilMillis;
  long notBeforeMillis;
  @Nullable Alarm due;
  @Nullable Alarm raise;

  Entry(Job job, Agent agent, AgentShare home, long number) {
    this.job = job;
    this.agent = agent;
    this.home = home;
    this.number = number;
    this.resumable = job.resumable();
    this.notBeforeMillis = job.notBeforeMillis();
  }

  boolean isWaiting() {
    return state == State.WAITING || state == State.DELAYED;
  }

  boolean holdsSlot() {
    return state == State.RUNNING || state == State.YIELDING;
  }

  /** From when on it may be preempted. */
  long availableMillis(Rules rules) {
    return Math.max(startedMillis + rules.minimumRuntimeMillis(), spareUntilMillis);
  }

  boolean isAvailable(Rules rules, long nowMillis) {
    return state == State.RUNNING && job.preemptible() && availableMillis(rules) <= nowMillis;
  }

  /** What would be lost if it was evicted now. */
  long lostMillis(long nowMillis) {
    return nowMillis - Math.max(startedMillis, savedMillis);
  }
}
