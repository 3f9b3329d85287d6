package org.aionos.scheduling;

import org.jspecify.annotations.Nullable;

/** An agent of a tenant, over all tiers. */
final class Agent {

  final String name;
  final Tenant tenant;
  final AgentShare[] shares;
  Rules.Quota quota;

  /** Jobs that have not ended. */
  int jobs;

  int running;
  int yielding;
  boolean held;
  long heldUntilMillis;
  @Nullable Alarm release;
  @Nullable Alarm departure;

  Agent(String name, Tenant tenant, Present present) {
    this.name = name;
    this.tenant = tenant;
    this.quota = present.rules.agent(tenant.name, name);
    this.shares = new AgentShare[tenant.shares.length];
    for (int tier = 0; tier < shares.length; tier++) {
      shares[tier] = new AgentShare(present, this, tenant.shares[tier]);
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
    for (AgentShare share : shares) {
      share.refresh();
    }
    tenant.refresh();
  }
}
