package org.aionos.backend.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.aionos.items.Items;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Provenance;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How long items of 1 KB take; printed, for no time is right on every machine. {@code mvn test
 * -Dtest=RedisSpeedTest -Dredis.calls=20000} in this folder measures more of them, {@code
 * -Dredis.appendfsync=always} what it costs to outlive a crash of the server.
 */
final class RedisSpeedTest {

  private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");
  private static final int CALLS = Integer.getInteger("redis.calls", 500);

  @TempDir Path folder;

  private interface Call {
    void make(int number);
  }

  @Test
  void puts_and_gets_of_one_and_of_sixteen_threads_are_all_answered() throws Exception {
    RedisDriver driver = new RedisDriver();
    String sync = System.getProperty("redis.appendfsync", "everysec");
    try (RedisServer server = RedisServer.start(folder, "--appendfsync", sync);
        ItemStore store =
            driver.open(Openings.of(server.url(), null, null, null, Duration.ofSeconds(10)))) {
      Items items = new Items(store, Duration.ZERO);
      String value = "x".repeat(1_000);
      for (int threads : List.of(1, 16)) {
        measure("put", threads, i -> items.put(List.of(wish(i, value + i)), Long.MAX_VALUE, NOW));
        measure("get", threads, i -> assertThat(items.get(place(i), NOW)).isPresent());
      }
      assertThat(store.bytes("acme")).isGreaterThan(1_000L * CALLS);
    } finally {
      driver.close();
    }
  }

  private static Place place(int number) {
    return new Place(new AgentId("acme", "ann"), "", "k" + number);
  }

  private static Items.Wish wish(int number, String value) {
    return new Items.Wish(
        place(number),
        new Item.Content(value, Map.of(), List.of(), null),
        false,
        Duration.ofHours(1),
        null,
        Provenance.own("sc-1"),
        null);
  }

  private static void measure(String what, int threads, Call call) throws Exception {
    for (int i = 0; i < Math.min(CALLS, 2_000); i++) {
      call.make(i);
    }
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    long begun = System.nanoTime();
    long[] nanos = new long[CALLS];
    List<Future<?>> all = new ArrayList<>();
    for (int thread = 0; thread < threads; thread++) {
      int first = thread;
      all.add(
          pool.submit(
              () -> {
                for (int i = first; i < CALLS; i += threads) {
                  long before = System.nanoTime();
                  call.make(i);
                  nanos[i] = System.nanoTime() - before;
                }
              }));
    }
    for (Future<?> each : all) {
      each.get();
    }
    double seconds = (System.nanoTime() - begun) / 1e9;
    pool.shutdown();
    Arrays.sort(nanos);
    System.out.printf(
        "redis %s, 1 KB, %d threads: p50 %.3f ms, p99 %.3f ms, %.0f a second%n",
        what, threads, nanos[CALLS / 2] / 1e6, nanos[CALLS * 99 / 100] / 1e6, CALLS / seconds);
  }
}
