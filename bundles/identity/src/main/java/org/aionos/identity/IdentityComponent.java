package org.aionos.identity;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.aionos.identity.KeySet.KeySource;
import org.aionos.identity.KnownTenant.SigningKey;
import org.aionos.identity.Revocations.Revocation;
import org.aionos.identity.Settings.TokenSettings;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Identity;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Journal.Event;
import org.aionos.kernel.Presented;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.Cluster;
import org.h2.mvstore.MVStoreException;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kernel's {@link Identity}: credentials in one local store, tokens of one identity provider.
 *
 * <p><b>Threads.</b> Many may authenticate at once, without a lock beyond their tenant's nonces.
 * Changes exclude each other.
 *
 * <p><b>Who may change what</b> is decided before it comes here: {@code by} is only written down.
 */
@Component(
    service = Identity.class,
    configurationPid = "org.aionos.identity",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = IdentityConfig.class)
public final class IdentityComponent implements Identity {

  private static final Logger log = LoggerFactory.getLogger(IdentityComponent.class);

  private static final String TOPIC = "kernel.identity";

  /** In the journal, who revoked what another node revoked: that node's journal says more. */
  private static final String OTHER_NODE = "another-node";

  private static final String BEARER = "bearer ";

  /** Each costs some 500 bytes of memory; ten times what we expect of one node. */
  private static final int TENANTS_MAX = 10_000;

  /** Revoked keys count, for they are remembered for ever: a new one each hour for eleven years. */
  private static final int KEYS_PER_TENANT_MAX = 100_000;

  /** A key for longer than this is a key that does not expire, and should be asked for as such. */
  private static final Duration LIFETIME_MAX = Duration.ofDays(3_650);

  /** A caller waits for it, and a healthy provider answers in a tenth of this. */
  private static final Duration KEYS_TIME_MAX = Duration.ofSeconds(3);

  private static final int KEY_ID_BYTES = 12; // sixteen url-safe characters

  private final InstantSource clock;
  private final RandomGenerator random;
  private final Journal journal;
  private final CredentialStore store;
  private final BootstrapToken bootstrap;
  private final boolean clustered;
  private final Nonces nonces;
  private final Signatures signatures;
  private final @Nullable Tokens tokens;
  private final Revocations revocations;
  private volatile boolean closed;

  /** Null for a kernel that is alone, and for a node whose cluster is not there yet. */
  @Reference(
      name = "cluster",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable Cluster cluster;

  @Activate
  public IdentityComponent(
      IdentityConfig config, BundleContext context, @Reference(name = "journal") Journal journal)
      throws IOException {
    this(Settings.of(config, context), InstantSource.system(), new SecureRandom(), journal);
  }

  IdentityComponent(Settings settings, InstantSource clock, RandomGenerator random, Journal journal)
      throws IOException {
    this.clock = clock;
    this.random = random;
    this.journal = journal;
    this.clustered = settings.clustered();
    TokenSettings provider = settings.tokens();
    this.tokens = provider == null ? null : new Tokens(provider, source(provider), clock);
    this.store = CredentialStore.open(settings.dir(), settings.sampleTenant() ? now() : null);
    try {
      this.bootstrap = BootstrapToken.open(store, settings.dir(), random);
      this.nonces =
          new Nonces(
              clock,
              settings.replayWindow(),
              settings.noncesPerTenantMax(),
              store.takeHandover(),
              this::isNewElsewhere);
    } catch (IOException | RuntimeException failed) {
      // The file stays locked for as long as it is open, and nobody will deactivate us.
      store.close();
      throw failed;
    }
    this.signatures = new Signatures(store::tenant, nonces, clock, random);
    this.revocations = new Revocations(() -> cluster, this::revoked, this::revoke);
    revocations.start();
    log.info(
        "identity ready: tenants={} sampleTenant={} identityProvider={}",
        store.tenants().size(),
        settings.sampleTenant(),
        provider != null);
  }

  @Deactivate
  synchronized void close() {
    closed = true;
    revocations.close();
    try {
      store.close(nonces.close());
    } catch (MVStoreException failed) {
      // The successor does without: it puts off what was signed before it came.
      log.warn("nonces could not be handed over", failed);
    }
  }

  private boolean isNewElsewhere(String tenant, String nonce, Duration kept) {
    Cluster others = cluster;
    if (others == null && clustered) {
      // It comes a moment after this bundle, and while its driver is replaced it is away.
      throw new StoreUnavailable("the cluster that REDIS_URL names is not there yet");
    }
    return others == null || others.isNew("nonces/" + tenant, nonce, kept);
  }

  @Override
  public Caller authenticate(Presented request) {
    requireOpen();
    String authorization = request.header().apply("authorization");
    boolean signed = request.header().apply("x-sig-hmac") != null;
    if (authorization != null && signed) {
      throw new Refused(
          Code.MALFORMED_REQUEST, "send either Authorization or X-Sig-HMAC, not both");
    }
    if (authorization != null) {
      return bearer(authorization);
    }
    if (signed) {
      return signatures.check(request);
    }
    throw new Refused(
        Code.MISSING_CREDENTIAL,
        "send X-Tenant-Id and X-Sig-HMAC (a signed request) or Authorization: Bearer (the"
            + " bootstrap token, or a token of the identity provider)");
  }

  @Override
  public List<Tenant> tenants() {
    requireOpen();
    return store.tenants().stream()
        .map(KnownTenant::described)
        .sorted(Comparator.comparing(Tenant::name))
        .toList();
  }

  @Override
  public synchronized Secret addTenant(String name, Caller by) {
    requireOpen();
    if (!AgentId.isName(name)) {
      throw new Refused(
          Code.INVALID_FIELD,
          "a tenant's name has 1 to 63 of A-Z a-z 0-9 . _ - and begins with a letter or digit");
    }
    if (store.tenant(name) != null) {
      throw new Refused(Code.CONFLICT, "the tenant " + name + " exists already");
    }
    requireRoom(store.tenants().size() < TENANTS_MAX, TENANTS_MAX + " tenants");
    Secret secret = new Secret(name, "ats_" + Digests.randomText(random));
    change(
        event("tenant.added", name, by.keyId()),
        () -> store.addTenant(name, now(), secret.value()));
    return secret;
  }

  @Override
  public List<AgentKey> keys(String tenant) {
    requireOpen();
    KnownTenant known = store.tenant(tenant);
    return known == null
        ? List.of()
        : known.keys().stream()
            .map(key -> key.described)
            .sorted(Comparator.comparing(AgentKey::id))
            .toList();
  }

  @Override
  public synchronized Secret addKey(AgentId agent, @Nullable Duration lifetime, Caller by) {
    requireOpen();
    KnownTenant tenant = requireTenant(agent.tenant());
    requireRoom(tenant.keyCount() < KEYS_PER_TENANT_MAX, KEYS_PER_TENANT_MAX + " keys of a tenant");
    Instant createdAt = now();
    AgentKey key =
        new AgentKey(newKeyId(tenant), agent, createdAt, expiry(createdAt, lifetime), null);
    Secret secret = new Secret(key.id(), "aks_" + Digests.randomText(random));
    change(keyEvent("key.added", key, by.keyId()), () -> store.addKey(tenant, key, secret.value()));
    return secret;
  }

  @Override
  public synchronized void revokeKey(String tenantName, String keyId, Caller by) {
    requireOpen();
    KnownTenant tenant = requireTenant(tenantName);
    SigningKey key = tenant.key(keyId);
    if (key == null) {
      throw new Refused(Code.NOT_FOUND, "the tenant " + tenantName + " has no such key");
    }
    if (key.described.revokedAt() != null) {
      return;
    }
    revoke(tenant, key, by.keyId());
    revocations.tell(new Revocation(tenantName, keyId));
  }

  private void revoke(KnownTenant tenant, SigningKey key, String by) {
    change(keyEvent("key.revoked", key.described, by), () -> store.revokeKey(tenant, key, now()));
  }

  @Override
  public synchronized void revokeBootstrapToken(Caller by) {
    requireOpen();
    if (!bootstrap.revoked()) {
      change(event("token.revoked", null, by.keyId()), () -> bootstrap.revoke(now()));
      revocations.tell(Revocation.ofToken(bootstrap.sha256()));
    }
  }

  /** Whatever was ever revoked here. */
  private List<Revocation> revoked() {
    List<Revocation> all = new ArrayList<>();
    for (KnownTenant tenant : store.tenants()) {
      for (SigningKey key : tenant.keys()) {
        if (key.described.revokedAt() != null) {
          all.add(new Revocation(tenant.name, key.described.id()));
        }
      }
    }
    if (bootstrap.revoked()) {
      all.add(Revocation.ofToken(bootstrap.sha256()));
    }
    return all;
  }

  /** Another node says so. What is not known here needs no revocation. */
  private synchronized void revoke(Revocation revocation) {
    if (closed) {
      return;
    }
    if (revocation.isOfToken()) {
      if (revocation.id().equals(bootstrap.sha256()) && !bootstrap.revoked()) {
        change(event("token.revoked", null, OTHER_NODE), () -> bootstrap.revoke(now()));
      }
      return;
    }
    KnownTenant tenant = store.tenant(revocation.tenant());
    SigningKey key = tenant == null ? null : tenant.key(revocation.id());
    if (tenant != null && key != null && key.described.revokedAt() == null) {
      revoke(tenant, key, OTHER_NODE);
    }
  }

  private Caller bearer(String authorization) {
    if (!authorization.toLowerCase(Locale.ROOT).startsWith(BEARER)) {
      throw new Refused(Code.INVALID_TOKEN, "Authorization must be Bearer and a token");
    }
    String token = authorization.substring(BEARER.length()).strip();
    if (token.startsWith(BootstrapToken.PREFIX)) {
      return bootstrap.check(token);
    }
    if (tokens == null) {
      throw new Refused(
          Code.INVALID_TOKEN, "no identity provider is configured, so no token can be checked");
    }
    return tokens.check(token);
  }

  /**
   * Journal first: an act of authority that is not on record is worse than a record of one that
   * failed. The journal being away stops revocations too, but then nothing else is admitted either.
   */
  private void change(Event event, Runnable change) {
    journal.record(event);
    try {
      change.run();
    } catch (MVStoreException failed) {
      log.error("credentials could not be written: kind={}", event.kind(), failed);
      journal.record(new Event(TOPIC, event.kind() + ".failed", event.tenant(), event.facts()));
      throw new Refused(Code.KERNEL_FAULT, "the credentials could not be written");
    }
  }

  private static Event event(String kind, @Nullable String tenant, String by) {
    return new Event(TOPIC, kind, tenant, Map.of("by", by));
  }

  private static Event keyEvent(String kind, AgentKey key, String by) {
    Instant expiresAt = key.expiresAt();
    return new Event(
        TOPIC,
        kind,
        key.agent().tenant(),
        Map.of(
            "by",
            by,
            "key",
            key.id(),
            "agent",
            key.agent().toString(),
            "expires_at",
            expiresAt == null ? "never" : expiresAt.toString()));
  }

  private String newKeyId(KnownTenant tenant) {
    String id;
    do {
      id = "ak_" + Digests.randomText(random, KEY_ID_BYTES);
    } while (tenant.key(id) != null);
    return id;
  }

  private static @Nullable Instant expiry(Instant createdAt, @Nullable Duration lifetime) {
    if (lifetime == null) {
      return null;
    }
    if (lifetime.compareTo(LIFETIME_MAX) > 0 || lifetime.toMillis() < 1) {
      throw new Refused(
          Code.INVALID_FIELD,
          "a key lives from a millisecond to " + LIFETIME_MAX.toDays() + " days");
    }
    return createdAt.plusMillis(lifetime.toMillis());
  }

  private KnownTenant requireTenant(String name) {
    KnownTenant tenant = store.tenant(name);
    if (tenant == null) {
      throw new Refused(Code.NOT_FOUND, "there is no such tenant");
    }
    return tenant;
  }

  private static void requireRoom(boolean room, String what) {
    if (!room) {
      throw new Refused(
          Code.BUDGET_EXHAUSTED, "there are already " + what + ", which is the limit");
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new Refused(Code.RESTARTING, "identity is being swapped; retry");
    }
  }

  /** To the millisecond, as it is stored: a key reads the same before and after a restart. */
  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }

  private static KeySource source(TokenSettings provider) {
    if ("file".equals(provider.keys().getScheme())) {
      Path file = Path.of(provider.keys());
      return () -> Files.readAllBytes(file);
    }
    return new JwksUrl(provider.keys(), KEYS_TIME_MAX);
  }
}
