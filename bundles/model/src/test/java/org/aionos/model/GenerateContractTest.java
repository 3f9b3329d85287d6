package org.aionos.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Refused;
import org.aionos.modelserver.ModelServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What every server must do for us. Against the one of {@code OLLAMA_URL} if there is one, with the
 * first model that it lists; else against {@link ModelServer}.
 */
final class GenerateContractTest {

  private static ModelServer ours;
  private static String url;

  @TempDir Path folder;
  private World world;

  @BeforeAll
  static void start() throws Exception {
    ours = ModelServer.start(0);
    String real = System.getenv("OLLAMA_URL");
    url = real == null ? ours.url() : real;
  }

  @AfterAll
  static void stop() throws Exception {
    ours.close();
  }

  @BeforeEach
  void open() throws Exception {
    ours.reset();
    world = new World(folder, "", Map.of("OLLAMA_URL", url));
  }

  @AfterEach
  void close() throws Exception {
    world.close();
  }

  private static Map<String, Object> question(String prompt) {
    return Map.of("prompt", prompt, "max_tokens", 64, "temperature", 0, "seed", 7);
  }

  @Test
  void the_first_model_that_is_listed_answers_and_its_usage_is_counted() throws Exception {
    World.Call call = World.call(question("Name three colours."));

    Outcome.Ok ok = world.generate.run(call.admitted);

    String text = (String) ok.result().get("text");
    assertThat(text).isNotBlank();
    assertThat(call.heard()).isEqualTo(text);
    assertThat(call.partials.size()).isGreaterThan(1);
    assertThat(ok.result()).containsKey("finish_reason").doesNotContainKey("usage_estimated");
    assertThat(ok.engine().kind()).isEqualTo("model");
    assertThat(ok.engine().name()).startsWith("ollama/").isEqualTo(ok.result().get("model"));
    assertThat(ok.spent().tokensIn()).isPositive();
    assertThat(ok.spent().tokensOut()).isBetween(1L, 64L);
    assertThat(ok.spent().costUsd()).isEqualByComparingTo(BigDecimal.ZERO);
  }

  @Test
  void no_more_tokens_are_said_than_were_wanted() throws Exception {
    Outcome.Ok ok =
        world.generate(Map.of("prompt", "Count from 1 to 50 in words, 50 tokens", "max_tokens", 5));

    assertThat(ok.spent().tokensOut()).isBetween(1L, 5L);
    assertThat(ok.result()).containsEntry("finish_reason", "length");
  }

  @Test
  void an_answer_of_a_schema_is_of_the_schema() throws Exception {
    Map<String, Object> schema =
        Map.of(
            "type",
            "object",
            "properties",
            Map.of("colour", Map.of("type", "string"), "count", Map.of("type", "integer")),
            "required",
            List.of("colour", "count"),
            "additionalProperties",
            false);

    Outcome.Ok ok =
        world.generate(
            Map.of(
                "prompt",
                "Give a colour and a count, as JSON.",
                "schema",
                schema,
                "max_tokens",
                200,
                "temperature",
                0));

    assertThat(ok.result().get("json"))
        .isInstanceOfSatisfying(
            Map.class, json -> assertThat(json).containsOnlyKeys("colour", "count"));
  }

  @Test
  void the_same_question_with_a_seed_has_the_same_answer() throws Exception {
    Outcome.Ok one = world.generate(question("Name a colour."));
    Outcome.Ok other = world.generate(question("Name a colour."));

    assertThat(one.result().get("text")).isEqualTo(other.result().get("text"));
  }

  @Test
  void a_model_that_it_does_not_have_is_the_callers_mistake() {
    Refused refused = world.refusal(Map.of("prompt", "x", "model", "ollama/no-such-model"));

    assertThat(refused.problem().code()).isEqualTo(Code.INVALID_FIELD);
    assertThat(refused.problem().pointer()).isEqualTo("/params/model");
  }

  @Test
  void an_answer_that_was_broken_off_is_gone_on_with() throws Exception {
    Map<String, Object> question = question("Count from one to twenty in words, 40 tokens");
    String whole = (String) world.generate(question).result().get("text");
    int cut = whole.offsetByCodePoints(0, whole.codePointCount(0, whole.length()) / 2);
    World.Call again =
        World.calledAgain(
            question,
            Map.of("text", whole.substring(0, cut), "route", "ollama/small", "tokens", 10));

    Outcome.Ok ok = world.generate.run(again.admitted);

    String text = (String) ok.result().get("text");
    assertThat(text).startsWith(whole.substring(0, cut)).hasSizeGreaterThan(cut);
    assertThat(again.heard()).isEqualTo(text.substring(cut));
  }

  @Test
  void the_models_that_it_lists_can_be_looked_at() {
    assertThat(world.models.models())
        .isNotEmpty()
        .allSatisfy(model -> assertThat(model.name()).startsWith("ollama/"))
        .allSatisfy(model -> assertThat(model.routes().get(0).local()).isTrue())
        .allSatisfy(model -> assertThat(model.routes().get(0).circuit()).isEqualTo("closed"));
  }
}
