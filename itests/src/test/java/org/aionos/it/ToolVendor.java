package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A vendor of tools, who makes keys and signatures with the script, as vendors do. */
final class ToolVendor {

  private static final Pattern KEY_ID = Pattern.compile("key id +(\\S+)");
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  final String name;
  final Path keys;
  final String keyId;

  ToolVendor(String name, String... options) {
    this.name = name;
    this.keys = folder().resolve("keys");
    List<String> command = new ArrayList<>(List.of("keygen", "--out", keys.toString()));
    command.addAll(List.of(options));
    Matcher id = KEY_ID.matcher(aion(command).expectSuccess().output());
    if (!id.find()) {
      throw new AssertionError("keygen prints no id");
    }
    this.keyId = id.group(1);
  }

  /** Runs the script. */
  static Shell aion(List<String> arguments) {
    List<String> command = new ArrayList<>(List.of("./aion"));
    command.addAll(arguments);
    return Shell.run(RunningKernel.ROOT, Map.of("AION_NO_BUILD", "1"), PATIENCE, command);
  }

  Path privateKey() {
    return keys.resolve("signing-key.pem");
  }

  Path publicKey() {
    return keys.resolve("signing-key.pub.pem");
  }

  /** The content of the file that goes beside the jar. */
  byte[] sign(byte[] jar) {
    Path file = write(jar, "tool.jar");
    aion(List.of("sign", "--key", privateKey().toString(), "--jar", file.toString()))
        .expectSuccess();
    return RunningKernel.readBytes(Path.of(file + ".sigstore.json"));
  }

  /** Signs an agent's file where it lies. */
  void signAgent(Path file) {
    aion(List.of("sign", "--key", privateKey().toString(), "--manifest", file.toString()))
        .expectSuccess();
  }

  /** A jar in a folder of its own. */
  static Path write(byte[] bytes, String name) {
    try {
      return Files.write(folder().resolve(name), bytes);
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
  }

  private static Path folder() {
    try {
      return Files.createTempDirectory("vendor-");
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
  }

  /** Its file in the trust store; both texts are lines of YAML. */
  String yaml(String keyMore, String grants) {
    String pem = new String(RunningKernel.readBytes(publicKey()), UTF_8);
    return """
        apiVersion: aion.os/v1
        kind: Vendor
        metadata: { name: %s }
        spec:
          keys:
            - id: "%s"
              %s
              pem: |
        %s
        %s
        """
        .formatted(name, keyId, keyMore, pem.indent(8).stripTrailing(), grants.indent(2));
  }
}
