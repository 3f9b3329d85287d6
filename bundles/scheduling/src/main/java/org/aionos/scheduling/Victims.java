package org.aionos.scheduling;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Who would have to make room, and for whom. Looks only. */
final class Victims {

  /**
   * @param takesSlot whether the beneficiary gets the very next slot; else only the way is cleared
   *     for it
   */
  record Choice(Entry victim, Entry beneficiary, boolean takesSlot) {}

  private final Present present;
  private final Tiers tiers;
  private final List<Entry> running;

  Victims(Present present, Tiers tiers, List<Entry> running) {
    this.present = present;
    this.tiers = tiers;
    this.running = running;
  }

  /**
   * Null if nobody is to make room.
   *
   * @param frozen so many are, or are about to be
   */
  @Nullable Choice choose(int frozen) {
    Choice choice = betweenTiers();
    if (choice == null) {
      choice = withinQuotas();
    }
    if (choice == null && frozen < present.rules.frozenByTurnsMax()) {
      choice = withinTiers();
      choice = choice != null ? choice : withinTenants();
    }
    return choice;
  }

  private @Nullable Choice betweenTiers() {
    Queue next = tiers.next();
    Choice choice = next == null ? null : forTier(next);
    for (Queue queue : tiers.all()) {
      if (choice == null && queue != next && queue.isContending()) {
        choice = forTier(queue);
      }
    }
    return choice;
  }

  private @Nullable Choice forTier(Queue queue) {
    Entry victim = null;
    for (Entry each : running) {
      if (mayTakeFrom(queue, each.home.parent.queue)
          && each.isAvailable(present.rules, present.nowMillis)
          && (victim == null || isBetter(each, victim))) {
        victim = each;
      }
    }
    Entry head = head(queue);
    return victim == null || head == null ? null : new Choice(victim, head, true);
  }

  /** The higher tier from the lower, a lower one what it is owed, and both only what is above. */
  static boolean mayTakeFrom(Queue taker, Queue giver) {
    return taker != giver
        && (taker.tier.compareTo(giver.tier) < 0 || taker.isOwed())
        && giver.isAboveGuarantee();
  }

  /** The lowest tier, then the least lost, then the last one begun. */
  private boolean isBetter(Entry one, Entry other) {
    int order = one.home.parent.queue.tier.compareTo(other.home.parent.queue.tier);
    if (order != 0) {
      return order > 0;
    }
    long lost = one.lostMillis(present.nowMillis);
    long otherLost = other.lostMillis(present.nowMillis);
    return lost != otherLost ? lost < otherLost : one.startedMillis > other.startedMillis;
  }

  private @Nullable Choice withinTiers() {
    for (Queue queue : tiers.all()) {
      TenantShare first = queue.tenants.first();
      Entry victim = first == null ? null : leading(queue, first);
      Entry head = first == null ? null : head(first);
      if (victim != null && head != null) {
        return new Choice(victim, head, true);
      }
    }
    return null;
  }

  private @Nullable Entry leading(Queue queue, TenantShare behind) {
    Entry victim = null;
    for (Entry each : running) {
      TenantShare share = each.home.parent;
      if (share.queue == queue
          && share != behind
          && gap(share, behind) > present.rules.sliceMillis()
          && each.isAvailable(present.rules, present.nowMillis)
          && (victim == null || isFurther(each, share, victim, victim.home.parent))) {
        victim = each;
      }
    }
    return victim;
  }

  /** How far one share would still be before another after giving up a slot to it. */
  static double gap(Share ahead, Share behind) {
    return ahead.standingWithOneLess() - behind.standing();
  }

  private boolean isFurther(Entry one, Share share, Entry other, Share otherShare) {
    int order = Double.compare(share.standing(), otherShare.standing());
    return order != 0 ? order > 0 : isBetter(one, other);
  }

  private @Nullable Choice withinTenants() {
    for (Entry each : running) {
      AgentShare first = each.isAvailable(present.rules, present.nowMillis) ? behind(each) : null;
      Entry head = first == null ? null : first.jobs.peek();
      if (head != null) {
        return new Choice(each, head, !each.home.parent.isBlocked());
      }
    }
    return null;
  }

  /** The agent of the same tenant and tier that should have this one's slot; null if none. */
  private @Nullable AgentShare behind(Entry entry) {
    if (entry.agent.tenant.held || entry.agent.tenant.yielding > 0) {
      return null;
    }
    AgentShare first = entry.home.parent.agents.first();
    return first != null
            && first != entry.home
            && gap(entry.home, first) > present.rules.sliceMillis()
        ? first
        : null;
  }

  /** A tenant or an agent that may run no more at once runs what is higher. */
  private @Nullable Choice withinQuotas() {
    for (Entry each : running) {
      Entry higher = each.isAvailable(present.rules, present.nowMillis) ? blockedBy(each) : null;
      if (higher != null) {
        return new Choice(each, higher, false);
      }
    }
    return null;
  }

  /** What of the same tenant is higher and cannot start because this one runs; null if nothing. */
  @Nullable Entry blockedBy(Entry entry) {
    Tenant tenant = entry.agent.tenant;
    if (tenant.yielding > 0) {
      return null;
    }
    for (int tier = 0; tier < entry.home.parent.queue.tier.ordinal(); tier++) {
      AgentShare same = entry.agent.shares[tier];
      if (same.isBlocked()) {
        return same.jobs.peek();
      }
      TenantShare share = tenant.shares[tier];
      if (share.isBlocked()) {
        return head(share);
      }
    }
    return null;
  }

  static @Nullable Entry head(Queue queue) {
    TenantShare first = queue.tenants.first();
    return first == null ? null : head(first);
  }

  private static @Nullable Entry head(TenantShare share) {
    AgentShare first = share.agents.first();
    return first == null ? null : first.jobs.peek();
  }
}
