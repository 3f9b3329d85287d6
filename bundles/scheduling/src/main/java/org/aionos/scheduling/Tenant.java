package org.aionos.scheduling;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A tenant, over all tiers. */
final class Tenant {

  final String name;
  final TenantShare[] shares;
  final Map<String, Agent> agents = new HashMap<>();
  Rules.Quota quota;
  int running;
  int yielding;
  boolean held;
  long heldUntilMillis;
  @Nullable Alarm release;

  Tenant(String name, Present present, Tiers tiers) {
    this.name = name;
    this.quota = present.rules.tenant(name);
    this.shares = new TenantShare[tiers.all().size()];
    for (Queue queue : tiers.all()) {
      shares[queue.tier.ordinal()] = new TenantShare(present, this, queue);
    }
  }

  boolean isFull() {
    return running >= quota.concurrencyMax();
  }

  /** Whether one more may run, but not two: that place is for the highest tier that wants it. */
  boolean isAtLastPlace() {
    return running == quota.concurrencyMax() - 1;
  }

  void refresh() {
    for (TenantShare share : shares) {
      share.refresh();
    }
  }
}
