package org.aionos.trust;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import net.jqwik.api.Example;

/** The trust store is read strictly, and whole or not at all. */
final class VendorsTest {

  private static final TestVendor ACME = TestVendor.ecdsa("acme");
  private final Path folder;

  VendorsTest() throws IOException {
    folder = Files.createTempDirectory("vendors");
  }

  private void refuses(String yaml, String why) throws IOException {
    Files.writeString(folder.resolve("acme.yaml"), yaml);
    assertThatThrownBy(() -> Vendors.read(folder))
        .isInstanceOf(Vendors.Unreadable.class)
        .hasMessageContaining("acme.yaml")
        .hasMessageContaining(why);
  }

  @Example
  void reads_all_that_a_file_may_say() throws Exception {
    Files.writeString(
        folder.resolve("acme.yaml"),
        ACME.yaml(
            "not_before: 2026-01-01\nnot_after: 2027-01-01T06:00:00Z\nrevoked: 2026-12-24",
            "tools: [\"acme.*\", echo]\ntiers: [bundle, wasm]\nminimum_versions: { echo: 1.0.1 }\n"
                + "revoked_digests: [\""
                + "a".repeat(64)
                + "\"]"));

    Vendors vendors = Vendors.read(folder);

    Vendor acme = vendors.byName().get("acme");
    VendorKey key = acme.keys().get(0);
    assertThat(key.key()).isEqualTo(ACME.pair().getPublic());
    assertThat(key.notBefore()).isEqualTo("2026-01-01T00:00:00Z");
    assertThat(key.notAfter()).isEqualTo("2027-01-01T06:00:00Z");
    assertThat(key.revoked()).isEqualTo("2026-12-24T00:00:00Z");
    assertThat(acme.maySign("acme.search")).isTrue();
    assertThat(acme.maySign("echo")).isTrue();
    assertThat(acme.maySign("echoes")).isFalse();
    assertThat(acme.isTooOld("echo", "1.0.0")).isTrue();
    assertThat(acme.isTooOld("echo", "1.0.1")).isFalse();
    assertThat(vendors.revokes("a".repeat(64))).isTrue();
    assertThat(vendors.nextRevocation(Instant.EPOCH))
        .contains(Instant.parse("2026-12-24T00:00:00Z"));
  }

  @Example
  void trusts_nobody_where_there_is_no_folder_and_nobody_with_nothing_said() throws Exception {
    assertThat(Vendors.read(folder.resolve("absent")).byName()).isEmpty();
    Files.writeString(folder.resolve("acme.yaml"), ACME.yaml("", ""));

    Vendor acme = Vendors.read(folder).byName().get("acme");

    assertThat(acme.maySign("echo")).isFalse();
    assertThat(acme.tiers()).isEmpty();
  }

  @Example
  void says_which_field_is_wrong() throws Exception {
    refuses("- a list", "must be an object");
    refuses(ACME.yaml("", "tool: [x]"), "/spec/tool: unknown field");
    refuses(ACME.yaml("", "tools: [\"*.x\"]"), "/spec/tools/0");
    refuses(ACME.yaml("", "tiers: [kernel]"), "/spec/tiers");
    refuses(ACME.yaml("", "minimum_versions: { echo: \"1\" }"), "/spec/minimum_versions/echo");
    refuses(ACME.yaml("", "revoked_digests: [abc]"), "/spec/revoked_digests/0");
    refuses(ACME.yaml("not_before: tomorrow", ""), "/spec/keys/0/not_before");
    refuses(ACME.yaml("revoked: yesterday", ""), "/spec/keys/0/revoked");
    refuses(
        ACME.yaml("not_before: 2026-02-02\nnot_after: 2026-02-02", ""), "/spec/keys/0/not_after");
    refuses(ACME.yaml("", "").replace("kind: Vendor", "kind: Agent"), "/kind");
    refuses(ACME.yaml("", "").replace("acme", "other"), "/metadata/name");
    refuses(ACME.yaml("", "").replaceAll("MF[A-Za-z0-9]{8}", "AAAAAAAA"), "/spec/keys/0/pem");
    refuses(ACME.yaml("", "").replace("BEGIN PUBLIC", "BEGIN RSA PUBLIC"), "/spec/keys/0/pem");
    refuses(ACME.yaml("", "").replace("id: \"", "id: \"not an id "), "/spec/keys/0/id");
  }

  @Example
  void takes_no_key_of_another_kind_or_curve() throws Exception {
    KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA");
    rsa.initialize(2_048);
    KeyPairGenerator p384 = KeyPairGenerator.getInstance("EC");
    p384.initialize(new ECGenParameterSpec("secp384r1"));
    KeyPair ed448 = KeyPairGenerator.getInstance("Ed448").generateKeyPair();

    for (KeyPair other : new KeyPair[] {rsa.generateKeyPair(), p384.generateKeyPair(), ed448}) {
      refuses(new TestVendor("acme", other, "other").yaml("", ""), "/spec/keys/0/pem");
    }
  }

  @Example
  void refuses_one_key_in_two_places() throws Exception {
    Files.writeString(folder.resolve("acme.yaml"), ACME.yaml("", ""));
    TestVendor twin = new TestVendor("twin", ACME.pair(), "another-id");
    Files.writeString(folder.resolve("twin.yaml"), twin.yaml("", ""));
    assertThatThrownBy(() -> Vendors.read(folder)).hasMessageContaining("stands twice");

    TestVendor same = new TestVendor("twin", TestVendor.ed25519("x").pair(), ACME.keyId());
    Files.writeString(folder.resolve("twin.yaml"), same.yaml("", ""));
    assertThatThrownBy(() -> Vendors.read(folder)).hasMessageContaining("stands twice");
  }

  @Example
  void refuses_files_that_it_would_not_read_but_passes_over_hidden_ones() throws Exception {
    Files.writeString(folder.resolve(".acme.yaml.swp"), "an editor's own");
    assertThat(Vendors.read(folder).byName()).isEmpty();

    Files.writeString(folder.resolve("acme.yml"), ACME.yaml("", ""));
    assertThatThrownBy(() -> Vendors.read(folder)).hasMessageContaining("only files <vendor>.yaml");
  }
}
