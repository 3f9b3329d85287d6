package org.aionos.modelserver;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** That the server is what other tests take it for. */
final class ModelServerTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  private static ModelServer server;

  @BeforeAll
  static void start() throws Exception {
    server = ModelServer.start(0);
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @BeforeEach
  void reset() {
    server.reset();
  }

  private static HttpResponse<String> post(String path, Object body) throws Exception {
    return CLIENT.send(
        HttpRequest.newBuilder(URI.create(server.url() + path))
            .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body)))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private static JsonNode answer(Map<String, Object> request) throws Exception {
    return JSON.readTree(post("/v1/chat/completions", request).body());
  }

  private static Map<String, Object> user(String content) {
    return Map.of("role", "user", "content", content);
  }

  private static String text(JsonNode answer) {
    return answer.at("/choices/0/message/content").asText();
  }

  @Test
  void the_same_is_said_to_the_same_and_something_else_to_another() throws Exception {
    String one = text(answer(Map.of("model", "small", "messages", List.of(user("a")))));

    assertThat(text(answer(Map.of("model", "small", "messages", List.of(user("a"))))))
        .isEqualTo(one);
    assertThat(text(answer(Map.of("model", "small", "messages", List.of(user("b"))))))
        .isNotEqualTo(one);
    assertThat(text(answer(Map.of("model", "small", "seed", 9, "messages", List.of(user("a"))))))
        .isNotEqualTo(one);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7, 40, 79})
  void an_assistants_message_at_the_end_is_gone_on_with(int cut) throws Exception {
    Map<String, Object> question = user("say 20 tokens");
    String whole = text(answer(Map.of("model", "small", "messages", List.of(question))));
    int at = whole.offsetByCodePoints(0, cut);
    Map<String, Object> begun = Map.of("role", "assistant", "content", whole.substring(0, at));

    JsonNode rest = answer(Map.of("model", "small", "messages", List.of(question, begun)));

    assertThat(whole.substring(0, at) + text(rest)).isEqualTo(whole);
  }

  @Test
  void tokens_are_counted_and_bounded_and_a_stop_ends_the_text() throws Exception {
    Map<String, Object> question = user("say 20 tokens");
    JsonNode whole = answer(Map.of("model", "small", "messages", List.of(question)));
    JsonNode cut = answer(Map.of("model", "small", "max_tokens", 3, "messages", List.of(question)));

    assertThat(whole.at("/usage/completion_tokens").asInt()).isEqualTo(20);
    assertThat(whole.at("/usage/prompt_tokens").asInt()).isEqualTo(10);
    assertThat(cut.at("/choices/0/finish_reason").asText()).isEqualTo("length");
    assertThat(text(whole)).startsWith(text(cut));
    assertThat(cut.at("/usage/completion_tokens").asInt()).isEqualTo(3);
    String stop = text(whole).substring(10, 14);
    String stopped =
        text(answer(Map.of("model", "small", "stop", stop, "messages", List.of(question))));
    assertThat(stopped)
        .isEqualTo(text(whole).substring(0, text(whole).indexOf(stop)))
        .doesNotContain(stop);
  }

  @Test
  void a_stream_says_what_the_whole_says() throws Exception {
    Map<String, Object> request = Map.of("model", "small", "messages", List.of(user("hello")));
    Map<String, Object> streamed =
        Map.of(
            "model",
            "small",
            "stream",
            true,
            "stream_options",
            Map.of("include_usage", true),
            "messages",
            List.of(user("hello")));

    StringBuilder text = new StringBuilder();
    JsonNode last = JSON.createObjectNode();
    String body = post("/v1/chat/completions", streamed).body();
    for (String line : body.lines().filter(each -> each.startsWith("data: {")).toList()) {
      last = JSON.readTree(line.substring(6));
      text.append(last.at("/choices/0/delta/content").asText(""));
    }

    assertThat(body).endsWith("data: [DONE]\n\n");
    assertThat(text.toString()).isEqualTo(text(answer(request)));
    assertThat(last.path("usage")).isEqualTo(answer(request).path("usage"));
  }

  @Test
  void it_fails_as_often_as_it_is_told_to() throws Exception {
    post("/control", Map.of("fail_status", 503, "fail_times", 2, "retry_after", "7"));
    Map<String, Object> request = Map.of("model", "small", "messages", List.of(user("x")));

    HttpResponse<String> first = post("/v1/chat/completions", request);

    assertThat(first.statusCode()).isEqualTo(503);
    assertThat(first.headers().firstValue("retry-after")).contains("7");
    assertThat(post("/v1/chat/completions", request).statusCode()).isEqualTo(503);
    assertThat(post("/v1/chat/completions", request).statusCode()).isEqualTo(200);
    assertThat(server.stats()).containsEntry("requests", 3L);
  }

  @Test
  void models_it_does_not_have_are_404_and_vectors_are_of_length_one() throws Exception {
    assertThat(
            post("/v1/chat/completions", Map.of("model", "no-model", "messages", List.of()))
                .statusCode())
        .isEqualTo(404);
    JsonNode vectors =
        JSON.readTree(
            post("/v1/embeddings", Map.of("model", "small", "input", List.of("sea", "sun")))
                .body());
    double length = 0;
    for (JsonNode number : vectors.at("/data/1/embedding")) {
      length += number.asDouble() * number.asDouble();
    }
    assertThat(length).isCloseTo(1, org.assertj.core.data.Offset.offset(1e-9));
  }
}
