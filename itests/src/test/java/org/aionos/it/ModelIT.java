package org.aionos.it;

import static org.aionos.it.RunningKernel.RESEARCHER;
import static org.aionos.it.RunningKernel.RESEARCHER_V1;
import static org.aionos.it.RunningKernel.RESEARCHER_V2;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.aionos.modelserver.ModelServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** Models behind the real distribution, as agents ask them and operators look after them. */
@Order(8)
class ModelIT {

  private static final String GENERATE = "/v1/syscall/model.generate";
  private static final String PRIVATE = "agent://tenantA/private-1";
  private static final int STREAMS = 500;
  private static final String KEY = "sk-never-to-be-seen";

  private static ModelServer home;
  private static ModelServer cloud;
  private static RunningKernel kernel;

  @BeforeAll
  static void start() throws Exception {
    home = ModelServer.start(0);
    cloud = ModelServer.start(0);
    kernel =
        RunningKernel.named("model")
            .bare()
            .with("OLLAMA_URL", home.url())
            .with("CLOUD_KEY", KEY)
            .with("AION_ROUTER_CALLS_IN_FLIGHT_MAX", "600")
            .with("AION_GATEWAY_THREADS_MAX", "700")
            .start();
    register();
    configure("chat");
  }

  @AfterAll
  static void stop() throws Exception {
    kernel.close();
    home.close();
    cloud.close();
  }

  @BeforeEach
  void reset() throws IOException {
    home.reset();
    cloud.reset();
    if (!defaultModel().equals("chat")) {
      configure("chat");
    }
  }

  private static void register() {
    ObjectNode agent = RunningKernel.JSON.createObjectNode();
    agent.put("agent_id", PRIVATE).put("name", "private").put("version", "1.0.0");
    agent.put(
        "manifest",
        """
        apiVersion: aion.os/v1
        kind: Agent
        metadata: { name: private, version: 1.0.0 }
        spec:
          entry: "python main.py"
          syscalls: [model.*]
          policy_overrides: { privacy: { allow_cloud: false } }
        """);
    kernel.call(RESEARCHER_V2, "POST", "/v1/agent/register", agent).expect(200);
    ObjectNode other = agent.deepCopy();
    other.put("agent_id", "agent://tenantA/open-1").put("name", "open");
    other.put(
        "manifest",
        agent.get("manifest").asText().replace("allow_cloud: false", "allow_cloud: true"));
    kernel.call(RESEARCHER_V2, "POST", "/v1/agent/register", other).expect(200);
  }

  /** Puts a models.yaml there, and waits until it is in force. */
  private static void configure(String standard) throws IOException {
    Files.writeString(
        kernel.data().resolve("config/models.yaml"),
        """
        apiVersion: aion.os/v1
        kind: ModelConfig
        providers:
          cloud: { url: "%s", key_variable: CLOUD_KEY }
        models:
          chat: { routes: [ { route: cloud/large, usd_per_million_tokens_in: 2.5, usd_per_million_tokens_out: 10 }, ollama/small ] }
          other: { routes: [ ollama/large, cloud/large ] }
        default: %s
        retry: { attempts_max: 2, backoff_ms: 5 }
        circuit: { calls: 100, calls_min: 100 }
        """
            .formatted(cloud.url(), standard));
    Await.until(
        standard + " is the default",
        Duration.ofSeconds(10),
        () -> standard.equals(defaultModel()));
  }

  private static String defaultModel() {
    for (JsonNode model :
        kernel.call(kernel.operator(), "GET", "/v1/models").expect(200).json().get("items")) {
      if (model.get("default").asBoolean()) {
        return model.get("name").asText();
      }
    }
    return "";
  }

  private static ObjectNode ask(String agent, Map<String, ?> params) {
    ObjectNode body = RunningKernel.syscall("model.generate", agent);
    body.withObject("/params").setAll(RunningKernel.JSON.<ObjectNode>valueToTree(params));
    return body;
  }

  private static Answer generate(String agent, Map<String, ?> params) {
    return kernel.call(RESEARCHER_V1, "POST", GENERATE, ask(agent, params));
  }

  private static long stat(ModelServer server, String name) {
    return ((Number) server.stats().get(name)).longValue();
  }

  @Test
  void an_agent_asks_and_is_told_what_it_cost() {
    Answer answer =
        generate("agent://tenantA/open-1", Map.of("prompt", "say 20 tokens")).expect(200);

    assertThat(answer.at("/result/model")).isEqualTo("cloud/large");
    assertThat(answer.at("/engine/kind") + " " + answer.at("/engine/name"))
        .isEqualTo("model cloud/large");
    assertThat(answer.json().at("/usage/tokens_out").asInt()).isEqualTo(20);
    assertThat(answer.json().at("/usage/tokens_in").asInt()).isEqualTo(10);
    assertThat(answer.json().at("/usage/cost_usd").decimalValue()).isEqualByComparingTo("0.000225");
    String seen =
        answer.text() + kernel.log() + kernel.call(kernel.operator(), "GET", "/metrics").text();
    assertThat(seen)
        .contains("aion_model_requests_total{outcome=\"ok\",provider=\"cloud\"}")
        .contains("aion_model_circuit_open{provider=\"cloud\"} 0")
        .doesNotContain(KEY);
  }

  @Test
  void who_listens_hears_each_piece_and_then_the_whole() {
    try (LiveCall call =
        LiveCall.begin(kernel, ask(RESEARCHER, Map.of("prompt", "say 9 tokens")))) {
      StringBuilder heard = new StringBuilder();
      List<LiveCall.Event> events = call.rest();
      JsonNode result = events.remove(events.size() - 1).data();
      for (LiveCall.Event event : events) {
        if (event.name().equals("partial")) {
          heard.append(event.data().findValue("text").asText());
        }
      }

      assertThat(heard.toString()).isNotEmpty().isEqualTo(result.findValue("text").asText());
      assertThat(events.size()).isGreaterThanOrEqualTo(9);
    }
  }

  @Test
  void who_hangs_up_has_the_model_stopped() {
    home.control(Map.of("token_delay_ms", 20));
    LiveCall call =
        LiveCall.begin(
            kernel, ask(RESEARCHER, Map.of("prompt", "say 4000 tokens", "model", "ollama/small")));
    call.expect("partial");

    call.close();

    Await.until(
        "the model server has noticed", Duration.ofSeconds(20), () -> stat(home, "aborted") == 1);
    assertThat(stat(home, "tokens")).isLessThan(2_000);
    assertThat(stat(home, "open_streams")).isZero();
  }

  @Test
  void a_call_whose_time_is_over_has_the_model_stopped() {
    home.control(Map.of("hang", true));
    ObjectNode body = ask(RESEARCHER, Map.of("prompt", "x", "model", "ollama/small"));
    body.putObject("budget").put("latency_ms", 300);

    kernel.call(RESEARCHER_V1, "POST", GENERATE, body).expect(504, "TIMED_OUT");

    Await.until(
        "the model server has noticed", Duration.ofSeconds(20), () -> stat(home, "aborted") == 1);
  }

  @Test
  void an_agent_whose_manifest_forbids_the_cloud_is_answered_at_home_or_not_at_all() {
    Answer answer = generate(PRIVATE, Map.of("prompt", "say 5 tokens")).expect(200);
    assertThat(answer.at("/result/model")).isEqualTo("ollama/small");

    home.control(Map.of("fail_status", 500));
    generate(PRIVATE, Map.of("prompt", "x")).expect(502, "UPSTREAM_UNAVAILABLE");

    assertThat(stat(cloud, "requests")).isZero();
  }

  @Test
  void a_provider_that_fails_gives_way_to_the_next() {
    cloud.control(Map.of("fail_status", 503));

    Answer answer = generate("agent://tenantA/open-1", Map.of("prompt", "x")).expect(200);

    assertThat(answer.at("/result/model")).isEqualTo("ollama/small");
    assertThat(stat(cloud, "requests")).isEqualTo(2);
  }

  @Test
  void a_bad_question_is_shown_where_it_is_bad() {
    Answer unknown = generate(RESEARCHER, Map.of("prompt", "x", "model", "nobody"));
    assertThat(unknown.expect(400, "INVALID_FIELD").at("/error/pointer"))
        .isEqualTo("/params/model");
    Answer misspelt = generate(RESEARCHER, Map.of("prompt", "x", "max_token", 3));
    assertThat(misspelt.expect(400, "INVALID_FIELD").at("/error/pointer"))
        .isEqualTo("/params/max_token");
    generate(RESEARCHER, Map.of("prompt", "x", "model", "ollama/no-such"))
        .expect(400, "INVALID_FIELD");
  }

  @Test
  void texts_become_vectors() {
    ObjectNode body = RunningKernel.syscall("model.embed", PRIVATE);
    body.withObject("/params").put("model", "ollama/small").putArray("input").add("a b").add("b c");

    Answer answer = kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/model.embed", body).expect(200);

    assertThat(answer.json().at("/result/vectors")).hasSize(2);
    assertThat(answer.json().at("/result/dimensions").asInt()).isEqualTo(64);
    assertThat(answer.json().at("/result/vectors/1")).hasSize(64);
  }

  @Test
  void another_models_yaml_is_in_force_while_the_kernel_runs_and_a_bad_one_changes_nothing()
      throws IOException {
    configure("other");
    assertThat(generate(RESEARCHER, Map.of("prompt", "x")).expect(200).at("/result/model"))
        .isEqualTo("ollama/large");

    Files.writeString(
        kernel.data().resolve("config/models.yaml"), "models: { chat: { routes: [nowhere/x] } }");
    Await.until(
        "the bad file is refused",
        Duration.ofSeconds(10),
        () ->
            kernel
                .call(kernel.operator(), "GET", "/v1/models")
                .at("/rejected")
                .contains("/models/chat/routes/0/route"));
    assertThat(generate(RESEARCHER, Map.of("prompt", "x")).expect(200).at("/result/model"))
        .isEqualTo("ollama/large");
    assertThat(Ssh.run(kernel, "aion:models --no-format"))
        .contains("NOT in force", "ollama/large", "closed")
        .doesNotContain(KEY, home.url());

    configure("chat");
    assertThat(kernel.call(RESEARCHER_V2, "GET", "/v1/models").expect(200).text())
        .contains("\"name\":\"ollama/small\"")
        .doesNotContain(KEY, home.url(), cloud.url());
  }

  @Test
  void five_hundred_listen_at_once() throws Exception {
    home.control(Map.of("token_delay_ms", 1_000));
    List<LiveCall> calls = new ArrayList<>();
    for (int i = 0; i < STREAMS; i++) {
      calls.add(
          LiveCall.begin(
              kernel,
              ask(RESEARCHER, Map.of("prompt", i + " say 20 tokens", "model", "ollama/small"))));
    }
    for (LiveCall call : calls) {
      List<LiveCall.Event> events = call.rest();
      JsonNode result = events.get(events.size() - 1).data();
      assertThat(result.findValue("tokens_out").asInt()).as(result.toString()).isEqualTo(20);
      call.close();
    }
    assertThat(stat(home, "open_streams_max")).isEqualTo(STREAMS);
  }
}
