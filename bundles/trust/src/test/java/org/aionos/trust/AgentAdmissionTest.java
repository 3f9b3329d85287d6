package org.aionos.trust;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.Map;
import net.jqwik.api.Example;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;

/** When the manifest of an agent is believed. */
final class AgentAdmissionTest {

  private static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");
  private static final byte[] MANIFEST = manifest("researcher", "1.0.0");
  private static final byte[] OTHER = manifest("researcher", "1.0.1");
  private static final TestVendor ACME = TestVendor.ecdsa("acme");

  @Example
  void a_vendor_who_may_sign_this_agent_is_believed() throws Exception {
    for (TestVendor vendor : new TestVendor[] {ACME, TestVendor.ed25519("acme")}) {
      AgentAdmission admission = trusting(vendor, "", "agents: [\"res*\"]");
      assertThatCode(() -> admission.check(MANIFEST, sign(vendor, MANIFEST)))
          .doesNotThrowAnyException();
    }
  }

  @Example
  void others_are_not_and_the_rule_says_why() throws Exception {
    byte[] good = sign(ACME, MANIFEST);
    AgentAdmission admission = trusting(ACME, "", "agents: [researcher]");
    assertThat(rule(admission, MANIFEST, null)).isEqualTo("trust/unsigned");
    assertThat(rule(admission, MANIFEST, "{}".getBytes(UTF_8)))
        .isEqualTo("trust/malformed-signature");
    assertThat(rule(admission, MANIFEST, ACME.signsBlob(MANIFEST)))
        .isEqualTo("trust/malformed-signature");
    assertThat(rule(admission, OTHER, good)).isEqualTo("trust/tampered");
    assertThat(rule(admission, MANIFEST, sign(TestVendor.ecdsa("acme"), MANIFEST)))
        .isEqualTo("trust/unknown-key");
    assertThat(rule(admission, MANIFEST, ACME.signs(Jars.tool("researcher", "1.0.0"))))
        .isEqualTo("trust/malformed-signature");

    assertThat(rule(trusting(ACME, "", "tools: [\"*\"]"), MANIFEST, good))
        .isEqualTo("trust/out-of-prefix");
    assertThat(rule(trusting(ACME, "", "agents: [\"other*\"]"), MANIFEST, good))
        .isEqualTo("trust/out-of-prefix");
    assertThat(rule(trusting(ACME, "revoked: true", "agents: [\"*\"]"), MANIFEST, good))
        .isEqualTo("trust/key-revoked");
    assertThat(rule(trusting(ACME, "not_after: 2026-01-01", "agents: [\"*\"]"), MANIFEST, good))
        .isEqualTo("trust/key-expired");
    assertThat(rule(trusting(ACME, "not_before: 2027-01-01", "agents: [\"*\"]"), MANIFEST, good))
        .isEqualTo("trust/key-not-yet-valid");
    String revoked = "agents: [\"*\"]\nrevoked_digests: [\"" + ToolJar.digestOf(MANIFEST) + "\"]";
    assertThat(rule(trusting(ACME, "", revoked), MANIFEST, good)).isEqualTo("trust/digest-revoked");
  }

  @Example
  void a_statement_must_say_what_the_manifest_says() throws Exception {
    AgentStatement truth = AgentStatement.of(MANIFEST);
    byte[] flattering =
        new AgentStatement(truth.digest(), truth.agent(), truth.version(), java.util.Set.of())
            .json("researcher.yml");
    assertThat(
            rule(
                trusting(ACME, "", "agents: [researcher]"),
                MANIFEST,
                Sealed.sign(flattering, ACME.keyId(), ACME.pair().getPrivate())))
        .isEqualTo("trust/statement-mismatch");
  }

  @Example
  void a_trust_store_that_cannot_be_read_believes_nobody() throws Exception {
    AgentAdmission admission =
        new AgentAdmission(
            () -> {
              throw new Vendors.Unreadable("broken");
            },
            true,
            () -> NOW);
    assertThat(rule(admission, MANIFEST, sign(ACME, MANIFEST)))
        .isEqualTo("trust/trust-store-unreadable");
  }

  @Example
  void where_no_signature_is_required_a_file_is_an_operators_word() {
    AgentAdmission admission = new AgentAdmission(() -> new Vendors(Map.of()), false, () -> NOW);
    assertThatCode(() -> admission.check(MANIFEST, null)).doesNotThrowAnyException();
  }

  @Example
  void whether_a_file_is_signed_is_asked_also_where_no_signature_is_required() throws Exception {
    Vendor acme = Vendor.read(ACME.name(), ACME.yaml("", "agents: [researcher]").getBytes(UTF_8));
    AgentAdmission admission =
        new AgentAdmission(() -> new Vendors(Map.of(ACME.name(), acme)), false, () -> NOW);

    assertThatCode(() -> admission.verify(MANIFEST, sign(ACME, MANIFEST)))
        .doesNotThrowAnyException();
    for (byte[] signature : new byte[][] {null, sign(ACME, OTHER)}) {
      assertThat(
              catchThrowableOfType(Refused.class, () -> admission.verify(MANIFEST, signature))
                  .problem()
                  .rule())
          .isIn("trust/unsigned", "trust/tampered");
    }
  }

  private static String rule(
      AgentAdmission admission, byte[] manifest, byte @Nullable [] signature) {
    return catchThrowableOfType(Refused.class, () -> admission.check(manifest, signature))
        .problem()
        .rule();
  }

  private static AgentAdmission trusting(TestVendor vendor, String keyMore, String specMore)
      throws InvalidDocument {
    Vendor trusted = Vendor.read(vendor.name(), vendor.yaml(keyMore, specMore).getBytes(UTF_8));
    return new AgentAdmission(() -> new Vendors(Map.of(vendor.name(), trusted)), true, () -> NOW);
  }

  private static byte[] sign(TestVendor vendor, byte[] manifest)
      throws InvalidDocument, GeneralSecurityException {
    return Sealed.sign(
        AgentStatement.of(manifest).json("researcher.yml"),
        vendor.keyId(),
        vendor.pair().getPrivate());
  }

  private static byte[] manifest(String name, String version) {
    return """
        apiVersion: aion.os/v1
        kind: Agent
        metadata: { name: "%s", version: "%s" }
        spec:
          entry: "python main.py"
          capabilities: { network: true }
        """
        .formatted(name, version)
        .getBytes(UTF_8);
  }
}
