package org.aionos.it;

import static org.aionos.it.RunningKernel.RESEARCHER_V2;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** Kernel bundles are replaced under load; callers are asked to come again, and find all there. */
@Order(11)
class KernelSwapIT {

  private static final int CLIENTS = 8;
  private static final List<String> SWAPPED =
      List.of(
          "policy",
          "router",
          "process",
          "scheduler",
          "brain",
          "journal",
          "identity",
          "telemetry",
          "config",
          "wasm",
          "egress",
          "memory",
          "model",
          "probes",
          "search",
          "sandbox",
          "trust",
          "shell");

  @Test
  void without_its_scheduler_the_kernel_still_has_an_operators_shell() throws IOException {
    try (RunningKernel kernel = RunningKernel.named("kernelheadless").start()) {
      Ssh.admin(kernel, "bundle:stop org.aionos.scheduler");

      assertThat(Ssh.run(kernel, "aion:tools --no-format")).contains("echo");
      assertThat(Ssh.run(kernel, "aion:agents --no-format")).contains("researcher-1");
      assertThat(Ssh.run(kernel, "aion:tasks")).contains("the scheduler does not run");
      assertThat(Ssh.run(kernel, "aion:calls")).contains("the router does not run");

      Ssh.admin(kernel, "bundle:start org.aionos.scheduler");
      Await.until(
          "tasks are shown again",
          Duration.ofSeconds(60),
          () -> Ssh.run(kernel, "aion:tasks").contains("ATTEMPT"));
    }
  }

  @Test
  void callers_see_an_answer_or_a_503_while_each_kernel_bundle_is_updated() throws IOException {
    try (RunningKernel kernel = RunningKernel.named("kernelswap").start()) {
      ObjectNode agent = RunningKernel.JSON.createObjectNode();
      agent.put("agent_id", "agent://tenantA/kept-1").put("name", "kept").put("version", "1.0.0");
      kernel.call(RESEARCHER_V2, "POST", "/v1/agent/register", agent).expect(200);
      ObjectNode keyFor = RunningKernel.JSON.createObjectNode();
      keyFor.put("agent_id", "agent://tenantA/kept-1");
      Answer key = kernel.call(RESEARCHER_V2, "POST", "/v1/keys", keyFor).expect(201);
      String early = kernel.invoke("echo", Map.of("text", "early")).expect(200).auditId();

      Load load = new Load(kernel, CLIENTS);
      try (load) {
        for (String bundle : SWAPPED) {
          awaitCalls(load, "before " + bundle);
          long begun = System.nanoTime();
          Ssh.admin(kernel, "bundle:update org.aionos." + bundle);
          Await.until(
              "ready again after the update of " + bundle,
              Duration.ofSeconds(60),
              () -> kernel.send("GET", "/readyz", Map.of(), new byte[0]).status() == 200);
          awaitCalls(load, "after " + bundle);
          System.out.println(
              "kernel swap: "
                  + bundle
                  + " calls again after "
                  + (System.nanoTime() - begun) / 1_000_000
                  + " ms: "
                  + load.outcomes());
        }
      }

      assertThat(load.oddities()).as("%s", load.outcomes()).isEmpty();
      assertThat(load.outcomes()).doesNotContainKey("unreachable");
      kernel.invoke("echo", Map.of("text", "late")).expect(200);
      assertThat(kernel.tools()).contains("echo@1.0.0");
      Signer keyed = Signer.v2(RunningKernel.TENANT, key.at("/key_id"), key.at("/secret"));
      ObjectNode call = RunningKernel.syscall("agent.info", "agent://tenantA/kept-1");
      kernel.call(keyed, "POST", "/v1/syscall/agent.info", call).expect(200);
      assertThat(
              kernel
                  .call(kernel.operator(), "GET", "/v1/syscalls/" + early)
                  .expect(200)
                  .at("/ended/code"))
          .isEqualTo("OK");
      Shell verified = kernel.auditVerify();
      assertThat(verified.exit()).as(verified.output()).isZero();
    }
  }

  private static void awaitCalls(Load load, String when) {
    long before = load.count200();
    Await.until(
        "calls succeed " + when, Duration.ofSeconds(60), () -> load.count200() > before + CLIENTS);
  }
}
