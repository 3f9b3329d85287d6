package org.aionos.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.aionos.kernel.Outcome;
import org.aionos.modelserver.ModelServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code mvn test -Dtest=ModelSpeedTest -Dmodel.calls=2000} in this folder measures more calls.
 * What is asserted is that all are answered; the times are printed.
 */
final class ModelSpeedTest {

  private static final int CALLS = Integer.getInteger("model.calls", 100);
  private static final int STREAMS = 500;

  @TempDir Path folder;
  private ModelServer server;
  private World world;

  @BeforeEach
  void open() throws Exception {
    server = ModelServer.start(0);
    world = new World(folder, "", Map.of("OLLAMA_URL", server.url()));
  }

  @AfterEach
  void close() throws Exception {
    world.close();
    server.close();
  }

  @Test
  void calls_one_after_the_other_beside_a_bare_client() throws Exception {
    double[] bare = new double[CALLS];
    double[] ours = new double[CALLS];
    double[] first = new double[CALLS];
    Map<String, Object> params = Map.of("prompt", "say 5 tokens", "model", "ollama/small");
    for (int round = 0; round < 2; round++) {
      for (int i = 0; i < CALLS; i++) {
        long begun = System.nanoTime();
        assertThat(bare()).contains("[DONE]");
        bare[i] = (System.nanoTime() - begun) / 1e6;
        long[] heard = new long[1];
        begun = System.nanoTime();
        World.Call call =
            new World.Call(
                World.syscall("model.generate", World.ANN, params),
                Map.of("spec", Map.of()),
                World.TIME,
                null) {
              @Override
              void hear(org.aionos.kernel.Interim interim) {
                heard[0] = heard[0] == 0 ? System.nanoTime() : heard[0];
              }
            };
        Outcome.Ok ok = world.generate.run(call.admitted);
        ours[i] = (System.nanoTime() - begun) / 1e6;
        first[i] = (heard[0] - begun) / 1e6;
        assertThat(ok.spent().tokensOut()).isEqualTo(5);
      }
    }
    System.out.printf(
        "of %d calls in ms, p50 and p99: a bare client %s, model.generate %s, to its first token %s%n",
        CALLS, shown(bare), shown(ours), shown(first));
  }

  private String bare() throws Exception {
    HttpURLConnection connection =
        (HttpURLConnection)
            URI.create(server.url() + "/v1/chat/completions").toURL().openConnection();
    connection.setDoOutput(true);
    connection
        .getOutputStream()
        .write(
            "{\"model\":\"small\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"say 5 tokens\"}]}"
                .getBytes(StandardCharsets.UTF_8));
    try (InputStream in = connection.getInputStream()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static String shown(double[] times) {
    double[] sorted = times.clone();
    Arrays.sort(sorted);
    return String.format(
        "%.2f/%.2f", sorted[sorted.length / 2], sorted[(int) (sorted.length * 0.99)]);
  }

  @Test
  void five_hundred_streams_at_once_are_all_said_whole() throws Exception {
    server.control(Map.of("token_delay_ms", 100));
    ConcurrentLinkedQueue<Object> ends = new ConcurrentLinkedQueue<>();
    List<Thread> threads = new ArrayList<>();
    long begun = System.nanoTime();
    for (int i = 0; i < STREAMS; i++) {
      String prompt = i + " say 20 tokens";
      Thread thread =
          new Thread(
              () -> {
                try {
                  ends.add(
                      world
                          .generate(Map.of("prompt", prompt, "model", "ollama/small"))
                          .spent()
                          .tokensOut());
                } catch (Exception failed) {
                  ends.add(failed);
                }
              });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }

    assertThat(ends).hasSize(STREAMS).containsOnly(20L);
    assertThat((Integer) server.stats().get("open_streams_max")).isGreaterThan(STREAMS / 2);
    System.out.printf(
        "%d streams of 20 tokens, one each 100 ms: %.1f s; at once %s%n",
        STREAMS, (System.nanoTime() - begun) / 1e9, server.stats().get("open_streams_max"));
  }
}
