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
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.aionos.backend.minio.S3ProxyServer;
import org.aionos.backend.minio.S3Server;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Episodes go to a bucket, and a kernel that has lost its disk finds them there. */
class EpisodicBucketIT {

  @TempDir static Path folder;
  private static S3ProxyServer server;
  private static RunningKernel kernel;

  @BeforeAll
  static void start() throws IOException {
    server = S3ProxyServer.start(folder);
    kernel =
        RunningKernel.named("bucket")
            .bare()
            .with("MINIO_URL", "http://127.0.0.1:" + server.port())
            .with("MINIO_ACCESS_KEY", S3Server.USER)
            .with("MINIO_SECRET_KEY", S3Server.SECRET)
            .start();
    Ssh.admin(kernel, "feature:install aion-backend-minio");
  }

  @AfterAll
  static void stop() {
    kernel.down();
    server.close();
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

  private static List<Path> segments(Path top) throws IOException {
    if (!Files.isDirectory(top)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(top)) {
      return files.filter(file -> file.toString().endsWith(".jsonl")).toList();
    }
  }

  @Test
  void episodes_are_in_the_bucket_and_found_there_by_a_kernel_that_has_lost_its_disk()
      throws Exception {
    Await.until(
        "the driver is there",
        Duration.ofSeconds(30),
        () ->
            call("memory.put", "{'type':'episodic','key':'first','value':'of many'}").status()
                == 200);
    // Two segments are full, and a third has begun.
    String filler = "x".repeat(200_000);
    for (int i = 0; i < 90; i++) {
      call("memory.put", "{'type':'episodic','key':'k" + i + "','value':'" + i + filler + "'}")
          .expect(200);
    }
    Await.until(
        "they are in the bucket",
        Duration.ofSeconds(30),
        () -> {
          try {
            return segments(folder.resolve("objects")).size() >= 2;
          } catch (IOException moving) {
            return false;
          }
        });
    kernel.down();
    try (Stream<Path> lost = Files.walk(kernel.data().resolve("state/memory"))) {
      for (Path each : lost.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
    kernel.up();

    Await.until(
        "it was read again from the bucket",
        Duration.ofSeconds(30),
        () -> call("memory.get", "{'type':'episodic','key':'first'}").status() == 200);
    assertThat(call("memory.get", "{'type':'episodic','key':'k0'}").expect(200).at("/result/value"))
        .isEqualTo("0" + filler);
    // What had not left the disk is lost with it.
    call("memory.get", "{'type':'episodic','key':'k89'}").expect(404, "NOT_FOUND");
  }
}
