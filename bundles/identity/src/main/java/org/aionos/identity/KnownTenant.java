package org.aionos.identity;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.crypto.spec.SecretKeySpec;
import org.aionos.kernel.Identity.AgentKey;
import org.aionos.kernel.Identity.Tenant;
import org.jspecify.annotations.Nullable;

/**
 * A tenant with its secret and its agents' keys, as a signature is checked against it. Deliberately
 * no record: a secret must not reach a {@code toString}.
 *
 * @see CredentialStore who alone changes it
 */
final class KnownTenant {

  /** An agent's key with its secret. */
  static final class SigningKey {
    final AgentKey described;
    final SecretKeySpec secret;

    SigningKey(AgentKey described, SecretKeySpec secret) {
      this.described = described;
      this.secret = secret;
    }
  }

  final String name;
  final boolean compatibility;
  final Instant createdAt;
  final SecretKeySpec secret;
  private final Map<String, SigningKey> keys = new ConcurrentHashMap<>();

  KnownTenant(String name, boolean compatibility, Instant createdAt, SecretKeySpec secret) {
    this.name = name;
    this.compatibility = compatibility;
    this.createdAt = createdAt;
    this.secret = secret;
  }

  Tenant described() {
    return new Tenant(name, compatibility, createdAt);
  }

  /** A key by its id, also where it is revoked or expired. */
  @Nullable SigningKey key(String id) {
    return keys.get(id);
  }

  Collection<SigningKey> keys() {
    return List.copyOf(keys.values());
  }

  int keyCount() {
    return keys.size();
  }

  void put(SigningKey key) {
    keys.put(key.described.id(), key);
  }
}
