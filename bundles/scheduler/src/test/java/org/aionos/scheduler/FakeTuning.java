package org.aionos.scheduler;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.policy.Tuning;

/** A policy that tunes what a test says. */
final class FakeTuning implements Tuning {

  Scheduling scheduling = Scheduling.UNSAID;
  final Map<String, Quota> tenants = new HashMap<>();
  final Map<AgentId, Quota> agents = new HashMap<>();
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

  static Quota concurrency(int max) {
    return new Quota(max, null, null, null);
  }

  void changed() {
    listeners.forEach(Runnable::run);
  }

  @Override
  public Scheduling scheduling() {
    return scheduling;
  }

  @Override
  public Quota quota(String tenant) {
    return tenants.getOrDefault(tenant, Quota.UNSAID);
  }

  @Override
  public Quota quota(AgentId agent) {
    return agents.getOrDefault(agent, Quota.UNSAID);
  }

  @Override
  public Models models(String tenant) {
    return Models.UNSAID;
  }

  @Override
  public Memory memory(String tenant) {
    return Memory.UNSAID;
  }

  @Override
  public AutoCloseable listen(Runnable changed) {
    listeners.add(changed);
    return () -> listeners.remove(changed);
  }
}
