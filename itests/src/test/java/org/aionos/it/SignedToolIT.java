package org.aionos.it;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/**
 * A vendor's signature lets a tool in, and what the trust store says keeps it in or takes it out.
 */
@Order(6)
class SignedToolIT {

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String GRANTS = "tools: [echo, \"acme.*\", \"acme_*\"]\ntiers: [bundle]";

  private static final ToolVendor ACME = new ToolVendor("acme");
  private static final ToolVendor EVIL = new ToolVendor("evil", "--ed25519");

  private static RunningKernel kernel;

  @BeforeAll
  static void start() {
    kernel = RunningKernel.named("signed").bare().start();
    trust(kernel, ACME, "revoked: false", GRANTS);
  }

  @AfterAll
  static void stop() {
    kernel.close();
  }

  private static Path vendors(RunningKernel kernel) {
    return kernel.data().resolve("config/trust/vendors");
  }

  private static void trust(
      RunningKernel kernel, ToolVendor vendor, String keyMore, String grants) {
    write(vendors(kernel).resolve(vendor.name + ".yaml"), vendor.yaml(keyMore, grants));
  }

  private static void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
  }

  private static void drop(byte[] jar, byte[] signature, String file) {
    kernel.drop(signature, file + ".sigstore.json");
    kernel.drop(jar, file);
  }

  private static void assertRefused(String file, String rule, String why) {
    Await.until(
        "the log has " + file + " refused: " + why,
        PATIENCE,
        () -> kernel.log().lines().anyMatch(line -> isRefusal(line, file, why)));
    Await.until("the journal has " + rule, PATIENCE, () -> journal().contains(rule));
  }

  private static boolean isRefusal(String line, String file, String why) {
    return line.contains("tool refused: file=" + kernel.deployFolder().resolve(file) + " ")
        && line.contains(why);
  }

  private static String journal() throws IOException {
    StringBuilder text = new StringBuilder();
    try (Stream<Path> files = Files.walk(kernel.data().resolve("state/journal"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        text.append(new String(Files.readAllBytes(file), ISO_8859_1));
      }
    }
    return text.toString();
  }

  private static String allowed(RunningKernel kernel) {
    return new String(
        RunningKernel.readBytes(kernel.data().resolve("config/trust/allowed-tools.txt")), UTF_8);
  }

  @Test
  void a_signed_tool_is_callable_though_nobody_allowed_it() {
    byte[] echo = RunningKernel.readBytes(RunningKernel.ECHO_1_0);

    drop(echo, ACME.sign(echo), "echo.jar");

    kernel.awaitTool("echo@1.0.0");
    kernel.invoke("echo", Map.of("text", "signed")).expect(200);
    assertThat(allowed(kernel)).doesNotContain(HexFormat.of().formatHex(Signer.sha256(echo)));
  }

  @Test
  void a_signed_tool_is_callable_soon_after_it_is_dropped() {
    List<Long> millis = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      String version = "1.0." + i;
      byte[] jar = ToolJars.plain("acme_timed", version).bytes();
      byte[] signature = ACME.sign(jar);
      long dropped = System.nanoTime();
      drop(jar, signature, "timed.jar");
      Await.until(
          "acme_timed " + version + " answers",
          PATIENCE,
          () -> kernel.invoke("acme_timed", Map.of()).at("/result/version").equals(version));
      millis.add((System.nanoTime() - dropped) / 1_000_000);
    }

    long median = millis.stream().sorted().toList().get(3);
    System.out.println("signed drop to callable, ms: " + millis + " median " + median);
    assertThat(median).isLessThan(1_500);
  }

  @Test
  void what_nobody_signed_is_refused_until_its_signature_comes() {
    byte[] jar = ToolJars.plain("acme_late", "1.0.0").bytes();

    kernel.drop(jar, "late.jar");
    assertRefused("late.jar", "trust/unsigned", "no signature came with it");
    kernel.invoke("acme_late", Map.of()).expect(404, "UNKNOWN_TOOL");
    kernel.drop(ACME.sign(jar), "late.jar.sigstore.json");

    kernel.awaitTool("acme_late@1.0.0");
    kernel.invoke("acme_late", Map.of()).expect(200);
  }

  @Test
  void a_signature_of_cosigns_form_that_openssl_made_is_enough() {
    byte[] jar = ToolJars.plain("acme_cosign", "1.0.0").bytes();
    Path file = ToolVendor.write(jar, "tool.jar");
    String sign =
        "openssl dgst -sha256 -sign '%s' '%s' | openssl base64 -A > '%s.sig'"
            .formatted(ACME.privateKey(), file, file);
    Shell.run(RunningKernel.ROOT, Map.of(), PATIENCE, List.of("sh", "-c", sign)).expectSuccess();

    kernel.drop(RunningKernel.readBytes(Path.of(file + ".sig")), "cosign.jar.sig");
    kernel.drop(jar, "cosign.jar");

    kernel.awaitTool("acme_cosign@1.0.0");
  }

  @Test
  void a_jar_that_was_changed_after_it_was_signed_is_refused() {
    byte[] signature = ACME.sign(ToolJars.plain("acme_changed", "1.0.0").bytes());
    byte[] changed =
        ToolJars.plain("acme_changed", "1.0.0").entry("more.txt", "added later").bytes();

    drop(changed, signature, "changed.jar");

    assertRefused("changed.jar", "trust/tampered", "made for a jar with the digest");
    kernel.invoke("acme_changed", Map.of()).expect(404, "UNKNOWN_TOOL");
  }

  @Test
  void a_key_that_nobody_trusts_is_refused() {
    byte[] jar = ToolJars.plain("acme_stranger", "1.0.0").bytes();

    drop(jar, EVIL.sign(jar), "stranger.jar");

    assertRefused("stranger.jar", "trust/unknown-key", EVIL.keyId);
    kernel.invoke("acme_stranger", Map.of()).expect(404, "UNKNOWN_TOOL");
  }

  @Test
  void a_vendor_may_sign_what_it_was_granted_and_nothing_else() {
    byte[] other = ToolJars.plain("bank_transfer", "1.0.0").bytes();
    drop(other, ACME.sign(other), "other.jar");
    assertRefused("other.jar", "trust/out-of-prefix", "may not sign tools of this name");
    byte[] wasm =
        ToolJars.plain("acme_wasm", "1.0.0")
            .entry(
                "AION-INF/tool.yml",
                """
                apiVersion: aion.os/v1
                kind: Tool
                metadata: { name: acme_wasm, version: 1.0.0 }
                spec: { entry: "bundle:org.example.tool.acme_wasm" }
                """)
            .bytes();
    ToolVendor narrow = new ToolVendor("narrow", "--ed25519");
    trust(kernel, narrow, "revoked: false", "tools: [acme_wasm]\ntiers: [wasm]");

    drop(wasm, narrow.sign(wasm), "tier.jar");

    assertRefused("tier.jar", "trust/tier-not-granted", "tier bundle");
    kernel.invoke("acme_wasm", Map.of()).expect(404, "UNKNOWN_TOOL");
  }

  /** The framework would find a class where a streaming reader finds a text. */
  @Test
  void a_jar_that_shows_its_readers_two_things_is_refused_though_allowed() {
    byte[] jar = ToolJars.plain("acme_twofaced", "1.0.0").entry("harmless.txts", "x").bytes();
    byte[] twoFaced = jar.clone();
    int inDirectory = new String(jar, ISO_8859_1).lastIndexOf("harmless.txts");
    System.arraycopy("TheEvil.class".getBytes(UTF_8), 0, twoFaced, inDirectory, 13);

    kernel.allowAndDrop(twoFaced, "twofaced.jar");

    assertRefused("twofaced.jar", "tool.refused", "is one thing in the directory and another");
    kernel.invoke("acme_twofaced", Map.of()).expect(404, "UNKNOWN_TOOL");
  }

  @Test
  void keys_out_of_their_time_are_refused() {
    ToolVendor late = new ToolVendor("late");
    trust(kernel, late, "not_after: 2020-01-01", "tools: [acme_old]\ntiers: [bundle]");
    byte[] jar = ToolJars.plain("acme_old", "1.0.0").bytes();
    byte[] signature = late.sign(jar);

    drop(jar, signature, "old.jar");
    assertRefused("old.jar", "trust/key-expired", "was valid until 2020-01-01");
    trust(kernel, late, "not_before: 2120-01-01", "tools: [acme_old]\ntiers: [bundle]");

    assertRefused("old.jar", "trust/key-not-yet-valid", "is valid from 2120-01-01");
    trust(kernel, late, "revoked: false", "tools: [acme_old]\ntiers: [bundle]");
    kernel.awaitTool("acme_old@1.0.0");
  }

  @Test
  void a_signed_jar_neither_goes_back_nor_changes_under_its_version_unless_forced()
      throws IOException {
    byte[] two = ToolJars.plain("acme_ages", "2.0.0").bytes();
    byte[] one = ToolJars.plain("acme_ages", "1.0.0").bytes();
    byte[] otherTwo = ToolJars.plain("acme_ages", "2.0.0").entry("more.txt", "other").bytes();
    drop(two, ACME.sign(two), "ages.jar");
    kernel.awaitTool("acme_ages@2.0.0");

    drop(one, ACME.sign(one), "older.jar");
    assertRefused("older.jar", "trust/downgrade", "is older than 2.0.0");
    drop(otherTwo, ACME.sign(otherTwo), "same.jar");
    assertRefused("same.jar", "trust/changed-under-its-version", "this is another jar");
    kernel.invoke("acme_ages", Map.of()).expect(200);
    assertThat(kernel.tools()).contains("acme_ages@2.0.0").doesNotContain("acme_ages@1.0.0");

    Path jar = kernel.deployFolder().resolve("older.jar");
    assertThat(Ssh.run(kernel, "aion:tool-install " + jar)).contains("trust/downgrade");
    assertThat(kernel.tools()).contains("acme_ages@2.0.0");
    assertThat(Ssh.run(kernel, "aion:tool-install --force " + jar))
        .contains("2.0.0 -> 1.0.0", "signed by    acme, key " + ACME.keyId, "installed");
    assertThat(kernel.tools()).contains("acme_ages@1.0.0").doesNotContain("acme_ages@2.0.0");
  }

  @Test
  void the_shell_shows_signer_tier_and_permissions_before_it_acts() throws IOException {
    byte[] one = ToolJars.plain("acme_shown", "1.0.0").bytes();
    byte[] two =
        ToolJars.plain("acme_shown", "1.1.0")
            .entry(
                "AION-INF/tool.yml",
                """
                apiVersion: aion.os/v1
                kind: Tool
                metadata: { name: acme_shown, version: 1.1.0 }
                spec: { entry: "bundle:org.example.tool.acme_shown", capabilities_required: [network] }
                """)
            .bytes();
    drop(one, ACME.sign(one), "shown.jar");
    kernel.awaitTool("acme_shown@1.0.0");
    Path next = ToolVendor.write(two, "next.jar");
    Path signature = ToolVendor.write(ACME.sign(two), "next.json");

    String plan = Ssh.run(kernel, "aion:tool-install --plan --signature " + signature + " " + next);

    assertThat(plan)
        .contains("1.0.0 -> 1.1.0", "tier         bundle", "permission + network", ACME.keyId);
    assertThat(kernel.tools()).contains("acme_shown@1.0.0").doesNotContain("acme_shown@1.1.0");
    assertThat(Ssh.run(kernel, "aion:tool-install --plan " + next))
        .contains("signed by    nobody who is trusted", "trust/unsigned");
  }

  @Test
  void a_tool_whose_key_is_revoked_is_taken_out_at_once() {
    ToolVendor fallen = new ToolVendor("fallen");
    String grants = "tools: [acme_fallen]\ntiers: [bundle]";
    trust(kernel, fallen, "revoked: false", grants);
    byte[] jar = ToolJars.plain("acme_fallen", "1.0.0").bytes();
    drop(jar, fallen.sign(jar), "fallen.jar");
    kernel.awaitTool("acme_fallen@1.0.0");

    trust(kernel, fallen, "revoked: 2026-01-01", grants);

    kernel.awaitNoTool("acme_fallen@1.0.0");
    kernel.invoke("acme_fallen", Map.of()).expect(404, "UNKNOWN_TOOL");
    kernel.awaitLog("tool taken out: tool=acme_fallen version=1.0.0 why=");
    Await.until(
        "the journal has it",
        PATIENCE,
        () -> journal().contains("tool.distrusted") && journal().contains("trust/key-revoked"));
    trust(kernel, fallen, "revoked: false", grants);
    kernel.awaitTool("acme_fallen@1.0.0");
  }

  @Test
  void a_revocation_takes_effect_when_its_time_comes() {
    ToolVendor leaving = new ToolVendor("leaving");
    String grants = "tools: [acme_leaving]\ntiers: [bundle]";
    trust(kernel, leaving, "revoked: false", grants);
    byte[] jar = ToolJars.plain("acme_leaving", "1.0.0").bytes();
    drop(jar, leaving.sign(jar), "leaving.jar");
    kernel.awaitTool("acme_leaving@1.0.0");

    Instant due = Instant.now().plusSeconds(2);
    trust(kernel, leaving, "revoked: " + due, grants);

    kernel.awaitNoTool("acme_leaving@1.0.0");
    assertThat(Instant.now()).isAfterOrEqualTo(due);
  }

  @Test
  void a_tool_whose_digest_is_revoked_is_taken_out_and_stays_out_though_allowed() throws Exception {
    byte[] jar = ToolJars.plain("acme_digest", "1.0.0").bytes();
    String digest = HexFormat.of().formatHex(Signer.sha256(jar));
    kernel.allowAndDrop(jar, "digest.jar");
    kernel.awaitTool("acme_digest@1.0.0");

    ToolVendor census = new ToolVendor("census");
    trust(kernel, census, "revoked: false", "revoked_digests: [\"" + digest + "\"]");

    kernel.awaitNoTool("acme_digest@1.0.0");
    kernel.awaitLog("the digest " + digest + " of acme_digest@1.0.0 is revoked");
    Files.delete(kernel.deployFolder().resolve("digest.jar"));
    Files.delete(vendors(kernel).resolve("census.yaml"));
  }

  @Test
  void a_trust_store_that_cannot_be_read_lets_nothing_in_until_it_can() throws IOException {
    Path broken = vendors(kernel).resolve("broken.yaml");
    write(broken, "kind: Vendor\n");
    byte[] jar = ToolJars.plain("acme_blind", "1.0.0").bytes();

    drop(jar, ACME.sign(jar), "blind.jar");

    assertRefused("blind.jar", "trust/trust-store-unreadable", "/apiVersion: is missing");
    Files.delete(broken);
    kernel.awaitTool("acme_blind@1.0.0");
  }

  @Test
  void deploy_takes_the_signature_along_and_allows_nothing() {
    byte[] jar = ToolJars.plain("acme_deployed", "1.0.0").bytes();
    Path file = ToolVendor.write(jar, "deployed.jar");
    Path unsigned = ToolVendor.write(ToolJars.plain("acme_plain", "1.0.0").bytes(), "plain.jar");
    Path stranger =
        ToolVendor.write(ToolJars.plain("acme_foreign", "1.0.0").bytes(), "foreign.jar");
    sign(ACME, file);
    sign(EVIL, stranger);

    String signed = deploy(file).expectSuccess().output();
    assertThat(signed).contains("let in by its signature, deployed.jar.sigstore.json");
    assertThat(allowed(kernel)).doesNotContain("deployed.jar");
    assertThat(deploy(unsigned).expectSuccess().output()).contains("its digest was allowed");
    assertThat(allowed(kernel)).contains("plain.jar");
    Shell refused = deploy(stranger);
    assertThat(refused.exit()).isNotZero();
    assertThat(refused.output()).contains("no vendor of the trust store has the key");
  }

  private static void sign(ToolVendor vendor, Path jar) {
    ToolVendor.aion(
            List.of("sign", "--key", vendor.privateKey().toString(), "--jar", jar.toString()))
        .expectSuccess();
  }

  private static Shell deploy(Path jar) {
    return ToolVendor.aion(List.of("deploy", "--data", kernel.data().toString(), jar.toString()));
  }

  @Test
  void after_a_restart_signed_tools_come_back_if_they_are_trusted_today() {
    try (RunningKernel restarted = RunningKernel.named("signed-restart").bare().start()) {
      ToolVendor gone = new ToolVendor("gone");
      trust(restarted, ACME, "revoked: false", GRANTS);
      trust(restarted, gone, "revoked: false", "tools: [acme_gone]\ntiers: [bundle]");
      for (String name : List.of("acme_kept", "acme_spoilt", "acme_gone")) {
        byte[] jar = ToolJars.plain(name, "1.0.0").bytes();
        ToolVendor signer = name.equals("acme_gone") ? gone : ACME;
        restarted.drop(signer.sign(jar), name + ".jar.sigstore.json");
        restarted.drop(jar, name + ".jar");
        restarted.awaitTool(name + "@1.0.0");
      }
      restarted.down();
      trust(restarted, gone, "revoked: true", "tools: [acme_gone]\ntiers: [bundle]");
      spoil(restarted, "acme_spoilt");
      Path broken = vendors(restarted).resolve("broken.yaml");
      write(broken, "kind: Vendor\n");

      restarted.up();

      restarted.awaitLog("tool not restored: tool=acme_kept why=the trust store cannot be read");
      assertThat(restarted.tools()).isEmpty();
      deleteFile(broken);

      restarted.awaitTool("acme_kept@1.0.0");
      restarted.invoke("acme_kept", Map.of()).expect(200);
      restarted.awaitLog("tool taken out: tool=acme_gone version=1.0.0 why=");
      restarted.awaitLog("tool not restored: tool=acme_spoilt");
      restarted.awaitNoTool("acme_gone@1.0.0");
      // From the file, which nobody spoilt.
      restarted.awaitTool("acme_spoilt@1.0.0");
    }
  }

  private static void deleteFile(Path file) {
    try {
      Files.delete(file);
    } catch (IOException stays) {
      throw new UncheckedIOException(stays);
    }
  }

  /** Changes the bytes that the kernel kept of a tool. */
  private static void spoil(RunningKernel kernel, String name) {
    byte[] jar = RunningKernel.readBytes(kernel.deployFolder().resolve(name + ".jar"));
    String digest = HexFormat.of().formatHex(Signer.sha256(jar));
    byte[] other = ToolJars.plain(name, "1.0.0").entry("evil.txt", "x").bytes();
    try {
      Files.write(kernel.data().resolve("state/trust").resolve(digest + ".jar"), other);
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
  }

  @Test
  void where_a_signature_is_required_an_allowance_is_not_enough() {
    try (RunningKernel strict =
        RunningKernel.named("signed-only")
            .bare()
            .with("AION_TRUST_REQUIRE_SIGNATURE", "true")
            .start()) {
      trust(strict, ACME, "revoked: false", GRANTS + "\nagents: [researcher]");
      ACME.signAgent(strict.data().resolve("config/agents/tenantA/researcher-1.yml"));
      Await.until(
          "the sample agent is registered",
          Duration.ofSeconds(30),
          () -> strict.invoke("absent", Map.of()).text().contains("UNKNOWN_TOOL"));
      byte[] jar = ToolJars.plain("acme_strict", "1.0.0").bytes();

      strict.allowAndDrop(jar, "strict.jar");
      strict.awaitLog("is allowed, but trust.require_signature wants a vendor's signature");
      strict.invoke("acme_strict", Map.of()).expect(404, "UNKNOWN_TOOL");
      strict.drop(ACME.sign(jar), "strict.jar.sigstore.json");

      strict.awaitTool("acme_strict@1.0.0");
      strict.invoke("acme_strict", Map.of()).expect(200);
    }
  }
}
