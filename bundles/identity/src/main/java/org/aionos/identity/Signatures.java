package org.aionos.identity;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import javax.crypto.spec.SecretKeySpec;
import org.aionos.identity.KnownTenant.SigningKey;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Presented;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;

/**
 * Checks who signed a request. A v1 signature covers the body; a v2 signature covers all that the
 * kernel acts on, and is taken once. Safe for many threads.
 */
final class Signatures {

  // Every request costs one HMAC over the same text, also where the tenant or the key is unknown:
  // the answer says which, so that it can be mended, and the time it took says no more than that.

  private enum Header {
    TENANT("X-Tenant-Id"),
    SIGNATURE("X-Sig-HMAC"),
    VERSION("X-Sig-Version"),
    KEY("X-Sig-Key"),
    TIMESTAMP("X-Sig-Timestamp"),
    NONCE("X-Sig-Nonce");

    private final String written;
    private final String lowerCase;

    Header(String written) {
      this.written = written;
      this.lowerCase = written.toLowerCase(Locale.ROOT);
    }

    @Nullable String of(Presented request) {
      return request.header().apply(lowerCase);
    }

    @Override
    public String toString() {
      return written;
    }
  }

  private static final String V2_TITLE = "AION-HMAC-SHA256-V2";
  private static final String TENANT_SECRET = "tenant-secret";

  private static final Pattern KEY_ID = Pattern.compile("[A-Za-z0-9_-]{1,64}");
  private static final Pattern NONCE_TEXT = Pattern.compile("[A-Za-z0-9_-]{16,64}");

  /** Fifteen digits of milliseconds last until the year 33658. */
  private static final Pattern MILLIS = Pattern.compile("[0-9]{1,15}");

  private final Function<String, @Nullable KnownTenant> tenants;
  private final Nonces nonces;
  private final InstantSource clock;

  /** Stands in for the secret of a tenant or key that does not exist; nobody can know it. */
  private final SecretKeySpec nobody;

  Signatures(
      Function<String, @Nullable KnownTenant> tenants,
      Nonces nonces,
      InstantSource clock,
      RandomGenerator random) {
    this.tenants = tenants;
    this.nonces = nonces;
    this.clock = clock;
    this.nobody = Digests.key(Digests.randomText(random));
  }

  /** What a v2 request says of itself, well-formed and not yet believed. */
  private record Claimed(String tenant, String key, String timestamp, String nonce) {

    long timestampMillis() {
      return Long.parseLong(timestamp);
    }
  }

  Caller check(Presented request) {
    String tenant = required(request, Header.TENANT, Code.MISSING_CREDENTIAL);
    byte[] signature = signature(request);
    String version = Header.VERSION.of(request);
    if (version == null) {
      return v1(request, tenant, signature);
    }
    if (!version.equals("2")) {
      throw new Refused(
          Code.SIGNATURE_VERSION_REFUSED, Header.VERSION + " must be 2, or absent for version 1");
    }
    return v2(request, tenant, signature);
  }

  private Caller v1(Presented request, String tenantName, byte[] signature) {
    if (!request.method().equals("POST")) {
      // It covers the body only, so without one any v1 signature would fit any request.
      throw versionRefused("a version 1 signature is good for POST only");
    }
    KnownTenant tenant = tenants.apply(tenantName);
    SecretKeySpec key = tenant == null ? nobody : tenant.secret;
    boolean right = MessageDigest.isEqual(signature, Digests.hmac(key, request.body()));
    if (tenant == null) {
      throw unknownTenant();
    }
    if (!tenant.compatibility) {
      throw versionRefused("this tenant takes no version 1 signatures");
    }
    if (!right) {
      throw new Refused(
          Code.BAD_SIGNATURE,
          Header.SIGNATURE
              + " must be the HMAC-SHA256 of the body's bytes with the tenant's secret");
    }
    return Caller.tenantSecret(tenant.name, true);
  }

  private Caller v2(Presented request, String tenantName, byte[] signature) {
    Claimed claimed = claimed(request, tenantName);
    KnownTenant tenant = tenants.apply(tenantName);
    boolean bySecret = claimed.key.equals(TENANT_SECRET);
    SigningKey key = tenant == null || bySecret ? null : tenant.key(claimed.key);
    boolean right =
        MessageDigest.isEqual(
            signature, Digests.hmac(secret(tenant, bySecret, key), canonical(request, claimed)));
    if (tenant == null) {
      throw unknownTenant();
    }
    if (key == null && !bySecret) {
      throw new Refused(Code.UNKNOWN_KEY, "the tenant has no key of the id in " + Header.KEY);
    }
    if (!right) {
      throw badV2Signature();
    }
    if (key != null) {
      requireGood(key);
    }
    nonces.take(tenant.name, claimed.nonce, claimed.timestampMillis());
    return key == null
        ? Caller.tenantSecret(tenant.name, tenant.compatibility)
        : Caller.agentKey(key.described.id(), key.described.agent());
  }

  private SecretKeySpec secret(
      @Nullable KnownTenant tenant, boolean bySecret, @Nullable SigningKey key) {
    if (tenant != null && bySecret) {
      return tenant.secret;
    }
    return key == null ? nobody : key.secret;
  }

  private static Claimed claimed(Presented request, String tenant) {
    return new Claimed(
        tenant,
        wellFormed(request, Header.KEY, KEY_ID, "a key id or " + TENANT_SECRET),
        wellFormed(request, Header.TIMESTAMP, MILLIS, "milliseconds since 1970 in digits"),
        wellFormed(request, Header.NONCE, NONCE_TEXT, "16 to 64 of A-Z a-z 0-9 _ -"));
  }

  /** The text that a v2 signature signs. */
  private static byte[] canonical(Presented request, Claimed claimed) {
    byte[] head =
        (V2_TITLE
                + '\n'
                + request.method()
                + '\n'
                + request.target()
                + '\n'
                + claimed.tenant
                + '\n'
                + claimed.key
                + '\n'
                + claimed.timestamp
                + '\n'
                + claimed.nonce
                + '\n')
            .getBytes(UTF_8);
    byte[] bodyDigest = Digests.hex(Digests.sha256(request.body()));
    byte[] text = new byte[head.length + bodyDigest.length];
    System.arraycopy(head, 0, text, 0, head.length);
    System.arraycopy(bodyDigest, 0, text, head.length, bodyDigest.length);
    return text;
  }

  private void requireGood(SigningKey key) {
    if (key.described.revokedAt() != null) {
      throw new Refused(Code.KEY_REVOKED, "this key was revoked; ask for a new one");
    }
    Instant expiresAt = key.described.expiresAt();
    if (expiresAt != null && !clock.instant().isBefore(expiresAt)) {
      throw new Refused(Code.KEY_EXPIRED, "this key expired at " + expiresAt);
    }
  }

  private static byte[] signature(Presented request) {
    byte[] signature =
        Digests.fromHex(required(request, Header.SIGNATURE, Code.MISSING_CREDENTIAL));
    if (signature == null) {
      throw new Refused(Code.BAD_SIGNATURE, Header.SIGNATURE + " must be 64 hexadecimal digits");
    }
    return signature;
  }

  private static String wellFormed(Presented request, Header name, Pattern form, String wanted) {
    String value = required(request, name, Code.MALFORMED_REQUEST);
    if (!form.matcher(value).matches()) {
      throw new Refused(Code.MALFORMED_REQUEST, name + " must be " + wanted);
    }
    return value;
  }

  private static String required(Presented request, Header name, Code absent) {
    String value = name.of(request);
    if (value == null) {
      throw new Refused(absent, "a signed request needs the header " + name);
    }
    return value;
  }

  private static Refused unknownTenant() {
    return new Refused(Code.UNKNOWN_TENANT, "there is no tenant of the name in " + Header.TENANT);
  }

  private static Refused versionRefused(String why) {
    return new Refused(
        Code.SIGNATURE_VERSION_REFUSED,
        why + "; sign with version 2: X-Sig-Version: 2, X-Sig-Key, X-Sig-Timestamp, X-Sig-Nonce");
  }

  private static Refused badV2Signature() {
    return new Refused(
        Code.BAD_SIGNATURE,
        Header.SIGNATURE
            + " must be the HMAC-SHA256, with the key's secret, of these lines joined by \\n: "
            + V2_TITLE
            + ", method, target as sent, tenant, key id, timestamp, nonce, SHA-256 of the body in"
            + " lower-case hexadecimal digits");
  }
}
