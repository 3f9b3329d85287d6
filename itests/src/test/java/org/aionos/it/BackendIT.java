package org.aionos.it;

import static org.aionos.it.RunningKernel.RESEARCHER;
import static org.aionos.it.RunningKernel.RESEARCHER_V1;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/**
 * Backends in the distribution: installed when they are named, updated in use, gone without a
 * trace.
 */
@Order(6)
class BackendIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Pattern REDIS_DRIVER =
      Pattern.compile("org\\.aionos\\.backend\\.redis\\.RedisDriver$", Pattern.MULTILINE);

  private static RunningKernel kernel;
  private static RedisProcess redis;

  @BeforeAll
  static void start() throws IOException {
    redis = RedisProcess.start();
    kernel = RunningKernel.named("backend").bare().start();
  }

  @AfterAll
  static void stop() {
    kernel.close();
    redis.close();
  }

  private static Answer memory(String path, Map<String, String> fields) {
    ObjectNode body = RunningKernel.JSON.createObjectNode().put("agent_id", RESEARCHER);
    fields.forEach(body::put);
    return kernel.call(RESEARCHER_V1, "POST", "/v1/memory/" + path, body);
  }

  private static Answer put(String type, String key, String value) {
    return memory("put", Map.of("type", type, "key", key, "value", value));
  }

  /** What Redis has of it. */
  private static String stored() throws IOException {
    return redis.ask("GET mem:tenantA:researcher-1::k");
  }

  private static void backends(String text) throws IOException {
    Files.writeString(
        kernel.data().resolve("config/memory.yaml"),
        "apiVersion: aion.os/v1\nkind: MemoryConfig\nbackends: { " + text + " }\n");
  }

  private static long loaded() {
    kernel.jcmd("GC.run");
    return REDIS_DRIVER.matcher(kernel.jcmd("VM.classloaders", "show-classes")).results().count();
  }

  private static long threads(String name) {
    return Pattern.compile("^\"" + name, Pattern.MULTILINE)
        .matcher(kernel.jcmd("Thread.print"))
        .results()
        .count();
  }

  @Test
  void backends_are_installed_used_updated_in_use_and_leave_nothing() throws IOException {
    assertThat(Ssh.admin(kernel, "bundle:list -s")).doesNotContain("aionos.backend");
    backends(
        "short: { driver: redis, url: \"%s\" }, long: { driver: qdrant, url: \"http://127.0.0.1:%d\", timeout_ms: 1000 }"
            .formatted(redis.url(), RunningKernel.freePort()));
    Await.until(
        "short memory stands in Redis",
        PATIENCE,
        () ->
            put("short", "k", "first").status() == 200 && stored().contains("\"value\":\"first\""));

    for (int update = 1; update <= 3; update++) {
      Ssh.admin(kernel, "bundle:update org.aionos.backend-redis");
      String value = "after " + update;
      Await.until("put " + value, PATIENCE, () -> put("short", "k", value).status() == 200);
      assertThat(stored()).contains(value);
    }
    Ssh.admin(kernel, "bundle:refresh org.aionos.backend-redis");
    Await.until("put again", PATIENCE, () -> put("short", "k", "last").status() == 200);

    Await.until("one class loader of the backend", PATIENCE, () -> loaded() == 1);
    assertThat(threads("lettuce-timer")).isEqualTo(1);
    // No package has Qdrant; that its client is whole shows in how it misses the server.
    Await.until(
        "long memory misses its server",
        PATIENCE,
        () -> put("long", "k", "v").at("/error/code").equals("BACKEND_UNAVAILABLE"));

    backends("");
    AtomicInteger attempt = new AtomicInteger();
    Await.until(
        "short memory is here again",
        PATIENCE,
        () -> {
          String value = "here " + attempt.incrementAndGet();
          return put("short", "k", value).status() == 200 && !stored().contains(value);
        });
    Ssh.admin(kernel, "bundle:uninstall org.aionos.backend-redis");
    Ssh.admin(kernel, "bundle:uninstall org.aionos.backend-qdrant");
    Await.until(
        "no thread of theirs is left",
        PATIENCE,
        () -> threads("lettuce-") == 0 && threads("aion-qdrant") == 0);
  }
}
