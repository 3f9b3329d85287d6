package org.aionos.it;

import static org.aionos.it.RunningKernel.RESEARCHER_V2;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** What an orderly restart must keep: outcomes, agents, tools, and that a token was revoked. */
@Order(6)
class RestartIT {

  private static final Path CALCULATE =
      RunningKernel.ROOT.resolve("tool-plugins/calculate/target/calculate-1.0.0.jar");

  @Test
  void everything_that_was_answered_for_is_still_so_after_a_restart() {
    // Bare, because the script asks with the bootstrap token whether the shipped tools are up.
    try (RunningKernel kernel = RunningKernel.named("restart").bare().start()) {
      TroublesomeTool.installIn(kernel);
      kernel.allowAndDrop(RunningKernel.readBytes(CALCULATE), "calculate.jar");
      kernel.awaitTool("calculate@1.0.0");
      ObjectNode once = TroublesomeTool.call("tell the time", 0);
      once.putObject("context").put("idempotency_key", "once");
      ObjectNode agent = RunningKernel.JSON.createObjectNode();
      agent.put("agent_id", "agent://tenantA/kept-1").put("name", "kept").put("version", "2.0.0");
      kernel.call(RESEARCHER_V2, "POST", "/v1/agent/register", agent).expect(200);
      Answer before = TroublesomeTool.of(kernel, once).expect(200);
      Signer operator = kernel.operator();
      kernel.call(operator, "DELETE", "/v1/tokens/bootstrap").expect(200);
      kernel.call(operator, "GET", "/v1/tools").expect(401, "KEY_REVOKED");
      assertThat(kernel.data().resolve("state/identity/bootstrap.token")).doesNotExist();

      kernel.restart();

      Answer after =
          awaitAnswer(kernel, once); // The tool may come a moment after the kernel is ready.
      assertThat(after.at("/result/at")).isEqualTo(before.at("/result/at"));
      kernel.call(operator, "GET", "/v1/tools").expect(401, "KEY_REVOKED");
      assertThat(kernel.data().resolve("state/identity/bootstrap.token")).doesNotExist();
      assertThat(kernel.call(RESEARCHER_V2, "GET", "/v1/agents").expect(200).text())
          .contains("agent://tenantA/kept-1");
      assertThat(kernel.call(RESEARCHER_V2, "GET", "/v1/tools").expect(200).text())
          .contains("\"trouble\"");
      TroublesomeTool.of(kernel, TroublesomeTool.call("tell the time", 0)).expect(200);
      // Of another tier, which has to be there first.
      kernel.invoke("calculate", Map.of("expression", "6*7")).expect(200);
      Answer record =
          kernel.call(RESEARCHER_V2, "GET", "/v1/syscalls/" + before.auditId()).expect(200);
      assertThat(record.at("/ended/code")).isEqualTo("OK");
      assertThat(kernel.auditVerify().exit()).isZero();
    }
  }

  private static Answer awaitAnswer(RunningKernel kernel, ObjectNode body) {
    Await.until(
        "the tool is back",
        java.time.Duration.ofSeconds(30),
        () -> kernel.call(RESEARCHER_V2, "GET", "/v1/tools").text().contains("\"trouble\""));
    return TroublesomeTool.of(kernel, body).expect(200);
  }
}
