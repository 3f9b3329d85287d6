package org.aionos.it;

import static org.aionos.it.RunningKernel.RESEARCHER_V1;
import static org.aionos.it.RunningKernel.RESEARCHER_V2;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** Tasks of the sample tenant in one kernel, over its wire. */
record Tasks(RunningKernel kernel) {

  static final Duration PATIENCE = Duration.ofSeconds(90);

  private static final List<String> ENDED = List.of("succeeded", "failed", "cancelled");

  /** Replaces scheduler.yaml and waits until it is in force. */
  void settings(String slots, String more) throws IOException {
    String yaml = "apiVersion: aion.os/v1\nkind: SchedulerConfig\nslots: " + slots + "\n" + more;
    Files.writeString(kernel.data().resolve("config/scheduler.yaml"), yaml);
    String version =
        HexFormat.of().formatHex(Signer.sha256(yaml.getBytes(StandardCharsets.UTF_8)), 0, 4);
    Await.until(
        "scheduler.yaml is in force",
        PATIENCE,
        () ->
            kernel
                .call(RESEARCHER_V2, "GET", "/v1/schedule/queue")
                .expect(200)
                .at("/settings")
                .equals(version));
  }

  /**
   * Puts an agent's manifest and code into the kernel's folder, and has an operator approve them.
   *
   * @param code of main.py, or of main.sh
   */
  void agent(String name, String entry, String more, Map<String, String> code) throws IOException {
    Path tenant = Files.createDirectories(kernel.data().resolve("config/agents/tenantA"));
    Path folder = Files.createDirectories(tenant.resolve(name));
    for (Map.Entry<String, String> file : code.entrySet()) {
      Files.writeString(folder.resolve(file.getKey()), file.getValue());
    }
    Files.writeString(
        tenant.resolve(name + ".yml"),
        """
        apiVersion: aion.os/v1
        kind: Agent
        metadata: { name: "%s", version: "1.0.0" }
        spec:
          entry: "%s"
          capabilities: { filesystem: true }
          syscalls: [tool.invoke, memory.*, fs.*, agent.*]
          resources: { cpu: "1000m", mem: "256Mi" }
        %s
        """
            .formatted(name, entry, more.indent(2)));
    Await.until(
        name + " is registered",
        PATIENCE,
        () -> kernel.call(kernel.operator(), "GET", "/v1/agents/" + id(name)).status() == 200);
    approve(name);
  }

  /** Approves what a refusal to launch names. */
  void approve(String name) {
    String probe = "approve-" + name + "-" + Signer.nonce().replaceAll("[^A-Za-z0-9]", "");
    submit(probe, "agent:" + name, Map.of("retry", Map.of("attempts_max", 1)));
    JsonNode refused = awaitEnd(probe).json();
    assertThat(refused.at("/error/code").asText()).isEqualTo("APPROVAL_REQUIRED");
    String digest = refused.at("/error/rule").asText().substring("entry:".length());
    ObjectNode body = RunningKernel.JSON.createObjectNode().put("digest", digest);
    kernel
        .call(kernel.operator(), "POST", "/v1/agents/" + id(name) + "/approve-entry", body)
        .expect(200);
  }

  static String id(String name) {
    return URLEncoder.encode("agent://tenantA/" + name, StandardCharsets.UTF_8);
  }

  Answer submit(String id, String intent, Map<String, ?> more) {
    ObjectNode body = RunningKernel.JSON.createObjectNode();
    body.put("task_id", id).put("intent", intent);
    if (!intent.startsWith("agent:")) {
      body.put("agent_id", RunningKernel.RESEARCHER);
    }
    body.setAll(RunningKernel.JSON.<ObjectNode>valueToTree(more));
    return kernel.call(RESEARCHER_V1, "POST", "/v1/schedule/submit", body);
  }

  Answer show(String id) {
    return kernel.call(RESEARCHER_V2, "GET", "/v1/schedule/tasks/" + id);
  }

  Answer explain(String id) {
    return kernel.call(RESEARCHER_V2, "GET", "/v1/schedule/tasks/" + id + "/explain").expect(200);
  }

  Answer awaitEnd(String id) {
    awaitState(id, ENDED);
    return show(id).expect(200);
  }

  Answer awaitSuccess(String id) {
    Answer ended = awaitEnd(id);
    assertThat(ended.at("/state")).as(ended.text()).isEqualTo("succeeded");
    return ended;
  }

  void awaitState(String id, List<String> states) {
    Await.until(
        id + " is one of " + states, PATIENCE, () -> states.contains(show(id).at("/state")));
  }

  /** The process of a task, by Linux's word. */
  JsonNode process(String agent, String task) {
    for (JsonNode process :
        kernel
            .call(kernel.operator(), "GET", "/v1/agents/" + id(agent))
            .expect(200)
            .json()
            .get("processes")) {
      if (process.get("task_id").asText().equals(task)) {
        return process;
      }
    }
    throw new AssertionError("no process of " + agent + " runs " + task);
  }
}
