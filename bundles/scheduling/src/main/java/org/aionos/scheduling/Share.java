package org.aionos.scheduling;

import java.util.Comparator;

/** What one of several that share by weight has had. */
abstract class Share extends Heap.Element {

  static final Comparator<Share> LEAST_FIRST =
      (one, other) -> {
        int order = Double.compare(one.virtual, other.virtual);
        return order != 0 ? order : Long.compare(one.turn, other.turn);
      };

  final Present present;
  final Usage usage = new Usage();

  /** Whether something of it could start if there was a slot. */
  boolean ready;

  /** Slots that it holds. */
  int running;

  /** Slots among them that it is given for a trial; they take no time. */
  int tried;

  /** Slots among them that are about to be given up. */
  int yielding;

  /** When it became ready: among equals the one that waits longest is first. */
  long turn;

  /** Slot time divided by weight, as of {@link #atMillis}. */
  double virtual;

  private long atMillis;

  Share(Present present) {
    this.present = present;
    this.atMillis = present.nowMillis;
  }

  abstract int weight();

  /** Brings what it has had up to now; before its slots or its weight change. */
  final void settle() {
    usage.add(atMillis, present.nowMillis, running, present.rules.windowMillis());
    virtual = virtualNow();
    atMillis = present.nowMillis;
  }

  final double virtualNow() {
    return virtual + rate() * (present.nowMillis - atMillis);
  }

  /** How fast its virtual time goes, per millisecond. */
  final double rate() {
    return (double) (running - tried) / weight();
  }

  /**
   * Where it stands, in virtual time; a slot that it holds counts as a slice it has had already.
   */
  final double standing() {
    return virtualNow() + (running - yielding) * slice();
  }

  /** Where it would stand with one slot less. */
  final double standingWithOneLess() {
    return virtualNow() + (running - yielding - 1) * slice();
  }

  private double slice() {
    return (double) present.rules.sliceMillis() / weight();
  }
}
