package org.aionos.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** The user's own agent, unchanged, makes its call; and without the capability it does not. */
@Order(100)
class FirstCallIT {

  /** The agent has it in its source. */
  private static final int PORT = 8010;

  private static final Path WEB_SEARCH =
      RunningKernel.ROOT.resolve("tool-plugins/web_search/target/web_search-1.2.0.jar");

  private static RunningKernel kernel;

  @BeforeAll
  static void start() {
    assertThat(WEB_SEARCH).as("built before these tests run").exists();
    assumeTrue(isFree(), "port 8010 is taken, and the user's agent calls no other");
    kernel = RunningKernel.named("firstcall").bare().port(PORT).start();
    kernel.allowAndDrop(RunningKernel.readBytes(WEB_SEARCH), "web_search-1.2.0.jar");
    kernel.awaitTool("web_search@1.2.0");
  }

  @AfterAll
  static void stop() {
    if (kernel != null) {
      kernel.close();
    }
  }

  @Test
  void the_minimal_agent_gets_search_results() {
    Shell agent =
        Shell.run(
            RunningKernel.ROOT,
            Map.of(
                "PYTHONPATH", RunningKernel.ROOT.resolve("sdk/python").toString(),
                "PYTHONUTF8", "1",
                "PYTHONDONTWRITEBYTECODE", "1"),
            Duration.ofSeconds(60),
            List.of("python3", "examples/agents/minimal.py"));

    assertThat(agent.exit()).as(agent.output()).isZero();
    assertThat(agent.output()).contains("'status': 'ok'", "'items': [{");
  }

  @Test
  void an_agent_without_network_cannot_search_and_is_told_why() {
    String agent = "agent://tenantA/offline-1";
    ObjectNode registration = RunningKernel.JSON.createObjectNode();
    registration.put("agent_id", agent).put("name", "offline").put("version", "1.0.0");
    registration.putArray("capabilities").add("filesystem");
    kernel
        .call(RunningKernel.RESEARCHER_V1, "POST", "/v1/agent/register", registration)
        .expect(200);
    ObjectNode call = RunningKernel.syscall("tool.invoke", agent);
    call.withObject("/params").put("tool", "web_search").put("query", "AION-OS Kernel");

    Answer answer =
        kernel.call(RunningKernel.RESEARCHER_V1, "POST", "/v1/syscall/tool.invoke", call);

    answer.expect(403, "CAPABILITY_DENIED");
    assertThat(answer.at("/error/rule")).isEqualTo("manifest/capabilities");
    assertThat(answer.at("/error/admit")).contains("network");
    assertThat(answer.at("/error/message")).contains("network");
  }

  private static boolean isFree() {
    try (ServerSocket socket = new ServerSocket(PORT, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException taken) {
      return false;
    }
  }
}
