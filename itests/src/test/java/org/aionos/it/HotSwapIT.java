package org.aionos.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A tool is upgraded and downgraded under load, and nobody notices but by its version. */
@Tag("soak")
@Order(10)
class HotSwapIT {

  private static final int CLIENTS = 16;
  private static final int UPGRADES = Integer.getInteger("soak.upgrades", 6);

  /** The one that runs, and one that the framework or a caller's last call may still hold. */
  private static final int LOADERS_MAX = 2;

  private static final Pattern LOADED = Pattern.compile("org\\.aionos\\.tool\\.echo\\.EchoTool\\b");

  @Test
  void no_call_fails_while_versions_replace_each_other() throws IOException {
    try (RunningKernel kernel = RunningKernel.named("hotswap").bare().start()) {
      byte[] old = RunningKernel.readBytes(RunningKernel.ECHO_1_0);
      byte[] next = RunningKernel.readBytes(RunningKernel.ECHO_1_1);
      kernel.allow(next);
      kernel.allowAndDrop(old, "echo.jar");
      kernel.awaitTool("echo@1.0.0");
      String bundlesBefore = kernelBundles(kernel);
      int logBefore = kernel.log().length();

      Load load = new Load(kernel, CLIENTS);
      try (load) {
        for (int i = 0; i < UPGRADES; i++) {
          boolean up = i % 2 == 0;
          String version = up ? "1.1.0" : "1.0.0";
          kernel.drop(up ? next : old, "echo.jar");
          long before = load.outcomes().getOrDefault("200 " + version, 0L);
          Await.until(
              "callers see " + version,
              Duration.ofSeconds(60),
              () -> load.outcomes().getOrDefault("200 " + version, 0L) > before + CLIENTS);
        }
      }

      System.out.println(
          "hot swap: " + UPGRADES + " upgrades, " + CLIENTS + " clients: " + load.outcomes());
      assertThat(load.outcomes()).containsOnlyKeys("200 1.0.0", "200 1.1.0");
      assertThat(kernelBundles(kernel)).isEqualTo(bundlesBefore);
      assertThat(kernel.log().substring(logBefore))
          .doesNotContain("router closed", "gateway closed", "ERROR");
      Await.until(
          "at most " + LOADERS_MAX + " class loaders have EchoTool",
          Duration.ofSeconds(60),
          () -> loadersOfEcho(kernel) <= LOADERS_MAX);
      System.out.println("hot swap: class loaders with EchoTool: " + loadersOfEcho(kernel));
    }
  }

  private static long loadersOfEcho(RunningKernel kernel) {
    kernel.jcmd("GC.run");
    return LOADED.matcher(kernel.jcmd("VM.classloaders", "show-classes")).results().count();
  }

  private static String kernelBundles(RunningKernel kernel) throws IOException {
    return Ssh.admin(kernel, "bundle:list -t 0 -s")
        .lines()
        .filter(line -> line.contains("|") && !line.contains("org.aionos.tool.echo"))
        // A tool's bundle id of three digits widens the column of every other bundle.
        .map(line -> line.strip().replaceAll("\\s+", " "))
        .reduce("", (all, line) -> all + line + "\n");
  }
}
