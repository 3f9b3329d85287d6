package org.aionos.embedding;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.memory.Vector;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TextEmbedderTest {

  @TempDir static Path state;
  private static TextEmbedder bundled;

  @BeforeAll
  static void open() throws IOException {
    bundled = new TextEmbedder(config(Map.of()), state, "life", variable -> null);
  }

  @AfterAll
  static void close() throws Exception {
    bundled.close();
  }

  private static EmbeddingConfig config(Map<String, Object> set) {
    return (EmbeddingConfig)
        Proxy.newProxyInstance(
            TextEmbedderTest.class.getClassLoader(),
            new Class<?>[] {EmbeddingConfig.class},
            (proxy, method, arguments) ->
                set.getOrDefault(method.getName(), method.getDefaultValue()));
  }

  private static double cosine(Vector a, Vector b) {
    double dot = 0;
    for (int i = 0; i < a.dimensions(); i++) {
      dot += a.numbers()[i] * (double) b.numbers()[i];
    }
    return dot;
  }

  @Test
  void texts_that_mean_alike_lie_nearer_than_others() {
    List<Vector> vectors =
        bundled.embed(
            List.of(
                "The cat sleeps on the sofa",
                "A kitten is napping on the couch",
                "Quarterly revenue rose by ten percent"));
    Vector probe = bundled.probe("where does the pet rest?");

    assertThat(vectors).allSatisfy(v -> assertThat(v.dimensions()).isEqualTo(384));
    assertThat(cosine(vectors.get(0), vectors.get(0))).isCloseTo(1, within(1e-5));
    assertThat(cosine(vectors.get(0), vectors.get(1)))
        .isGreaterThan(cosine(vectors.get(0), vectors.get(2)) + 0.2);
    assertThat(cosine(probe, vectors.get(0))).isGreaterThan(cosine(probe, vectors.get(2)));
  }

  @Test
  void a_text_has_the_same_vector_alone_and_among_longer_ones() {
    Vector alone = bundled.embed(List.of("short")).get(0);
    Vector among = bundled.embed(List.of("short", "a much longer text ".repeat(200))).get(0);

    // The model is quantized by batch, so not to the last bit.
    assertThat(cosine(alone, among)).isGreaterThan(0.98);
  }

  @Test
  void knows_latin_script_alone() {
    assertThat(bundled.knows("Hello سلام")).isTrue();
    assertThat(bundled.knows("سلام دنیا hi")).isFalse();
    assertThat(bundled.knows("123 !?")).isFalse();
    assertThat(bundled.identity()).isEqualTo("bge-small-en-v1.5-q");
  }

  @Test
  void none_knows_nothing() throws Exception {
    TextEmbedder none = new TextEmbedder(config(Map.of("model", "none")), state, "n", v -> null);

    assertThat(none.knows("Hello")).isFalse();
  }

  @Test
  void a_model_in_a_folder_is_named_by_what_it_is() throws Exception {
    Path folder = Files.createDirectories(state.resolve("model"));
    try (var model = TextEmbedder.class.getResourceAsStream("/bge-small-en-v1.5-q.onnx");
        var tokenizer =
            TextEmbedder.class.getResourceAsStream("/bge-small-en-v1.5-q-tokenizer.json")) {
      Files.copy(model, folder.resolve("model.onnx"));
      Files.copy(tokenizer, folder.resolve("tokenizer.json"));
    }
    TextEmbedder own =
        new TextEmbedder(
            config(Map.of("model", "folder", "folder", folder.toString(), "pooling", "cls")),
            state.resolve("own"),
            "own",
            variable -> null);

    assertThat(own.identity()).matches("folder-[0-9a-f]{16}");
    assertThat(cosine(own.embed(List.of("a text")).get(0), bundled.embed(List.of("a text")).get(0)))
        .isCloseTo(1, within(1e-5));
    own.close();
    assertThatThrownBy(() -> own.embed(List.of("late"))).isInstanceOf(StoreUnavailable.class);
  }

  @Test
  void a_server_is_asked_as_openai_is_and_its_vectors_come_in_order() throws Exception {
    AtomicReference<String> asked = new AtomicReference<>("");
    HttpServer server =
        server(
            asked,
            200,
            "{\"data\":[{\"index\":1,\"embedding\":[0,2]},{\"index\":0,\"embedding\":[3,4]}]}");
    try {
      List<Vector> vectors = ofServer(server).embed(List.of("one", "two"));

      assertThat(vectors).containsExactly(Vector.of(0.6f, 0.8f), Vector.of(0f, 1f));
      assertThat(asked.get())
          .isEqualTo("Bearer s3cret {\"model\":\"m\",\"input\":[\"text: one\",\"text: two\"]}");
    } finally {
      server.stop(0);
    }
  }

  @Test
  void a_server_that_fails_or_talks_nonsense_is_unavailable() throws Exception {
    for (String nonsense :
        List.of("", "[]", "{\"data\":[]}", "{\"data\":[{\"index\":0,\"embedding\":[\"a\"]}]}")) {
      HttpServer server = server(new AtomicReference<>(), 200, nonsense);
      TextEmbedder embedder = ofServer(server);
      assertThatThrownBy(() -> embedder.embed(List.of("one"))).isInstanceOf(StoreUnavailable.class);
      server.stop(0);
      assertThatThrownBy(() -> embedder.embed(List.of("one")))
          .isInstanceOf(StoreUnavailable.class)
          .hasMessageNotContaining("s3cret");
    }
  }

  private static HttpServer server(AtomicReference<String> asked, int status, String answer)
      throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/v1/embeddings",
        exchange -> {
          asked.set(
              exchange.getRequestHeaders().getFirst("Authorization")
                  + " "
                  + new String(exchange.getRequestBody().readAllBytes(), UTF_8));
          exchange.sendResponseHeaders(status, 0);
          exchange.getResponseBody().write(answer.getBytes(UTF_8));
          exchange.close();
        });
    server.start();
    return server;
  }

  private static TextEmbedder ofServer(HttpServer server) throws IOException {
    return new TextEmbedder(
        config(
            Map.of(
                "model", "server",
                "serverUrl", "http://127.0.0.1:" + server.getAddress().getPort() + "/v1/",
                "serverModel", "m",
                "serverKeyVariable", "KEY",
                "textPrefix", "text: ")),
        state,
        "s",
        Map.of("KEY", "s3cret")::get);
  }
}
