package org.aionos.gateway;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Identity;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.jspecify.annotations.Nullable;

/** Tenants, agent keys, and the bootstrap token. */
final class IdentityEndpoints {

  private static final long LIFETIME_SECONDS_MAX = 10L * 365 * 24 * 3600;

  private final Kernel kernel;

  IdentityEndpoints(Kernel kernel) {
    this.kernel = kernel;
  }

  void tenants(Exchange exchange) {
    exchange.require(Role.VIEWER);
    List<Map<String, Object>> items =
        kernel.identity().tenants().stream()
            .filter(tenant -> exchange.caller().maySee(tenant.name()))
            .map(
                tenant ->
                    Map.<String, Object>of(
                        "tenant", tenant.name(),
                        "compatibility", tenant.compatibility(),
                        "created_at", tenant.createdAt().toString()))
            .toList();
    exchange.answer(200, Answers.of(Map.of("items", items)));
  }

  void addTenant(Exchange exchange) {
    exchange.requireOfKernel(Role.ADMIN);
    try {
      Fields fields = exchange.document().only("tenant");
      Identity.Secret secret =
          kernel.identity().addTenant(fields.text("tenant"), exchange.caller());
      exchange.answer(201, Answers.of(shown("tenant", secret)));
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    }
  }

  void keys(Exchange exchange) {
    String tenant = tenantOf(exchange);
    List<Map<String, @Nullable Object>> items =
        kernel.identity().keys(tenant).stream().map(IdentityEndpoints::key).toList();
    exchange.answer(200, Answers.of(Map.of("items", items)));
  }

  void addKey(Exchange exchange) {
    try {
      Fields fields = exchange.document().only("agent_id", "ttl_s");
      AgentId agent = Exchange.agentId(fields.text("agent_id"), "/agent_id");
      exchange.requireAdministrator(agent.tenant());
      Long seconds = fields.wholeNumberOrNull("ttl_s", 1, LIFETIME_SECONDS_MAX);
      Identity.Secret secret =
          kernel
              .identity()
              .addKey(
                  agent, seconds == null ? null : Duration.ofSeconds(seconds), exchange.caller());
      exchange.answer(201, Answers.of(shown("key_id", secret)));
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    }
  }

  void revokeKey(Exchange exchange) {
    kernel.identity().revokeKey(tenantOf(exchange), exchange.segment(0), exchange.caller());
    exchange.answer(200, Answers.of(Map.of("status", "ok", "revoked", exchange.segment(0))));
  }

  void revokeBootstrapToken(Exchange exchange) {
    exchange.requireOfKernel(Role.ADMIN);
    kernel.identity().revokeBootstrapToken(exchange.caller());
    exchange.answer(200, Answers.of(Map.of("status", "ok", "revoked", "bootstrap")));
  }

  private static String tenantOf(Exchange exchange) {
    String tenant = exchange.tenantAsked();
    if (tenant == null) {
      throw new Refused(Code.MISSING_FIELD, "name the tenant: ?tenant=<tenant>");
    }
    exchange.requireAdministrator(tenant);
    return tenant;
  }

  private static Map<String, @Nullable Object> key(Identity.AgentKey key) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("key_id", key.id());
    values.put("agent_id", key.agent().toString());
    values.put("created_at", key.createdAt().toString());
    values.put("expires_at", text(key.expiresAt()));
    values.put("revoked_at", text(key.revokedAt()));
    return values;
  }

  private static Map<String, Object> shown(String name, Identity.Secret secret) {
    return Map.of(
        name, secret.id(), "secret", secret.value(), "note", "the secret is shown this once");
  }

  private static @Nullable String text(@Nullable Object value) {
    return value == null ? null : value.toString();
  }
}
