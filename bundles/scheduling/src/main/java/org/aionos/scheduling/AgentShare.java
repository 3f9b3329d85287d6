package org.aionos.scheduling;

/** An agent in one tier. */
final class AgentShare extends Share {

  final Agent agent;
  final TenantShare parent;
  final Heap<Entry> jobs = new Heap<>(Entry.ORDER);

  AgentShare(Present present, Agent agent, TenantShare parent) {
    super(present);
    this.agent = agent;
    this.parent = parent;
  }

  @Override
  int weight() {
    return agent.quota.weight();
  }

  void refresh() {
    boolean ready = !jobs.isEmpty() && !agent.held && !agent.isFull();
    parent.agents.ready(this, ready && !(agent.isAtLastPlace() && isHigherWanted()));
  }

  private boolean isHigherWanted() {
    for (int higher = 0; higher < parent.queue.tier.ordinal(); higher++) {
      if (!agent.shares[higher].jobs.isEmpty()) {
        return true;
      }
    }
    return false;
  }

  /** Whether only its agent's concurrency keeps it back. */
  boolean isBlocked() {
    return !jobs.isEmpty() && !agent.held && agent.isFull() && !agent.tenant.held;
  }
}
