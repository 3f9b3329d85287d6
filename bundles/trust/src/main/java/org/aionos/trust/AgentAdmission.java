package org.aionos.trust;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.InstantSource;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.ManifestTrust;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;

/**
 * The rule by which an agent's manifest is believed: as for tools, a vendor's signature that the
 * trust store bears out, where signatures are required. The trust store is read at every decision.
 */
@Component(
    service = ManifestTrust.class,
    configurationPid = "org.aionos.trust",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class AgentAdmission implements ManifestTrust {

  private final Admission.TrustStore vendors;
  private final boolean signatureRequired;
  private final InstantSource clock;

  @Activate
  public AgentAdmission(TrustConfig config, BundleContext context) throws IOException {
    Path store =
        Files.createDirectories(
            Path.of(String.valueOf(context.getProperty("aion.config")), "trust", "vendors"));
    this.vendors = () -> Vendors.read(store);
    this.signatureRequired = config.requireSignature();
    this.clock = Clock.systemUTC();
  }

  AgentAdmission(Admission.TrustStore vendors, boolean signatureRequired, InstantSource clock) {
    this.vendors = vendors;
    this.signatureRequired = signatureRequired;
    this.clock = clock;
  }

  @Override
  public void check(byte[] manifest, byte @Nullable [] signature) {
    if (!signatureRequired) {
      return;
    }
    if (signature == null) {
      throw refused(
          Reason.UNSIGNED, "no signature came with it, and trust.require_signature wants one");
    }
    verify(manifest, signature);
  }

  @Override
  public void verify(byte[] manifest, byte @Nullable [] signature) {
    if (signature == null) {
      throw refused(Reason.UNSIGNED, "no signature came with it");
    }
    AgentStatement truth;
    try {
      truth = AgentStatement.of(manifest);
    } catch (InvalidDocument invalid) {
      throw new Refused(Code.INVALID_FIELD, invalid.describe());
    }
    Vendors trusted = vendors();
    if (trusted.revokes(truth.digest())) {
      throw refused(Reason.DIGEST_REVOKED, "its digest " + truth.digest() + " is revoked");
    }
    try {
      checkSigner(truth, Sealed.read(signature, manifest), trusted);
    } catch (InvalidDocument invalid) {
      throw refused(
          Reason.MALFORMED_SIGNATURE, "its signature cannot be read: " + invalid.describe());
    }
  }

  private Vendors vendors() {
    try {
      return vendors.read();
    } catch (Vendors.Unreadable unreadable) {
      throw refused(
          Reason.TRUST_STORE_UNREADABLE,
          "the trust store cannot be read: " + unreadable.getMessage());
    }
  }

  private void checkSigner(AgentStatement truth, Sealed sealed, Vendors trusted)
      throws InvalidDocument {
    byte[] payload = sealed.payload();
    if (payload == null) {
      throw refused(Reason.MALFORMED_SIGNATURE, "its signature is bare; use `./aion sign`");
    }
    VendorKey key =
        trusted.keys().stream()
            .filter(candidate -> candidate.id().equals(sealed.keyId()))
            .findFirst()
            .orElseThrow(
                () ->
                    refused(
                        Reason.UNKNOWN_KEY,
                        "no vendor of the trust store has the key " + sealed.keyId()));
    if (!key.made(sealed.signature(), sealed.message())) {
      throw refused(Reason.TAMPERED, "its signature was not made by " + key.id());
    }
    AgentStatement said = AgentStatement.read(payload);
    if (!said.digest().equals(truth.digest())) {
      throw refused(Reason.TAMPERED, "its signature is of other bytes");
    }
    if (!said.equals(truth)) {
      throw refused(Reason.STATEMENT_MISMATCH, "its signature says otherwise than it does");
    }
    checkGrant(truth.agent(), key, trusted);
  }

  private void checkGrant(String agent, VendorKey key, Vendors trusted) {
    Instant now = clock.instant();
    String who = "the key " + key.id() + " of " + key.vendor();
    if (key.isRevoked(now)) {
      throw refused(Reason.KEY_REVOKED, who + " is revoked");
    }
    if (key.notBefore() != null && now.isBefore(key.notBefore())) {
      throw refused(Reason.KEY_NOT_YET_VALID, who + " is valid from " + key.notBefore());
    }
    if (key.notAfter() != null && !now.isBefore(key.notAfter())) {
      throw refused(Reason.KEY_EXPIRED, who + " was valid until " + key.notAfter());
    }
    Vendor vendor = trusted.byName().get(key.vendor());
    if (vendor == null || !vendor.maySignAgent(agent)) {
      throw refused(
          Reason.OUT_OF_PREFIX, key.vendor() + " may not sign the agent " + agent + ": `agents`");
    }
  }

  private static Refused refused(Reason reason, String why) {
    return new Refused(
        Problem.of(Code.TOOL_NOT_TRUSTED, reason.rule() + ": " + why).ruledBy(reason.rule()));
  }
}
