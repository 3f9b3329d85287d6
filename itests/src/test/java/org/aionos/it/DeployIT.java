package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Tools come and go with files in deploy/; what is not allowed, or not a tool, does not come. */
@Order(4)
class DeployIT {

  private static RunningKernel kernel;

  @BeforeAll
  static void start() {
    kernel = SharedKernel.get();
  }

  @Test
  void a_dropped_tool_is_callable_at_once() {
    List<Long> millis = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      byte[] jar = ToolJars.plain("timed", "1.0." + i).bytes();
      kernel.allow(jar);
      String version = "1.0." + i;
      long dropped = System.nanoTime();
      kernel.drop(jar, "timed.jar");
      Await.until(
          "timed " + version + " answers",
          java.time.Duration.ofSeconds(30),
          () -> kernel.invoke("timed", Map.of()).at("/result/version").equals(version));
      millis.add((System.nanoTime() - dropped) / 1_000_000);
    }

    List<Long> sorted = millis.stream().sorted().toList();
    System.out.println("drop to callable, ms: " + millis + " median " + sorted.get(2));
    assertThat(sorted.get(2)).isLessThan(2_000);
  }

  @Test
  void a_tool_that_nobody_allowed_waits_until_somebody_does() {
    byte[] jar = ToolJars.plain("waiting", "1.0.0").bytes();

    kernel.drop(jar, "waiting.jar");
    kernel.awaitLog("is not allowed");
    kernel.awaitLog("tool refused: file=" + kernel.deployFolder().resolve("waiting.jar"));
    kernel.invoke("waiting", Map.of()).expect(404, "UNKNOWN_TOOL");
    kernel.allow(jar);

    kernel.awaitTool("waiting@1.0.0");
    kernel.invoke("waiting", Map.of()).expect(200);
  }

  @Test
  void a_jar_that_was_changed_after_it_was_allowed_is_refused() {
    byte[] jar = ToolJars.plain("changed", "1.0.0").bytes();
    byte[] changed = jar.clone();
    kernel.allow(jar);
    // Behind the archive's end, so that every entry still reads.
    changed = Arrays.copyOf(changed, changed.length + 1);

    kernel.drop(changed, "changed.jar");

    awaitRefused("changed.jar");
    kernel.invoke("changed", Map.of()).expect(404, "UNKNOWN_TOOL");
    kernel.drop(jar, "changed.jar");
    kernel.awaitTool("changed@1.0.0");
  }

  @Test
  void a_half_written_file_is_not_taken_and_the_whole_one_is() throws IOException {
    byte[] jar = ToolJars.plain("slow", "1.0.0").bytes();
    kernel.allow(jar);
    Path file = kernel.deployFolder().resolve("slow.jar");

    Files.write(file, Arrays.copyOf(jar, jar.length / 2));
    awaitRefused("slow.jar");
    kernel.invoke("slow", Map.of()).expect(404, "UNKNOWN_TOOL");
    Files.write(
        file, Arrays.copyOfRange(jar, jar.length / 2, jar.length), StandardOpenOption.APPEND);

    kernel.awaitTool("slow@1.0.0");
    kernel.invoke("slow", Map.of()).expect(200);
  }

  @TestFactory
  List<DynamicTest> a_hostile_jar_is_refused_though_its_digest_is_allowed() {
    Map<String, UnaryOperator<ToolJars>> hostile = new HashMap<>();
    hostile.put(
        "imports-the-kernel",
        jar ->
            jar.header("Import-Package", "org.aionos.tool,org.aionos.kernel;resolution:=optional"));
    hostile.put("imports-the-framework", jar -> jar.header("Import-Package", "org.osgi.framework"));
    hostile.put(
        "imports-dynamically", jar -> jar.header("DynamicImport-Package", "org.aionos.kernel"));
    hostile.put("is-a-fragment", jar -> jar.header("Fragment-Host", "org.aionos.router"));
    hostile.put(
        "extends-the-framework",
        jar ->
            jar.header("Fragment-Host", "system.bundle;extension:=framework")
                .header("ExtensionBundle-Activator", "org.example.Evil"));
    hostile.put("exports", jar -> jar.header("Export-Package", "org.aionos.kernel"));
    hostile.put("requires-a-bundle", jar -> jar.header("Require-Bundle", "org.aionos.router"));
    hostile.put(
        "takes-a-kernel-name", jar -> jar.header("Bundle-SymbolicName", "org.aionos.router"));
    hostile.put("climbs", jar -> jar.entry("../../etc/users.properties", "evil"));
    hostile.put("is-a-bomb", jar -> jar.entry("zeros", new byte[300 << 20]));
    hostile.put("has-no-manifest-of-a-tool", jar -> jar.entry("AION-INF/tool.yml", "kind: Agent"));
    return hostile.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .map(
            each ->
                DynamicTest.dynamicTest(
                    each.getKey(), () -> assertRefused(each.getKey(), each.getValue())))
        .toList();
  }

  private static void assertRefused(String name, UnaryOperator<ToolJars> made) {
    byte[] jar = made.apply(ToolJars.plain("hostile", "1.0.0")).bytes();

    Path file = kernel.allowAndDrop(jar, name + ".jar");
    awaitRefused(name + ".jar");

    kernel.invoke("hostile", Map.of()).expect(404, "UNKNOWN_TOOL");
    kernel.invoke("echo", Map.of("text", "still here")).expect(200);
    assertThat(kernel.data().resolve("etc/users.properties")).content(UTF_8).doesNotContain("evil");
    try {
      Files.delete(file);
    } catch (IOException gone) {
      throw new AssertionError(gone);
    }
  }

  @Test
  void a_tool_goes_with_its_file() throws IOException {
    byte[] jar = ToolJars.plain("leaving", "1.0.0").bytes();
    Path file = kernel.allowAndDrop(jar, "leaving.jar");
    kernel.awaitTool("leaving@1.0.0");

    Files.delete(file);

    kernel.awaitNoTool("leaving@1.0.0");
    kernel.invoke("leaving", Map.of()).expect(404, "UNKNOWN_TOOL");
  }

  @Test
  void a_file_that_is_overwritten_replaces_its_tool() {
    for (String version : List.of("1.0.0", "2.0.0", "1.5.0")) {
      kernel.allowAndDrop(ToolJars.plain("replaced", version).bytes(), "replaced.jar");
      kernel.awaitTool("replaced@" + version);
      Await.until(
          "only " + version + " answers",
          java.time.Duration.ofSeconds(30),
          () ->
              kernel.tools().stream().filter(tool -> tool.startsWith("replaced@")).count() == 1
                  && kernel.invoke("replaced", Map.of()).at("/result/version").equals(version));
    }
  }

  private static void awaitRefused(String file) {
    kernel.awaitLog("tool refused: file=" + kernel.deployFolder().resolve(file));
  }
}
