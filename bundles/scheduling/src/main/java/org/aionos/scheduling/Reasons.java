package org.aionos.scheduling;

import java.util.ArrayList;
import java.util.List;
import org.aionos.scheduling.Explanation.Reason;
import org.aionos.scheduling.Explanation.Standing;

/** Says why a job does not run. Looks only. */
final class Reasons {

  private final Present present;
  private final Tiers tiers;
  private final List<Entry> running;
  private final int frozen;

  Reasons(Present present, Tiers tiers, List<Entry> running, int frozen) {
    this.present = present;
    this.tiers = tiers;
    this.running = running;
    this.frozen = frozen;
  }

  Explanation of(Entry entry, int holdersMax) {
    long position = entry.holdsSlot() ? 0 : 1 + before(entry);
    List<Reason> reasons = new ArrayList<>();
    if (entry.isWaiting()) {
      ofItself(entry, reasons);
      ofQuotas(entry, reasons);
      ofOthers(entry, position, reasons, holdersMax);
    }
    return new Explanation(
        entry.job.key(),
        standing(entry),
        entry.home.parent.queue.tier,
        entry.raised,
        position,
        reasons);
  }

  private static Standing standing(Entry entry) {
    return switch (entry.state) {
      case RUNNING -> Standing.RUNNING;
      case YIELDING -> Standing.YIELDING;
      case WAITING, DELAYED -> entry.frozen ? Standing.FROZEN : Standing.WAITING;
    };
  }

  private static void ofItself(Entry entry, List<Reason> reasons) {
    if (entry.state == Entry.State.DELAYED) {
      reasons.add(new Explanation.RetryAt(entry.notBeforeMillis));
    }
    Tenant tenant = entry.agent.tenant;
    if (tenant.held) {
      reasons.add(new Explanation.HeldUntil(tenant.heldUntilMillis, false));
    }
    if (entry.agent.held) {
      reasons.add(new Explanation.HeldUntil(entry.agent.heldUntilMillis, true));
    }
  }

  private static void ofQuotas(Entry entry, List<Reason> reasons) {
    Tenant tenant = entry.agent.tenant;
    if (tenant.isFull()) {
      reasons.add(new Explanation.TenantConcurrency(tenant.running, tenant.quota.concurrencyMax()));
    }
    Agent agent = entry.agent;
    if (agent.isFull()) {
      reasons.add(new Explanation.AgentConcurrency(agent.running, agent.quota.concurrencyMax()));
    }
  }

  private void ofOthers(Entry entry, long position, List<Reason> reasons, int holdersMax) {
    int slots = present.rules.slots();
    if (running.size() >= slots) {
      reasons.add(
          new Explanation.SlotsFull(
              slots, running.stream().limit(holdersMax).map(each -> each.job.key()).toList()));
      ofVictims(entry, reasons);
    }
    if (position > 1) {
      reasons.add(new Explanation.Behind(position - 1, entry.home.parent.queue.tier));
    }
  }

  private void ofVictims(Entry entry, List<Reason> reasons) {
    tiers.entitle();
    Entry soonest = null;
    for (Entry each : running) {
      if (each.state == Entry.State.RUNNING
          && each.job.preemptible()
          && each.availableMillis(present.rules) > present.nowMillis
          && Victims.mayTakeFrom(entry.home.parent.queue, each.home.parent.queue)
          && (soonest == null || until(each) < until(soonest))) {
        soonest = each;
      }
    }
    if (soonest != null) {
      reasons.add(new Explanation.MinimumRuntime(soonest.job.key(), until(soonest)));
    }
    if (frozen >= present.rules.frozenMax()) {
      reasons.add(new Explanation.FrozenFull(frozen));
    }
  }

  private long until(Entry entry) {
    return entry.availableMillis(present.rules);
  }

  /**
   * About how many start before it, if all take turns: so many of each other as it is itself in.
   */
  private long before(Entry entry) {
    long own = 0;
    for (Entry each : entry.home.jobs.elements()) {
      own += each != entry && Entry.ORDER.compare(each, entry) < 0 ? 1 : 0;
    }
    long rank = own;
    TenantShare parent = entry.home.parent;
    for (Agent agent : parent.tenant.agents.values()) {
      AgentShare share = agent.shares[parent.queue.tier.ordinal()];
      rank += share == entry.home ? 0 : before(share, entry.home, own, share.jobs.size());
    }
    long before = rank;
    for (TenantShare share : parent.queue.tenants.all()) {
      before += share == parent ? 0 : before(share, parent, rank, share.waiting);
    }
    for (Queue higher : tiers.all().subList(0, parent.queue.tier.ordinal())) {
      before += higher.waiting;
    }
    return before;
  }

  private static long before(Share other, Share own, long rank, long waiting) {
    boolean first = Share.LEAST_FIRST.compare(other, own) < 0;
    return other.ready ? Math.min(waiting, first ? rank + 1 : rank) : 0;
  }
}
