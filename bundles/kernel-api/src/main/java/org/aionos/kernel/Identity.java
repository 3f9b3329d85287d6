package org.aionos.kernel;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Knows tenants, keys and tokens, and says who is calling. Safe for use by many threads.
 *
 * <p>Who may change what is decided by the caller of these methods; {@code by} is only recorded.
 * Adding beyond a limit is refused with {@code BUDGET_EXHAUSTED}.
 */
@ProviderType
public interface Identity {

  /**
   * Says who sent a request. Compares secrets in constant time. Takes each nonce once.
   *
   * @throws Refused with a 2xx-block {@link Code} if the request does not prove who sent it
   */
  Caller authenticate(Presented request);

  /** All tenants, by name. */
  List<Tenant> tenants();

  /**
   * Adds a tenant and returns its new secret, which is shown this once.
   *
   * @throws Refused {@code CONFLICT} if it exists, {@code INVALID_FIELD} if the name is not a name
   */
  Secret addTenant(String name, Caller by);

  /** The keys of a tenant's agents, revoked and expired ones included, by id. */
  List<AgentKey> keys(String tenant);

  /**
   * Makes a key that signs for one agent, and returns its secret, which is shown this once.
   *
   * @param lifetime null for a key that does not expire
   * @throws Refused {@code NOT_FOUND} if the tenant does not exist
   */
  Secret addKey(AgentId agent, @Nullable Duration lifetime, Caller by);

  /**
   * Revokes a key, for ever. Idempotent.
   *
   * @throws Refused {@code NOT_FOUND} if the tenant has no such key
   */
  void revokeKey(String tenant, String keyId, Caller by);

  /** Revokes the bootstrap operator token, for ever. Idempotent. */
  void revokeBootstrapToken(Caller by);

  /**
   * One tenant.
   *
   * @param compatibility its secret also signs for any of its agents, with a v1 signature too
   */
  record Tenant(String name, boolean compatibility, Instant createdAt) {}

  /** One agent's key, without its secret. */
  record AgentKey(
      String id,
      AgentId agent,
      Instant createdAt,
      @Nullable Instant expiresAt,
      @Nullable Instant revokedAt) {}

  /** A secret on its way to its owner. Never logged: {@link #toString} withholds it. */
  record Secret(String id, String value) {
    @Override
    public String toString() {
      return "Secret[id=" + id + ", value=withheld]";
    }
  }
}
