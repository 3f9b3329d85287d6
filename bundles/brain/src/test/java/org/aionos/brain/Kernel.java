package org.aionos.brain;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.aionos.kernel.task.Tier;
import org.aionos.policies.InvalidPolicy;
import org.aionos.policies.PolicyDocument;
import org.aionos.scheduling.Rules;

/** A kernel's policy and figures, for tests. */
final class Kernel {

  static final String CAPABILITIES =
      """
      apiVersion: aion.os/v1
      kind: CapabilityPolicy
      version: "1"
      global:
        allow: [network, filesystem]
        deny: [subprocess]
        syscalls: { allow: ["tool.*", "memory.*"] }
        tools: { allow: ["*"], trust: { "pay*": high } }
      tenants:
        acme: { allow: [network] }
        beta: { allow: [network, filesystem] }
      """;

  static final String QUOTAS =
      """
      apiVersion: aion.os/v1
      kind: QuotaPolicy
      default: { calls_per_hour: 100000 }
      tenants:
        acme: { max_concurrency: 8, usd_per_hour: 4, calls_per_hour: 10000, token_rate: 1000 }
        beta: { max_concurrency: 8, usd_per_hour: 4, calls_per_hour: 10000 }
      """;

  static final String MODELS =
      """
      apiVersion: aion.os/v1
      kind: ModelPolicy
      routes: { fast: [local/a, local/b, far/c] }
      allow_cloud: false
      """;

  static final String MEMORY =
      """
      apiVersion: aion.os/v1
      kind: MemoryPolicy
      tenants:
        acme: { tenant_bytes_max: 1000000 }
        beta: { tenant_bytes_max: 1000000 }
      """;

  private Kernel() {}

  static Map<String, String> files() {
    Map<String, String> files = new TreeMap<>();
    files.put(PolicyDocument.CAPABILITIES, CAPABILITIES);
    files.put(PolicyDocument.QUOTAS, QUOTAS);
    files.put(PolicyDocument.MODELS, MODELS);
    files.put(PolicyDocument.MEMORY, MEMORY);
    return files;
  }

  static PolicyDocument document(Map<String, String> files) {
    try {
      return PolicyDocument.ofTexts(files);
    } catch (InvalidPolicy invalid) {
      throw new AssertionError(invalid.describe(), invalid);
    }
  }

  static PolicyDocument with(String file, String text) {
    Map<String, String> files = files();
    files.put(file, text);
    return document(files);
  }

  static Snapshot.TenantFigures tenant(long calls, long failed, String recentUsdPerHour) {
    return new Snapshot.TenantFigures(
        calls, failed, 3, 10, 90, BigDecimal.ONE, new BigDecimal(recentUsdPerHour));
  }

  /** Of acme most calls fail by its own fault; beta does well; both are known. */
  static Snapshot figures(boolean measured) {
    return new Snapshot(
        measured,
        3_600_000,
        Map.of(Tier.HIGH, new Snapshot.QueueFigures(3, 1)),
        Map.of("acme", tenant(1_000, 900, "1"), "beta", tenant(1_000, 10, "1")),
        MadeLoad.busy(1));
  }

  static Situation situation() {
    return situation(document(files()), document(files()), figures(true));
  }

  static Situation situation(PolicyDocument inForce, PolicyDocument baseline, Snapshot snapshot) {
    return new Situation(
        "v1",
        inForce,
        baseline,
        MadeLoad.bad(),
        Map.of("acme", new Limits(BigDecimal.valueOf(6), null, null, null)),
        Map.of("acme", 400_000L, "beta", 900_000L),
        snapshot);
  }

  static Rules rules() {
    return MadeLoad.bad();
  }

  static List<String> tenants() {
    return List.of("acme", "beta");
  }
}
