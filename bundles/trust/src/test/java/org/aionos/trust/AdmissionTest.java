package org.aionos.trust;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Base64;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.aionos.kernel.ToolInstaller.Signer;

/** Who comes in, and why the others do not. */
final class AdmissionTest {

  private static final Instant NOW = Instant.parse("2026-06-15T12:00:00Z");
  private static final String GRANTS = "tools: [hello, \"acme.*\"]\ntiers: [bundle, wasm]";
  private static final TestVendor ACME = TestVendor.ecdsa("acme");
  private static final TestVendor EVIL = TestVendor.ecdsa("evil");
  private static final ToolJar HELLO = Jars.tool("hello", "1.2.0");
  private static final byte[] SIGNED = ACME.signs(HELLO);

  private final Path vendors;
  private final Set<String> allowed = new HashSet<>();
  private Instant now = NOW;

  AdmissionTest() throws IOException {
    vendors = Files.createTempDirectory("vendors");
    trust(ACME, "", GRANTS);
  }

  private void trust(TestVendor vendor, String keyMore, String grants) {
    file(vendor.name() + ".yaml", vendor.yaml(keyMore, grants));
  }

  private void file(String name, String text) {
    try {
      Files.writeString(vendors.resolve(name), text);
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
  }

  private Admission admission(boolean signatureRequired) {
    return new Admission(
        () -> Vendors.read(vendors), allowed::contains, signatureRequired, () -> now);
  }

  private Ruling rule(ToolJar jar, byte[] signature) {
    return admission(false).rule(jar, signature);
  }

  private void refuses(Reason reason, String why, ToolJar jar, byte[] signature) {
    Ruling ruling = rule(jar, signature);
    assertThat(ruling.refusal()).as(ruling.why()).isEqualTo(reason);
    assertThat(ruling.why()).contains(why);
    assertThat(ruling.problem().rule()).isEqualTo(reason.rule());
  }

  @Example
  void lets_in_what_a_vendor_signed_who_may_with_either_kind_of_key() {
    assertThat(rule(HELLO, SIGNED)).isEqualTo(signedBy(ACME));
    TestVendor edwards = TestVendor.ed25519("edwards");
    trust(edwards, "", GRANTS);
    assertThat(rule(HELLO, edwards.signs(HELLO))).isEqualTo(signedBy(edwards));
    assertThat(rule(Jars.tool("acme.search", "0.0.1", "wasm"), null).isAccepted()).isFalse();
    ToolJar search = Jars.tool("acme.search", "0.0.1", "wasm");
    assertThat(rule(search, ACME.signs(search))).isEqualTo(signedBy(ACME));
  }

  @Example
  void lets_in_what_cosign_signed() {
    assertThat(rule(HELLO, ACME.signsBlob(HELLO.bytes()))).isEqualTo(signedBy(ACME));
    byte[] line = (new String(ACME.signsBlob(HELLO.bytes()), UTF_8) + "\n").getBytes(UTF_8);
    assertThat(rule(HELLO, line)).isEqualTo(signedBy(ACME));
    refuses(Reason.UNKNOWN_KEY, "made its signature", HELLO, EVIL.signsBlob(HELLO.bytes()));
    refuses(
        Reason.UNKNOWN_KEY,
        "made its signature",
        Jars.tool("hello", "1.2.1"),
        ACME.signsBlob(HELLO.bytes()));
  }

  private static Ruling signedBy(TestVendor vendor) {
    return new Ruling(new Signer(vendor.name(), vendor.keyId()), null, "", "");
  }

  @Example
  void lets_in_what_an_operator_allowed_unless_a_signature_is_required() {
    refuses(Reason.UNSIGNED, "is not allowed", HELLO, null);
    allowed.add(HELLO.digest());

    assertThat(rule(HELLO, null)).isEqualTo(Ruling.BY_OPERATOR);
    Ruling required = admission(true).rule(HELLO, null);
    assertThat(required.refusal()).isEqualTo(Reason.UNSIGNED);
    assertThat(required.why()).contains("trust.require_signature");
    assertThat(admission(true).rule(HELLO, SIGNED)).isEqualTo(signedBy(ACME));
  }

  @Example
  void an_operators_word_outweighs_a_signature_that_does_not_hold() {
    allowed.add(HELLO.digest());

    assertThat(rule(HELLO, EVIL.signs(HELLO))).isEqualTo(Ruling.BY_OPERATOR);
    assertThat(admission(true).rule(HELLO, EVIL.signs(HELLO)).refusal())
        .isEqualTo(Reason.UNKNOWN_KEY);
  }

  @Example
  void refuses_keys_that_nobody_vouches_for() {
    refuses(Reason.UNKNOWN_KEY, EVIL.keyId(), HELLO, EVIL.signs(HELLO));
    TestVendor pretender = new TestVendor("acme", EVIL.pair(), ACME.keyId());
    refuses(Reason.TAMPERED, "not of these bytes", HELLO, pretender.signs(HELLO));
  }

  @Example
  void refuses_another_jar_and_a_statement_that_is_not_about_this_one() {
    ToolJar next = Jars.tool("hello", "1.2.1");
    refuses(Reason.TAMPERED, "made for a jar with the digest", next, SIGNED);
    Statement honest = Statement.of(HELLO, "tool.jar", null);
    for (Statement lie :
        new Statement[] {
          new Statement(
              "j",
              honest.jarDigest(),
              "hello",
              "1.2.0",
              "bundle",
              Set.of(),
              honest.toolYamlDigest(),
              null),
          new Statement(
              "j",
              honest.jarDigest(),
              "hello",
              "1.3.0",
              "bundle",
              honest.needs(),
              honest.toolYamlDigest(),
              null),
          new Statement(
              "j",
              honest.jarDigest(),
              "hello",
              "1.2.0",
              "wasm",
              honest.needs(),
              honest.toolYamlDigest(),
              null),
          new Statement(
              "j",
              honest.jarDigest(),
              "other",
              "1.2.0",
              "bundle",
              honest.needs(),
              honest.toolYamlDigest(),
              null),
          new Statement(
              "j",
              honest.jarDigest(),
              "hello",
              "1.2.0",
              "bundle",
              honest.needs(),
              "0".repeat(64),
              null)
        }) {
      refuses(Reason.STATEMENT_MISMATCH, "says otherwise", HELLO, ACME.signs(lie));
    }
  }

  @Example
  void a_bill_of_materials_and_a_name_of_the_file_are_the_vendors_own_affair() {
    Statement statement = Statement.of(HELLO, "another-name.jar", "f".repeat(64));

    assertThat(rule(HELLO, ACME.signs(statement))).isEqualTo(signedBy(ACME));
  }

  @Example
  void holds_keys_to_their_time() {
    trust(ACME, "not_before: 2026-06-16\nnot_after: 2026-07-01T00:00:00Z", GRANTS);

    refuses(Reason.KEY_NOT_YET_VALID, "2026-06-16T00:00:00Z", HELLO, SIGNED);
    now = Instant.parse("2026-06-16T00:00:00Z");
    assertThat(rule(HELLO, SIGNED).isAccepted()).isTrue();
    now = Instant.parse("2026-06-30T23:59:59.999Z");
    assertThat(rule(HELLO, SIGNED).isAccepted()).isTrue();
    now = Instant.parse("2026-07-01T00:00:00Z");
    refuses(Reason.KEY_EXPIRED, "2026-07-01", HELLO, SIGNED);
  }

  @Example
  void what_came_in_while_its_key_was_valid_stays_but_not_if_the_key_is_revoked() {
    trust(ACME, "not_after: 2026-06-01", GRANTS);
    Instant before = Instant.parse("2026-05-01T00:00:00Z");

    assertThat(admission(false).rule(HELLO, SIGNED, before).isAccepted()).isTrue();
    trust(ACME, "not_after: 2026-06-01\nrevoked: 2026-06-10", GRANTS);
    assertThat(admission(false).rule(HELLO, SIGNED, before).refusal())
        .isEqualTo(Reason.KEY_REVOKED);
  }

  @Example
  void refuses_revoked_keys_from_the_day_that_is_given() throws Exception {
    trust(ACME, "revoked: true", GRANTS);
    refuses(Reason.KEY_REVOKED, "is revoked", HELLO, SIGNED);
    trust(ACME, "revoked: 2026-06-16", GRANTS);
    assertThat(rule(HELLO, SIGNED).isAccepted()).isTrue();
    assertThat(admission(false).nextRevocation()).contains(Instant.parse("2026-06-16T00:00:00Z"));
    now = Instant.parse("2026-06-16T00:00:00Z");
    refuses(Reason.KEY_REVOKED, "is revoked", HELLO, SIGNED);
    assertThat(admission(false).nextRevocation()).isEmpty();
    trust(ACME, "revoked: false", GRANTS);
    assertThat(rule(HELLO, SIGNED).isAccepted()).isTrue();
    Files.delete(vendors.resolve("acme.yaml"));
    refuses(Reason.UNKNOWN_KEY, ACME.keyId(), HELLO, SIGNED);
  }

  @Example
  void refuses_revoked_digests_whoever_signed_or_allowed_them() {
    allowed.add(HELLO.digest());
    trust(EVIL, "", "revoked_digests: [" + HELLO.digest() + "]");

    refuses(Reason.DIGEST_REVOKED, HELLO.digest(), HELLO, SIGNED);
    refuses(Reason.DIGEST_REVOKED, HELLO.digest(), HELLO, null);
  }

  @Example
  void holds_vendors_to_the_names_and_tiers_they_were_given() {
    for (String name : new String[] {"hello2", "hell", "other", "acm.x"}) {
      ToolJar jar = Jars.tool(name, "1.0.0");
      refuses(Reason.OUT_OF_PREFIX, "may not sign tools of this name", jar, ACME.signs(jar));
    }
    ToolJar exec = Jars.tool("hello", "1.2.0", "exec");
    refuses(Reason.TIER_NOT_GRANTED, "tier exec", exec, ACME.signs(exec));
    trust(ACME, "", "tools: [hello]\ntiers: [wasm]");
    refuses(Reason.TIER_NOT_GRANTED, "tier bundle", HELLO, SIGNED);
    trust(ACME, "", "tiers: [bundle]");
    refuses(Reason.OUT_OF_PREFIX, "may not sign", HELLO, SIGNED);
    trust(ACME, "", "tools: [\"*\"]\ntiers: [bundle]");
    assertThat(rule(HELLO, SIGNED).isAccepted()).isTrue();
  }

  @Example
  void refuses_versions_below_the_minimum() {
    trust(ACME, "", GRANTS + "\nminimum_versions: { hello: 1.10.0 }");

    refuses(Reason.BELOW_MINIMUM_VERSION, "1.10.0", HELLO, SIGNED);
    ToolJar ten = Jars.tool("hello", "1.10.0");
    assertThat(rule(ten, ACME.signs(ten)).isAccepted()).isTrue();
  }

  @Example
  void a_signed_jar_does_not_replace_a_newer_one_nor_another_of_its_version() {
    Admission admission = admission(false);
    Ruling signed = admission.rule(HELLO, SIGNED);

    assertThat(admission.besides(signed, HELLO, null).isAccepted()).isTrue();
    assertThat(admission.besides(signed, HELLO, installed("1.1.9", "other")).isAccepted()).isTrue();
    assertThat(admission.besides(signed, HELLO, installed("1.2.0", HELLO.digest())).isAccepted())
        .isTrue();
    Ruling older = admission.besides(signed, HELLO, installed("1.10.0", "other"));
    assertThat(older.refusal()).isEqualTo(Reason.DOWNGRADE);
    assertThat(older.isForcible()).isTrue();
    assertThat(older.why()).contains("older than 1.10.0");
    Ruling changed = admission.besides(signed, HELLO, installed("1.2.0", "other"));
    assertThat(changed.refusal()).isEqualTo(Reason.CHANGED_UNDER_ITS_VERSION);
    assertThat(changed.isForcible()).isTrue();
    assertThat(rule(HELLO, null).isForcible()).isFalse();
    allowed.add(HELLO.digest());
    assertThat(admission.besides(signed, HELLO, installed("1.10.0", "other")).isAccepted())
        .isTrue();
  }

  private static ToolStore.Entry installed(String version, String digest) {
    return new ToolStore.Entry(version, digest, null, null, NOW);
  }

  @Example
  void a_trust_store_that_cannot_be_read_lets_nothing_in_and_says_why() {
    allowed.add(HELLO.digest());
    file("broken.yaml", "apiVersion: aion.os/v1\nkind: Vendor\nmetadata: { name: other }\n");

    refuses(Reason.TRUST_STORE_UNREADABLE, "/metadata/name", HELLO, SIGNED);
    refuses(Reason.TRUST_STORE_UNREADABLE, "broken.yaml", HELLO, null);
    file("broken.yaml", EVIL.yaml("", GRANTS).replace("name: evil", "name: broken"));
    assertThat(rule(HELLO, SIGNED).isAccepted()).isTrue();
  }

  @Example
  void reads_signatures_strictly() {
    String bundle = new String(SIGNED, UTF_8);
    for (String[] change :
        new String[][] {
          {"v0.3+json", "v0.2+json"},
          {"\"mediaType\"", "\"more\":1,\"mediaType\""},
          {"\"payload\":\"", "\"payload\":\"A\",\"payload\":\""},
          {"\"payloadType\":\"application/vnd.in-toto+json\"", "\"payloadType\":\"text/plain\""},
          {"\"signatures\":[", "\"signatures\":[{\"sig\":\"AAAA\"},"},
          {"\"keyid\":\"", "\"keyid\":\"x"},
          {"\"sig\":\"", "\"sig\":\" "},
        }) {
      assertThat(bundle).contains(change[0]);
      refuses(
          Reason.MALFORMED_SIGNATURE,
          "cannot be read",
          HELLO,
          bundle.replace(change[0], change[1]).getBytes(UTF_8));
    }
    refuses(Reason.MALFORMED_SIGNATURE, "neither", HELLO, new byte[0]);
    refuses(Reason.MALFORMED_SIGNATURE, "neither", HELLO, "no signature".getBytes(UTF_8));
    refuses(Reason.MALFORMED_SIGNATURE, "longer", HELLO, new byte[Sealed.BYTES_MAX + 1]);
  }

  /** The signature of zeros that some verifiers took for every message. */
  @Example
  void refuses_the_signature_of_nothing() {
    byte[] zeros = {0x30, 6, 2, 1, 0, 2, 1, 0};
    refuses(Reason.UNKNOWN_KEY, "made its signature", HELLO, Base64.getEncoder().encode(zeros));
  }

  /** Any other value in any one place. */
  @Property(tries = 3)
  void no_byte_of_a_signature_can_change(@ForAll @IntRange(min = 1, max = 255) int change)
      throws Exception {
    Admission admission = unchanging();
    byte[] bare = ACME.signsBlob(HELLO.bytes());
    for (byte[] signature : new byte[][] {SIGNED, bare}) {
      for (int at = 0; at < signature.length; at++) {
        assertThat(admission.rule(HELLO, changed(signature, at, change)).isAccepted())
            .as("byte %d of %s", at, new String(signature, UTF_8))
            .isFalse();
      }
    }
  }

  @Property(tries = 3)
  void no_byte_of_a_jar_can_change(@ForAll @IntRange(min = 1, max = 255) int change)
      throws Exception {
    Admission admission = unchanging();
    byte[] bare = ACME.signsBlob(HELLO.bytes());
    for (int at = 0; at < HELLO.bytes().length; at++) {
      byte[] bytes = changed(HELLO.bytes(), at, change);
      // As if the change were one that the jar's own checks do not see.
      ToolJar jar =
          new ToolJar(
              bytes, ToolJar.digestOf(bytes), HELLO.manifest(), HELLO.toolYamlDigest(), Set.of());
      assertThat(admission.rule(jar, SIGNED).refusal()).isEqualTo(Reason.TAMPERED);
      assertThat(admission.rule(jar, bare).refusal()).isEqualTo(Reason.UNKNOWN_KEY);
    }
  }

  /** Also where the envelope is whole: the statement is what is signed. */
  @Property(tries = 3)
  void no_byte_of_a_statement_can_change(@ForAll @IntRange(min = 1, max = 255) int change)
      throws Exception {
    Admission admission = unchanging();
    byte[] statement = Statement.of(HELLO, "tool.jar", null).json();
    String bundle = new String(SIGNED, UTF_8);
    String before = Base64.getEncoder().encodeToString(statement);
    assertThat(bundle).contains(before);
    for (int at = 0; at < statement.length; at++) {
      String after = Base64.getEncoder().encodeToString(changed(statement, at, change));
      byte[] signature = bundle.replace(before, after).getBytes(UTF_8);
      assertThat(admission.rule(HELLO, signature).refusal()).isEqualTo(Reason.TAMPERED);
    }
  }

  /** With a trust store that is read once: thousands of rulings are asked for. */
  private Admission unchanging() throws Vendors.Unreadable {
    Vendors read = Vendors.read(vendors);
    return new Admission(() -> read, digest -> false, false, () -> NOW);
  }

  private static byte[] changed(byte[] bytes, int at, int change) {
    byte[] changed = bytes.clone();
    changed[at] ^= (byte) change;
    return changed;
  }

  @Example
  void a_bill_of_materials_that_is_signed_is_the_one_in_the_jar() {
    Map<String, byte[]> entries = Jars.entries("hello", "1.2.0", "bundle");
    entries.put("META-INF/sbom/application.cdx.json", "{}".getBytes(UTF_8));
    entries.put("AION-INF/sbom.json", "[]".getBytes(UTF_8));
    ToolJar jar = ToolJar.read(Jars.zip(entries), 1 << 20);

    for (String inside : new String[] {"{}", "[]"}) {
      String digest = ToolJar.digestOf(inside.getBytes(UTF_8));
      assertThat(rule(jar, ACME.signs(Statement.of(jar, "j", digest))).isAccepted()).isTrue();
    }
    assertThat(rule(jar, ACME.signs(Statement.of(jar, "j", null))).isAccepted()).isTrue();
    refuses(
        Reason.SBOM_MISMATCH,
        "bill of materials",
        jar,
        ACME.signs(Statement.of(jar, "j", "0".repeat(64))));
    // Published beside the jar, for people and for `./aion verify`.
    assertThat(rule(HELLO, ACME.signs(Statement.of(HELLO, "j", "0".repeat(64)))).isAccepted())
        .isTrue();
  }

  @Example
  void authenticates_type_and_payload_as_the_specification_of_dsse_says() {
    assertThat(new String(Sealed.preAuthentication("hello world".getBytes(UTF_8)), UTF_8))
        .isEqualTo("DSSEv1 28 application/vnd.in-toto+json 11 hello world");
  }
}
