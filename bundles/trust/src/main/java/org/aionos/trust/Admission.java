package org.aionos.trust;

import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.aionos.document.InvalidDocument;
import org.jspecify.annotations.Nullable;

/**
 * The rule by which a jar comes in: a vendor's signature that the trust store bears out, or an
 * operator's allowance. Both are read at every ruling, so what was revoked a moment ago is. A trust
 * store that cannot be read lets nothing in, allowed or not: what it revokes cannot be known.
 */
final class Admission {

  /** The trust store as it stands now. */
  @FunctionalInterface
  interface TrustStore {
    Vendors read() throws Vendors.Unreadable;
  }

  private final TrustStore vendors;
  private final Predicate<String> allowed;
  private final boolean signatureRequired;
  private final InstantSource clock;

  /**
   * @param allowed whether an operator has allowed a digest
   * @param signatureRequired whether an operator's allowance is not enough
   */
  Admission(
      TrustStore vendors,
      Predicate<String> allowed,
      boolean signatureRequired,
      InstantSource clock) {
    this.vendors = vendors;
    this.allowed = allowed;
    this.signatureRequired = signatureRequired;
    this.clock = clock;
  }

  /** A jar that wants to come in now. */
  Ruling rule(ToolJar jar, byte @Nullable [] signature) {
    return rule(jar, signature, clock.instant());
  }

  /**
   * A jar that came in at some time. Its key must have been valid then, and must not be revoked
   * today: a tool does not stop because a key expires, but does where trust is taken back.
   */
  Ruling rule(ToolJar jar, byte @Nullable [] signature, Instant admitted) {
    Vendors trusted;
    try {
      trusted = vendors.read();
    } catch (Vendors.Unreadable unreadable) {
      return Ruling.refused(
          Reason.TRUST_STORE_UNREADABLE,
          "the trust store cannot be read, so nothing is let in: " + unreadable.getMessage(),
          "mend the file");
    }
    if (trusted.revokes(jar.digest())) {
      return Ruling.refused(
          Reason.DIGEST_REVOKED,
          "the digest " + jar.digest() + " of " + name(jar) + " is revoked",
          "install another version");
    }
    Ruling bySignature =
        signature == null ? unsigned(jar) : bySignature(jar, signature, trusted, admitted);
    if (bySignature.isAccepted() || signatureRequired || !allowed.test(jar.digest())) {
      return bySignature;
    }
    return Ruling.BY_OPERATOR;
  }

  /**
   * What the jar that runs under a tool's name has to say to another. An operator's allowance names
   * the very bytes and is an answer to that; a signature is not.
   */
  Ruling besides(Ruling ruling, ToolJar jar, ToolStore.@Nullable Entry before) {
    if (!ruling.isAccepted()
        || before == null
        || before.digest().equals(jar.digest())
        || allowed.test(jar.digest())) {
      return ruling;
    }
    String version = jar.manifest().version();
    int order = ToolVersion.of(version).compareTo(ToolVersion.of(before.version()));
    if (order < 0) {
      return ruling.but(
          Reason.DOWNGRADE,
          name(jar) + " is older than " + before.version() + ", which is installed",
          "aion:tool-install --force, or aion:tool-allow " + jar.digest());
    }
    if (order == 0) {
      return ruling.but(
          Reason.CHANGED_UNDER_ITS_VERSION,
          name(jar) + " is installed with the digest " + before.digest() + "; this is another jar",
          "give it a new version; or aion:tool-install --force");
    }
    return ruling;
  }

  /** When a key is due to be revoked next, as far as the trust store can be read. */
  Optional<Instant> nextRevocation() {
    try {
      return vendors.read().nextRevocation(clock.instant());
    } catch (Vendors.Unreadable unreadable) {
      return Optional.empty();
    }
  }

  private Ruling unsigned(ToolJar jar) {
    boolean onList = allowed.test(jar.digest());
    return Ruling.refused(
        Reason.UNSIGNED,
        "the digest "
            + jar.digest()
            + " of "
            + name(jar)
            + (onList
                ? " is allowed, but trust.require_signature wants a vendor's signature"
                : " is not allowed, and no signature came with it"),
        signatureRequired
            ? "have its vendor sign it"
            : "have its vendor sign it, or aion:tool-allow " + jar.digest());
  }

  private Ruling bySignature(ToolJar jar, byte[] file, Vendors trusted, Instant admitted) {
    Sealed sealed;
    try {
      sealed = Sealed.read(file, jar.bytes());
    } catch (InvalidDocument invalid) {
      return refused(
          jar, Reason.MALFORMED_SIGNATURE, "its signature cannot be read: " + invalid.describe());
    }
    List<VendorKey> named = new ArrayList<>(trusted.keys());
    named.removeIf(key -> sealed.keyId() != null && !key.id().equals(sealed.keyId()));
    if (named.isEmpty()) {
      return refused(
          jar, Reason.UNKNOWN_KEY, "no vendor of the trust store has the key " + sealed.keyId());
    }
    VendorKey maker =
        named.stream()
            .filter(key -> key.made(sealed.signature(), sealed.message()))
            .findFirst()
            .orElse(null);
    if (maker == null) {
      return sealed.keyId() == null
          ? refused(jar, Reason.UNKNOWN_KEY, "no key of the trust store made its signature")
          : refused(
              jar, Reason.TAMPERED, "its signature is not of these bytes by " + sealed.keyId());
    }
    Ruling said = statement(jar, sealed, maker);
    return said.isAccepted() ? grant(jar, maker, trusted, admitted) : said;
  }

  private Ruling statement(ToolJar jar, Sealed sealed, VendorKey maker) {
    byte[] payload = sealed.payload();
    if (payload == null) {
      return Ruling.signedBy(maker);
    }
    try {
      Statement statement = Statement.read(payload);
      String contradiction = statement.contradicts(jar);
      if (contradiction == null) {
        return statement.namesOtherSbom(jar)
            ? refused(
                jar,
                Reason.SBOM_MISMATCH,
                "its signature is over another bill of materials than the jar brings")
            : Ruling.signedBy(maker);
      }
      boolean otherJar = !statement.jarDigest().equals(jar.digest());
      return refused(jar, otherJar ? Reason.TAMPERED : Reason.STATEMENT_MISMATCH, contradiction);
    } catch (InvalidDocument invalid) {
      return refused(
          jar, Reason.MALFORMED_SIGNATURE, "its statement cannot be read: " + invalid.describe());
    }
  }

  /** Whether the vendor may say what it said: the signature itself holds. */
  private Ruling grant(ToolJar jar, VendorKey key, Vendors trusted, Instant admitted) {
    Ruling signed = Ruling.signedBy(key);
    Vendor vendor = trusted.byName().get(key.vendor());
    String who = "the key " + key.id() + " of " + key.vendor();
    String tool = jar.manifest().name();
    if (vendor == null || key.isRevoked(clock.instant())) {
      return but(signed, jar, Reason.KEY_REVOKED, who + " is revoked");
    }
    if (key.notBefore() != null && admitted.isBefore(key.notBefore())) {
      return but(signed, jar, Reason.KEY_NOT_YET_VALID, who + " is valid from " + key.notBefore());
    }
    if (key.notAfter() != null && !admitted.isBefore(key.notAfter())) {
      return but(signed, jar, Reason.KEY_EXPIRED, who + " was valid until " + key.notAfter());
    }
    if (!vendor.maySign(tool)) {
      return but(
          signed, jar, Reason.OUT_OF_PREFIX, vendor.name() + " may not sign tools of this name");
    }
    if (!vendor.tiers().contains(jar.manifest().tier())) {
      return but(
          signed,
          jar,
          Reason.TIER_NOT_GRANTED,
          vendor.name() + " may not sign tools of the tier " + jar.manifest().tier());
    }
    if (vendor.isTooOld(tool, jar.manifest().version())) {
      return but(
          signed,
          jar,
          Reason.BELOW_MINIMUM_VERSION,
          "the trust store wants version "
              + vendor.minimumVersions().get(tool)
              + " of it, or a later one");
    }
    return signed;
  }

  private Ruling refused(ToolJar jar, Reason reason, String why) {
    return Ruling.refused(reason, name(jar) + " is refused: " + why, allowing(jar));
  }

  private Ruling but(Ruling signed, ToolJar jar, Reason reason, String why) {
    return signed.but(reason, name(jar) + " is refused: " + why, allowing(jar));
  }

  private String allowing(ToolJar jar) {
    return signatureRequired
        ? "see docs/signing.md"
        : "see docs/signing.md; or, to let these bytes in all the same, aion:tool-allow "
            + jar.digest();
  }

  private static String name(ToolJar jar) {
    return jar.manifest().nameAndVersion();
  }
}
