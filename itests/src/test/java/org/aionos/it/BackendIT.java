package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.aionos.it.RunningKernel.RESEARCHER;
import static org.aionos.it.RunningKernel.RESEARCHER_V1;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** Backends in the distribution: installed by name, updated in use, gone without a trace. */
@Order(6)
class BackendIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Pattern REDIS_DRIVER =
      Pattern.compile("org\\.aionos\\.backend\\.redis\\.RedisDriver$", Pattern.MULTILINE);

  private static RunningKernel kernel;
  private static Process redis;
  private static int redisPort;

  @BeforeAll
  static void start() throws IOException {
    Path folder = Files.createTempDirectory("backend-it");
    redisPort = RunningKernel.freePort();
    redis =
        new ProcessBuilder(
                "redis-server",
                "--bind",
                "127.0.0.1",
                "--port",
                Integer.toString(redisPort),
                "--appendonly",
                "yes",
                "--dir",
                folder.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    kernel = RunningKernel.named("backend").bare().start();
  }

  @AfterAll
  static void stop() {
    kernel.close();
    redis.destroyForcibly();
  }

  private static Answer memory(String path, Map<String, String> fields) {
    ObjectNode body = RunningKernel.JSON.createObjectNode().put("agent_id", RESEARCHER);
    fields.forEach(body::put);
    return kernel.call(RESEARCHER_V1, "POST", "/v1/memory/" + path, body);
  }

  private static Answer put(String type, String key, String value) {
    return memory("put", Map.of("type", type, "key", key, "value", value));
  }

  private static String asked(String command) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), redisPort)) {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write((command + "\r\n").getBytes(UTF_8));
      byte[] answer = new byte[10_000];
      return new String(answer, 0, socket.getInputStream().read(answer), UTF_8);
    }
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
    Ssh.admin(kernel, "feature:install aion-backend-redis");
    Ssh.admin(kernel, "feature:install aion-backend-qdrant");
    Files.writeString(
        kernel.data().resolve("config/memory.yaml"),
        """
        apiVersion: aion.os/v1
        kind: MemoryConfig
        backends:
          short: { driver: redis, url: "redis://127.0.0.1:%d" }
          long: { driver: qdrant, url: "http://127.0.0.1:%d", timeout_ms: 1000 }
        """
            .formatted(redisPort, RunningKernel.freePort()));
    Await.until(
        "short memory stands in Redis",
        PATIENCE,
        () ->
            put("short", "k", "first").status() == 200
                && asked("GET mem:tenantA:researcher-1::k").contains("\"value\":\"first\""));

    for (int update = 1; update <= 3; update++) {
      Ssh.admin(kernel, "bundle:update org.aionos.backend-redis");
      String value = "after " + update;
      Await.until("put " + value, PATIENCE, () -> put("short", "k", value).status() == 200);
      assertThat(asked("GET mem:tenantA:researcher-1::k")).contains(value);
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

    Ssh.admin(kernel, "bundle:uninstall org.aionos.backend-redis");
    Ssh.admin(kernel, "bundle:uninstall org.aionos.backend-qdrant");
    Await.until(
        "no thread of theirs is left",
        PATIENCE,
        () -> threads("lettuce-") == 0 && threads("aion-qdrant") == 0);
  }
}
