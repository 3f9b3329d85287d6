package org.aionos.it;

import static org.aionos.it.RunningKernel.RESEARCHER;
import static org.aionos.it.RunningKernel.RESEARCHER_V1;
import static org.aionos.it.RunningKernel.syscall;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** Memory moves to a server and back while agents write, and outlives the server's crash. */
@Order(6)
class MemoryMigrationIT {

  private static RedisProcess redis;
  private static RunningKernel kernel;

  @BeforeAll
  static void start() throws IOException {
    redis = RedisProcess.start();
    kernel = RunningKernel.named("migration").bare().start();
  }

  @AfterAll
  static void stop() {
    kernel.close();
    redis.close();
  }

  private static Answer call(String name, String params) {
    ObjectNode body = syscall(name, RESEARCHER);
    try {
      body.set("params", RunningKernel.JSON.readTree(params.replace('\'', '"')));
    } catch (IOException malformed) {
      throw new AssertionError(malformed);
    }
    return kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/" + name, body);
  }

  private static Answer put(int number) {
    return call("memory.put", "{'type':'short','key':'k" + number + "','value':" + number + "}");
  }

  private static String aion(String... words) {
    List<String> line = new ArrayList<>(List.of("./aion", "memory"));
    line.addAll(List.of(words));
    line.addAll(List.of("--data", kernel.data().toString()));
    return Shell.run(RunningKernel.ROOT, kernel.environment(), Duration.ofSeconds(120), line)
        .expectSuccess()
        .output();
  }

  private static void assertAllThere(int count) {
    for (int i = 0; i < count; i++) {
      assertThat(
              call("memory.get", "{'type':'short','key':'k" + i + "'}")
                  .expect(200)
                  .at("/result/value"))
          .isEqualTo(Integer.toString(i));
    }
  }

  @Test
  void short_memory_moves_to_redis_and_back_under_load_and_survives_the_servers_crash()
      throws Exception {
    Path file = kernel.data().resolve("config/memory.yaml");
    Files.writeString(
        file,
        Files.readString(file)
            .replace(
                "short:    { ttl_s: 3600 }",
                "short: { ttl_s: 3600, url: '" + redis.url() + "', driver: embedded }"));
    AtomicInteger acknowledged = new AtomicInteger();
    AtomicBoolean enough = new AtomicBoolean();
    List<String> refusals = new ArrayList<>();
    Thread writer =
        new Thread(
            () -> {
              while (!enough.get()) {
                Answer answer = put(acknowledged.get());
                if (answer.status() == 200) {
                  acknowledged.incrementAndGet();
                } else {
                  refusals.add(answer.status() + " " + answer.code());
                }
              }
            });
    writer.start();
    Await.until("some are written", Duration.ofSeconds(30), () -> acknowledged.get() > 300);

    assertThat(aion("migrate", "short", "redis"))
        .contains("the same in both", "short memory is kept by redis now");
    int moved = acknowledged.get();
    Await.until("writing goes on", Duration.ofSeconds(30), () -> acknowledged.get() > moved + 100);
    enough.set(true);
    writer.join();
    assertThat(refusals).allMatch("503 BACKEND_UNAVAILABLE"::equals);
    assertThat(aion("top")).contains("redis");
    assertAllThere(acknowledged.get());

    redis.kill9();
    long begun = System.nanoTime();
    Answer away = call("memory.get", "{'type':'short','key':'k0'}");
    away.expect(503, "BACKEND_UNAVAILABLE");
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(6));
    assertThat(away.headers().firstValue("Retry-After")).isPresent();
    assertThat(away.text()).doesNotContain("127.0.0.1");
    Answer readiness = kernel.call("GET", "/readyz", java.util.Map.of(), new byte[0]);
    assertThat(readiness.status()).isEqualTo(503);
    assertThat(readiness.text()).contains("short memory (redis)");
    call("memory.put", "{'type':'long','key':'k','value':'others go on'}").expect(200);
    redis.up();
    Await.until(
        "memory is back",
        Duration.ofSeconds(30),
        () -> call("memory.get", "{'type':'short','key':'k0'}").status() == 200);
    assertAllThere(acknowledged.get());

    assertThat(aion("migrate", "short", "embedded")).contains("kept by embedded now");
    redis.kill9();
    assertAllThere(acknowledged.get());
  }
}
