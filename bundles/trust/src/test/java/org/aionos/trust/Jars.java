package org.aionos.trust;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Makes the jars of these tests. */
final class Jars {

  static final String MANIFEST =
      "Manifest-Version: 1.0\r\nBundle-ManifestVersion: 2\r\n"
          + "Bundle-SymbolicName: com.vendor.hello\r\nImport-Package: org.aionos.tool\r\n";

  private Jars() {}

  static String toolYaml(String name, String version, String tier) {
    return """
        apiVersion: aion.os/v1
        kind: Tool
        metadata: { name: %s, version: %s }
        spec: { entry: "%s:com.vendor.hello", capabilities_required: [network] }
        """
        .formatted(name, version, tier);
  }

  static Map<String, byte[]> entries(String name, String version, String tier) {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    String headers = tier.equals("bundle") ? MANIFEST : "Manifest-Version: 1.0\r\n";
    entries.put("META-INF/MANIFEST.MF", (headers + "\r\n").getBytes(UTF_8));
    entries.put("AION-INF/tool.yml", toolYaml(name, version, tier).getBytes(UTF_8));
    return entries;
  }

  static ToolJar tool(String name, String version) {
    return tool(name, version, "bundle");
  }

  static ToolJar tool(String name, String version, String tier) {
    return ToolJar.read(zip(entries(name, version, tier)), 1 << 20);
  }

  static byte[] zip(Map<String, byte[]> entries) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        ZipEntry header = new ZipEntry(entry.getKey());
        header.setTime(0);
        zip.putNextEntry(header);
        zip.write(entry.getValue());
        zip.closeEntry();
      }
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return bytes.toByteArray();
  }
}
