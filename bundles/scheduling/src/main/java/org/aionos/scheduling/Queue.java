package org.aionos.scheduling;

import org.aionos.kernel.task.Tier;

/**
 * One tier: who waits in it, and what it is owed.
 *
 * <p>Its guarantee is {@link #entitled} slots, rarely a whole number. The whole part is its own at
 * any time; for the fraction it saves up: {@link #credit} grows while it has less than its
 * guarantee, and pays for one slot more, a quantum at a time, which is its own until the credit is
 * used up.
 */
final class Queue {

  /** Sums of fractions that are a whole number may come out a little beside it. */
  private static final double ROUNDING = 1e-9;

  final Tier tier;
  final Turns<TenantShare> tenants;

  /** Slot-milliseconds that it is owed; negative if it has had more than was its own. */
  double credit;

  /** Slots that are guaranteed to it as things stand. */
  double entitled;

  int running;

  /** Slots among them that it is given for a trial; they take no time. */
  int tried;

  int yielding;
  long waiting;

  private final Present present;
  private final Usage usage = new Usage();

  Queue(Tier tier, Present present) {
    this.tier = tier;
    this.tenants = new Turns<>(present);
    this.present = present;
  }

  int weight() {
    Integer weight = present.rules.tierWeights().get(tier);
    return weight == null ? 1 : weight;
  }

  boolean isContending() {
    return tenants.anyReady();
  }

  boolean isActive() {
    return running > 0 || isContending();
  }

  /** How many slots it holds and does not give up. */
  int used() {
    return running - yielding;
  }

  /** Whether it is its turn before all higher tiers. */
  boolean isOwed() {
    return used() + 1 <= paid() + ROUNDING;
  }

  /** Whether it holds a slot that is not its own when others want it. */
  boolean isAboveGuarantee() {
    return used() - 1 >= paid() - ROUNDING;
  }

  /** For how long, in milliseconds, it has gone without its guarantee. */
  double behindMillis() {
    return credit / entitled;
  }

  private double paid() {
    return whole() + credit / present.rules.quantumMillis();
  }

  private double whole() {
    return Math.floor(entitled + ROUNDING);
  }

  /**
   * After so many milliseconds, if nothing else happens, {@link #isOwed} or {@link
   * #isAboveGuarantee} becomes true; infinite if neither does.
   */
  double changeMillis() {
    double rate = entitled - (running - tried);
    long quantum = present.rules.quantumMillis();
    double goal = (rate > 0 ? used() + 1 - whole() : used() - 1 - whole()) * quantum;
    boolean moves = rate > 0 && isContending() && credit < goal && goal <= creditMax();
    boolean sinks = rate < 0 && credit > goal && goal >= -creditMax();
    return moves || sinks ? (goal - credit) / rate : Double.POSITIVE_INFINITY;
  }

  /** Time passes while others want slots. */
  void accrue(long millis) {
    double change = (entitled - running) * millis;
    if (!isActive()) {
      credit = 0;
    } else if (isContending()) {
      credit = clamped(credit + change);
    } else {
      // It has all that it wants: it can be in debt for what it took from others, but is owed
      // nothing more.
      credit = clamped(Math.min(Math.max(0, credit), credit + change));
    }
  }

  private double clamped(double value) {
    return Math.max(-creditMax(), Math.min(creditMax(), value));
  }

  /** Its share of a window, and enough to get a slot at all. */
  private double creditMax() {
    return Math.max(entitled * present.rules.windowMillis(), 2.0 * present.rules.quantumMillis());
  }

  void count(long fromMillis, long toMillis) {
    usage.add(fromMillis, toMillis, running, present.rules.windowMillis());
  }

  long slotMillis() {
    return usage.slotMillis(present.nowMillis, present.rules.windowMillis());
  }
}
