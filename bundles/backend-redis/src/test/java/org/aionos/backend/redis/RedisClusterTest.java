package org.aionos.backend.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.memory.StoreDriver;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.Cluster;
import org.aionos.kernel.task.Cluster.Draw;
import org.aionos.tasks.ClusterContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RedisClusterTest extends ClusterContract {

  private static final Duration HOUR = Duration.ofHours(1);

  @TempDir static Path folder;
  private static RedisServer server;

  private final List<RedisLink> links = new ArrayList<>();

  @BeforeAll
  static void start() throws Exception {
    server = RedisServer.start(folder);
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @Override
  protected Cluster open() throws Exception {
    if (links.isEmpty()) {
      server.ask("FLUSHALL");
    }
    StoreDriver.Opening opening = RedisCluster.opening(Map.of("REDIS_URL", server.url()));
    RedisLink link = RedisAddress.link(opening, "the cluster");
    links.add(link);
    return new RedisCluster(link);
  }

  @AfterEach
  void close() {
    links.forEach(RedisLink::close);
  }

  /** Everything is forgotten so much earlier. */
  @Override
  protected void pass(Duration time) throws Exception {
    assertThat(
            server.ask(
                "EVAL \"for _, k in ipairs(redis.call('KEYS', '*')) do"
                    + " local left = redis.call('PTTL', k)"
                    + " if left > 0 then redis.call('PEXPIRE', k, left - ARGV[1]) end end"
                    + " return 1\" 0 "
                    + time.toMillis()))
        .isEqualTo(":1");
  }

  @Test
  void everything_has_the_names_of_this_kernel_and_what_counts_is_forgotten() throws Exception {
    cluster().isNew("nonces", "n1", HOUR);
    cluster().draw(List.of(new Draw("acme/usd", 1, 9, HOUR)));
    cluster().giveBack(List.of(new Draw("acme/usd", 1, 9, Duration.ZERO)));
    cluster().put("policy", 1, new byte[1]);

    assertThat(server.ask("PTTL aion:seen:nonces:n1")).matches(":3[56]\\d{5}");
    assertThat(server.ask("PTTL aion:account:acme/usd")).matches(":3[56]\\d{5}");
    assertThat(server.ask("HGET aion:value:policy number")).isEqualTo("$1");
    assertThat(server.ask("DBSIZE")).isEqualTo(":3");
  }

  @Test
  void a_server_whose_memory_is_full_gives_nothing_and_takes_back() throws Exception {
    cluster().draw(List.of(new Draw("a", 5, 9, HOUR)));
    server.ask("CONFIG SET maxmemory 1");
    try {
      assertThatThrownBy(() -> cluster().draw(List.of(new Draw("a", 1, 9, HOUR))))
          .isInstanceOf(StoreUnavailable.class)
          .hasMessage("the server of the cluster refuses: OOM");
      assertThatThrownBy(() -> cluster().isNew("nonces", "n1", HOUR))
          .isInstanceOf(StoreUnavailable.class);
      cluster().giveBack(List.of(new Draw("a", 2, 9, HOUR)));
    } finally {
      server.ask("CONFIG SET maxmemory 0");
    }
    assertThat(cluster().drawn("a")).isEqualTo(3);
  }

  @Test
  void a_server_that_is_away_is_said_to_be() throws Exception {
    server.kill();
    try {
      assertThatThrownBy(() -> cluster().isNew("nonces", "n1", HOUR))
          .isInstanceOf(StoreUnavailable.class)
          .hasMessage("the server of the cluster cannot be reached");
      assertThatThrownBy(() -> cluster().get("policy")).isInstanceOf(StoreUnavailable.class);
    } finally {
      server.start();
    }
  }

  @Test
  void the_environment_says_where_the_server_is() {
    StoreDriver.Opening none = RedisCluster.opening(Map.of("REDIS_PASSWORD", ""));
    assertThat(none.url()).isEmpty();
    assertThat(none.secret()).isNull();

    StoreDriver.Opening some =
        RedisCluster.opening(
            Map.of(
                "REDIS_URL",
                "rediss://host",
                "REDIS_USER",
                "kernel",
                "REDIS_PASSWORD",
                "s3cret",
                "REDIS_CA_FILE",
                "ca.pem"));
    assertThat(some.url()).isEqualTo("rediss://host");
    assertThat(some.user()).isEqualTo("kernel");
    assertThat(some.secret()).isEqualTo("s3cret");
    assertThat(some.caFile()).isEqualTo(Path.of("ca.pem"));
    assertThat(some).asString().doesNotContain("s3cret");
  }
}
