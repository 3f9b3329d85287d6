package org.aionos.it;

import static org.aionos.it.RunningKernel.RESEARCHER;
import static org.aionos.it.RunningKernel.RESEARCHER_V1;
import static org.aionos.it.RunningKernel.RESEARCHER_V2;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.util.Map;
import org.aionos.modelserver.ModelServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** Model calls of tasks, and what they cost, over the wire. */
@Order(4)
class ModelTaskIT {

  private static final int TOKENS = 60;
  private static final String STORY = "60 tokens of a long story";

  /** Two dollars for a million tokens read, ten for a million written. */
  private static final String MODELS =
      """
      apiVersion: aion.os/v1
      kind: ModelConfig
      providers:
        teller: { url: "%s/v1", local: true, continue: assistant }
      models:
        story:
          routes: [ { route: teller/small, usd_per_million_tokens_in: 2, usd_per_million_tokens_out: 10 } ]
      default: story
      """;

  private static ModelServer model;
  private static RunningKernel kernel;
  private static Tasks tasks;

  @BeforeAll
  static void start() throws Exception {
    model = ModelServer.start(0);
    kernel = RunningKernel.named("model-task").start();
    tasks = new Tasks(kernel);
    Files.writeString(kernel.data().resolve("config/models.yaml"), MODELS.formatted(model.url()));
    Await.until(
        "models.yaml is in force",
        Tasks.PATIENCE,
        () ->
            kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/model.generate", ask(1)).status()
                == 200);
  }

  @AfterAll
  static void stop() throws Exception {
    kernel.down();
    model.close();
  }

  @BeforeEach
  void behave() {
    model.reset();
  }

  private static ObjectNode ask(int tokens) {
    ObjectNode body = RunningKernel.syscall("model.generate", RESEARCHER);
    body.putObject("params").put("prompt", STORY).put("max_tokens", tokens);
    return body;
  }

  private static String uninterrupted() {
    return kernel
        .call(RESEARCHER_V1, "POST", "/v1/syscall/model.generate", ask(TOKENS))
        .expect(200)
        .at("/result/text");
  }

  private static long generated() {
    return ((Number) model.stats().get("tokens")).longValue();
  }

  private static long aborted() {
    return ((Number) model.stats().get("aborted")).longValue();
  }

  private static void submitStory(String id) {
    tasks
        .submit(
            id,
            "syscall:model.generate",
            Map.of("priority", 1, "params", Map.of("prompt", STORY, "max_tokens", TOKENS)))
        .expect(202);
  }

  private static void preempt(String id, String by) {
    long before = generated();
    Await.until("it has begun to write", Tasks.PATIENCE, () -> generated() >= before + 10);
    tasks
        .submit(
            by,
            "syscall:tool.invoke",
            Map.of("priority", 9, "params", Map.of("tool", "echo", "text", "quick")))
        .expect(202);
    tasks.awaitSuccess(by);
    assertThat(tasks.show(id).expect(200).json().at("/preemptions").asInt()).isEqualTo(1);
  }

  @Test
  void a_preempted_model_call_stops_at_the_provider_and_its_text_is_the_same_in_the_end()
      throws IOException {
    tasks.settings("1", "minimum_runtime_ms: 0");
    String whole = uninterrupted();
    model.control(Map.of("token_delay_ms", 40));
    long abortedBefore = aborted();
    submitStory("story-1");

    preempt("story-1", "quick-1");

    Await.until("the provider has stopped", Tasks.PATIENCE, () -> aborted() == abortedBefore + 1);
    JsonNode ended = tasks.awaitSuccess("story-1").json();
    assertThat(ended.at("/result/text").asText()).isEqualTo(whole);
    assertThat(ended.at("/usage/tokens_out").asInt()).isGreaterThanOrEqualTo(TOKENS);
    JsonNode last = model.bodies().get(model.bodies().size() - 1);
    JsonNode begun = last.at("/messages/1");
    assertThat(begun.at("/role").asText()).isEqualTo("assistant");
    assertThat(whole).startsWith(begun.at("/content").asText());
    assertThat(begun.at("/content").asText()).isNotEmpty();
    assertThat(ended.at("/usage/calls").asInt()).isEqualTo(1);
    assertThat(ended.at("/attempt").asInt()).isEqualTo(1);
  }

  @Test
  void a_preempted_model_call_goes_on_from_its_text_after_the_kernel_was_killed()
      throws IOException {
    tasks.settings("1", "minimum_runtime_ms: 0");
    String whole = uninterrupted();
    model.control(Map.of("token_delay_ms", 40));
    submitStory("story-2");
    long before = generated();
    Await.until("it has begun to write", Tasks.PATIENCE, () -> generated() >= before + 10);
    tasks
        .submit(
            "blocking",
            "syscall:agent.recv",
            Map.of("priority", 9, "params", Map.of("wait_ms", 60_000)))
        .expect(202);
    Await.until(
        "it is preempted",
        Tasks.PATIENCE,
        () -> tasks.show("story-2").expect(200).at("/state").equals("preempted"));
    long atPreemption = generated();

    kernel.kill9();
    kernel.up();
    kernel
        .call(
            kernel.operator(),
            "POST",
            "/v1/schedule/tasks/blocking/cancel?tenant=tenantA&at_once=true")
        .expect(202);

    JsonNode ended = tasks.awaitSuccess("story-2").json();
    assertThat(ended.at("/result/text").asText()).isEqualTo(whole);
    assertThat(generated() - atPreemption)
        .as("what was written before the kill is not written again")
        .isLessThan(TOKENS);
  }

  @Test
  void what_a_model_costs_is_charged_shown_and_limited() throws IOException {
    tasks.settings("4", "quotas: { tenants: { tenantA: { usd_per_hour: 0.02 } } }");
    Answer one =
        kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/model.generate", ask(50)).expect(200);
    BigDecimal cost = new BigDecimal(one.at("/usage/cost_usd"));
    assertThat(cost)
        .isEqualByComparingTo(
            new BigDecimal(one.at("/usage/tokens_in"))
                .multiply(BigDecimal.valueOf(2))
                .add(new BigDecimal(one.at("/usage/tokens_out")).multiply(BigDecimal.TEN))
                .movePointLeft(6));
    assertThat(cost).isPositive();

    JsonNode budgets =
        kernel.call(kernel.operator(), "GET", "/v1/budgets?tenant=tenantA").expect(200).json();
    JsonNode limit = budgets.at("/limits/0");
    assertThat(limit.at("/kind").asText()).isEqualTo("usd");
    assertThat(limit.at("/max").decimalValue()).isEqualByComparingTo("0.02");
    assertThat(limit.at("/used").decimalValue()).isGreaterThanOrEqualTo(cost);
    assertThat(limit.at("/reserved").decimalValue()).isZero();
    assertThat(budgets.at("/spent_this_hour").toString()).contains("\"engine\":\"teller/small\"");
    assertThat(kernel.shell("aion:budgets")).contains("teller/small").contains("usd");
    kernel.call(RESEARCHER_V2, "GET", "/v1/budgets").expect(200);

    // 3,000 tokens may cost three cents, and the tenant has two an hour.
    kernel
        .call(RESEARCHER_V1, "POST", "/v1/syscall/model.generate", ask(3_000))
        .expect(429, "BUDGET_EXHAUSTED");
    kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/model.generate", ask(50)).expect(200);
    tasks.settings("4", "");
  }

  @Test
  void a_call_that_its_caller_leaves_is_charged_for_what_was_written() throws IOException {
    model.control(Map.of("token_delay_ms", 30));
    long abortedBefore = aborted();
    String auditId;
    try (LiveCall call = LiveCall.begin(kernel, ask(TOKENS))) {
      auditId = call.auditId;
      for (int i = 0; i < 5; i++) {
        call.expect("partial");
      }
    }
    Await.until("the provider has stopped", Tasks.PATIENCE, () -> aborted() == abortedBefore + 1);

    Await.until(
        "it is on record",
        Tasks.PATIENCE,
        () -> record(auditId).at("/ended/code").asText().equals("CANCELLED"));
    JsonNode facts = record(auditId).at("/ended");
    assertThat(facts.at("/tokens_out").asInt()).isBetween(5, TOKENS - 1);
    assertThat(facts.at("/cost_usd").decimalValue()).isPositive();
  }

  private static JsonNode record(String auditId) {
    return kernel.call(RESEARCHER_V2, "GET", "/v1/syscalls/" + auditId).expect(200).json();
  }
}
