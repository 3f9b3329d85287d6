package org.aionos.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.BigRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Scale;
import net.jqwik.api.constraints.StringLength;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Underway;
import org.aionos.modelserver.ModelServer;

/** What holds for all questions, wherever they are broken off. */
final class ModelPropertiesTest {

  private static ModelServer server;
  private static World world;
  private static Path folder;

  @BeforeContainer
  static void start() throws Exception {
    server = ModelServer.start(0);
    folder = Files.createTempDirectory("models-");
    world =
        new World(
            folder,
            """
            providers:
              home: { url: "%s", local: true, any_model: true, continue: assistant }
              dear: { url: "%s", usd_per_million_tokens_in: 3, usd_per_million_tokens_out: 15.5 }
            models:
              chat: { tokens_out_max: 300, routes: [home/small, dear/large] }
            default: chat
            circuit: { calls: 1000, calls_min: 1000 }
            """
                .formatted(server.url(), server.url()));
  }

  @AfterContainer
  static void stop() throws Exception {
    world.close();
    server.close();
    try {
      Files.delete(folder.resolve("models.yaml"));
      Files.delete(folder);
    } catch (IOException stays) {
      throw new UncheckedIOException(stays);
    }
  }

  @Property(tries = 60)
  void wherever_an_answer_is_broken_off_it_ends_as_if_it_had_not_been(
      @ForAll @IntRange(min = 1, max = 80) int length,
      @ForAll @IntRange(min = 1, max = 100) int tokensMax,
      @ForAll @IntRange(min = 0, max = 79) int first,
      @ForAll @IntRange(min = 0, max = 79) int second)
      throws Exception {
    server.reset();
    Map<String, Object> params =
        Map.of(
            "prompt", "say " + length + " tokens", "max_tokens", tokensMax, "model", "home/small");
    Outcome.Ok whole = world.generate(params);
    int said = Math.min(length, tokensMax);
    Map<String, Object> state = null;
    StringBuilder heard = new StringBuilder();
    long tokens = 0;
    for (int cut : new int[] {first % said, second % said}) {
      server.control(Map.of("cut_after_tokens", cut, "cut_times", 1));
      World.Call broken =
          state == null ? World.call(params) : World.calledAgain(params, new HashMap<>(state));
      try {
        // Cut before its first token, or after its last, it is not broken off at all.
        Outcome.Ok ok = world.generate.run(broken.admitted);
        assertThat(ok.result().get("text")).isEqualTo(whole.result().get("text"));
        return;
      } catch (org.aionos.kernel.Refused cutOff) {
        Underway.SoFar soFar = broken.soFar();
        heard.append(broken.heard());
        tokens += soFar.spent().tokensOut();
        state = soFar.state();
        assertThat(state.get("text")).isEqualTo(heard.toString());
      }
    }

    World.Call last = World.calledAgain(params, new HashMap<>(state));
    Outcome.Ok ok = world.generate.run(last.admitted);

    Map<String, Object> expected = new HashMap<>(whole.result());
    if (tokens == tokensMax) {
      // Nobody is asked any more, and nobody can say whether there was an end right there.
      expected.put("finish_reason", "length");
    }
    assertThat(ok.result()).isEqualTo(expected);
    assertThat(heard + last.heard()).isEqualTo(whole.result().get("text"));
    assertThat(tokens + ok.spent().tokensOut()).isEqualTo(whole.spent().tokensOut());
  }

  @Property(tries = 500)
  void a_price_is_exact(
      @ForAll @BigRange(min = "0", max = "1000000") @Scale(12) BigDecimal in,
      @ForAll @BigRange(min = "0", max = "1000000") @Scale(12) BigDecimal out,
      @ForAll @LongRange(min = 0, max = 1_000_000_000) long tokensIn,
      @ForAll @LongRange(min = 0, max = 1_000_000_000) long tokensOut) {
    BigDecimal cost = new ModelSettings.Price(in, out).of(tokensIn, tokensOut);

    assertThat(cost.multiply(new BigDecimal(1_000_000)))
        .isEqualByComparingTo(
            in.multiply(new BigDecimal(tokensIn)).add(out.multiply(new BigDecimal(tokensOut))));
  }

  @Provide
  Arbitrary<String> words() {
    return Arbitraries.strings().ascii().withChars("äöü€日本語 ").ofMinLength(1).ofMaxLength(400);
  }

  @Property(tries = 150)
  void no_call_uses_more_than_was_set_aside(
      @ForAll("words") String system,
      @ForAll("words") String prompt,
      @ForAll @IntRange(min = 1, max = 300) int tokensMax,
      @ForAll boolean withMax,
      @ForAll boolean withSchema,
      @ForAll boolean cloud)
      throws Exception {
    server.reset();
    Map<String, Object> params = new HashMap<>();
    params.put(
        "messages",
        List.of(
            Map.of("role", "system", "content", system),
            Map.of("role", "user", "content", prompt)));
    if (withMax) {
      params.put("max_tokens", tokensMax);
    }
    if (withSchema) {
      params.put("schema", Map.of("type", "array", "items", Map.of("type", "string")));
      server.control(Map.of("answers", List.of("no " + prompt, "[\"yes\"]")));
    }
    if (cloud) {
      server.control(Map.of("fail_status", 404, "fail_times", 1));
    }
    World.Call call = World.call(params);
    Outcome.Spent atMost = world.generate.atMost(call.syscall);

    Outcome.Spent spent;
    try {
      spent = world.generate.run(call.admitted).spent();
    } catch (org.aionos.kernel.Refused cutShort) {
      // The second answer, too, may have been cut by max_tokens.
      assertThat(cutShort.problem().code()).isEqualTo(org.aionos.kernel.Code.RESULT_INVALID);
      spent = call.soFar().spent();
    }

    assertThat(spent.tokensIn()).isPositive().isLessThanOrEqualTo(atMost.tokensIn());
    assertThat(spent.tokensOut()).isPositive().isLessThanOrEqualTo(atMost.tokensOut());
    assertThat(spent.costUsd()).isLessThanOrEqualTo(atMost.costUsd());
    assertThat(atMost.costUsd()).isPositive();
  }

  @Property(tries = 300)
  void what_can_be_told_of_any_params_is_told_without_a_fault(
      @ForAll("oddParams") Map<String, Object> params) {
    var generate = World.syscall("model.generate", World.ANN, params);

    assertThat(world.generate.atMost(generate).costUsd()).isNotNegative();
    assertThat(world.embed.atMost(generate).costUsd()).isNotNegative();
  }

  @Provide
  Arbitrary<Map<String, Object>> oddParams() {
    Arbitrary<Object> odd =
        Arbitraries.oneOf(
            Arbitraries.strings().ofMaxLength(20).map(each -> each),
            Arbitraries.integers().map(each -> each),
            Arbitraries.of(
                List.of(),
                Map.of(),
                List.of(Map.of("role", "user", "content", "x")),
                true,
                1.5,
                List.of("a", 7)));
    return Arbitraries.maps(
            Arbitraries.of(
                "model",
                "messages",
                "prompt",
                "system",
                "max_tokens",
                "tools",
                "schema",
                "input",
                "stop",
                "seed",
                "cache",
                "other"),
            odd)
        .ofMaxSize(6);
  }

  @Property(tries = 200)
  void names_are_read_as_what_they_are(@ForAll @StringLength(max = 40) String name) {
    Map<String, Object> params = Map.of("prompt", "x", "model", name);

    org.aionos.kernel.Problem problem = null;
    if (!name.equals("chat") && !name.startsWith("home/")) {
      problem = world.refusal(params).problem();
      assertThat(problem.pointer()).isEqualTo("/params/model");
    }
  }
}
