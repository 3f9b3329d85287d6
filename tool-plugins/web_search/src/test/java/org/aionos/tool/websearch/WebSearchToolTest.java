package org.aionos.tool.websearch;

import static org.aionos.tool.websearch.Calls.NO_EFFECTS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class WebSearchToolTest {

  private static final Page PAGE =
      new Page("kernel.md", "aion://docs/kernel.md", "The kernel", "A kernel schedules agents.");

  private static final int BYTES_MAX = 65_536;

  /** Ample: no test waits for it. */
  private static final Duration ENDPOINT_TIME_MAX = Duration.ofSeconds(25);

  private static final String TRACEPARENT =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  private final FakeSearx searx = new FakeSearx();
  private final List<WebSearchTool> opened = new ArrayList<>();

  @AfterEach
  void close() {
    opened.forEach(WebSearchTool::close);
    searx.close();
  }

  @Test
  void returns_what_the_endpoint_found_cut_to_the_limit() throws Exception {
    searx.answers(
        FakeSearx.json(
            """
            {"query": "q", "number_of_results": 0, "unresponsive_engines": [["x", "timeout"]],
             "results": [
              {"title": "One", "url": "https://one.example/", "content": "First.", "score": 1.5},
              {"title": "Two", "url": "https://two.example/", "content": null},
              {"title": "Three", "url": "https://three.example/", "content": "Third."}]}
            """));

    Map<String, Object> value = invoke(online(), Map.of("query", "q", "limit", 2));

    assertThat(value).containsOnlyKeys("items", "source").containsEntry("source", "searxng");
    assertThat(items(value))
        .containsExactly(
            item("One", "https://one.example/", "First."), item("Two", "https://two.example/", ""));
  }

  @Test
  void asks_in_the_words_language_and_trace_of_the_caller() throws Exception {
    Map<String, Object> arguments = Map.of("query", "سیستم & عامل=؟", "language", "fa");

    online().invoke(Calls.call(arguments, Calls.NOW.plusSeconds(30), TRACEPARENT), NO_EFFECTS);

    FakeSearx.Asked asked = searx.asked.get(0);
    assertThat(asked.query())
        .isEqualTo(
            "/search?q=%D8%B3%DB%8C%D8%B3%D8%AA%D9%85+%26+%D8%B9%D8%A7%D9%85%D9%84%3D%D8%9F"
                + "&format=json&language=fa");
    assertThat(asked.headers().getFirst("traceparent")).isEqualTo(TRACEPARENT);
  }

  @Test
  void sends_no_trace_that_is_not_a_traceparent() throws Exception {
    online()
        .invoke(
            Calls.call(Map.of("query", "q"), Calls.NOW.plusSeconds(30), "trace 7\r\nX-Evil: 1"),
            NO_EFFECTS);

    assertThat(searx.asked.get(0).headers()).doesNotContainKeys("Traceparent", "X-evil");
  }

  @Test
  void takes_only_web_addresses_and_bounded_clean_text_from_strangers() throws Exception {
    searx.answers(
        FakeSearx.json(
            """
            {"results": [
              {"title": "Script", "url": "javascript:alert(1)", "content": "x"},
              {"title": "Local", "url": "file:///etc/passwd", "content": "x"},
              {"title": "Space", "url": "https://a.example/ b", "content": "x"},
              {"title": 7, "url": "https://a.example/", "content": "x"},
              {"title": " ", "url": "https://a.example/", "content": "x"},
              {"url": "https://a.example/", "content": {"deep": ["x"]}},
              {"title": "Good\\n \\u0007 one", "url": "https://a.example/?q=ص", "content": "%s"}]}
            """
                .formatted("long words ".repeat(1_000))));

    List<Map<String, Object>> items = items(invoke(online(), Map.of("query", "q")));

    assertThat(items).hasSize(1);
    assertThat(items.get(0))
        .contains(entry("title", "Good one"), entry("url", "https://a.example/?q=ص"));
    assertThat((String) items.get(0).get("snippet")).hasSizeLessThanOrEqualTo(600).endsWith("…");
  }

  static Stream<Arguments> badAnswers() {
    return Stream.of(
        Arguments.of(FakeSearx.body(500, "text/plain", "secret stack trace"), "it answered 500"),
        Arguments.of(FakeSearx.body(429, "text/plain", ""), "it answered 429"),
        Arguments.of(FakeSearx.body(403, "text/html", "no"), "is its json format enabled?"),
        Arguments.of(FakeSearx.endless(), "larger than 65536 bytes"),
        Arguments.of(FakeSearx.json("{\"results\": [{\"title\": \"cut o"), "not the JSON"),
        Arguments.of(FakeSearx.json("{\"results\": []} trailing"), "not the JSON"),
        Arguments.of(FakeSearx.json("{\"results\": {}}"), "not the JSON"),
        Arguments.of(FakeSearx.json("{\"results\": [1]}"), "not the JSON"),
        Arguments.of(FakeSearx.json("{\"answers\": []}"), "not the JSON"),
        Arguments.of(FakeSearx.json("[".repeat(5_000)), "not the JSON"),
        Arguments.of(FakeSearx.json(""), "not the JSON"),
        Arguments.of(FakeSearx.body(200, "text/html", "<html>Log in</html>"), "not the JSON"),
        Arguments.of(
            (FakeSearx.Answer) exchange -> exchange.close(), "the connection to it broke"));
  }

  @ParameterizedTest
  @MethodSource("badAnswers")
  void answers_offline_and_says_why_when_the_endpoint_fails(FakeSearx.Answer bad, String why)
      throws Exception {
    searx.answers(bad);

    Map<String, Object> value = invoke(online(), Map.of("query", "kernel"));

    assertThat(value).containsEntry("source", "offline");
    assertThat((String) value.get("note")).contains(why).doesNotContain("secret", "127.0.0.1");
    assertThat(items(value)).extracting("source").containsExactly("offline:kernel.md");
  }

  @Test
  void follows_no_redirect() throws Exception {
    try (FakeSearx elsewhere = new FakeSearx()) {
      searx.answers(FakeSearx.redirect(elsewhere.url() + "/search?q=q&format=json"));

      Map<String, Object> value = invoke(online(), Map.of("query", "kernel"));

      assertThat((String) value.get("note")).contains("it answered 302");
      assertThat(elsewhere.asked).isEmpty();
    }
  }

  @Test
  void does_not_tell_agents_where_an_unreachable_endpoint_is() throws Exception {
    String url = searx.url() + "/path-with-token";
    searx.close();

    Map<String, Object> value = invoke(tool(url, ENDPOINT_TIME_MAX), Map.of("query", "kernel"));

    assertThat((String) value.get("note")).contains("no connection").doesNotContain("token");
  }

  @Test
  void answers_offline_when_the_endpoint_is_silent_or_stalls_amid_its_answer() throws Exception {
    for (FakeSearx.Answer slow : List.of(searx.silence(), searx.silenceAfter("{\"results\": ["))) {
      searx.answers(slow);

      Map<String, Object> value =
          invoke(tool(searx.url(), Duration.ofMillis(150)), Map.of("query", "kernel"));

      assertThat((String) value.get("note")).contains("did not answer within 150 ms");
      assertThat(items(value)).hasSize(1);
    }
  }

  @Test
  void hangs_up_on_an_endpoint_that_is_too_slow() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      FutureTask<Boolean> hungUp = new FutureTask<>(() -> waitsForTheEndOf(server.accept()));
      new Thread(hungUp).start();
      String url = "http://127.0.0.1:" + server.getLocalPort();

      invoke(tool(url, Duration.ofMillis(150)), Map.of("query", "kernel"));

      assertThat(hungUp.get(30, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void does_not_ask_the_endpoint_when_the_deadline_leaves_no_time() throws Exception {
    ToolCall late = Calls.call(Map.of("query", "kernel"), Calls.NOW.plusMillis(100), null);

    Map<String, Object> value = online().invoke(late, NO_EFFECTS).value();

    assertThat((String) value.get("note")).contains("deadline");
    assertThat(searx.asked).isEmpty();
  }

  @Test
  void ends_at_once_when_it_is_interrupted() throws Exception {
    searx.answers(searx.silence());
    WebSearchTool tool = online();
    FutureTask<Object> call =
        new FutureTask<>(() -> tool.invoke(Calls.query("kernel"), NO_EFFECTS));
    Thread thread = new Thread(call);
    thread.start();
    searx.firstAsked.await();

    thread.interrupt();

    assertThatThrownBy(call::get).hasCauseInstanceOf(InterruptedException.class);
  }

  @Test
  void waits_for_the_index_until_it_is_interrupted() throws Exception {
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch ready = new CountDownLatch(1);
    WebSearchTool tool =
        offline(
            new OfflineSearch(
                () -> {
                  reading.countDown();
                  ready.await();
                  return List.of(PAGE);
                }));
    FutureTask<Object> impatient =
        new FutureTask<>(() -> tool.invoke(Calls.query("kernel"), NO_EFFECTS));
    Thread thread = new Thread(impatient);
    thread.start();
    reading.await();

    thread.interrupt();
    assertThatThrownBy(impatient::get).hasCauseInstanceOf(InterruptedException.class);
    ready.countDown();

    assertThat(items(invoke(tool, Map.of("query", "kernel")))).hasSize(1);
  }

  @Test
  void fails_as_unavailable_when_endpoint_and_documents_are_both_broken() {
    searx.answers(FakeSearx.body(500, "text/plain", ""));
    WebSearchTool tool =
        opened(
            new WebSearchTool(
                SearxEndpoint.at(searx.url(), BYTES_MAX),
                new OfflineSearch(
                    () -> {
                      throw new IOException("no folder /srv/secret");
                    }),
                ENDPOINT_TIME_MAX,
                Calls.CLOCK));

    assertThatThrownBy(() -> invoke(tool, Map.of("query", "kernel")))
        .hasMessageNotContaining("secret")
        .isInstanceOfSatisfying(
            ToolFailure.class,
            failure -> assertThat(failure.code()).isEqualTo(ToolFailure.Code.UPSTREAM_UNAVAILABLE));
  }

  static Stream<Map<String, Object>> badArguments() {
    return Stream.of(
        Map.of(),
        Map.of("query", 7),
        Map.of("query", " \n"),
        Map.of("query", "x".repeat(401)),
        Map.of("query", "q", "limit", 0),
        Map.of("query", "q", "limit", 51),
        Map.of("query", "q", "limit", "8"),
        Map.of("query", "q", "limit", 1.5),
        Map.of("query", "q", "language", 1),
        Map.of("query", "q", "language", "fa&engines=x"));
  }

  @ParameterizedTest
  @MethodSource("badArguments")
  void refuses_bad_arguments_before_it_asks_anyone(Map<String, Object> arguments) {
    WebSearchTool tool = online();

    assertThatThrownBy(() -> invoke(tool, arguments))
        .isInstanceOfSatisfying(
            ToolFailure.class,
            failure -> assertThat(failure.code()).isEqualTo(ToolFailure.Code.BAD_ARGUMENT));
    assertThat(searx.asked).isEmpty();
  }

  @Test
  void refuses_an_endpoint_that_is_not_a_plain_web_address_without_repeating_it() {
    for (String wrong :
        List.of(
            "ftp://searx.example/pw1",
            "searx.example/pw1",
            "https://user:pw1@searx.example",
            "https://searx.example/?key=pw1",
            "https://searx.example/#pw1",
            "http://bad host/pw1",
            "https:///pw1")) {
      assertThatThrownBy(() -> SearxEndpoint.at(wrong, BYTES_MAX))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageNotContaining("pw1");
    }
  }

  @Test
  void keeps_the_calls_of_many_threads_apart() throws Exception {
    List<Page> pages = new ArrayList<>();
    for (int number = 0; number < 16; number++) {
      pages.add(new Page(number + ".md", "aion://" + number, "Page", "about subject" + number));
    }
    WebSearchTool tool = offline(new OfflineSearch(() -> pages));
    ExecutorService threads = Executors.newFixedThreadPool(16);
    try {
      List<Future<?>> calls = new ArrayList<>();
      for (int number = 0; number < 16; number++) {
        String word = "subject" + number;
        String expected = "offline:" + number + ".md";
        calls.add(
            threads.submit(
                () -> {
                  for (int round = 0; round < 50; round++) {
                    assertThat(items(invoke(tool, Map.of("query", word))))
                        .extracting("source")
                        .containsExactly(expected);
                  }
                  return null;
                }));
      }
      for (Future<?> call : calls) {
        call.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static boolean waitsForTheEndOf(Socket connection) throws IOException {
    try (connection) {
      connection.getInputStream().transferTo(OutputStream.nullOutputStream());
    } catch (SocketException reset) {
      // Also an end.
    }
    return true;
  }

  private WebSearchTool online() {
    return tool(searx.url() + "/", ENDPOINT_TIME_MAX);
  }

  private WebSearchTool tool(String url, Duration endpointTimeMax) {
    return opened(
        new WebSearchTool(
            SearxEndpoint.at(url, BYTES_MAX),
            new OfflineSearch(() -> List.of(PAGE)),
            endpointTimeMax,
            Calls.CLOCK));
  }

  private WebSearchTool offline(OfflineSearch offline) {
    return opened(new WebSearchTool(null, offline, ENDPOINT_TIME_MAX, Calls.CLOCK));
  }

  private WebSearchTool opened(WebSearchTool tool) {
    opened.add(tool);
    return tool;
  }

  private static Map<String, Object> invoke(WebSearchTool tool, Map<String, Object> arguments)
      throws ToolFailure, InterruptedException {
    return tool.invoke(Calls.with(arguments), NO_EFFECTS).value();
  }

  @SuppressWarnings("unchecked")
  private static List<Map<String, Object>> items(Map<String, Object> value) {
    return (List<Map<String, Object>>) value.get("items");
  }

  private static Map<String, Object> item(String title, String url, String snippet) {
    return new SearchItem(title, url, snippet, "searxng:127.0.0.1").json();
  }
}
