package org.aionos.trust;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import net.jqwik.api.Example;
import org.aionos.document.Documents;
import org.aionos.document.Fields;

/** The programs of vendors and operators, from keys to verified signatures. */
final class SigningTest {

  private final Path folder;
  private final Path jar;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  SigningTest() throws IOException {
    folder = Files.createTempDirectory("signing");
    jar = folder.resolve("hello.jar");
    Files.write(jar, Jars.tool("hello", "1.2.0").bytes());
  }

  private int run(Object... args) {
    out.reset();
    err.reset();
    String[] texts = new String[args.length];
    for (int i = 0; i < args.length; i++) {
      texts[i] = args[i].toString();
    }
    try (PrintStream o = new PrintStream(out, true, UTF_8);
        PrintStream e = new PrintStream(err, true, UTF_8)) {
      return new Signing(o, e, InstantSource.system()).run(texts);
    }
  }

  private Path keys(String name, String... more) {
    Path keys = folder.resolve(name);
    String[] args = new String[3 + more.length];
    args[0] = "keygen";
    args[1] = "--out";
    args[2] = keys.toString();
    System.arraycopy(more, 0, args, 3, more.length);
    assertThat(run((Object[]) args)).as(err.toString(UTF_8)).isZero();
    return keys;
  }

  @Example
  void a_key_signs_and_its_public_half_verifies() throws Exception {
    for (String kind : new String[] {"ecdsa", "ed25519"}) {
      Path keys = kind.equals("ecdsa") ? keys(kind) : keys(kind, "--ed25519");
      Path secret = keys.resolve("signing-key.pem");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(secret)))
          .isEqualTo("rw-------");

      assertThat(run("sign", "--key", secret, "--jar", jar)).as(err.toString(UTF_8)).isZero();
      int verified =
          run("verify", "--jar", jar, "--key", keys.resolve("signing-key.pub.pem"), "--json");

      Fields found = Documents.json(out.toByteArray());
      assertThat(verified).isZero();
      assertThat(found.flag("verified", false)).isTrue();
      assertThat(found.text("tool")).isEqualTo("hello");
      assertThat(found.texts("capabilities_required", 9)).containsExactly("network");
    }
  }

  @Example
  void a_changed_jar_and_another_key_do_not_verify() throws Exception {
    Path keys = keys("keys");
    Path others = keys("others");
    run("sign", "--key", keys.resolve("signing-key.pem"), "--jar", jar);

    assertThat(run("verify", "--jar", jar, "--key", others.resolve("signing-key.pub.pem")))
        .isEqualTo(Signing.REFUSED);
    assertThat(out.toString(UTF_8)).contains("NOT VERIFIED").contains("trust/tampered");
    Files.write(jar, Jars.tool("hello", "1.2.1").bytes());
    assertThat(run("verify", "--jar", jar, "--key", keys.resolve("signing-key.pub.pem")))
        .isEqualTo(Signing.REFUSED);
    Files.writeString(jar, "no jar");
    assertThat(run("verify", "--jar", jar, "--key", keys.resolve("signing-key.pub.pem"), "--json"))
        .isEqualTo(Signing.REFUSED);
    assertThat(Documents.json(out.toByteArray()).flag("verified", true)).isFalse();
  }

  @Example
  void verifies_by_a_trust_store_as_the_kernel_would() throws Exception {
    TestVendor acme = TestVendor.ecdsa("acme");
    Path vendors = Files.createDirectories(folder.resolve("vendors"));
    Files.write(folder.resolve("hello.jar.sig"), acme.signsBlob(Files.readAllBytes(jar)));
    Files.writeString(vendors.resolve("acme.yaml"), acme.yaml("", "tools: [x]\ntiers: [bundle]"));

    assertThat(run("verify", "--jar", jar, "--trust", vendors)).isEqualTo(Signing.REFUSED);
    assertThat(out.toString(UTF_8)).contains("trust/out-of-prefix").contains("signed by    acme");
    Files.writeString(
        vendors.resolve("acme.yaml"), acme.yaml("", "tools: [hello]\ntiers: [bundle]"));
    assertThat(run("verify", "--jar", jar, "--trust", vendors)).isZero();
    assertThat(run("verify", "--jar", jar, "--trust", folder.resolve("absent"))).isEqualTo(2);
  }

  @Example
  void a_bill_of_materials_is_signed_too() throws Exception {
    Path keys = keys("keys");
    Path shown = keys.resolve("signing-key.pub.pem");
    Path sbom = Files.writeString(folder.resolve("sbom.json"), "{}");
    run("sign", "--key", keys.resolve("signing-key.pem"), "--jar", jar, "--sbom", sbom);

    assertThat(run("verify", "--jar", jar, "--key", shown, "--sbom", sbom)).isZero();
    Files.writeString(sbom, "{ }");
    assertThat(run("verify", "--jar", jar, "--key", shown, "--sbom", sbom)).isEqualTo(1);
    assertThat(out.toString(UTF_8)).contains("another bill of materials");
  }

  @Example
  void says_how_it_is_used_and_overwrites_no_key() throws Exception {
    for (String command : new String[] {"keygen", "sign", "verify"}) {
      assertThat(run(command, "--help")).isZero();
      assertThat(out.toString(UTF_8)).contains("./aion " + command).contains("Exit code");
      assertThat(run(command, "--unknown")).isEqualTo(2);
      assertThat(run(command)).isEqualTo(2);
    }
    assertThat(run()).isEqualTo(2);
    Path keys = keys("keys");
    byte[] before = Files.readAllBytes(keys.resolve("signing-key.pem"));

    assertThat(run("keygen", "--out", keys)).isEqualTo(2);

    assertThat(err.toString(UTF_8)).contains("is there already");
    assertThat(Files.readAllBytes(keys.resolve("signing-key.pem"))).isEqualTo(before);
  }

  @Example
  void refuses_to_sign_what_is_no_tool_jar_and_with_what_is_no_key() throws Exception {
    Path keys = keys("keys");
    Path secret = keys.resolve("signing-key.pem");
    Path noJar = Files.writeString(folder.resolve("x.jar"), "no jar");

    assertThat(run("sign", "--key", secret, "--jar", noJar)).isEqualTo(1);
    assertThat(run("sign", "--key", jar, "--jar", jar)).isEqualTo(2);
    assertThat(run("sign", "--key", folder.resolve("absent"), "--jar", jar)).isEqualTo(2);
    assertThat(err.toString(UTF_8)).contains("no file");
    Files.copy(
        keys("others").resolve("signing-key.pub.pem"),
        keys.resolve("signing-key.pub.pem"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    assertThat(run("sign", "--key", secret, "--jar", jar)).isEqualTo(2);
    assertThat(err.toString(UTF_8)).contains("not the public half");
  }
}
