package org.aionos.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Underway;
import org.aionos.kernel.policy.Tuning;
import org.aionos.modelserver.ModelServer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ModelGenerateTest {

  private static final String KEY = "sk-0123456789abcdef";

  private static ModelServer home;
  private static ModelServer cloud;

  @TempDir Path folder;
  private World world;

  @BeforeAll
  static void start() throws Exception {
    home = ModelServer.start(0);
    cloud = ModelServer.start(0);
  }

  @AfterAll
  static void stop() throws Exception {
    home.close();
    cloud.close();
  }

  @BeforeEach
  void open() throws Exception {
    home.reset();
    cloud.reset();
    world = new World(folder, yaml(""), Map.of("CLOUD_KEY", KEY));
  }

  @AfterEach
  void close() throws Exception {
    world.close();
  }

  private static String yaml(String more) {
    return yaml(home.url(), cloud.url(), more);
  }

  private static String yaml(String homeUrl, String cloudUrl, String more) {
    return """
    apiVersion: aion.os/v1
    kind: ModelConfig
    providers:
      home: { url: "%s", local: true, any_model: true, continue: assistant, silence_ms: 60000 }
      cloud: { url: "%s", key_variable: CLOUD_KEY, continue: vllm }
    models:
      chat:
        tokens_out_max: 500
        routes:
          - { route: cloud/large, usd_per_million_tokens_in: 2.5, usd_per_million_tokens_out: 10 }
          - home/small
      far: { routes: [cloud/large] }
      near: { routes: [home/small] }
    default: chat
    %s
    """
        .formatted(homeUrl, cloudUrl, more);
  }

  private void reload(String yaml) {
    world.write(yaml);
    world.file.reload();
    assertThat(world.file.rejected()).isEmpty();
  }

  private static void assertProblem(Refused refused, Code code, String pointer) {
    assertThat(refused.problem().code()).as(refused.getMessage()).isEqualTo(code);
    assertThat(refused.problem().pointer()).as(refused.getMessage()).isEqualTo(pointer);
  }

  private static long stat(ModelServer server, String name) {
    return ((Number) server.stats().get(name)).longValue();
  }

  // --- answers --------------------------------------------------------------------------------

  @Test
  void an_answer_names_its_route_and_costs_what_the_price_table_says() throws Exception {
    Outcome.Ok ok = world.generate(Map.of("prompt", "say 20 tokens"));

    assertThat(ok.result())
        .containsOnlyKeys("text", "finish_reason", "model")
        .containsEntry("model", "cloud/large")
        .containsEntry("finish_reason", "stop");
    assertThat(ok.engine()).isEqualTo(new Outcome.Engine("model", "cloud/large"));
    // Four messages' worth around one of 13 characters: 3 + 3 + 4; all as the server counts.
    assertThat(ok.spent().tokensIn()).isEqualTo(10);
    assertThat(ok.spent().tokensOut()).isEqualTo(20);
    assertThat(ok.spent().costUsd()).isEqualTo(new BigDecimal("0.000225"));
  }

  @Test
  void an_answer_ends_where_the_money_does_that_its_caller_named() throws Exception {
    World.Call call = World.within("0.001", Map.of("prompt", "say 400 tokens"));

    Outcome.Ok ok = world.generate.run(call.admitted);

    assertThat(ok.result()).containsEntry("finish_reason", "length");
    assertThat(ok.spent().costUsd())
        .isLessThanOrEqualTo(new BigDecimal("0.001"))
        .isGreaterThan(new BigDecimal("0.0008"));
  }

  @Test
  void money_that_is_not_enough_for_one_token_asks_nobody() {
    Refused refused = world.refusal(World.within("0.00001", Map.of("prompt", "say 20 tokens")));

    assertProblem(refused, Code.BUDGET_EXHAUSTED, "/budget/usd_max");
    assertThat(stat(cloud, "requests")).isZero();
  }

  @Test
  void what_is_asked_reaches_the_provider_and_nothing_else_does() throws Exception {
    world.generate(
        Map.of(
            "messages",
            List.of(
                Map.of("role", "system", "content", "Be brief."),
                Map.of(
                    "role",
                    "user",
                    "content",
                    List.of(
                        Map.of("type", "text", "text", "say 3 "),
                        Map.of("type", "text", "text", "tokens")))),
            "max_tokens",
            7,
            "temperature",
            0.5,
            "top_p",
            0.9,
            "stop",
            "never",
            "seed",
            42,
            "model",
            "near",
            "allow_cloud",
            true));

    JsonNode sent = home.bodies().get(0);
    assertThat(sent.toString())
        .isEqualTo(
            "{\"model\":\"small\",\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},"
                + "{\"role\":\"user\",\"content\":\"say 3 tokens\"}],\"stream\":true,"
                + "\"stream_options\":{\"include_usage\":true},\"temperature\":0.5,\"top_p\":0.9,"
                + "\"seed\":42,\"stop\":[\"never\"],\"max_tokens\":7}");
  }

  @Test
  void without_max_tokens_the_models_own_bound_is_asked_for() throws Exception {
    world.generate(Map.of("prompt", "x"));

    assertThat(cloud.bodies().get(0).path("max_tokens").asInt()).isEqualTo(500);
  }

  @Test
  void a_provider_that_does_not_count_is_counted_by_length() throws Exception {
    home.control(Map.of("no_usage", true));

    Outcome.Ok ok = world.generate(Map.of("prompt", "say 20 tokens", "model", "near"));

    assertThat(ok.result()).containsEntry("usage_estimated", true);
    assertThat(ok.spent().tokensOut()).isEqualTo(20);
    assertThat(ok.spent().tokensIn()).isPositive();
  }

  @Test
  void a_call_of_a_tool_comes_piece_by_piece_and_whole() throws Exception {
    World.Call call =
        World.call(
            Map.of(
                "prompt",
                "call search {\"query\":\"sea\"}",
                "tools",
                List.of(
                    Map.of(
                        "type",
                        "function",
                        "function",
                        Map.of("name", "search", "parameters", Map.of("type", "object"))))));

    Outcome.Ok ok = world.generate.run(call.admitted);

    assertThat(ok.result().get("tool_calls"))
        .isEqualTo(
            List.of(
                Map.of(
                    "id",
                    "call_1",
                    "type",
                    "function",
                    "function",
                    Map.of("name", "search", "arguments", "{\"query\":\"sea\"}"))));
    assertThat(ok.result()).containsEntry("finish_reason", "tool_calls").containsEntry("text", "");
    assertThat(call.partials)
        .hasSizeGreaterThan(2)
        .allMatch(each -> each.containsKey("tool_calls"));
    assertThat(call.soFar().state()).isEmpty();
  }

  @Test
  void the_result_of_a_tool_goes_back_to_the_model() throws Exception {
    Outcome.Ok ok =
        world.generate(
            Map.of(
                "messages",
                List.of(
                    Map.of("role", "user", "content", "call search {}"),
                    Map.of(
                        "role",
                        "assistant",
                        "tool_calls",
                        List.of(
                            Map.of(
                                "id",
                                "call_1",
                                "type",
                                "function",
                                "function",
                                Map.of("name", "search", "arguments", "{}")))),
                    Map.of("role", "tool", "tool_call_id", "call_1", "content", "found"))));

    assertThat((String) ok.result().get("text")).isNotEmpty();
    assertThat(cloud.bodies().get(0).at("/messages/1/tool_calls/0/function/name").asText())
        .isEqualTo("search");
    assertThat(cloud.bodies().get(0).at("/messages/2/tool_call_id").asText()).isEqualTo("call_1");
  }

  // --- bad requests ---------------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{} | MISSING_FIELD | /params/messages",
        "{prompt: 1} | INVALID_FIELD | /params/prompt",
        "{prompt: x, messages: [{role: user, content: y}]} | INVALID_FIELD | /params/prompt",
        "{messages: []} | INVALID_FIELD | /params/messages",
        "{messages: [{role: user, content: y}], system: s} | INVALID_FIELD | /params/system",
        "{messages: [{role: boss, content: y}]} | INVALID_FIELD | /params/messages/0/role",
        "{messages: [{role: user}]} | MISSING_FIELD | /params/messages/0/content",
        "{messages: [{role: user, content: y, x: 1}]} | INVALID_FIELD | /params/messages/0/x",
        "{messages: [{role: user, content: [{type: image_url, text: x}]}]} | INVALID_FIELD | /params/messages/0/content/0/type",
        "{messages: [{role: user, content: x, tool_calls: [{}]}]} | INVALID_FIELD | /params/messages/0/tool_calls",
        "{messages: [{role: assistant, tool_calls: [{id: a}]}]} | MISSING_FIELD | /params/messages/0/tool_calls/0/function",
        "{prompt: x, temprature: 1} | INVALID_FIELD | /params/temprature",
        "{prompt: x, temperature: 3} | INVALID_FIELD | /params/temperature",
        "{prompt: x, top_p: -1} | INVALID_FIELD | /params/top_p",
        "{prompt: x, max_tokens: 0} | INVALID_FIELD | /params/max_tokens",
        "{prompt: x, max_tokens: 501} | INVALID_FIELD | /params/max_tokens",
        "{prompt: x, stop: [a, b, c, d, e]} | INVALID_FIELD | /params/stop",
        "{prompt: x, stop: ''} | INVALID_FIELD | /params/stop",
        "{prompt: x, seed: 1.5} | INVALID_FIELD | /params/seed",
        "{prompt: x, tools: [{type: function, function: {name: 'a b'}}]} | INVALID_FIELD | /params/tools/0/function/name",
        "{prompt: x, tool_choice: auto} | INVALID_FIELD | /params/tool_choice",
        "{prompt: x, schema: {pattern: '('}} | INVALID_FIELD | /params/schema",
        "{prompt: x, schema: {$ref: 'http://evil/'}} | INVALID_FIELD | /params/schema",
        "{prompt: x, cache: true} | INVALID_FIELD | /params/cache",
        "{prompt: x, model: nobody} | INVALID_FIELD | /params/model",
        "{prompt: x, model: cloud/large} | INVALID_FIELD | /params/model",
        "{prompt: x, model: 'a b'} | INVALID_FIELD | /params/model",
        "{prompt: x, allow_cloud: please} | INVALID_FIELD | /params/allow_cloud"
      })
  void what_is_wrong_is_shown_and_nobody_is_asked(String params, Code code, String pointer)
      throws Exception {
    Map<String, ?> read =
        org.aionos.document.Documents.yaml(params.getBytes(StandardCharsets.UTF_8)).values();

    assertProblem(world.refusal(read), code, pointer);

    assertThat(stat(home, "requests") + stat(cloud, "requests")).isZero();
  }

  @Test
  void messages_have_a_limit_that_counts_all_of_the_question() {
    reload(yaml("limits: { messages_bytes_max: 2000 }"));

    assertProblem(
        world.refusal(Map.of("prompt", "é".repeat(1_000))), Code.INVALID_FIELD, "/params/prompt");
  }

  @Test
  void without_any_provider_it_is_said_what_to_set() throws Exception {
    try (World bare = new World(Files.createDirectory(folder.resolve("bare")), "# nothing\n")) {
      Problem problem = bare.refusal(Map.of("prompt", "x")).problem();

      assertThat(problem.code()).isEqualTo(Code.NOT_INSTALLED);
      assertThat(problem.message()).contains("OLLAMA_URL").contains("config/models.yaml");
    }
  }

  @Test
  void what_the_provider_refuses_is_told_in_its_words_without_the_key() {
    cloud.control(Map.of("fail_status", 400));

    Refused refused = world.refusal(Map.of("prompt", "x", "model", "far"));

    assertProblem(refused, Code.TOOL_FAILED, null);
    assertThat(refused.problem().message()).contains("told to fail");
    assertThat(world.pauses).isEmpty();
  }

  // --- fallback, retries, circuits ------------------------------------------------------------

  @Test
  void a_route_that_fails_before_its_first_token_is_tried_again_and_then_the_next_one()
      throws Exception {
    cloud.control(Map.of("fail_status", 503));

    Outcome.Ok ok = world.generate(Map.of("prompt", "say 5 tokens"));

    assertThat(ok.result()).containsEntry("model", "home/small");
    assertThat(ok.spent().costUsd()).isZero();
    assertThat(stat(cloud, "requests")).isEqualTo(3);
    assertThat(world.pauses).hasSize(2);
    assertThat(world.pauses.get(0).toMillis()).isBetween(100L, 200L);
    assertThat(world.pauses.get(1).toMillis()).isBetween(200L, 400L);
    assertThat(world.meters.value("aion_model_requests_total", "cloud", "unavailable"))
        .isEqualTo(3);
    assertThat(world.meters.value("aion_model_requests_total", "home", "ok")).isEqualTo(1);
  }

  @Test
  void a_failure_that_passes_is_not_seen() throws Exception {
    cloud.control(Map.of("fail_status", 500, "fail_times", 1));

    assertThat(world.generate(Map.of("prompt", "x")).result())
        .containsEntry("model", "cloud/large");
    assertThat(stat(cloud, "requests")).isEqualTo(2);
  }

  @Test
  void a_server_that_wants_a_wait_gets_it() throws Exception {
    cloud.control(Map.of("fail_status", 429, "fail_times", 1, "retry_after", "3"));

    world.generate(Map.of("prompt", "x"));

    assertThat(world.pauses).containsExactly(Duration.ofSeconds(3));
  }

  @Test
  void a_server_that_wants_too_long_a_wait_is_passed_over() throws Exception {
    cloud.control(Map.of("fail_status", 429, "retry_after", "3600"));

    assertThat(world.generate(Map.of("prompt", "x")).result()).containsEntry("model", "home/small");
    assertThat(world.pauses).isEmpty();
    Problem problem = world.refusal(Map.of("prompt", "x", "model", "far")).problem();
    assertThat(problem.code()).isEqualTo(Code.UPSTREAM_UNAVAILABLE);
    assertThat(problem.retryAfter()).isEqualTo(Duration.ofHours(1));
  }

  @Test
  void no_wait_goes_beyond_the_deadline() {
    home.control(Map.of("fail_status", 429, "retry_after", "8"));
    World.Call call =
        new World.Call(
            World.syscall("model.generate", World.ANN, Map.of("prompt", "x", "model", "near")),
            Map.of("spec", Map.of()),
            Duration.ofSeconds(5),
            null);

    assertThat(world.refusal(call).problem().code()).isEqualTo(Code.UPSTREAM_UNAVAILABLE);
    assertThat(world.pauses).isEmpty();
  }

  @Test
  void a_server_that_is_not_there_is_one_that_fails() throws Exception {
    reload(yaml(home.url(), "http://127.0.0.1:1", ""));

    assertThat(world.generate(Map.of("prompt", "x")).result()).containsEntry("model", "home/small");
    Problem problem = world.refusal(Map.of("prompt", "x", "model", "far")).problem();
    assertThat(problem.code()).isEqualTo(Code.UPSTREAM_UNAVAILABLE);
    assertThat(problem.message()).contains("cloud/large").doesNotContain("127.0.0.1");
  }

  @Test
  void a_route_that_fails_often_is_left_alone_for_a_while_and_then_tried() throws Exception {
    reload(yaml("circuit: { calls: 4, calls_min: 2, failure_percent: 50, open_ms: 60000 }"));
    cloud.control(Map.of("fail_status", 500));

    world.generate(Map.of("prompt", "x"));
    long asked = stat(cloud, "requests");
    world.generate(Map.of("prompt", "x"));

    assertThat(asked).isEqualTo(2);
    assertThat(stat(cloud, "requests")).isEqualTo(2);
    assertThat(world.models.models().get(0).routes().get(0).circuit()).isEqualTo("open");
    assertThat(world.meters.labelled.get("cloud").getAsDouble()).isEqualTo(1);
    assertThat(world.meters.labelled.get("home").getAsDouble()).isZero();
    Problem alone = world.refusal(Map.of("prompt", "x", "model", "far")).problem();
    assertThat(alone.code()).isEqualTo(Code.UPSTREAM_UNAVAILABLE);
    assertThat(alone.message()).contains("left alone");

    cloud.reset();
    world.pass(Duration.ofSeconds(61));

    assertThat(world.generate(Map.of("prompt", "x")).result())
        .containsEntry("model", "cloud/large");
    assertThat(world.models.models().get(0).routes().get(0).circuit()).isEqualTo("closed");
    assertThat(world.meters.labelled.get("cloud").getAsDouble()).isZero();
  }

  @Test
  void a_callers_mistakes_do_not_open_a_circuit() {
    reload(yaml("circuit: { calls: 2, calls_min: 1, failure_percent: 1 }"));
    cloud.control(Map.of("fail_status", 422));

    for (int i = 0; i < 5; i++) {
      world.refusal(Map.of("prompt", "x", "model", "far"));
    }

    assertThat(stat(cloud, "requests")).isEqualTo(5);
  }

  @Test
  void a_stream_that_breaks_off_fails_the_call_and_is_charged() throws Exception {
    cloud.control(Map.of("cut_after_tokens", 6));
    World.Call call = World.call(Map.of("prompt", "say 20 tokens"));

    Problem problem = world.refusal(call).problem();

    assertThat(problem.code()).isEqualTo(Code.UPSTREAM_UNAVAILABLE);
    assertThat(problem.message()).contains("broke off");
    assertThat(stat(cloud, "requests")).isEqualTo(1);
    assertThat(stat(home, "requests")).isZero();
    Underway.SoFar soFar = call.soFar();
    assertThat(soFar.spent().tokensOut()).isEqualTo(6);
    assertThat(soFar.spent().costUsd()).isPositive();
    assertThat(soFar.state())
        .containsEntry("text", call.heard())
        .containsEntry("route", "cloud/large")
        .containsEntry("tokens", 6L);
    assertThat(call.reports).isEqualTo(1);
  }

  @Test
  void a_stream_that_breaks_off_before_its_first_token_goes_on_elsewhere() throws Exception {
    cloud.control(Map.of("cut_after_tokens", 0));
    World.Call call = World.call(Map.of("prompt", "say 20 tokens"));

    Outcome.Ok ok = world.generate.run(call.admitted);

    assertThat(ok.result()).containsEntry("model", "home/small");
    assertThat(ok.spent().costUsd()).isZero();
    assertThat(call.reports).isEqualTo(1);
  }

  // --- ends -----------------------------------------------------------------------------------

  @Test
  void an_interrupted_call_has_its_stream_closed_at_once_though_nothing_was_said()
      throws Exception {
    home.control(Map.of("hang", true));
    assertInterruptReachesTheServer();
  }

  @Test
  void an_interrupted_call_has_its_stream_closed_at_once_while_it_is_said() throws Exception {
    home.control(Map.of("token_delay_ms", 5));
    assertInterruptReachesTheServer();
  }

  private void assertInterruptReachesTheServer() throws Exception {
    World.Call call = World.call(Map.of("prompt", "say 100000 tokens", "model", "near2"));
    reload(
        yaml(home.url(), cloud.url(), "")
            .replace("near:", "near2: { tokens_out_max: 100000, routes: [home/small] }\n  near:"));
    AtomicReference<Throwable> ended = new AtomicReference<>();
    CountDownLatch over = new CountDownLatch(1);
    Thread thread =
        new Thread(
            () -> {
              try {
                world.generate.run(call.admitted);
              } catch (Throwable end) {
                ended.set(end);
              }
              over.countDown();
            });
    thread.start();
    Poll.until(() -> stat(home, "open_streams") == 1 || over.getCount() == 0);
    assertThat(ended.get()).isNull();

    long interrupted = System.currentTimeMillis();
    thread.interrupt();
    over.await();
    long returned = System.currentTimeMillis();
    Poll.until(() -> stat(home, "aborted") == 1);

    assertThat(ended.get()).isInstanceOf(InterruptedException.class);
    long noticed = ((List<Long>) home.stats().get("aborted_at_ms")).get(0);
    assertThat(returned - interrupted).isLessThan(100);
    assertThat(noticed - interrupted).isLessThan(200);
    assertThat(call.soFar().spent().tokensIn()).isNotNegative();
    assertThat(world.meters.gauges.get("aion_model_streams").getAsDouble()).isZero();
    assertThat(world.meters.value("aion_model_requests_total", "home", "interrupted")).isEqualTo(1);
  }

  @Test
  void a_provider_that_says_nothing_for_too_long_is_given_up() {
    home.control(Map.of("hang", true));
    reload(yaml("retry: { attempts_max: 1 }").replace("silence_ms: 60000", "silence_ms: 50"));

    Problem problem = world.refusal(Map.of("prompt", "x", "model", "near")).problem();

    assertThat(problem.code()).isEqualTo(Code.UPSTREAM_UNAVAILABLE);
  }

  @Test
  void a_call_whose_time_is_over_ends_although_nobody_interrupts_it() {
    home.control(Map.of("hang", true));
    World.Call call =
        new World.Call(
            World.syscall("model.generate", World.ANN, Map.of("prompt", "x", "model", "near")),
            Map.of("spec", Map.of()),
            Duration.ofMillis(150),
            null);

    assertThat(world.refusal(call).problem().code()).isEqualTo(Code.TIMED_OUT);
  }

  @Test
  void who_asks_for_too_little_time_does_not_take_a_route_away_from_others() {
    reload(yaml("circuit: { calls: 2, calls_min: 1, failure_percent: 1 }"));
    home.control(Map.of("hang", true));

    for (int i = 0; i < 4; i++) {
      World.Call hasty =
          new World.Call(
              World.syscall("model.generate", World.BOB, Map.of("prompt", "x", "model", "near")),
              Map.of("spec", Map.of()),
              Duration.ofMillis(50),
              null);
      assertThat(world.refusal(hasty).problem().code()).isEqualTo(Code.TIMED_OUT);
    }

    assertThat(stat(home, "requests")).isEqualTo(4);
  }

  // --- nonsense -------------------------------------------------------------------------------

  private Problem answerOf(RawServer server, String more) throws Exception {
    reload(yaml(server.url(), cloud.url(), more + "\nretry: { attempts_max: 1 }"));
    return world.refusal(Map.of("prompt", "x", "model", "near")).problem();
  }

  private static String event(String content) {
    return "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + content + "\"}}]}\n\n";
  }

  private static final String END =
      "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "data: {\"choices\":[{\"delta\":\n\n",
        "data: nonsense\n\n",
        "data: []\n\n",
        "data: {\"choices\":7}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":7}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"\\ud800\"}}]}\n\n",
        "data: {\"usage\":{\"prompt_tokens\":-1}}\n\n",
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":100000}]}}]}\n\n",
        "<html>not a stream at all</html>",
        "data: {\"error\":{\"message\":\"sk-0123456789abcdef at 10.0.0.1\"}}\n\n",
        ""
      })
  void nonsense_is_a_fault_of_the_provider(String said) throws Exception {
    try (RawServer server = RawServer.streaming(said)) {
      Problem problem = answerOf(server, "");

      assertThat(problem.code()).isEqualTo(Code.UPSTREAM_UNAVAILABLE);
      assertThat(problem.message()).doesNotContain("sk-0123").doesNotContain("10.0.0.1");
    }
  }

  @Test
  void bytes_that_are_no_utf8_are_nonsense() throws Exception {
    byte[] said = event("xx").getBytes(StandardCharsets.UTF_8);
    said[said.length - 8] = (byte) 0xff;
    try (RawServer server = RawServer.streaming(said, new byte[0])) {
      assertThat(answerOf(server, "").code()).isEqualTo(Code.UPSTREAM_UNAVAILABLE);
    }
  }

  @Test
  void a_line_without_an_end_is_not_kept() throws Exception {
    try (RawServer server =
        RawServer.streaming("data: ".getBytes(StandardCharsets.UTF_8), new byte[8_192])) {
      Problem problem = answerOf(server, "limits: { line_bytes_max: 20000 }");

      assertThat(problem.code()).isEqualTo(Code.RESULT_TOO_LARGE);
      assertThat(problem.message()).contains("line_bytes_max");
    }
  }

  @Test
  void an_answer_without_an_end_is_broken_off() throws Exception {
    byte[] more = event("word").getBytes(StandardCharsets.UTF_8);
    try (RawServer server = RawServer.streaming(more, more)) {
      Problem problem = answerOf(server, "limits: { answer_bytes_max: 5000 }");

      assertThat(problem.code()).isEqualTo(Code.RESULT_TOO_LARGE);
      assertThat(problem.message()).contains("answer_bytes_max");
    }
  }

  @Test
  void a_stream_that_says_nothing_for_ever_is_broken_off() throws Exception {
    byte[] more = ": nothing yet\n".repeat(500).getBytes(StandardCharsets.UTF_8);
    try (RawServer server = RawServer.streaming(more, more)) {
      assertThat(answerOf(server, "limits: { answer_bytes_max: 1024 }").code())
          .isEqualTo(Code.RESULT_TOO_LARGE);
    }
  }

  @Test
  void what_comes_in_odd_pieces_with_comments_and_carriage_returns_is_read_all_the_same()
      throws Exception {
    String said =
        (": hello\n\nevent: x\n" + event("a ") + "id: 1\n" + event("b") + END + "data: [DONE]\n\n")
            .replace("\n", "\r\n");
    try (RawServer server = RawServer.streaming(said)) {
      reload(yaml(server.url(), cloud.url(), ""));
      Outcome.Ok ok = world.generate(Map.of("prompt", "x", "model", "near"));

      assertThat(ok.result()).containsEntry("text", "a b").containsEntry("usage_estimated", true);
    }
  }

  @Test
  void a_stream_that_ends_without_saying_so_is_taken_if_the_answer_is_whole() throws Exception {
    try (RawServer server = RawServer.streaming(event("all") + END)) {
      reload(yaml(server.url(), cloud.url(), ""));

      assertThat(world.generate(Map.of("prompt", "x", "model", "near")).result())
          .containsEntry("text", "all");
    }
    try (RawServer server = RawServer.streaming(event("half"))) {
      assertThat(answerOf(server, "").message()).contains("in the midst");
    }
  }

  @Test
  void the_operators_key_goes_to_its_own_provider_and_is_never_quoted() throws Exception {
    cloud.control(Map.of("key", "another"));

    Refused refused = world.refusal(Map.of("prompt", "x", "model", "far"));

    assertThat(refused.problem().code()).isEqualTo(Code.UPSTREAM_UNAVAILABLE);
    assertThat(refused.problem().message()).contains("key").doesNotContain(KEY);
    assertThat(world.providers.settings().toString()).doesNotContain(KEY);
    cloud.control(Map.of("key", KEY));
    assertThat(world.generate(Map.of("prompt", "x")).result())
        .containsEntry("model", "cloud/large");
    home.control(Map.of("key", KEY));
    assertThat(world.refusal(Map.of("prompt", "x", "model", "near")).problem().code())
        .as("it was not sent there")
        .isEqualTo(Code.UPSTREAM_UNAVAILABLE);
  }

  @Test
  void a_redirect_is_not_followed() throws Exception {
    byte[] redirect =
        ("HTTP/1.1 307 Temporary Redirect\r\nLocation: "
                + home.url()
                + "/v1/chat/completions\r\nContent-Length: 0\r\n\r\n")
            .getBytes(StandardCharsets.UTF_8);
    try (RawServer server = new RawServer(redirect, new byte[0])) {
      assertThat(answerOf(server, "").code()).isEqualTo(Code.UPSTREAM_UNAVAILABLE);
      assertThat(stat(home, "requests")).isZero();
    }
  }

  // --- going on -------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(strings = {"near", "far"})
  void a_call_that_was_broken_off_goes_on_where_it_was(String model) throws Exception {
    ModelServer server = model.equals("near") ? home : cloud;
    Map<String, Object> params =
        Map.of("prompt", "say 40 tokens", "model", model, "max_tokens", 40);
    Outcome.Ok whole = world.generate(params);
    server.control(Map.of("cut_after_tokens", 15, "cut_times", 1));
    World.Call broken = World.call(params);
    world.refusal(broken);
    Underway.SoFar soFar = broken.soFar();

    World.Call again = World.calledAgain(params, soFar.state());
    Outcome.Ok ok = world.generate.run(again.admitted);

    assertThat(ok.result()).isEqualTo(whole.result());
    assertThat(again.heard())
        .isEqualTo(((String) ok.result().get("text")).substring(broken.heard().length()));
    assertThat(soFar.spent().tokensOut() + ok.spent().tokensOut()).isEqualTo(40);
    JsonNode sent = server.bodies().get(server.bodies().size() - 1);
    assertThat(sent.path("max_tokens").asInt()).isEqualTo(25);
    assertThat(sent.path("continue_final_message").asBoolean()).isEqualTo(model.equals("far"));
    assertThat(sent.has("add_generation_prompt")).isEqualTo(model.equals("far"));
  }

  @Test
  void it_goes_on_at_the_route_where_it_was_begun() throws Exception {
    World.Call again =
        World.calledAgain(
            Map.of("prompt", "say 9 tokens"),
            Map.of("text", "", "route", "home/small", "tokens", 0));

    assertThat(world.generate.run(again.admitted).result()).containsEntry("model", "home/small");
  }

  @Test
  void a_call_that_is_broken_off_before_it_says_anything_new_keeps_what_was_said()
      throws Exception {
    Map<String, @Nullable Object> before =
        Map.of("text", "so far ", "route", "home/small", "tokens", 2L);
    home.control(Map.of("fail_status", 500));
    cloud.control(Map.of("fail_status", 500));
    World.Call again = World.calledAgain(Map.of("prompt", "say 9 tokens"), before);

    world.refusal(again);

    assertThat(again.soFar().state()).isEqualTo(before);
    assertThat(again.soFar().spent().tokensOut()).isZero();
  }

  @Test
  void the_state_of_another_call_is_not_believed() throws Exception {
    Map<String, @Nullable Object> odd = new HashMap<>();
    odd.put("text", 7);
    odd.put("route", null);
    World.Call again = World.calledAgain(Map.of("prompt", "say 9 tokens"), odd);

    assertThat(world.generate.run(again.admitted).spent().tokensOut()).isEqualTo(9);
  }

  // --- schema ---------------------------------------------------------------------------------

  private static final Map<String, Object> ANSWER =
      Map.of(
          "type",
          "object",
          "properties",
          Map.of("n", Map.of("type", "integer")),
          "required",
          List.of("n"));

  @Test
  void an_answer_that_is_not_of_the_schema_is_asked_for_once_more_and_both_are_charged()
      throws Exception {
    cloud.control(Map.of("answers", List.of("{\"n\":\"seven\"}", "{\"n\":7}")));
    World.Call call = World.call(Map.of("prompt", "x", "schema", ANSWER));

    Outcome.Ok ok = world.generate.run(call.admitted);

    assertThat(ok.result())
        .containsEntry("json", Map.of("n", 7))
        .containsEntry("text", "{\"n\":7}");
    assertThat(ok.spent().tokensOut()).isEqualTo(4 + 2);
    assertThat(call.partials).isEmpty();
    JsonNode second = cloud.bodies().get(1);
    assertThat(second.at("/messages/1/content").asText()).isEqualTo("{\"n\":\"seven\"}");
    assertThat(second.at("/messages/2/content").asText()).contains("/n");
    assertThat(second.at("/response_format/json_schema/strict").asBoolean()).isTrue();
  }

  @Test
  void an_answer_that_is_not_of_the_schema_twice_is_none_and_both_are_charged() {
    cloud.control(Map.of("answers", List.of("{\"n\":1}, \"more\":{}", "no JSON at all")));
    World.Call call = World.call(Map.of("prompt", "x", "schema", ANSWER));

    Problem problem = world.refusal(call).problem();

    assertThat(problem.code()).isEqualTo(Code.RESULT_INVALID);
    assertThat(stat(cloud, "requests")).isEqualTo(2);
    assertThat(call.soFar().spent().tokensOut()).isEqualTo(5 + 4);
    assertThat(call.soFar().state()).isEmpty();
    assertThat(world.meters.value("aion_model_requests_total", "cloud", "invalid")).isEqualTo(1);
  }

  @Test
  void a_second_try_that_fails_is_tried_again_and_the_first_is_charged_all_the_same()
      throws Exception {
    cloud.control(
        Map.of(
            "answers", List.of("12345678"), "fail_status", 503, "fail_times", 1, "fail_skip", 1));

    Outcome.Ok ok = world.generate(Map.of("prompt", "x", "schema", ANSWER));

    assertThat(ok.result())
        .containsEntry("json", Map.of("n", 1))
        .containsEntry("model", "cloud/large");
    assertThat(ok.spent().tokensOut()).isEqualTo(2 + 2);
    assertThat(stat(cloud, "requests")).isEqualTo(3);
  }

  @Test
  void an_answer_may_be_any_kind_of_json() throws Exception {
    cloud.control(Map.of("answer", "[1, 2]"));

    Outcome.Ok ok = world.generate(Map.of("prompt", "x", "schema", Map.of("type", "array")));

    assertThat(ok.result()).containsEntry("json", List.of(1, 2));
  }

  // --- privacy --------------------------------------------------------------------------------

  private static World.Call of(Map<String, ?> params, @Nullable Object allowCloud) {
    Map<String, @Nullable Object> privacy = new HashMap<>();
    privacy.put("allow_cloud", allowCloud);
    return new World.Call(
        World.syscall("model.generate", World.ANN, params),
        Map.of("spec", Map.of("policy_overrides", Map.of("privacy", privacy))),
        Duration.ofSeconds(20),
        null);
  }

  private void assertOnlyLocal(World.Call call) throws Exception {
    assertThat(world.generate.run(call.admitted).result()).containsEntry("model", "home/small");
    assertThat(stat(cloud, "requests")).isZero();
  }

  @Test
  void a_manifest_that_forbids_the_cloud_keeps_calls_on_local_providers() throws Exception {
    assertOnlyLocal(of(Map.of("prompt", "x"), false));
    assertOnlyLocal(of(Map.of("prompt", "x"), "false"));

    Problem none = world.refusal(of(Map.of("prompt", "x", "model", "far"), false)).problem();
    assertThat(none.code()).isEqualTo(Code.EGRESS_DENIED);
    assertThat(none.rule()).isEqualTo("policy_overrides.privacy.allow_cloud");
    assertThat(none.admit()).contains("local: true");
    assertThat(stat(cloud, "requests")).isZero();
  }

  @Test
  void a_manifest_cannot_be_overruled_by_the_caller() {
    Problem none =
        world
            .refusal(of(Map.of("prompt", "x", "model", "far", "allow_cloud", true), false))
            .problem();

    assertThat(none.code()).isEqualTo(Code.EGRESS_DENIED);
  }

  @Test
  void a_caller_may_forbid_the_cloud() throws Exception {
    assertOnlyLocal(World.call(Map.of("prompt", "x", "allow_cloud", false)));
    assertThat(world.generate.run(of(Map.of("prompt", "x"), null).admitted).result())
        .containsEntry("model", "cloud/large");
  }

  @Test
  void the_policy_may_forbid_the_cloud_and_order_the_routes() throws Exception {
    world.tune(new Tuning.Models(Map.of(), false));
    assertOnlyLocal(World.call(Map.of("prompt", "x")));

    world.tune(new Tuning.Models(Map.of("chat", List.of("nowhere/x", "home/small")), true));
    assertOnlyLocal(World.call(Map.of("prompt", "x")));

    world.tune(new Tuning.Models(Map.of("chat", List.of("nowhere/x")), true));
    Problem none = world.refusal(Map.of("prompt", "x")).problem();
    assertThat(none.code()).isEqualTo(Code.EGRESS_DENIED);
    assertThat(none.rule()).isEqualTo("models.routes");
  }

  @Test
  void a_route_that_is_not_there_for_a_caller_is_not_gone_on_at() throws Exception {
    World.Call again =
        new World.Call(
            World.syscall(
                "model.generate",
                World.ANN,
                Map.of("prompt", "say 9 tokens", "allow_cloud", false)),
            Map.of("spec", Map.of()),
            Duration.ofSeconds(20),
            Map.of("text", "x", "route", "cloud/large", "tokens", 1));

    assertThat(world.generate.run(again.admitted).result()).containsEntry("model", "home/small");
    assertThat(stat(cloud, "requests")).isZero();
  }

  // --- cache ----------------------------------------------------------------------------------

  private static final Map<String, Object> REPEATABLE =
      Map.of("prompt", "say 9 tokens", "seed", 1, "cache", true);

  @Test
  void an_answer_that_is_kept_costs_nothing_and_says_so() throws Exception {
    Outcome.Ok first = world.generate(REPEATABLE);
    World.Call call = World.call(REPEATABLE);
    Outcome.Ok second = world.generate.run(call.admitted);

    assertThat(first.result()).doesNotContainKey("cached");
    assertThat(second.result())
        .containsEntry("cached", true)
        .containsEntry("text", first.result().get("text"));
    assertThat(second.spent()).isEqualTo(Outcome.Spent.NOTHING);
    assertThat(call.heard()).isEqualTo(first.result().get("text"));
    assertThat(stat(cloud, "requests")).isEqualTo(1);
  }

  @Test
  void an_answer_is_kept_for_its_tenant_alone_and_only_where_that_was_wanted() throws Exception {
    world.generate(REPEATABLE);

    assertThat(world.generate.run(World.call(World.BOB, REPEATABLE).admitted).result())
        .doesNotContainKey("cached");
    assertThat(world.generate(Map.of("prompt", "say 9 tokens", "seed", 1)).result())
        .doesNotContainKey("cached");
    assertThat(world.generate(Map.of("prompt", "say 9 tokens", "seed", 2, "cache", true)).result())
        .doesNotContainKey("cached");
    assertThat(stat(cloud, "requests")).isEqualTo(4);
  }

  @Test
  void an_answer_of_the_cloud_is_not_given_to_who_may_not_ask_there() throws Exception {
    world.generate(REPEATABLE);

    Outcome.Ok local = world.generate.run(of(REPEATABLE, false).admitted);

    assertThat(local.result()).doesNotContainKey("cached").containsEntry("model", "home/small");
  }

  @Test
  void what_is_kept_is_bounded_in_bytes_and_time() throws Exception {
    reload(yaml("limits: { cache_bytes_max: 2000, cache_s: 60 }"));
    for (int seed = 0; seed < 20; seed++) {
      world.generate(Map.of("prompt", "say 9 tokens", "seed", seed, "cache", true));
    }
    assertThat(world.providers.cache().bytes()).isBetween(300L, 2_000L);
    Map<String, Object> last = Map.of("prompt", "say 9 tokens", "seed", 19, "cache", true);
    assertThat(world.generate(last).result()).containsKey("cached");
    world.pass(Duration.ofSeconds(61));
    assertThat(world.generate(last).result()).doesNotContainKey("cached");
  }

  // --- room, settings -------------------------------------------------------------------------

  @Test
  void only_so_many_answers_are_awaited_at_once() throws Exception {
    reload(yaml("limits: { streams_max: 1 }"));
    home.control(Map.of("hang", true));
    Thread first = waiting();
    Poll.until(() -> stat(home, "open_streams") == 1);

    assertThat(world.refusal(Map.of("prompt", "x")).problem().code()).isEqualTo(Code.KERNEL_BUSY);

    first.interrupt();
    first.join();
    assertThat(world.generate(Map.of("prompt", "x")).result()).isNotEmpty();
  }

  @Test
  void a_provider_is_asked_only_so_often_at_once() throws Exception {
    reload(yaml("").replace("any_model: true", "any_model: true, concurrency_max: 1"));
    home.control(Map.of("hang", true));
    Thread first = waiting();
    Poll.until(() -> stat(home, "open_streams") == 1);

    assertThat(world.refusal(Map.of("prompt", "x", "model", "near")).problem().code())
        .isEqualTo(Code.TOOL_BUSY);

    first.interrupt();
    first.join();
  }

  private Thread waiting() {
    Thread thread =
        new Thread(
            () -> {
              try {
                world.generate(Map.of("prompt", "x", "model", "near"));
              } catch (InterruptedException end) {
                // As it should.
              }
            });
    thread.start();
    return thread;
  }

  @Test
  void another_file_is_in_force_at_once_and_a_bad_one_changes_nothing() throws Exception {
    world.write("models: { chat: { routes: [nowhere/x] } }");
    world.file.reload();

    assertThat(world.models.rejected()).contains("/models/chat/routes/0/route");
    assertThat(world.generate(Map.of("prompt", "x")).result())
        .containsEntry("model", "cloud/large");

    reload(yaml("").replace("default: chat", "default: near"));

    assertThat(world.models.rejected()).isEmpty();
    assertThat(world.generate(Map.of("prompt", "x")).result()).containsEntry("model", "home/small");
  }

  @Test
  void a_stream_outlives_the_configuration_that_it_began_with() throws Exception {
    home.control(Map.of("token_delay_ms", 5));
    AtomicReference<Object> text = new AtomicReference<>();
    CountDownLatch over = new CountDownLatch(1);
    World.Call call = World.call(Map.of("prompt", "say 60 tokens", "model", "near"));
    Thread thread =
        new Thread(
            () -> {
              try {
                text.set(world.generate.run(call.admitted).spent().tokensOut());
              } catch (Exception failed) {
                text.set(failed);
              }
              over.countDown();
            });
    thread.start();
    Poll.until(() -> !call.partials.isEmpty());

    reload(yaml(cloud.url(), cloud.url(), ""));
    world.generate(Map.of("prompt", "x"));
    over.await();

    assertThat(text.get()).isEqualTo(60L);
  }

  @Test
  void connections_are_used_again() throws Exception {
    for (int i = 0; i < 20; i++) {
      world.generate(Map.of("prompt", "say 3 tokens", "model", "near"));
    }
    assertThat(stat(home, "connections")).isLessThan(4);
  }

  @Test
  void the_kernel_asks_with_a_schema_and_is_told_what_it_cost() throws Exception {
    var answer =
        world.models.ask(
            new org.aionos.kernel.model.Models.Question(
                null, "You are a kernel.", "x", ANSWER, 100, Duration.ofSeconds(5), true));

    assertThat(answer.model()).isEqualTo("cloud/large");
    assertThat(answer.text()).isEqualTo("{\"n\":1}");
    assertThat(answer.spent().costUsd()).isPositive();
    assertThat(
            world
                .models
                .ask(
                    new org.aionos.kernel.model.Models.Question(
                        "chat", "", "x", null, 100, Duration.ofSeconds(5), false))
                .model())
        .isEqualTo("home/small");
    assertThatThrownBy(
            () ->
                world.models.ask(
                    new org.aionos.kernel.model.Models.Question(
                        "far", "", "x", null, 100, Duration.ofSeconds(5), false)))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("EGRESS_DENIED");
  }

  @Test
  void the_kernels_own_question_ends_with_its_time() {
    home.control(Map.of("hang", true));

    assertThatThrownBy(
            () ->
                world.models.ask(
                    new org.aionos.kernel.model.Models.Question(
                        "near", "", "x", null, 100, Duration.ofMillis(100), false)))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("TIMED_OUT");
  }
}
