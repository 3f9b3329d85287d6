package org.aionos.backend.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.aionos.kernel.task.Cluster.Draw;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.Tier;
import org.aionos.tasks.TaskStoreSpeed;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code mvn test -Dtest=RedisTaskSpeedTest -Dredis.calls=20000} in this folder measures more of
 * them, {@code -Dredis.appendfsync=always} what it costs to outlive a crash of the server.
 */
final class RedisTaskSpeedTest {

  private static final int CALLS = Integer.getInteger("redis.calls", 500);

  @TempDir Path folder;

  @Test
  void calls_of_one_and_of_sixteen_threads_are_all_answered() throws Exception {
    RedisTaskDriver driver = new RedisTaskDriver();
    String sync = System.getProperty("redis.appendfsync", "everysec");
    try (RedisServer server = RedisServer.start(folder, "--appendfsync", sync);
        TaskStore store =
            driver.open(Openings.of(server.url(), null, null, null, Duration.ofSeconds(10)))) {
      TaskStoreSpeed.print("redis " + sync, store, CALLS);
      assertThat(store.waiting()).containsEntry(Tier.NORMAL, 0L);
    } finally {
      driver.close();
    }
  }

  @Test
  void what_each_call_asks_of_the_cluster_is_answered() throws Exception {
    String sync = System.getProperty("redis.appendfsync", "everysec");
    try (RedisServer server = RedisServer.start(folder, "--appendfsync", sync);
        RedisLink link = RedisAddress.link(Openings.of(server.url()), "the cluster")) {
      RedisCluster cluster = new RedisCluster(link);
      Duration hour = Duration.ofHours(1);
      List<Draw> draws =
          Stream.of("acme", "acme/ann", "acme/ann/t1")
              .map(account -> new Draw(account, 1, Long.MAX_VALUE, hour))
              .toList();
      for (int threads : List.of(1, 16)) {
        TaskStoreSpeed.measure(
            "redis nonce",
            CALLS,
            threads,
            i -> assertThat(cluster.isNew("nonces", threads + "-" + i, hour)).isTrue());
        TaskStoreSpeed.measure(
            "redis draw from three",
            CALLS,
            threads,
            i -> assertThat(cluster.draw(draws)).isEmpty());
      }
      assertThat(cluster.drawn("acme/ann")).isEqualTo(2L * CALLS);
    }
  }
}
