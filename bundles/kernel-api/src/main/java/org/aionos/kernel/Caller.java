package org.aionos.kernel;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/**
 * Who proved to be calling.
 *
 * @param keyId names the credential in the journal: a key id, {@code tenant-secret}, a token's
 *     subject
 * @param tenant the tenant the credential belongs to; null where it spans all tenants
 * @param agent the one agent the credential signs for; null where it is not bound to one
 * @param role for people and services; null for tenants and agents
 * @param signsForAnyAgent a tenant's secret in compatibility mode
 */
public record Caller(
    Kind kind,
    String keyId,
    @Nullable String tenant,
    @Nullable AgentId agent,
    @Nullable Role role,
    boolean signsForAnyAgent) {

  private static final String TASK = "task:";

  /** What kind of credential was shown. */
  public enum Kind {
    AGENT_KEY,
    TENANT_SECRET,
    PERSON,
    /** The process of an agent, by the socket it came through, or the kernel on its behalf. */
    AGENT_TASK
  }

  public Caller {
    requireNonNull(kind, "kind");
    requireNonNull(keyId, "keyId");
  }

  public static Caller agentKey(String keyId, AgentId agent) {
    return new Caller(Kind.AGENT_KEY, keyId, agent.tenant(), agent, null, false);
  }

  /** The agent, in one of its tasks: what it does there is on the task's log. */
  public static Caller agentTask(AgentId agent, String task) {
    return new Caller(Kind.AGENT_TASK, TASK + task, agent.tenant(), agent, null, false);
  }

  /** The task in which an {@link Kind#AGENT_TASK} calls; null for others. */
  public @Nullable String task() {
    return kind == Kind.AGENT_TASK ? keyId.substring(TASK.length()) : null;
  }

  public static Caller tenantSecret(String tenant, boolean compatibility) {
    return new Caller(Kind.TENANT_SECRET, "tenant-secret", tenant, null, null, compatibility);
  }

  /**
   * @param tenant the only tenant the person may see; null for all
   */
  public static Caller person(String subject, Role role, @Nullable String tenant) {
    return new Caller(Kind.PERSON, subject, tenant, null, role, false);
  }

  /** Whether this caller may see what belongs to a tenant. */
  public boolean maySee(String otherTenant) {
    return tenant == null ? kind == Kind.PERSON : tenant.equals(otherTenant);
  }

  public boolean has(Role atLeast) {
    return role != null && role.compareTo(atLeast) >= 0;
  }

  /** Whether this caller administers a tenant: its own secret, or an operator who may see it. */
  public boolean administers(String otherTenant) {
    return maySee(otherTenant) && (kind == Kind.TENANT_SECRET || has(Role.OPERATOR));
  }

  /** Whether this caller's signature is good for a syscall of an agent. */
  public boolean signsFor(AgentId other) {
    return switch (kind) {
      case AGENT_KEY, AGENT_TASK -> other.equals(agent);
      case TENANT_SECRET -> signsForAnyAgent && other.tenant().equals(tenant);
      case PERSON -> false;
    };
  }
}
