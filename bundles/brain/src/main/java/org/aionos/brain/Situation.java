package org.aionos.brain;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.aionos.policies.PolicyDocument;
import org.aionos.scheduling.Rules;
import org.jspecify.annotations.Nullable;

/**
 * All that is known when a proposal is judged.
 *
 * @param version in force
 * @param inForce what it says
 * @param baseline what the operator has wanted: the last version that a person put in force
 * @param rules how turns are taken now
 * @param configured what the kernel's own configuration lets tenants use, by tenant
 * @param memoryBytes what each tenant keeps, of the type of which it keeps most
 */
record Situation(
    String version,
    PolicyDocument inForce,
    PolicyDocument baseline,
    Rules rules,
    Map<String, Limits> configured,
    Map<String, Long> memoryBytes,
    Snapshot snapshot) {

  /** A name that nobody has: what holds for whom none is said. */
  private static final String NOBODY = "-";

  Situation {
    configured = Map.copyOf(configured);
    memoryBytes = Map.copyOf(memoryBytes);
  }

  /** What a tenant may use now. */
  Limits limits(String tenant) {
    return limits(inForce, tenant);
  }

  /** What the operator let it use. */
  Limits baseline(String tenant) {
    return limits(baseline, tenant);
  }

  private Limits limits(PolicyDocument document, String tenant) {
    return Limits.of(document.quota(tenant)).and(configured.getOrDefault(tenant, Limits.NONE));
  }

  /** What a tenant may keep now, in bytes; null where the policy does not say. */
  @Nullable BigDecimal memory(String tenant) {
    return memory(inForce, tenant);
  }

  @Nullable BigDecimal memoryBaseline(String tenant) {
    return memory(baseline, tenant);
  }

  private static @Nullable BigDecimal memory(PolicyDocument document, String tenant) {
    Long bytes = document.memory(tenant).tenantBytesMax();
    return bytes == null ? null : BigDecimal.valueOf(bytes);
  }

  /** The routes of each model, as the version in force orders them for all. */
  Map<String, List<String>> routes() {
    return inForce.models(NOBODY).routes();
  }
}
