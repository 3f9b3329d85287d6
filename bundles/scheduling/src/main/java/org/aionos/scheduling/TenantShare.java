package org.aionos.scheduling;

/** A tenant in one tier. */
final class TenantShare extends Share {

  final Tenant tenant;
  final Queue queue;
  final Turns<AgentShare> agents;
  int waiting;

  TenantShare(Present present, Tenant tenant, Queue queue) {
    super(present);
    this.tenant = tenant;
    this.queue = queue;
    this.agents = new Turns<>(present);
  }

  @Override
  int weight() {
    return tenant.quota.weight();
  }

  void refresh() {
    boolean ready = agents.anyReady() && !tenant.held && !tenant.isFull();
    queue.tenants.ready(this, ready && !(tenant.isAtLastPlace() && isHigherWanted()));
  }

  private boolean isHigherWanted() {
    for (int higher = 0; higher < queue.tier.ordinal(); higher++) {
      if (tenant.shares[higher].agents.anyReady()) {
        return true;
      }
    }
    return false;
  }

  /** Whether only its tenant's concurrency keeps it back. */
  boolean isBlocked() {
    return agents.anyReady() && !tenant.held && tenant.isFull();
  }
}
