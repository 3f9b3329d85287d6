package org.aionos.policies;

import java.math.BigDecimal;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.policy.Tuning.Quota;
import org.jspecify.annotations.Nullable;

/**
 * What {@code quotas.yaml} lets tenants and agents use. What is said of one by its name goes before
 * the default, limit by limit.
 */
final class Quotas {

  static final Quotas UNSAID = new Quotas(Quota.UNSAID, Quota.UNSAID, Map.of(), Map.of());

  /** So many of anything are more than a kernel can have. */
  private static final long MANY = 1_000_000_000;

  private static final int CONCURRENCY_MANY = 1_000_000;

  private final Quota ofTenant;
  private final Quota ofAgent;
  private final Map<String, Quota> tenants;
  private final Map<AgentId, Quota> agents;

  private Quotas(
      Quota ofTenant, Quota ofAgent, Map<String, Quota> tenants, Map<AgentId, Quota> agents) {
    this.ofTenant = ofTenant;
    this.ofAgent = ofAgent;
    this.tenants = Map.copyOf(tenants);
    this.agents = Map.copyOf(agents);
  }

  static Quotas read(Fields root) throws InvalidDocument {
    Quota ofTenant = quota(root.objectOrEmpty("default"), Quota.UNSAID);
    Quota ofAgent = quota(root.objectOrEmpty("default_agent"), Quota.UNSAID);
    Map<String, Quota> tenants = new HashMap<>();
    Map<AgentId, Quota> agents = new HashMap<>();
    for (Map.Entry<String, Fields> tenant : Names.tenants(root).entrySet()) {
      tenants.put(tenant.getKey(), quota(tenant.getValue(), ofTenant));
      for (Map.Entry<AgentId, Fields> agent :
          Names.agents(tenant.getKey(), tenant.getValue()).entrySet()) {
        agents.put(agent.getKey(), quota(agent.getValue(), ofAgent));
      }
    }
    return new Quotas(ofTenant, ofAgent, tenants, agents);
  }

  private static Quota quota(Fields fields, Quota absent) throws InvalidDocument {
    Long concurrency = fields.wholeNumberOrNull("max_concurrency", 0, CONCURRENCY_MANY);
    Long tokens = fields.wholeNumberOrNull("token_rate", 0, MANY);
    BigDecimal usd = fields.numberOrNull("usd_per_hour", 0, CONCURRENCY_MANY);
    Long calls = fields.wholeNumberOrNull("calls_per_hour", 0, MANY);
    return new Quota(
        concurrency == null ? absent.maxConcurrency() : Integer.valueOf(concurrency.intValue()),
        tokens == null ? absent.tokenRate() : tokens,
        usd == null ? absent.usdPerHour() : usd,
        calls == null ? absent.callsPerHour() : calls);
  }

  Quota of(String tenant) {
    return tenants.getOrDefault(tenant, ofTenant);
  }

  Quota of(AgentId agent) {
    return agents.getOrDefault(agent, ofAgent);
  }

  /** What holds for whom no name is said. */
  Quota ofAnyTenant() {
    return ofTenant;
  }

  Quota ofAnyAgent() {
    return ofAgent;
  }

  Set<String> namedTenants() {
    return tenants.keySet();
  }

  Set<AgentId> namedAgents() {
    return agents.keySet();
  }

  /** Whether a limit is higher than another; null is none, and so the highest. */
  static <T extends Comparable<T>> boolean higher(@Nullable T limit, @Nullable T than) {
    return than != null && (limit == null || limit.compareTo(than) > 0);
  }
}
