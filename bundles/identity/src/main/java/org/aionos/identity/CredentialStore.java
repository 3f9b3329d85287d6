package org.aionos.identity;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.nimbusds.jose.util.JSONObjectUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.text.ParseException;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.crypto.spec.SecretKeySpec;
import org.aionos.identity.KnownTenant.SigningKey;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Identity.AgentKey;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;
import org.h2.mvstore.type.StringDataType;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Every credential, durable in one file and whole in memory. Reading never touches the file. A
 * method that changes something has committed when it returns: the change survives {@code kill -9}
 * and a power loss.
 *
 * <p>Readers may be many; whoever changes something excludes the others who do.
 */
final class CredentialStore implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(CredentialStore.class);

  static final String SAMPLE_TENANT = "tenantA";
  private static final String SAMPLE_SECRET = "TENANT_A_SECRET";

  private static final Set<PosixFilePermission> OWNER_ONLY_DIR =
      PosixFilePermissions.fromString("rwx------");
  private static final Set<PosixFilePermission> OWNER_ONLY_FILE =
      PosixFilePermissions.fromString("rw-------");

  /** Raised when an older kernel could no longer read what we write. */
  private static final String FORMAT = "1";

  private final MVStore file;
  private final MVMap<String, String> facts;
  private final MVMap<String, String> tenantRows;
  private final MVMap<String, String> keyRows;

  // The sample tenant is never stored, but the keys of its agents are: a swap of this bundle must
  // not cut off the agents of a developer. They stand in a table of their own, for a tenant of the
  // same name that is made in earnest later must not inherit them.
  private final MVMap<String, String> sampleKeyRows;
  private final MVMap<String, String> handover;

  private final Map<String, KnownTenant> tenants = new ConcurrentHashMap<>();
  private final @Nullable KnownTenant sample;

  /**
   * What is known of the bootstrap token: never the token itself.
   *
   * @param sha256 of the token, in base64url
   */
  record BootstrapDigest(String sha256, boolean revoked) {}

  private CredentialStore(MVStore file, @Nullable Instant sampleCreatedAt) throws ParseException {
    this.file = file;
    this.facts = table("facts");
    this.tenantRows = table("tenants");
    this.keyRows = table("keys");
    this.sampleKeyRows = table("sampleKeys");
    this.handover = table("handover");
    requireFormat();
    for (Map.Entry<String, String> row : tenantRows.entrySet()) {
      tenants.put(row.getKey(), readTenant(row.getKey(), row.getValue()));
    }
    this.sample = sampleCreatedAt == null ? null : addSample(sampleCreatedAt);
    readKeys(keyRows);
    if (sample != null) {
      readKeys(sampleKeyRows);
    }
  }

  /**
   * Opens the store of a directory, which becomes its owner's alone.
   *
   * @param sampleCreatedAt null for no sample tenant
   * @throws IllegalStateException if another kernel has it open, or a newer one wrote it
   */
  static CredentialStore open(Path dir, @Nullable Instant sampleCreatedAt) throws IOException {
    Path path = ownerOnly(dir).resolve("identity.mv");
    MVStore file = openFile(path);
    try {
      return new CredentialStore(file, sampleCreatedAt);
    } catch (ParseException | RuntimeException unreadable) {
      file.closeImmediately();
      if (unreadable instanceof IllegalStateException spoken) {
        throw spoken;
      }
      // The cause is not passed on: its message may quote the row, and the row holds a secret.
      throw new IllegalStateException("cannot read the credentials in " + path);
    }
  }

  @Nullable KnownTenant tenant(String name) {
    return tenants.get(name);
  }

  Collection<KnownTenant> tenants() {
    return tenants.values();
  }

  synchronized void addTenant(String name, Instant createdAt, String secret) {
    commit(tenantRows, name, Map.of("secret", secret, "createdAtMillis", createdAt.toEpochMilli()));
    tenants.put(name, new KnownTenant(name, false, createdAt, Digests.key(secret)));
  }

  synchronized void addKey(KnownTenant tenant, AgentKey key, String secret) {
    commit(keyTable(tenant), key.id(), keyRow(key, secret));
    tenant.put(new SigningKey(key, Digests.key(secret)));
  }

  synchronized void revokeKey(KnownTenant tenant, SigningKey key, Instant revokedAt) {
    AgentKey described = key.described;
    AgentKey revoked =
        new AgentKey(
            described.id(),
            described.agent(),
            described.createdAt(),
            described.expiresAt(),
            revokedAt);
    commit(keyTable(tenant), revoked.id(), keyRow(revoked, text(key.secret)));
    tenant.put(new SigningKey(revoked, key.secret));
  }

  synchronized @Nullable BootstrapDigest bootstrap() {
    String row = facts.get("bootstrap");
    if (row == null) {
      return null;
    }
    try {
      Map<String, Object> fields = JSONObjectUtils.parse(row);
      return new BootstrapDigest(required(fields, "sha256"), fields.containsKey("revokedAtMillis"));
    } catch (ParseException unreadable) {
      throw new IllegalStateException("cannot read what is known of the bootstrap token");
    }
  }

  synchronized void keepBootstrap(String sha256, @Nullable Instant revokedAt) {
    Map<String, Object> row = new HashMap<>();
    row.put("sha256", sha256);
    if (revokedAt != null) {
      row.put("revokedAtMillis", revokedAt.toEpochMilli());
    }
    commit(facts, "bootstrap", row);
  }

  /** What the last kernel left here for the next, once; empty if it did not end in order. */
  synchronized Map<String, String> takeHandover() {
    Map<String, String> left = new HashMap<>(handover);
    if (!left.isEmpty()) {
      // Gone for good before anything is done with it: after a crash it would be out of date.
      handover.clear();
      commit();
    }
    return left;
  }

  /** Leaves something for the next kernel, and closes. */
  synchronized void close(Map<String, String> left) {
    try {
      handover.putAll(left);
      commit();
    } finally {
      close();
    }
  }

  @Override
  public synchronized void close() {
    file.close();
  }

  private static Path ownerOnly(Path dir) throws IOException {
    Files.createDirectories(dir, PosixFilePermissions.asFileAttribute(OWNER_ONLY_DIR));
    tighten(dir, OWNER_ONLY_DIR);
    return dir;
  }

  private static void tighten(Path path, Set<PosixFilePermission> admitted) throws IOException {
    Set<PosixFilePermission> found = Files.getPosixFilePermissions(path);
    if (!found.equals(admitted)) {
      log.warn(
          "credentials were open to others, now closed: path={} mode={}",
          path,
          PosixFilePermissions.toString(found));
      Files.setPosixFilePermissions(path, admitted);
    }
  }

  private static MVStore openFile(Path path) throws IOException {
    if (Files.notExists(path)) {
      // Made here and not by the library, so that there is no moment at which others can open it.
      Files.createFile(path, PosixFilePermissions.asFileAttribute(OWNER_ONLY_FILE));
    }
    tighten(path, OWNER_ONLY_FILE);
    try {
      // No thread of its own: every change is committed by whoever makes it.
      MVStore file = new MVStore.Builder().fileName(path.toString()).autoCommitDisabled().open();
      // Room is used again at once and not after 45 s: each change is on the disk before the next.
      file.setRetentionTime(0);
      return file;
    } catch (MVStoreException refused) {
      if (refused.getErrorCode() == DataUtils.ERROR_FILE_LOCKED) {
        throw new IllegalStateException(
            "another kernel has " + path + " open; one state directory serves one kernel");
      }
      throw new IllegalStateException("cannot open " + path, refused);
    }
  }

  private MVMap<String, String> table(String name) {
    return file.openMap(
        name,
        new MVMap.Builder<String, String>()
            .keyType(StringDataType.INSTANCE)
            .valueType(StringDataType.INSTANCE));
  }

  private void requireFormat() {
    String format = facts.putIfAbsent("format", FORMAT);
    if (format == null) {
      commit();
    } else if (!format.equals(FORMAT)) {
      throw new IllegalStateException(
          "the credentials are in format " + format + "; this kernel reads format " + FORMAT);
    }
  }

  private @Nullable KnownTenant addSample(Instant createdAt) {
    KnownTenant made = new KnownTenant(SAMPLE_TENANT, true, createdAt, Digests.key(SAMPLE_SECRET));
    if (tenants.putIfAbsent(SAMPLE_TENANT, made) == null) {
      return made;
    }
    // Never weaken a tenant that somebody made in earnest.
    log.warn("no sample tenant: a tenant of its name is stored: tenant={}", SAMPLE_TENANT);
    return null;
  }

  private static KnownTenant readTenant(String name, String row) throws ParseException {
    Map<String, Object> fields = JSONObjectUtils.parse(row);
    return new KnownTenant(
        name,
        false,
        Instant.ofEpochMilli(JSONObjectUtils.getLong(fields, "createdAtMillis")),
        Digests.key(required(fields, "secret")));
  }

  private void readKeys(MVMap<String, String> rows) throws ParseException {
    for (Map.Entry<String, String> row : rows.entrySet()) {
      Map<String, Object> fields = JSONObjectUtils.parse(row.getValue());
      AgentId agent = AgentId.parse(required(fields, "agent"));
      AgentKey key =
          new AgentKey(
              row.getKey(),
              agent,
              Instant.ofEpochMilli(JSONObjectUtils.getLong(fields, "createdAtMillis")),
              instantOrNull(fields, "expiresAtMillis"),
              instantOrNull(fields, "revokedAtMillis"));
      KnownTenant tenant = tenants.get(agent.tenant());
      if (tenant == null) {
        throw new ParseException("a key without its tenant", 0);
      }
      tenant.put(new SigningKey(key, Digests.key(required(fields, "secret"))));
    }
  }

  private MVMap<String, String> keyTable(KnownTenant tenant) {
    return tenant == sample ? sampleKeyRows : keyRows;
  }

  private static Map<String, Object> keyRow(AgentKey key, String secret) {
    Map<String, Object> row = new HashMap<>();
    row.put("agent", key.agent().toString());
    row.put("secret", secret);
    row.put("createdAtMillis", key.createdAt().toEpochMilli());
    Instant expiresAt = key.expiresAt();
    if (expiresAt != null) {
      row.put("expiresAtMillis", expiresAt.toEpochMilli());
    }
    Instant revokedAt = key.revokedAt();
    if (revokedAt != null) {
      row.put("revokedAtMillis", revokedAt.toEpochMilli());
    }
    return row;
  }

  private void commit(MVMap<String, String> rows, String id, Map<String, Object> row) {
    rows.put(id, JSONObjectUtils.toJSONString(row));
    commit();
  }

  private void commit() {
    try {
      file.commit();
      file.sync();
    } catch (MVStoreException failed) {
      // Half a change in memory must not go to the file with the next one.
      file.closeImmediately();
      throw failed;
    }
  }

  private static String required(Map<String, Object> fields, String name) throws ParseException {
    String value = JSONObjectUtils.getString(fields, name);
    if (value == null) {
      throw new ParseException("no " + name, 0);
    }
    return value;
  }

  private static @Nullable Instant instantOrNull(Map<String, Object> fields, String name)
      throws ParseException {
    return fields.containsKey(name)
        ? Instant.ofEpochMilli(JSONObjectUtils.getLong(fields, name))
        : null;
  }

  private static String text(SecretKeySpec secret) {
    return new String(secret.getEncoded(), UTF_8);
  }
}
