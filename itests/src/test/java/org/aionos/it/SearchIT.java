package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** The shipped {@code web_search}, offline and before a SearXNG that is good, bad, or away. */
@Order(6)
class SearchIT {

  private static final String GOOD =
      "{\"results\":[{\"title\":\"One\",\"url\":\"https://one.example/\",\"content\":\"First.\"}]}";

  private static RunningKernel kernel;
  private static HttpServer searx;
  private static final CountDownLatch closed = new CountDownLatch(1);

  @BeforeAll
  static void start() throws IOException {
    searx = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    searx.setExecutor(Executors.newCachedThreadPool());
    searx.createContext("/", SearchIT::answer);
    searx.start();
    kernel = RunningKernel.named("search").start();
    kernel.awaitTool("web_search@1.2.0");
  }

  @AfterAll
  static void stop() {
    closed.countDown();
    searx.stop(0);
    kernel.close();
  }

  /** What is asked for stands in the path, which the endpoint of the settings begins with. */
  private static void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      byte[] body =
          switch (path) {
            case "/good/search" -> GOOD.getBytes(UTF_8);
            case "/html/search" -> "<html>Log in</html>".getBytes(UTF_8);
            case "/huge/search" -> " ".repeat(3 << 20).getBytes(UTF_8);
            case "/deep/search" -> "[".repeat(1_000_000).getBytes(UTF_8);
            case "/silent/search" -> awaited();
            default -> throw new IOException("not asked for: " + path);
          };
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  private static byte[] awaited() throws InterruptedException {
    closed.await();
    return new byte[0];
  }

  private static Answer search(String query) {
    return kernel.invoke("web_search", Map.of("query", query)).expect(200);
  }

  private static void endpoint(String url) throws IOException {
    Files.writeString(
        kernel.data().resolve("config/tools.yaml"),
        """
        apiVersion: aion.os/v1
        kind: ToolSettings
        tools:
          web_search: { endpoint: "%s", timeout_ms: 1500 }
        """
            .formatted(url));
  }

  private static String url(String path) {
    return "http://localhost:" + searx.getAddress().getPort() + path;
  }

  private static void awaitNote(String words) {
    Await.until(
        "the note says: " + words,
        Duration.ofSeconds(30),
        () -> search("kernel").at("/result/note").contains(words));
  }

  @Test
  void asks_the_endpoint_where_a_rule_admits_it_and_falls_back_to_the_documents_of_this_host()
      throws IOException {
    Answer offline = search("AION-OS Kernel");
    assertThat(offline.at("/engine/name")).isEqualTo("tooling/web_search@1.2.0");
    assertThat(offline.at("/result/source")).isEqualTo("offline");
    assertThat(offline.json().at("/result").has("note")).isFalse();
    assertThat(offline.at("/result/items/0/source")).isEqualTo("offline:aion-os-kernel.md");
    assertThat(offline.at("/result/items/0/url")).isEqualTo("aion://docs/aion-os-kernel.md");
    assertThat(search("عامل هوشمند").at("/result/items/0/url")).startsWith("aion://docs/fa-");

    endpoint(url("/good"));
    awaitNote("no egress rule");
    assertThat(search("kernel").at("/result/items/0/source")).startsWith("offline:");

    Files.writeString(
        kernel.data().resolve("config/egress.yaml"),
        """
        apiVersion: aion.os/v1
        kind: EgressPolicy
        rules:
          - name: searxng
            tenants: ["*"]
            tools: [web_search]
            hosts: [localhost]
            schemes: [http]
            ports: [%d]
            private: true
        """
            .formatted(searx.getAddress().getPort()));
    Await.until(
        "the endpoint answers",
        Duration.ofSeconds(30),
        () -> search("kernel").at("/result/source").equals("searxng"));
    Answer online = search("kernel");
    assertThat(online.at("/result/items/0/title")).isEqualTo("One");
    assertThat(online.at("/result/items/0/source")).isEqualTo("searxng:localhost");

    endpoint(url("/html"));
    awaitNote("not the JSON");
    endpoint(url("/huge"));
    awaitNote("too large");
    endpoint(url("/silent"));
    awaitNote("did not answer in time");
    endpoint(url("/deep"));
    awaitNote("not the JSON");
    endpoint("http://localhost:" + RunningKernel.freePort());
    awaitNote("no egress rule");

    // One that cannot be read changes nothing.
    Files.writeString(kernel.data().resolve("config/tools.yaml"), "tools: [");
    kernel.awaitLog("tool settings refused");
    assertThat(search("kernel").at("/result/note")).contains("no egress rule");

    endpoint("");
    Await.until(
        "nothing is noted",
        Duration.ofSeconds(30),
        () -> !search("kernel").json().at("/result").has("note"));
  }

  @Test
  void a_process_tool_searches_and_sees_its_settings_too() {
    Doctor.assumeProcessTier();
    byte[] jar =
        ToolJars.files(
                """
                apiVersion: aion.os/v1
                kind: Tool
                metadata: { name: asks, version: 1.0.0, description: A tool of the tests. }
                spec:
                  entry: "python:main.py"
                  capabilities_required: [network]
                """)
            .header("Bundle-ManifestVersion", "2")
            .header("Bundle-SymbolicName", "org.example.tool.asks")
            .header("Bundle-Version", "1.0.0")
            .entry(
                "main.py",
                """
                import json, sys
                print('{"ready":true}', flush=True)
                for line in sys.stdin:
                    answers = {}
                    for effect in json.loads(line)["arguments"]["effects"]:
                        print(json.dumps(dict(effect, id=1)), flush=True)
                        answers[effect["effect"]] = json.loads(sys.stdin.readline())
                    print(json.dumps({"result": answers}), flush=True)
                """)
            .bytes();
    kernel.allowAndDrop(jar, "asks.jar");
    kernel.awaitTool("asks@1.0.0");

    Answer answer =
        kernel
            .invoke(
                "asks",
                Map.of(
                    "effects",
                    List.of(
                        Map.of("effect", "search", "query", "journal", "limit", 1),
                        Map.of("effect", "settings"))))
            .expect(200);

    assertThat(answer.json().at("/result/search/value").size()).isEqualTo(1);
    assertThat(answer.at("/result/search/value/0/url")).isNotEmpty();
    assertThat(answer.json().at("/result/settings/value").isObject()).isTrue();
    assertThat(answer.json().at("/result/settings/value").size()).isZero();
  }

  @Test
  void documents_of_the_operators_own_folder_are_found() throws IOException {
    var folder = kernel.data().resolve("documents");
    Files.createDirectories(folder);
    Files.writeString(
        folder.resolve("menu.html"),
        "<html><head><title>Menu &amp; prices</title></head><body><p>Quagga soup</p></body></html>");
    var settings = kernel.data().resolve("config/kernel.yaml");
    String before = Files.readString(settings);
    Files.writeString(
        settings, before.replace("  # documents_dir: \"\"", "  documents_dir: \"" + folder + "\""));

    Await.until(
        "the folder is searched",
        Duration.ofSeconds(30),
        () ->
            kernel
                .invoke("web_search", Map.of("query", "quagga"))
                .at("/result/items/0/source")
                .equals("offline:menu.html"));
    assertThat(search("quagga").at("/result/items/0/title")).isEqualTo("Menu & prices");

    Files.writeString(settings, before);
    Await.until(
        "the documents that come with the kernel are back",
        Duration.ofSeconds(30),
        () -> search("AION-OS Kernel").at("/result/items/0/url").startsWith("aion://docs/"));
  }
}
