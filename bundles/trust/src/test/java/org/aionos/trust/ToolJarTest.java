package org.aionos.trust;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.aionos.kernel.Refused;

final class ToolJarTest {

  private static final long BYTES_MAX = 1 << 20;
  private static final String MANIFEST =
      "Manifest-Version: 1.0\r\nBundle-ManifestVersion: 2\r\n"
          + "Bundle-SymbolicName: com.vendor.hello\r\nImport-Package: org.aionos.tool\r\n";
  private static final String TOOL =
      """
      apiVersion: aion.os/v1
      kind: Tool
      metadata: { name: hello, version: 1.2.0 }
      spec: { entry: "bundle:com.vendor.hello", capabilities_required: [network] }
      """;

  private static Map<String, byte[]> good() {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("META-INF/MANIFEST.MF", (MANIFEST + "\r\n").getBytes(UTF_8));
    entries.put("AION-INF/tool.yml", TOOL.getBytes(UTF_8));
    return entries;
  }

  private static byte[] jar(Map<String, byte[]> entries) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        zip.putNextEntry(new ZipEntry(entry.getKey()));
        zip.write(entry.getValue());
        zip.closeEntry();
      }
    }
    return bytes.toByteArray();
  }

  private static void refuses(Map<String, byte[]> entries, String why) throws IOException {
    byte[] bytes = jar(entries);
    assertThatThrownBy(() -> ToolJar.read(bytes, BYTES_MAX))
        .isInstanceOf(Refused.class)
        .hasMessageContaining(why);
  }

  private static Map<String, byte[]> withHeader(String header) {
    Map<String, byte[]> entries = good();
    entries.put("META-INF/MANIFEST.MF", (MANIFEST + header + "\r\n\r\n").getBytes(UTF_8));
    return entries;
  }

  @Example
  void reads_what_a_jar_says_of_itself() throws Exception {
    ToolJar jar = ToolJar.read(jar(good()), BYTES_MAX);

    assertThat(jar.manifest().nameAndVersion()).isEqualTo("hello@1.2.0");
    assertThat(jar.manifest().needs()).containsExactly("network");
    assertThat(jar.digest()).hasSize(64);
    assertThat(jar.location()).startsWith("aion:tool/hello/1.2.0/");
  }

  @Example
  void refuses_headers_that_would_reach_around_the_tool_api() throws Exception {
    refuses(withHeader("Fragment-Host: system.bundle;extension:=framework"), "Fragment-Host");
    refuses(withHeader("ExtensionBundle-Activator: com.vendor.Evil"), "ExtensionBundle-Activator");
    refuses(withHeader("DynamicImport-Package: *"), "DynamicImport-Package");
    refuses(withHeader("Export-Package: org.aionos.kernel"), "Export-Package");
    refuses(withHeader("Require-Bundle: org.aionos.router"), "Require-Bundle");
    refuses(
        withHeader("Require-Capability: osgi.wiring.package;filter:=\"(a=b)\""),
        "Require-Capability");
    Map<String, byte[]> kernel = good();
    kernel.put(
        "META-INF/MANIFEST.MF",
        MANIFEST.replace("org.aionos.tool", "org.aionos.kernel").concat("\r\n").getBytes(UTF_8));
    refuses(kernel, "org.aionos.kernel");
    Map<String, byte[]> name = good();
    name.put(
        "META-INF/MANIFEST.MF",
        MANIFEST.replace("com.vendor.hello", "org.aionos.policy").concat("\r\n").getBytes(UTF_8));
    refuses(name, "belongs to the kernel");
  }

  @Example
  void refuses_entries_that_leave_the_jar_or_stand_twice() throws Exception {
    for (String name : new String[] {"../../etc/cron.d/x", "/etc/passwd", "a\\..\\b"}) {
      Map<String, byte[]> entries = good();
      entries.put(name, new byte[1]);
      refuses(entries, "leaves the jar");
    }
    Map<String, byte[]> twice = good();
    twice.put("aion-inf/TOOL.yml", TOOL.getBytes(UTF_8));
    refuses(twice, "twice");
  }

  @Example
  void refuses_a_bomb_before_it_fills_the_heap() throws Exception {
    Map<String, byte[]> entries = good();
    entries.put("zeros", new byte[8 << 20]);

    refuses(entries, "unpacks");
  }

  @Example
  void refuses_a_jar_without_tool_or_name_or_with_a_bad_manifest() throws Exception {
    Map<String, byte[]> noTool = good();
    noTool.remove("AION-INF/tool.yml");
    refuses(noTool, "AION-INF/tool.yml");
    Map<String, byte[]> noManifest = good();
    noManifest.remove("META-INF/MANIFEST.MF");
    refuses(noManifest, "META-INF/MANIFEST.MF");
    Map<String, byte[]> noName = good();
    noName.put("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\n\r\n".getBytes(UTF_8));
    refuses(noName, "Bundle-SymbolicName");
    Map<String, byte[]> wrong = good();
    wrong.put("AION-INF/tool.yml", TOOL.replace("version: 1.2.0", "version: one").getBytes(UTF_8));
    refuses(wrong, "/metadata/version");
  }

  private static Map<String, byte[]> ofTier(String tier) {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\n\r\n".getBytes(UTF_8));
    entries.put("AION-INF/tool.yml", TOOL.replace("bundle:", tier + ":").getBytes(UTF_8));
    return entries;
  }

  @Example
  void a_tool_behind_a_boundary_needs_no_bundle_headers() throws Exception {
    assertThat(ToolJar.read(jar(ofTier("wasm")), BYTES_MAX).manifest().tier()).isEqualTo("wasm");
  }

  @Example
  void a_tool_behind_a_boundary_may_not_hold_code_that_runs_in_front_of_it() throws Exception {
    for (String header : new String[] {"Bundle-Activator", "Service-Component", "Import-Package"}) {
      Map<String, byte[]> entries = ofTier("python");
      entries.put(
          "META-INF/MANIFEST.MF",
          ("Manifest-Version: 1.0\r\n" + header + ": x.Y\r\n\r\n").getBytes(UTF_8));
      refuses(entries, header);
    }
    for (String file : new String[] {"x/Y.class", "lib/x.JAR"}) {
      Map<String, byte[]> entries = ofTier("exec");
      entries.put(file, new byte[1]);
      refuses(entries, "Java classes");
    }
  }

  @Property(tries = 300)
  void whatever_the_bytes_are_it_answers_or_refuses(@ForAll byte[] noise) throws Exception {
    byte[] bytes = jar(good());
    System.arraycopy(noise, 0, bytes, 0, Math.min(noise.length, bytes.length));
    for (byte[] candidate : new byte[][] {noise, bytes}) {
      try {
        ToolJar.read(candidate, BYTES_MAX);
      } catch (Refused refused) {
        assertThat(refused.problem().message()).isNotBlank();
      }
    }
  }

  @Example
  void an_allow_list_is_a_file_that_sha256sum_could_have_written() throws Exception {
    Path file = Files.createTempDirectory("allow").resolve("trust/allowed-tools.txt");
    AllowList list = AllowList.ofTools(file.getParent());
    String digest = "a".repeat(64);

    assertThat(list.allows(digest)).isFalse();
    list.add(digest);
    Files.writeString(
        file, Files.readString(file) + "b".repeat(64) + "  hello.jar\n# comment\nnot a digest\n");

    assertThat(list.digests()).containsExactlyInAnyOrder(digest, "b".repeat(64));
    list.remove(digest);
    assertThat(list.allows(digest)).isFalse();
    assertThatThrownBy(() -> list.add("../../x")).isInstanceOf(Refused.class);
  }

  @Example
  void refuses_a_second_manifest_and_names_that_only_some_readers_take_for_it() throws Exception {
    Map<String, byte[]> second = good();
    second.put("META-INF/versions/9/OSGI-INF/MANIFEST.MF", "Import-Package: x\r\n".getBytes(UTF_8));
    refuses(second, "second manifest");
    Map<String, byte[]> lower = good();
    lower.put("meta-inf/manifest.mf", lower.remove("META-INF/MANIFEST.MF"));
    refuses(lower, "to some readers");
  }

  @Example
  void refuses_a_manifest_that_two_parsers_could_take_in_two_ways() throws Exception {
    Map<String, String> ambiguous =
        Map.of(
            MANIFEST + "Import-Package: org.aionos.kernel\r\n\r\n", "twice",
            MANIFEST + "import-package: org.aionos.kernel\r\n\r\n", "twice",
            MANIFEST + "X: y\rFragment-Host: x\r\n\r\n", "stray",
            MANIFEST + "X: y\0\r\n\r\n", "stray",
            MANIFEST + "Fragment-Host:x\r\n\r\n", "not a header",
            MANIFEST + "Fragment-Host : x\r\n\r\n", "not a header",
            "\r\n" + MANIFEST + "\r\n", "empty line",
            " x\r\n" + MANIFEST + "\r\n", "middle of a header",
            MANIFEST + "X: y", "line end");
    for (Map.Entry<String, String> each : ambiguous.entrySet()) {
      Map<String, byte[]> entries = good();
      entries.put("META-INF/MANIFEST.MF", each.getKey().getBytes(UTF_8));
      refuses(entries, each.getValue());
    }
  }

  @Example
  void a_header_may_go_on_over_lines_and_sections_may_follow() throws Exception {
    Map<String, byte[]> entries = good();
    entries.put(
        "META-INF/MANIFEST.MF",
        (MANIFEST + "Fragment\r\n -Host: x\r\n\r\nName: a/b\r\nX: y\r\n").getBytes(UTF_8));
    refuses(entries, "Fragment-Host");
    entries.put(
        "META-INF/MANIFEST.MF",
        (MANIFEST.replace("aionos.tool", "aionos\r\n .kernel") + "\r\n").getBytes(UTF_8));
    refuses(entries, "org.aionos.kernel");
  }

  @Example
  void refuses_a_jar_with_something_before_or_behind_it() throws Exception {
    byte[] jar = jar(good());
    byte[] behind = java.util.Arrays.copyOf(jar, jar.length + 1);
    byte[] before = new byte[jar.length + 1];
    System.arraycopy(jar, 0, before, 1, jar.length);

    for (byte[] bytes : new byte[][] {behind, before}) {
      assertThatThrownBy(() -> ToolJar.read(bytes, BYTES_MAX)).isInstanceOf(Refused.class);
    }
  }
}
