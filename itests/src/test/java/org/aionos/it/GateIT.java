package org.aionos.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Below the framework stands a gate: what nobody let in does not run, whoever asks for it. */
@Order(12)
@TestMethodOrder(MethodOrderer.MethodName.class)
class GateIT {

  private static RunningKernel kernel;
  private static Path folder;

  @BeforeAll
  static void start() throws IOException {
    kernel = RunningKernel.named("gate").start();
    folder = Files.createTempDirectory("gate-it");
  }

  @AfterAll
  static void stop() {
    kernel.close();
  }

  @Test
  void a_bundle_that_nobody_let_in_does_not_run_though_an_admin_installs_it() throws IOException {
    Bundle stranger = Bundle.plain("stranger");

    String said = Ssh.admin(kernel, "bundle:install -s " + stranger.url());

    assertThat(said).contains("Unable to cache bundle");
    assertThat(stranger.ran()).isFalse();
    assertThat(Ssh.admin(kernel, "bundle:list -t 0 -s")).doesNotContain("org.example.stranger");
    kernel.awaitLog("bundle refused: " + stranger.url() + ", digest " + stranger.digest());
    assertThat(onRecord("bundle.refused")).contains(stranger.digest());
  }

  @Test
  void an_extension_of_the_framework_does_not_run_either() throws IOException {
    Bundle extension = Bundle.extension("extension");

    assertThat(Ssh.admin(kernel, "bundle:install " + extension.url()))
        .contains("Unable to cache bundle");

    assertThat(extension.ran()).isFalse();
    kernel.awaitLog("bundle refused: " + extension.url());
  }

  @Test
  void a_folder_is_no_bundle_and_a_file_elsewhere_is_not_referred_to() throws IOException {
    Path unpacked = Files.createDirectories(folder.resolve("unpacked/META-INF"));
    Files.writeString(
        unpacked.resolve("MANIFEST.MF"),
        "Manifest-Version: 1.0\nBundle-ManifestVersion: 2\nBundle-SymbolicName: unpacked\n");
    Bundle referred = Bundle.plain("referred");

    Ssh.admin(kernel, "bundle:install -s reference:" + unpacked.getParent().toUri());
    Ssh.admin(kernel, "bundle:install -s reference:" + referred.url());

    assertThat(referred.ran()).isFalse();
    assertThat(Ssh.admin(kernel, "bundle:list -t 0 -s")).doesNotContain("unpacked", "referred");
  }

  @Test
  void the_gate_is_no_bundle_and_no_service_that_a_command_could_take_away() throws IOException {
    assertThat(Ssh.admin(kernel, "bundle:list -t 0 -s"))
        .contains("org.aionos.gateway")
        .doesNotContainPattern("org\\.aionos\\.gate\\s");
    Ssh.admin(kernel, "bundle:uninstall -f 0");
    Ssh.admin(kernel, "bundle:stop -f org.aionos.trust");
    try {
      Bundle late = Bundle.plain("late");
      assertThat(Ssh.admin(kernel, "bundle:install -s " + late.url()))
          .contains("Unable to cache bundle");
      assertThat(late.ran()).isFalse();
    } finally {
      Ssh.admin(kernel, "bundle:start org.aionos.trust");
    }
    kernel.awaitLog("bundle refused: " + "file:" + folder.resolve("late.jar"));
  }

  @Test
  void an_admin_allows_a_bundle_which_is_on_record_and_gone_at_the_start_after_it_is_disallowed()
      throws IOException {
    Bundle extra = Bundle.plain("extra");

    assertThat(Ssh.admin(kernel, "aion:bundle-allow " + extra.jar())).contains(extra.digest());
    Ssh.admin(kernel, "bundle:install -s " + extra.url());
    assertThat(extra.ran()).isTrue();
    assertThat(onRecord("bundle.allowed")).contains(extra.digest(), "shell:admin");
    Files.delete(extra.marker());
    kernel.restart();
    // The framework starts it last, when the kernel may long be ready.
    Await.until("the allowed bundle runs again", Duration.ofSeconds(20), extra::ran);

    Ssh.admin(kernel, "aion:bundle-disallow " + extra.digest());
    Files.delete(extra.marker());
    kernel.restart();
    assertThat(extra.ran()).isFalse();
    assertThat(Ssh.admin(kernel, "bundle:list -t 0 -s")).doesNotContain("org.example.extra");
    kernel.awaitLog(extra.digest() + ", lies in the cache");
    kernel.awaitTool("echo@1.0.0");
  }

  @Test
  void a_kernel_bundle_is_swapped_for_other_bytes_once_they_are_allowed() throws IOException {
    Path changed = folder.resolve("wasm-patched.jar");
    Files.write(changed, with("patched.txt", RunningKernel.readBytes(cached("org.aionos.wasm"))));

    assertThat(Ssh.admin(kernel, "bundle:update --raw org.aionos.wasm " + changed.toUri()))
        .contains("wasm");
    assertThat(holds(cached("org.aionos.wasm"), "patched.txt")).isFalse();
    kernel.awaitTool("calculate@1.0.0");

    Ssh.admin(kernel, "aion:bundle-allow " + changed);
    Ssh.admin(kernel, "bundle:update --raw org.aionos.wasm " + changed.toUri());
    assertThat(holds(cached("org.aionos.wasm"), "patched.txt")).isTrue();
    kernel.restart();
    assertThat(holds(cached("org.aionos.wasm"), "patched.txt")).isTrue();
    kernel.awaitTool("calculate@1.0.0");
    kernel.invoke("calculate", Map.of("expression", "6*7")).expect(200);
  }

  @Test
  void bytes_that_were_changed_in_the_cache_are_not_run_by_the_next_start() throws IOException {
    Path kernelJar = cached("org.aionos.router");
    Path toolJar = cached("org.aionos.tool.echo");
    kernel.down();
    Files.write(kernelJar, with("planted.txt", RunningKernel.readBytes(kernelJar)));
    Files.write(toolJar, with("planted.txt", RunningKernel.readBytes(toolJar)));

    kernel.up();

    kernel.awaitLog("lies in the cache and is neither of the distribution nor allowed");
    kernel.awaitTool("echo@1.0.0");
    kernel.invoke("echo", Map.of("text", "x")).expect(200);
    assertThat(holds(cached("org.aionos.router"), "planted.txt")).isFalse();
    assertThat(holds(cached("org.aionos.tool.echo"), "planted.txt")).isFalse();
    assertThat(onRecord("bundle.refused")).contains("org.aionos/router");
  }

  @Test
  void a_tool_planted_in_the_cache_alone_does_not_come_back() throws IOException {
    Path toolJar = cached("org.aionos.tool.echo");
    Bundle planted = Bundle.plain("planted");
    kernel.down();
    Files.copy(planted.jar(), toolJar, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    Path about = toolJar.getParent().getParent().resolve("bundle.info");
    List<String> lines = Files.readAllLines(about);
    lines.set(1, "mvn:org.aionos/planted");
    lines.set(2, "32");
    Files.write(about, lines);

    kernel.up();

    kernel.awaitLog("bundle refused: mvn:org.aionos/planted");
    kernel.awaitTool("echo@1.0.0");
    assertThat(planted.ran()).isFalse();
  }

  /** The bytes that the framework loads of a bundle. */
  private static Path cached(String symbolicName) throws IOException {
    try (Stream<Path> all = Files.walk(kernel.data().resolve("karaf/cache"))) {
      return all.filter(file -> file.endsWith("bundle.jar"))
          .filter(jar -> isNamed(jar, symbolicName))
          .max(Path::compareTo)
          .orElseThrow();
    }
  }

  private static boolean isNamed(Path jar, String symbolicName) {
    try (var file = new java.util.jar.JarFile(jar.toFile())) {
      String name = file.getManifest().getMainAttributes().getValue("Bundle-SymbolicName");
      return name != null && name.split(";")[0].strip().equals(symbolicName);
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  private static boolean holds(Path jar, String entry) throws IOException {
    try (var file = new java.util.jar.JarFile(jar.toFile())) {
      return file.getEntry(entry) != null;
    }
  }

  private static byte[] with(String entry, byte[] jar) throws IOException {
    ByteArrayOutputStream changed = new ByteArrayOutputStream();
    try (ZipInputStream in = new ZipInputStream(new ByteArrayInputStream(jar));
        ZipOutputStream out = new ZipOutputStream(changed)) {
      for (ZipEntry next = in.getNextEntry(); next != null; next = in.getNextEntry()) {
        out.putNextEntry(new ZipEntry(next.getName()));
        in.transferTo(out);
      }
      out.putNextEntry(new ZipEntry(entry));
    }
    return changed.toByteArray();
  }

  private static String onRecord(String kind) throws IOException {
    try (Stream<Path> segments = Files.walk(kernel.data().resolve("state/journal"))) {
      StringBuilder lines = new StringBuilder();
      for (Path segment : segments.filter(Files::isRegularFile).toList()) {
        new String(RunningKernel.readBytes(segment), java.nio.charset.StandardCharsets.UTF_8)
            .lines()
            .filter(line -> line.contains(kind))
            .forEach(line -> lines.append(line).append('\n'));
      }
      return lines.toString();
    }
  }

  /** A bundle of the tests; when its code runs, it leaves a file. */
  private record Bundle(Path jar, Path marker) {

    static Bundle plain(String name) throws IOException {
      return of(
          name,
          Map.of(
              "Bundle-Activator",
              "org.example." + name + ".Marks",
              "Import-Package",
              "org.osgi.framework"));
    }

    static Bundle extension(String name) throws IOException {
      return of(
          name,
          Map.of(
              "Fragment-Host",
              "system.bundle;extension:=framework",
              "ExtensionBundle-Activator",
              "org.example." + name + ".Marks"));
    }

    private static Bundle of(String name, Map<String, String> headers) throws IOException {
      Path marker = folder.resolve(name + ".ran");
      ToolJars jar =
          ToolJars.activator(
              "org.example." + name,
              """
              import org.osgi.framework.*;
              public final class Marks implements BundleActivator {
                public void start(BundleContext context) throws Exception {
                  java.nio.file.Files.writeString(java.nio.file.Path.of("%s"), "ran");
                }
                public void stop(BundleContext context) {}
              }
              """
                  .formatted(marker));
      headers.forEach(jar::header);
      Path file = folder.resolve(name + ".jar");
      Files.write(file, jar.bytes());
      return new Bundle(file, marker);
    }

    String url() {
      return jar.toUri().toString().replace("file:///", "file:/");
    }

    String digest() {
      return java.util.HexFormat.of().formatHex(Signer.sha256(RunningKernel.readBytes(jar)));
    }

    boolean ran() {
      return Files.exists(marker);
    }
  }
}
