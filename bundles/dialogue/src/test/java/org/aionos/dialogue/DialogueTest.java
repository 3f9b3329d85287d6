package org.aionos.dialogue;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.tool.Effects;
import org.aionos.tool.Fetch;
import org.aionos.tool.Fetched;
import org.aionos.tool.Found;
import org.aionos.tool.Search;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class DialogueTest {

  private static final class Files implements Effects {

    private final Map<String, String> texts = new LinkedHashMap<>(Map.of("a.txt", "alpha"));

    @Override
    public String readText(String path) throws ToolFailure {
      String text = texts.get(path);
      if (text == null) {
        throw new ToolFailure(ToolFailure.Code.NOT_FOUND, "no file '" + path + "'");
      }
      return text;
    }

    @Override
    public void writeText(String path, String text) {
      texts.put(path, text);
    }

    @Override
    public List<String> list(String path) {
      return List.copyOf(texts.keySet());
    }

    @Override
    public void progress(@Nullable Double done, String message) {
      texts.put("progress", done + " " + message);
    }

    @Override
    public void partial(Map<String, @Nullable Object> part) {
      texts.put("partial", part.toString());
    }

    @Override
    public Fetched fetch(Fetch request) {
      String echo = request.method() + " " + request.headers() + " ";
      byte[] body = request.body().length == 0 ? new byte[] {-1} : request.body();
      return new Fetched(200, Map.of("x-echo", echo), body, request.url());
    }

    @Override
    public List<Found> search(Search query) {
      String title = query.text() + " " + query.limit() + " " + query.language();
      return List.of(new Found(title, "aion://docs/a.md", "Text."));
    }

    @Override
    public Map<String, @Nullable Object> settings() {
      return Map.of("endpoint", "https://searx.example");
    }
  }

  private static ToolResult answer(String words) throws Exception {
    return Dialogue.answer(words.getBytes(UTF_8));
  }

  private static Map<String, @Nullable Object> effect(String words)
      throws InvalidDocument, InterruptedException {
    return Dialogue.effect(Documents.json(words.getBytes(UTF_8)), new Files());
  }

  @Test
  void a_call_says_what_is_asked_and_until_when() {
    byte[] words =
        Dialogue.call(new ToolCall("sc-1", "t", Map.of("q", "é"), Instant.EPOCH, "00-trace"));

    assertThat(new String(words, UTF_8))
        .isEqualTo(
            "{\"id\":\"sc-1\",\"tool\":\"t\",\"arguments\":{\"q\":\"é\"},"
                + "\"deadline\":\"1970-01-01T00:00:00Z\",\"trace_id\":\"00-trace\"}");
  }

  @Test
  void an_answer_is_a_result_with_or_without_a_cost() throws Exception {
    assertThat(answer("{\"result\":{\"n\":1},\"cost_usd\":0.25}"))
        .isEqualTo(new ToolResult(Map.of("n", 1), new BigDecimal("0.25")));
    assertThat(answer("{\"result\":{}}").costUsd()).isZero();
  }

  @Test
  void an_answer_may_be_a_failure() {
    assertThatThrownBy(
            () -> answer("{\"failure\":{\"code\":\"NOT_FOUND\",\"message\":\"no such city\"}}"))
        .isInstanceOf(ToolFailure.class)
        .hasMessage("no such city")
        .extracting(failure -> ((ToolFailure) failure).code())
        .isEqualTo(ToolFailure.Code.NOT_FOUND);
  }

  @Test
  void anything_else_is_no_answer() {
    for (String words :
        List.of(
            "",
            "hello",
            "[]",
            "{}",
            "{\"result\":7}",
            "{\"result\":{},\"cost_usd\":-1}",
            "{\"result\":{},\"more\":1}",
            "{\"failure\":{\"code\":\"SORRY\",\"message\":\"x\"}}",
            "{\"result\":{}} {\"result\":{}}")) {
      assertThatThrownBy(() -> answer(words)).as(words).isInstanceOf(InvalidDocument.class);
    }
  }

  @Test
  void effects_are_carried_out_and_their_failures_told() throws Exception {
    assertThat(effect("{\"effect\":\"read_text\",\"path\":\"a.txt\"}"))
        .containsExactlyEntriesOf(Map.of("value", "alpha"));
    assertThat(effect("{\"effect\":\"list\",\"path\":\".\"}"))
        .containsEntry("value", List.of("a.txt"));
    assertThat(effect("{\"effect\":\"write_text\",\"path\":\"b\",\"text\":\"beta\"}"))
        .containsEntry("value", null);
    assertThat(effect("{\"effect\":\"read_text\",\"path\":\"b\"}"))
        .containsEntry("error", Map.of("code", "NOT_FOUND", "message", "no file 'b'"));
  }

  @Test
  void a_fetch_carries_text_as_text_and_other_bytes_as_base64() throws Exception {
    assertThat(
            effect(
                "{\"effect\":\"fetch\",\"url\":\"https://a/\",\"method\":\"POST\","
                    + "\"headers\":{\"a\":\"b\"},\"body\":\"é\"}"))
        .containsEntry(
            "value",
            Map.of(
                "status",
                200,
                "url",
                "https://a/",
                "headers",
                Map.of("x-echo", "POST {a=b} "),
                "body",
                "é"));
    assertThat(effect("{\"effect\":\"fetch\",\"url\":\"https://a/\"}").toString())
        .contains("GET", "body_base64=/w==");
    assertThat(
            effect("{\"effect\":\"fetch\",\"url\":\"https://a/\",\"body_base64\":\"/w==\"}")
                .toString())
        .contains("body_base64=/w==");
  }

  @Test
  void a_fetch_may_say_how_long_it_waits() throws Exception {
    Fields words =
        Documents.json(
            "{\"effect\":\"fetch\",\"url\":\"https://a/\",\"timeout_ms\":1500}".getBytes(UTF_8));

    assertThat(FetchWords.request(words).timeMax()).isEqualTo(Duration.ofMillis(1_500));
  }

  @Test
  void a_search_says_what_it_found_in_order() throws Exception {
    assertThat(effect("{\"effect\":\"search\",\"query\":\"q\",\"limit\":5,\"language\":\"fa\"}"))
        .containsEntry(
            "value",
            List.of(Map.of("title", "q 5 fa", "url", "aion://docs/a.md", "snippet", "Text.")));
    assertThat(effect("{\"effect\":\"search\",\"query\":\"q\"}").toString())
        .contains("title=q 8 null");
  }

  @Test
  void settings_are_what_the_operator_set() throws Exception {
    assertThat(effect("{\"effect\":\"settings\",\"id\":1}"))
        .containsEntry("value", Map.of("endpoint", "https://searx.example"));
  }

  @Test
  void an_unknown_or_incomplete_effect_is_malformed() {
    for (String words :
        List.of(
            "{}",
            "{\"effect\":\"exec\"}",
            "{\"effect\":\"read_text\"}",
            "{\"effect\":\"fetch\"}",
            "{\"effect\":\"fetch\",\"url\":\"https://a/\",\"body_base64\":\"*\"}",
            "{\"effect\":\"fetch\",\"url\":\"https://a/\",\"proxy\":\"x\"}",
            "{\"effect\":\"fetch\",\"url\":\"https://a/\",\"timeout_ms\":0}",
            "{\"effect\":\"search\"}",
            "{\"effect\":\"search\",\"query\":\" \"}",
            "{\"effect\":\"search\",\"query\":\"q\",\"limit\":51}",
            "{\"effect\":\"search\",\"query\":\"q\",\"path\":\"a\"}",
            "{\"effect\":\"settings\",\"path\":\"a\"}")) {
      assertThatThrownBy(() -> effect(words)).as(words).isInstanceOf(InvalidDocument.class);
    }
  }

  @Test
  void a_tool_says_how_far_it_is_and_shows_parts() throws Exception {
    Files files = new Files();

    for (String words :
        List.of(
            "{\"effect\":\"progress\",\"done\":0.5,\"message\":\"half\"}",
            "{\"effect\":\"partial\",\"part\":{\"n\":1}}")) {
      assertThat(Dialogue.effect(Documents.json(words.getBytes(UTF_8)), files))
          .containsEntry("value", null);
    }

    assertThat(files.texts).containsEntry("progress", "0.5 half").containsEntry("partial", "{n=1}");
    assertThatThrownBy(() -> effect("{\"effect\":\"progress\",\"done\":2}"))
        .isInstanceOfSatisfying(
            InvalidDocument.class, invalid -> assertThat(invalid.describe()).contains("/done"));
    assertThatThrownBy(() -> effect("{\"effect\":\"partial\",\"part\":7}"))
        .isInstanceOfSatisfying(
            InvalidDocument.class, invalid -> assertThat(invalid.describe()).contains("/part"));
    assertThat(effect("{\"effect\":\"progress\"}")).containsEntry("value", null);
  }
}
