package org.aionos.it;

import static org.aionos.it.RunningKernel.RESEARCHER;
import static org.aionos.it.RunningKernel.RESEARCHER_V1;
import static org.aionos.it.RunningKernel.syscall;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** What a task has read follows it: into what it writes, to tools, and through a crash. */
@Order(6)
class TaskTrustIT {

  private static Answer call(RunningKernel kernel, String task, String name, String params) {
    ObjectNode body = syscall(name, RESEARCHER);
    try {
      body.set("params", RunningKernel.JSON.readTree(params.replace('\'', '"')));
    } catch (IOException malformed) {
      throw new AssertionError(malformed);
    }
    body.putObject("context").put("task_id", task);
    return kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/" + name, body);
  }

  private static Answer echo(RunningKernel kernel, String task) {
    return call(kernel, task, "tool.invoke", "{'tool':'echo','text':'pay'}");
  }

  private static Answer put(RunningKernel kernel, String task) {
    return call(kernel, task, "memory.put", "{'type':'short','key':'k','value':1}").expect(200);
  }

  @Test
  void a_task_that_has_been_outside_writes_what_is_low_and_is_kept_from_tools_that_want_more()
      throws IOException {
    try (RunningKernel kernel = RunningKernel.named("trust").start()) {
      assertThat(put(kernel, "outside").at("/result/trust")).isEqualTo("high");
      call(kernel, "outside", "tool.invoke", "{'tool':'web_search','query':'kernel'}").expect(200);
      assertThat(put(kernel, "outside").at("/result/trust")).isEqualTo("low");
      assertThat(put(kernel, "inside").at("/result/trust")).isEqualTo("high");
      echo(kernel, "outside").expect(200);

      Path policy = kernel.data().resolve("policies/agent.capabilities.yaml");
      Files.writeString(
          policy,
          Files.readString(policy)
              .replace(
                  "  tools:\n    allow: [\"*\"]",
                  "  tools:\n    allow: [\"*\"]\n    trust: { \"ec*\": medium }"));
      Await.until(
          "the policy is in force",
          Duration.ofSeconds(20),
          () -> echo(kernel, "outside").status() == 403);
      Answer refused = echo(kernel, "outside").expect(403, "TRUST_TOO_LOW");
      assertThat(refused.at("/error/rule")).isEqualTo("global/tools/trust");
      echo(kernel, "inside").expect(200);
      // What it reads of the other task's memory follows it, too.
      call(kernel, "inside", "memory.get", "{'type':'short','task':'outside','key':'k'}")
          .expect(200);
      echo(kernel, "inside").expect(403, "TRUST_TOO_LOW");

      kernel.kill9();
      kernel.up();
      Await.until(
          "echo is back", Duration.ofSeconds(30), () -> echo(kernel, "fresh").status() == 200);
      echo(kernel, "outside").expect(403, "TRUST_TOO_LOW");
      echo(kernel, "inside").expect(403, "TRUST_TOO_LOW");
    }
  }
}
