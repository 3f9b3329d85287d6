package org.aionos.wasm;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.ConfinedTool;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.kernel.ToolPackage;
import org.aionos.tool.Effects;
import org.aionos.tool.Fetch;
import org.aionos.tool.Fetched;
import org.aionos.tool.Found;
import org.aionos.tool.Search;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The shipped tool {@code web_search}, as the tier runs it, in a world that a test makes. */
final class WebSearchModuleTest {

  private static final String PATH = "tools/web_search.wasm";
  private static final Path MODULE = Path.of("../../tool-plugins/web_search", PATH);
  private static final Instant NOW = Instant.parse("2026-05-01T12:00:00Z");
  private static final String TRACEPARENT =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  private static ConfinedTool tool;

  private final World world = new World();

  @BeforeAll
  static void open() throws IOException {
    byte[] module = Files.readAllBytes(MODULE);
    WasmTier.Limits asShipped =
        new WasmTier.Limits(16 << 20, 64 << 20, 128 << 20, 4 << 20, 4 << 20);
    tool =
        new WasmTier(asShipped, Clock.fixed(NOW, ZoneOffset.UTC), new Random(1)).open(jar(module));
  }

  private static ToolPackage jar(byte[] module) {
    return new ToolPackage() {
      @Override
      public ToolManifest manifest() {
        return new ToolManifest(
            "web_search",
            "1.2.0",
            "",
            "wasm",
            PATH,
            null,
            null,
            Set.of("network"),
            Map.of(),
            Map.of(),
            10_000,
            32);
      }

      @Override
      public String digest() {
        return "0".repeat(64);
      }

      @Override
      public List<String> paths() {
        return List.of(PATH);
      }

      @Override
      public byte[] read(String path) {
        return module;
      }
    };
  }

  /** How an endpoint answers. */
  private interface Answer {
    Fetched to(Fetch request) throws ToolFailure, InterruptedException;
  }

  /** One document, one endpoint, and what was asked of them. */
  private static final class World implements Effects {
    private final List<Fetch> fetched = new ArrayList<>();
    private final List<Search> searched = new ArrayList<>();
    private Map<String, @Nullable Object> settings = Map.of("endpoint", "https://searx.example/");
    private Answer endpoint = json("{\"results\": []}");
    private boolean documentsBroken;

    @Override
    public String readText(String path) {
      throw new AssertionError("reads " + path);
    }

    @Override
    public void writeText(String path, String text) {
      throw new AssertionError("writes " + path);
    }

    @Override
    public List<String> list(String path) {
      throw new AssertionError("lists " + path);
    }

    @Override
    public Fetched fetch(Fetch request) throws ToolFailure, InterruptedException {
      fetched.add(request);
      return endpoint.to(request);
    }

    @Override
    public List<Found> search(Search query) throws ToolFailure {
      searched.add(query);
      if (documentsBroken) {
        throw new ToolFailure(ToolFailure.Code.UPSTREAM_UNAVAILABLE, "no search is available");
      }
      return List.of(
          new Found("Kernel", "aion://docs/kernel.md", "The kernel decides."),
          new Found("Notes", "deep/notes.txt", ""));
    }

    @Override
    public Map<String, @Nullable Object> settings() {
      return settings;
    }
  }

  private static Answer json(String body) {
    return body(200, body.getBytes(UTF_8));
  }

  private static Answer body(int status, byte[] body) {
    return request -> new Fetched(status, Map.of(), body, request.url());
  }

  private static Answer failing(ToolFailure.Code code) {
    return request -> {
      throw new ToolFailure(code, "10.0.0.7 secret");
    };
  }

  private Map<String, @Nullable Object> invoke(Map<String, Object> arguments, String trace)
      throws ToolFailure, InterruptedException {
    ToolCall call =
        new ToolCall(
            "sc-1", "web_search", new LinkedHashMap<>(arguments), NOW.plusSeconds(10), trace);
    return tool.invoke(call, new AgentId("tenantA", "researcher-1"), world).value();
  }

  private Map<String, @Nullable Object> invoke(Map<String, Object> arguments)
      throws ToolFailure, InterruptedException {
    return invoke(arguments, null);
  }

  @SuppressWarnings("unchecked")
  private static List<Map<String, Object>> items(Map<String, @Nullable Object> value) {
    return (List<Map<String, Object>>) value.get("items");
  }

  private static Map<String, Object> item(String title, String url, String snippet, String source) {
    return Map.of("title", title, "url", url, "snippet", snippet, "source", source);
  }

  @Test
  void without_an_endpoint_the_documents_of_this_host_answer() throws Exception {
    for (Map<String, Object> none :
        List.<Map<String, Object>>of(Map.of(), Map.of("endpoint", " "))) {
      world.settings = new LinkedHashMap<>(none);

      Map<String, Object> value =
          invoke(Map.of("query", " kernel \n", "limit", 3, "language", "pt-BR"));

      assertThat(value).containsOnlyKeys("items", "source").containsEntry("source", "offline");
      assertThat(items(value))
          .containsExactly(
              item("Kernel", "aion://docs/kernel.md", "The kernel decides.", "offline:kernel.md"),
              item("Notes", "deep/notes.txt", "", "offline:deep/notes.txt"));
    }
    assertThat(world.searched).containsOnly(new Search("kernel", 3, "pt-BR"));
    assertThat(world.fetched).isEmpty();
  }

  @Test
  void gives_the_first_results_of_the_endpoint_in_its_order() throws Exception {
    world.endpoint =
        json(
            """
            {"query": "q", "number_of_results": 0, "unresponsive_engines": [["x", "timeout"]],
             "results": [
              {"title": "One", "url": "https://one.example/", "content": "First.", "score": 1.5},
              {"title": "Two", "url": "https://two.example/", "content": null},
              {"title": "Three", "url": "https://three.example/", "content": "Third."}]}
            """);

    Map<String, Object> value = invoke(Map.of("query", "q", "limit", 2));

    assertThat(value).containsOnlyKeys("items", "source").containsEntry("source", "searxng");
    assertThat(items(value))
        .containsExactly(
            item("One", "https://one.example/", "First.", "searxng:searx.example"),
            item("Two", "https://two.example/", "", "searxng:searx.example"));
    assertThat(world.searched).isEmpty();
  }

  @Test
  void asks_in_the_words_language_and_trace_of_the_caller() throws Exception {
    world.settings = Map.of("endpoint", "http://[::1]:8080/searx//", "timeout_ms", 700);

    invoke(Map.of("query", "سیستم & عامل=؟", "language", "fa"), TRACEPARENT);

    Fetch asked = world.fetched.get(0);
    assertThat(asked.url())
        .isEqualTo(
            "http://[::1]:8080/searx/search"
                + "?q=%D8%B3%DB%8C%D8%B3%D8%AA%D9%85+%26+%D8%B9%D8%A7%D9%85%D9%84%3D%D8%9F"
                + "&format=json&language=fa");
    assertThat(asked.method()).isEqualTo("GET");
    assertThat(asked.headers()).containsEntry("traceparent", TRACEPARENT);
    assertThat(asked.timeMax()).isEqualTo(Duration.ofMillis(700));
  }

  @ParameterizedTest
  @ValueSource(strings = {"trace 7\r\nX-Evil: 1", "00-0af7-b7ad-01", "", TRACEPARENT + "-00"})
  void sends_no_trace_that_is_not_a_traceparent(String trace) throws Exception {
    invoke(Map.of("query", "q"), trace);

    assertThat(world.fetched.get(0).headers()).containsOnlyKeys("Accept", "User-Agent");
    assertThat(world.fetched.get(0).timeMax()).isEqualTo(Duration.ofSeconds(5));
  }

  @Test
  void takes_only_web_addresses_and_bounded_clean_text_from_strangers() throws Exception {
    world.endpoint =
        json(
            """
            {"results": [
              {"title": "Script", "url": "javascript:alert(1)", "content": "x"},
              {"title": "Local", "url": "file:///etc/passwd", "content": "x"},
              {"title": "Space", "url": "https://a.example/ b", "content": "x"},
              {"title": 7, "url": "https://a.example/", "content": "x"},
              {"title": " ", "url": "https://a.example/", "content": "x"},
              {"url": "https://a.example/", "content": {"deep": ["x"]}},
              {"title": "Long", "url": "https://a.example/%s", "content": "x"},
              {"title": "Good\\n \\u0007 one", "url": "https://a.example/?q=ص", "content": "%s"}]}
            """
                .formatted("x".repeat(2_040), "long words ".repeat(1_000)));

    List<Map<String, Object>> items = items(invoke(Map.of("query", "q")));

    assertThat(items).hasSize(1);
    assertThat(items.get(0))
        .contains(entry("title", "Good one"), entry("url", "https://a.example/?q=ص"));
    assertThat((String) items.get(0).get("snippet")).hasSizeBetween(590, 600).endsWith("…");
  }

  static Stream<Arguments> badAnswers() {
    String million = "{\"results\": [" + "{},".repeat(600_000) + "1]}";
    return Stream.of(
        Arguments.of(body(500, "secret stack trace".getBytes(UTF_8)), "it answered 500"),
        Arguments.of(body(429, new byte[0]), "it answered 429"),
        Arguments.of(body(403, "no".getBytes(UTF_8)), "is its json format enabled?"),
        Arguments.of(body(200, new byte[] {(byte) 0xFF, 1}), "not the JSON"),
        Arguments.of(json("{\"results\": [{\"title\": \"cut o"), "not the JSON"),
        Arguments.of(json("{\"results\": []} trailing"), "not the JSON"),
        Arguments.of(json("{\"results\": {}}"), "not the JSON"),
        Arguments.of(json("{\"results\": [1]}"), "not the JSON"),
        Arguments.of(json("{\"answers\": []}"), "not the JSON"),
        Arguments.of(json("[".repeat(5_000)), "not the JSON"),
        Arguments.of(json("[".repeat(1_000_000)), "not the JSON"),
        Arguments.of(json(million), "not the JSON"),
        Arguments.of(json(""), "not the JSON"),
        Arguments.of(json("<html>Log in</html>"), "not the JSON"),
        Arguments.of(failing(ToolFailure.Code.NOT_PERMITTED), "no egress rule"),
        Arguments.of(failing(ToolFailure.Code.TOO_LARGE), "too large"),
        Arguments.of(failing(ToolFailure.Code.BAD_ARGUMENT), "cannot be asked"),
        Arguments.of(failing(ToolFailure.Code.UPSTREAM_UNAVAILABLE), "could not be reached"));
  }

  @ParameterizedTest
  @MethodSource("badAnswers")
  void answers_offline_and_says_why_when_the_endpoint_fails(Answer bad, String why)
      throws Exception {
    world.endpoint = bad;

    Map<String, Object> value = invoke(Map.of("query", "kernel", "limit", 1));

    assertThat(value).containsEntry("source", "offline");
    assertThat((String) value.get("note"))
        .startsWith("the search endpoint failed, so the offline index answered: ")
        .contains(why)
        .doesNotContain("secret", "10.0.0.7", "searx.example");
    assertThat(items(value)).extracting("source").contains("offline:kernel.md");
  }

  @Test
  void a_million_results_are_as_good_as_fifty() throws Exception {
    String one = "{\"title\":\"T\",\"url\":\"http://a/\"},";
    world.endpoint = json("{\"results\": [" + one.repeat(60_000) + "{}]}");

    assertThat(items(invoke(Map.of("query", "q", "limit", 50)))).hasSize(50);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ftp://searx.example/pw1",
        "searx.example/pw1",
        "https://user:pw1@searx.example",
        "https://searx.example/?key=pw1",
        "https://searx.example/#pw1",
        "http://bad host/pw1",
        "https:///pw1"
      })
  void an_endpoint_that_is_no_plain_web_address_is_not_asked_and_not_repeated(String wrong)
      throws Exception {
    world.settings = Map.of("endpoint", wrong);

    Map<String, Object> value = invoke(Map.of("query", "kernel"));

    assertThat((String) value.get("note")).contains("no http or https URL").doesNotContain("pw1");
    assertThat(world.fetched).isEmpty();
  }

  @Test
  void fails_as_unavailable_when_endpoint_and_documents_are_both_broken() {
    world.endpoint = body(500, new byte[0]);
    world.documentsBroken = true;

    assertThatThrownBy(() -> invoke(Map.of("query", "kernel")))
        .hasMessage("no search is available")
        .isInstanceOfSatisfying(
            ToolFailure.class,
            failure -> assertThat(failure.code()).isEqualTo(ToolFailure.Code.UPSTREAM_UNAVAILABLE));
  }

  @Test
  void a_deadline_amid_its_question_ends_it() {
    world.endpoint =
        request -> {
          throw new InterruptedException();
        };

    assertThatThrownBy(() -> invoke(Map.of("query", "kernel")))
        .isInstanceOf(InterruptedException.class);
    assertThat(world.searched).isEmpty();
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
    assertThatThrownBy(() -> invoke(arguments))
        .isInstanceOfSatisfying(
            ToolFailure.class,
            failure -> assertThat(failure.code()).isEqualTo(ToolFailure.Code.BAD_ARGUMENT));
    assertThat(world.fetched).isEmpty();
    assertThat(world.searched).isEmpty();
  }
}
