package org.aionos.scheduling;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Those who share by weight. Next is who has had the least slot time for its weight.
 *
 * <p>Members without a slot stand still and are kept in a heap. Members with one move all the time;
 * there are no more of them than slots, so they are looked at one by one.
 */
final class Turns<S extends Share> {

  private final Present present;
  private final Heap<S> standing = new Heap<>(Share.LEAST_FIRST);
  private final List<S> served = new ArrayList<>(2);
  private int servedReady;

  /** The least that any ready member had had; never goes back. Who comes, comes in here. */
  private double virtual;

  /** The most that anybody had had when it gave up a slot. */
  private double most;

  private long quietSinceMillis;

  Turns(Present present) {
    this.present = present;
    this.quietSinceMillis = present.nowMillis;
  }

  boolean anyReady() {
    return servedReady > 0 || !standing.isEmpty();
  }

  /** Ready members. */
  int ready() {
    return servedReady + standing.size();
  }

  /** Who is next; null if nobody is ready. */
  @Nullable S first() {
    S first = standing.peek();
    if (servedReady == 0) {
      return first;
    }
    for (S each : served) {
      if (each.ready && (first == null || isBefore(each, first))) {
        first = each;
      }
    }
    return first;
  }

  private static boolean isBefore(Share one, Share other) {
    int order = Double.compare(one.standing(), other.standing());
    return order != 0 ? order < 0 : one.turn < other.turn;
  }

  /** All that are ready, and those who hold slots. */
  List<S> all() {
    List<S> all = new ArrayList<>(served);
    all.addAll(standing.elements());
    return all;
  }

  /** Those who hold slots, ready or not. To look at only. */
  List<S> served() {
    return served;
  }

  /** The first of those who hold none; null if none of them is ready. */
  @Nullable S firstStanding() {
    return standing.peek();
  }

  /** A member can start something now, or cannot any more. */
  void ready(S member, boolean ready) {
    if (member.ready == ready) {
      return;
    }
    if (!present.trial) {
      virtual = Math.max(virtual, least());
      if (ready) {
        admit(member);
      }
    }
    member.ready = ready;
    if (member.running > 0) {
      servedReady += ready ? 1 : -1;
    } else if (ready) {
      standing.add(member);
    } else {
      standing.remove(member);
    }
    if (!present.trial && !anyReady()) {
      quietSinceMillis = present.nowMillis;
    }
  }

  /** Who comes has no arrears, however long it was away; but debts. */
  private void admit(S member) {
    if (!anyReady() && present.nowMillis - quietSinceMillis >= present.rules.sliceMillis()) {
      forget();
    }
    member.settle();
    member.virtual = Math.max(member.virtual, virtual);
    member.turn = present.nextTurn();
  }

  /** Nobody had to wait: whatever was used was nobody else's. */
  private void forget() {
    virtual = Math.max(virtual, most);
    for (S each : served) {
      each.settle();
      virtual = Math.max(virtual, each.virtual);
    }
    served.forEach(each -> each.virtual = virtual);
  }

  private double least() {
    S first = standing.peek();
    double least = first == null ? Double.POSITIVE_INFINITY : first.virtual;
    if (servedReady > 0) {
      for (S each : served) {
        least = each.ready ? Math.min(least, each.virtualNow()) : least;
      }
    }
    return Double.isInfinite(least) ? virtual : least;
  }

  /** A member gets a slot, or gives one up. */
  void running(S member, int change) {
    member.settle();
    int before = member.running;
    if (before == 0 && member.ready) {
      standing.remove(member);
    }
    member.running += change;
    member.tried += present.trial ? change : 0;
    if (before == 0) {
      served.add(member);
      servedReady += member.ready ? 1 : 0;
    } else if (member.running == 0) {
      most = Math.max(most, member.virtual);
      served.remove(member);
      servedReady -= member.ready ? 1 : 0;
      if (member.ready) {
        standing.add(member);
      }
    }
  }
}
