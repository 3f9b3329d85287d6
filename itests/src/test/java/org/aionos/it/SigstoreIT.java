package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Our signatures and those of sigstore's own code are one and the same. Needs node and npm. */
class SigstoreIT {

  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final String[][] KINDS = {{}, {"--ed25519"}};

  private static Path programs;

  @BeforeAll
  static void install() throws IOException {
    programs = Files.createDirectories(Path.of("target/tool-signatures").toAbsolutePath());
    Path source = RunningKernel.ROOT.resolve("sdk/conformance/tool-signatures");
    for (String file :
        List.of("package.json", "package-lock.json", ".npmrc", "verify.mjs", "sign.mjs")) {
      Files.write(programs.resolve(file), Files.readAllBytes(source.resolve(file)));
    }
    run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts").expectSuccess();
  }

  private static Shell run(String... command) {
    return Shell.run(programs, Map.of(), PATIENCE, List.of(command));
  }

  private static Shell ours(String... arguments) {
    return ToolVendor.aion(List.of(arguments));
  }

  @Test
  void sigstores_verifier_takes_what_we_sign_and_nothing_else() throws IOException {
    for (String[] kind : KINDS) {
      ToolVendor vendor = new ToolVendor("vendor", kind);
      byte[] jar = ToolJars.plain("ours", "1.2.3").bytes();
      Path file = ToolVendor.write(jar, "ours.jar");
      Path bundle = Files.write(Path.of(file + ".json"), vendor.sign(jar));
      String key = vendor.publicKey().toString();

      Shell verified = run("node", "verify.mjs", file.toString(), bundle.toString(), key);
      assertThat(verified.output()).contains("verified ours@1.2.3");
      assertThat(verified.exit()).isZero();

      String stranger = new ToolVendor("other", kind).publicKey().toString();
      assertThat(run("node", "verify.mjs", file.toString(), bundle.toString(), stranger).exit())
          .isEqualTo(1);
      Files.write(file, ToolJars.plain("ours", "1.2.4").bytes());
      assertThat(run("node", "verify.mjs", file.toString(), bundle.toString(), key).exit())
          .isEqualTo(1);
    }
  }

  @Test
  void we_take_what_sigstores_signer_signs() throws IOException {
    for (String[] kind : KINDS) {
      ToolVendor vendor = new ToolVendor("vendor", kind);
      byte[] jar = ToolJars.plain("theirs", "1.2.3").bytes();
      Path file = ToolVendor.write(jar, "theirs.jar");
      Path statement = Files.write(Path.of(file + ".statement"), statement(jar));

      String bundle =
          run("node", "sign.mjs", statement.toString(), vendor.privateKey().toString(), "key-7")
              .expectSuccess()
              .output();
      Files.writeString(Path.of(file + ".sigstore.json"), bundle);

      Shell verified =
          ours("verify", "--jar", file.toString(), "--key", vendor.publicKey().toString());
      assertThat(verified.output()).contains("verified", "theirs@1.2.3", "key-7");
      assertThat(verified.exit()).isZero();
      Files.write(file, ToolJars.plain("theirs", "1.2.3").entry("more", "x").bytes());
      assertThat(
              ours("verify", "--jar", file.toString(), "--key", vendor.publicKey().toString())
                  .exit())
          .isEqualTo(1);
    }
  }

  /** Written down from docs/signing.md, and not by the code under test. */
  private static byte[] statement(byte[] jar) throws IOException {
    ObjectNode root = RunningKernel.JSON.createObjectNode();
    root.put("_type", "https://in-toto.io/Statement/v1");
    ObjectNode subject = root.putArray("subject").addObject().put("name", "theirs.jar");
    subject.putObject("digest").put("sha256", HexFormat.of().formatHex(Signer.sha256(jar)));
    root.put("predicateType", "https://aion.os/tool-permissions/v1");
    ObjectNode predicate = root.putObject("predicate");
    predicate.put("tool", "theirs").put("version", "1.2.3").put("tier", "bundle");
    predicate.putArray("capabilities_required");
    predicate.put("tool_yml_sha256", HexFormat.of().formatHex(Signer.sha256(toolYaml(jar))));
    predicate.putNull("sbom_sha256");
    return root.toString().getBytes(UTF_8);
  }

  private static byte[] toolYaml(byte[] jar) throws IOException {
    try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(jar))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        if (entry.getName().equals("AION-INF/tool.yml")) {
          return zip.readAllBytes();
        }
      }
    }
    throw new AssertionError("no tool.yml in it");
  }

  @Test
  void we_take_what_openssl_signs_as_cosign_does() throws IOException {
    Path folder = Files.createTempDirectory("openssl-");
    Path jar = Files.write(folder.resolve("x.jar"), ToolJars.plain("x", "1.0.0").bytes());
    Shell made =
        Shell.run(
            folder,
            Map.of(),
            PATIENCE,
            List.of(
                "sh",
                "-ec",
                """
                openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem
                openssl pkey -in key.pem -pubout -out pub.pem
                openssl dgst -sha256 -sign key.pem x.jar | openssl base64 -A > x.jar.sig
                """));
    made.expectSuccess();

    Shell verified =
        ours("verify", "--jar", jar.toString(), "--key", folder.resolve("pub.pem").toString());

    assertThat(verified.exit()).as(verified.output()).isZero();
    // And the other way: openssl's key signs with our program.
    ours(
            "sign",
            "--key",
            folder.resolve("key.pem").toString(),
            "--key-id",
            "openssl-1",
            "--jar",
            jar.toString())
        .expectSuccess();
    assertThat(
            run(
                    "node",
                    "verify.mjs",
                    jar.toString(),
                    jar + ".sigstore.json",
                    folder.resolve("pub.pem").toString())
                .exit())
        .isZero();
  }
}
