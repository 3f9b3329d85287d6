package org.aionos.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** The operator's shell shows what the API shows, and does what it says. */
@Order(5)
class ShellIT {

  private static RunningKernel kernel;

  @BeforeAll
  static void one_call_to_show() {
    kernel = SharedKernel.get();
    kernel.invoke("echo", Map.of("text", "x")).expect(200);
  }

  @Test
  void the_script_runs_a_command_in_the_shell() {
    assertThat(kernel.shell("aion:tools")).contains("echo", "1.0.0", "bundle");
  }

  @Test
  void each_command_shows_what_it_is_for() throws IOException {
    assertThat(run("aion:agents")).contains("agent://tenantA/researcher-1", "network");
    assertThat(run("aion:tools")).contains("echo");
    assertThat(run("aion:syscalls --limit 5")).contains("tool.invoke", "OK");
    assertThat(run("aion:tenants")).contains("tenantA");
    assertThat(run("aion:policy")).contains("agent.capabilities.yaml");
    assertThat(run("aion:policy agent://tenantA/researcher-1")).contains("network");
    assertThat(run("aion:audit-verify")).containsIgnoringCase("whole");
    assertThat(run("aion:config")).contains("gateway", "port");
  }

  @Test
  void a_tool_is_allowed_installed_and_removed_by_hand() throws IOException {
    Path jar = Files.createTempFile("by-hand-", ".jar");
    try {
      Files.write(jar, ToolJars.plain("byhand", "1.0.0").bytes());

      assertThat(run("aion:tool-install " + jar)).contains("not allowed");
      assertThat(kernel.tools()).doesNotContain("byhand@1.0.0");
      assertThat(run("aion:tool-allow " + jar)).isNotBlank();
      assertThat(run("aion:tool-install " + jar)).contains("byhand", "1.0.0");
      kernel.invoke("byhand", Map.of()).expect(200);
      assertThat(run("aion:tool-remove byhand")).isNotBlank();
      kernel.invoke("byhand", Map.of()).expect(404, "UNKNOWN_TOOL");
    } finally {
      Files.delete(jar);
    }
  }

  @Test
  void a_plan_names_the_bundles_that_would_be_stopped_and_the_calls_in_flight() throws IOException {
    Path next = Files.createTempFile("leant-on-", ".jar");
    try {
      byte[] leantOn =
          ToolJars.plain("leanton", "1.0.0").header("Provide-Capability", "acme.base").bytes();
      byte[] leaner =
          ToolJars.plain("leaner", "1.0.0")
              .header(
                  "Require-Capability",
                  "osgi.extender;filter:=\"(osgi.extender=osgi.component)\",acme.base")
              .bytes();
      Files.write(next, ToolJars.plain("leanton", "1.1.0").bytes());
      kernel.allowAndDrop(leantOn, "leanton.jar");
      kernel.awaitTool("leanton@1.0.0");
      kernel.allowAndDrop(leaner, "leaner.jar");
      kernel.awaitTool("leaner@1.0.0");

      assertThat(run("aion:tool-install --plan " + next))
          .contains("stops        org.example.tool.leaner 1.0.0")
          .contains("in flight    0 calls of 1.0.0");
    } finally {
      Files.delete(next);
      Files.deleteIfExists(kernel.deployFolder().resolve("leaner.jar"));
      Files.deleteIfExists(kernel.deployFolder().resolve("leanton.jar"));
    }
  }

  @Test
  void a_wrong_password_does_not_get_in() {
    assertThatThrownBy(
            () -> {
              try (Ssh session = new Ssh(kernel, "operator", "karaf")) {
                assertThat(session).isNull();
              }
            })
        .isInstanceOf(IOException.class)
        .hasMessageContaining("auth");
  }

  private static String run(String command) throws IOException {
    String output = Ssh.run(kernel, command);
    assertThat(output).as(command).isNotBlank().doesNotContain("Exception");
    return output;
  }
}
