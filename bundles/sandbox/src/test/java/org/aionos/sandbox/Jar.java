package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.kernel.ToolPackage;

/** The jar of a tool, from memory. */
record Jar(ToolManifest manifest, Map<String, byte[]> files) implements ToolPackage {

  static Jar of(String entry, Map<String, Object> security, Map<String, byte[]> files) {
    int colon = entry.indexOf(':');
    return new Jar(
        new ToolManifest(
            "hostile",
            "1.0.0",
            "",
            entry.substring(0, colon),
            entry.substring(colon + 1),
            null,
            null,
            Set.of(),
            new LinkedHashMap<>(security),
            Map.of(),
            30_000,
            64),
        files);
  }

  static Jar python(String script) {
    return of("python:main.py", Map.of(), Map.of("main.py", script.getBytes(UTF_8)));
  }

  /** The attacker of the tests. */
  static Jar attacker(Map<String, Object> security) {
    return of("python:attack.py", security, Map.of("attack.py", resource("attack.py")));
  }

  /** The same tool, which needs a capability. */
  Jar needing(String capability) {
    return new Jar(
        new ToolManifest(
            manifest.name(),
            manifest.version(),
            manifest.description(),
            manifest.tier(),
            manifest.target(),
            manifest.input(),
            manifest.output(),
            Set.of(capability),
            manifest.security(),
            manifest.signatures(),
            manifest.timeoutMillisMax(),
            manifest.concurrencyMax()),
        files);
  }

  static byte[] resource(String name) {
    try (InputStream in = Jar.class.getResourceAsStream(name)) {
      return in.readAllBytes();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  @Override
  public String digest() {
    return "0123456789abcdef".repeat(4);
  }

  @Override
  public List<String> paths() {
    return List.copyOf(files.keySet());
  }

  @Override
  public byte[] read(String path) throws IOException {
    byte[] content = files.get(path);
    if (content == null) {
      throw new IOException("no " + path);
    }
    return content;
  }
}
