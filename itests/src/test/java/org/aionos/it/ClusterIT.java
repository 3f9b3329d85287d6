package org.aionos.it;

import static org.aionos.it.RunningKernel.RESEARCHER;
import static org.aionos.it.RunningKernel.TENANT;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** Two kernels that were given the same Redis server. */
@Order(13)
class ClusterIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final String TARGET = "/v1/syscall/memory.get";

  private static RedisProcess redis;
  private static RunningKernel one;
  private static RunningKernel two;

  @BeforeAll
  static void start() throws IOException {
    redis = RedisProcess.start();
    one = RunningKernel.named("cluster-1").bare().with("REDIS_URL", redis.url()).start();
    two = RunningKernel.named("cluster-2").bare().with("REDIS_URL", redis.url()).start();
    for (RunningKernel kernel : new RunningKernel[] {one, two}) {
      Await.until(
          "the kernel is a node of the cluster",
          PATIENCE,
          () -> Files.exists(kernel.data().resolve("state/policy/cluster-number")));
    }
  }

  @AfterAll
  static void stop() {
    one.close();
    two.close();
    redis.close();
  }

  /** A signed request, which may be sent to either. */
  private static Map<String, String> signed(byte[] body) {
    return Signer.v2(
        TENANT,
        "tenant-secret",
        "TENANT_A_SECRET",
        System.currentTimeMillis(),
        Signer.nonce(),
        "POST",
        TARGET,
        body);
  }

  private static byte[] body() {
    ObjectNode body = RunningKernel.syscall("memory.get", RESEARCHER);
    body.withObject("/params").put("type", "short").put("key", "k");
    return RunningKernel.bytes(body);
  }

  private static Answer get(RunningKernel kernel, Map<String, String> headers) throws IOException {
    return kernel.send("POST", TARGET, headers, body());
  }

  private static int ready(RunningKernel kernel) throws IOException {
    return kernel.send("GET", "/readyz", Map.of(), new byte[0]).status();
  }

  @Test
  void nodes_take_a_nonce_once_share_a_policy_and_admit_nobody_while_they_cannot_know()
      throws Exception {
    Map<String, String> request = signed(body());
    assertThat(get(one, request).code()).isNotEqualTo("REPLAYED");
    get(two, request).expect(401, "REPLAYED");
    get(one, request).expect(401, "REPLAYED");

    Path policy = Path.of("policies", "agent.capabilities.yaml");
    Path first = one.data().resolve(policy);
    Path second = two.data().resolve(policy);
    Files.writeString(first, Files.readString(first) + "\n# changed at the first node\n");
    long begun = System.nanoTime();
    Await.until(
        "the second node has the policy of the first",
        PATIENCE,
        () ->
            Files.readString(second).equals(Files.readString(first))
                && version(one).equals(version(two)));
    System.out.printf(
        "cluster: a changed policy at the other node after %d ms%n",
        (System.nanoTime() - begun) / 1_000_000);

    redis.kill9();
    get(one, signed(body())).expect(503, "BACKEND_UNAVAILABLE");
    Await.until("the first node is not ready", PATIENCE, () -> ready(one) == 503);
    Await.until("the second node is not ready", PATIENCE, () -> ready(two) == 503);

    redis.up();
    Await.until("both are ready again", PATIENCE, () -> ready(one) == 200 && ready(two) == 200);
    get(two, request).expect(401, "REPLAYED");
    assertThat(get(two, signed(body())).status()).isNotEqualTo(503);
  }

  private static String version(RunningKernel kernel) {
    return kernel.call(kernel.operator(), "GET", "/v1/policy").at("/version");
  }
}
