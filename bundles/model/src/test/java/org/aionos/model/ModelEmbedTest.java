package org.aionos.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.policy.Tuning;
import org.aionos.modelserver.ModelServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ModelEmbedTest {

  private static ModelServer server;
  private static ModelServer cloud;

  @TempDir Path folder;
  private World world;

  @BeforeAll
  static void start() throws Exception {
    server = ModelServer.start(0);
    cloud = ModelServer.start(0);
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
    cloud.close();
  }

  @BeforeEach
  void open() throws Exception {
    server.reset();
    cloud.reset();
    world = new World(folder, yaml(server.url()));
  }

  private static String yaml(String home) {
    return """
    providers:
      cloud: { url: "%s", usd_per_million_tokens_in: 2 }
      home: { url: "%s", local: true }
    models:
      vectors: { routes: [cloud/large, home/small] }
    default: vectors
    retry: { attempts_max: 1 }
    """
        .formatted(cloud.url(), home);
  }

  @AfterEach
  void close() throws Exception {
    world.close();
  }

  private Problem refusal(Map<String, ?> params) {
    try {
      throw new AssertionError("it was carried out: " + world.embed(params));
    } catch (Refused refused) {
      return refused.problem();
    } catch (InterruptedException unexpected) {
      throw new AssertionError(unexpected);
    }
  }

  @Test
  void each_text_has_its_vector_and_the_price_is_that_of_its_tokens() throws Exception {
    Map<String, Object> params = Map.of("input", List.of("sea and sun", "sea and sun", "x"));

    Outcome.Ok ok = world.embed(params);

    List<?> vectors = (List<?>) ok.result().get("vectors");
    assertThat(vectors).hasSize(3);
    assertThat(vectors.get(0)).isEqualTo(vectors.get(1)).isNotEqualTo(vectors.get(2));
    assertThat(ok.result())
        .containsOnlyKeys("vectors", "model", "dimensions")
        .containsEntry("model", "cloud/large")
        .containsEntry("dimensions", 64);
    assertThat(ok.spent()).isEqualTo(new Outcome.Spent(new BigDecimal("0.000014"), 7, 0));
    Outcome.Spent atMost = world.embed.atMost(World.syscall("model.embed", World.ANN, params));
    assertThat(atMost.tokensIn()).isGreaterThanOrEqualTo(7);
    assertThat(atMost.costUsd()).isGreaterThanOrEqualTo(ok.spent().costUsd());
  }

  @Test
  void one_text_is_a_list_of_one() throws Exception {
    assertThat((List<?>) world.embed(Map.of("input", "sea")).result().get("vectors")).hasSize(1);
    assertThat(cloud.bodies().get(0).path("encoding_format").asText()).isEqualTo("float");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{} | MISSING_FIELD | /params/input",
        "{input: 7} | INVALID_FIELD | /params/input",
        "{input: []} | INVALID_FIELD | /params/input",
        "{input: ''} | INVALID_FIELD | /params/input",
        "{input: [a, '']} | INVALID_FIELD | /params/input/1",
        "{input: [a, 7]} | INVALID_FIELD | /params/input/1",
        "{input: a, model: nobody} | INVALID_FIELD | /params/model",
        "{input: a, k: 7} | INVALID_FIELD | /params/k"
      })
  void what_is_wrong_is_shown(String params, Code code, String pointer) throws Exception {
    Problem problem =
        refusal(
            org.aionos.document.Documents.yaml(params.getBytes(StandardCharsets.UTF_8)).values());

    assertThat(problem.code()).isEqualTo(code);
    assertThat(problem.pointer()).isEqualTo(pointer);
  }

  @Test
  void so_many_texts_are_taken_and_no_more() throws Exception {
    assertThat(
            (List<?>)
                world.embed(Map.of("input", Collections.nCopies(256, "a"))).result().get("vectors"))
        .hasSize(256);
    assertThat(refusal(Map.of("input", Collections.nCopies(257, "a"))).pointer())
        .isEqualTo("/params/input");
  }

  @Test
  void what_fails_falls_back_and_what_may_not_leave_does_not() throws Exception {
    cloud.control(Map.of("fail_status", 500));
    Outcome.Ok ok = world.embed(Map.of("input", "a"));
    assertThat(ok.result()).containsEntry("model", "home/small");
    assertThat(ok.spent().costUsd()).isZero();

    cloud.reset();
    world.tune(new Tuning.Models(Map.of(), false));
    assertThat(world.embed(Map.of("input", "a")).result()).containsEntry("model", "home/small");
    assertThat(cloud.bodies()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        "not JSON",
        "{\"data\":[]}",
        "{\"data\":[{\"index\":0,\"embedding\":[]}]}",
        "{\"data\":[{\"index\":5,\"embedding\":[1]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[\"x\"]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"AAAA\"}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]}],\"usage\":{\"prompt_tokens\":\"many\"}}"
      })
  void an_answer_that_holds_no_vectors_is_a_fault_of_the_provider(String answer) throws Exception {
    byte[] bytes =
        ("HTTP/1.1 200 OK\r\nContent-Length: " + answer.length() + "\r\n\r\n" + answer)
            .getBytes(StandardCharsets.UTF_8);
    try (RawServer nonsense = new RawServer(bytes, new byte[0])) {
      world.write(yaml(nonsense.url()));
      world.file.reload();
      Map<String, Object> params = new HashMap<>();
      params.put("input", "a");
      params.put("allow_cloud", false);

      assertThat(refusal(params).code()).isEqualTo(Code.UPSTREAM_UNAVAILABLE);
    }
  }
}
