package org.aionos.backend.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.aionos.items.ItemRows;
import org.aionos.items.Items;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Provenance;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kernels that share one server; each has its own driver, as in a process of its own. */
final class TwoKernelsTest {

  private static final long SEED = 20_260_101;
  private static final List<AgentId> AGENTS =
      List.of(new AgentId("acme", "ann"), new AgentId("acme", "bob"), new AgentId("other", "ann"));
  private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");

  @TempDir static Path folder;
  private static RedisServer server;

  private final List<RedisDriver> drivers = List.of(new RedisDriver(), new RedisDriver());
  private final List<ItemStore> stores = new ArrayList<>();

  @BeforeAll
  static void start() throws Exception {
    server = RedisServer.start(folder);
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @BeforeEach
  void open() throws Exception {
    server.ask("FLUSHALL");
    for (RedisDriver driver : drivers) {
      stores.add(driver.open(Openings.of(server.url(), null, null, null, Duration.ofSeconds(20))));
    }
  }

  @AfterEach
  void close() {
    drivers.forEach(RedisDriver::close);
  }

  private static Items.Wish wish(Place place, Object value, Duration ttl, Long ifVersion) {
    return new Items.Wish(
        place,
        new Item.Content(value, Map.of(), List.of(), null),
        false,
        ttl,
        ifVersion,
        Provenance.own("sc-1"),
        null);
  }

  /** Each adds one to what it read, wanting that version; so the sum tells whether one was lost. */
  @Test
  void of_writers_who_want_the_version_that_they_read_none_is_lost() throws Exception {
    Place place = new Place(AGENTS.get(0), "", "counter");
    int writers = 4;
    int each = 50;
    inParallel(
        writers,
        writer -> {
          Items items = new Items(stores.get(writer % 2), Duration.ZERO);
          for (int added = 0; added < each; ) {
            Item before = items.get(place, NOW).orElse(null);
            long version = before == null ? 0 : before.version();
            long count = before == null ? 0 : ((Number) before.content().value()).longValue();
            try {
              items.put(List.of(wish(place, count + 1, null, version)), 1 << 20, NOW);
              added++;
            } catch (Refused conflict) {
              assertThat(conflict.problem().code()).isEqualTo(Code.CONFLICT);
            }
          }
        });

    Item item = stores.get(0).get(place).orElseThrow();
    assertThat(item.content().value()).isEqualTo(writers * each);
    assertThat(item.version()).isEqualTo(writers * each);
  }

  /** Whatever four writers on two kernels do, what is counted is what is there. */
  @Test
  void bytes_order_and_expiry_are_those_of_the_items_whatever_is_done() throws Exception {
    inParallel(
        4,
        writer -> {
          Random random = new Random(SEED + writer);
          Items items =
              new Items(
                  stores.get(writer % 2),
                  random.nextBoolean() ? Duration.ZERO : Duration.ofHours(1));
          for (int i = 0; i < 300; i++) {
            act(items, random);
          }
        });

    Map<String, Long> counted = new HashMap<>();
    List<Item> all = new ArrayList<>();
    for (String tenant : List.of("acme", "other")) {
      List<Item> items = stores.get(0).all(tenant, null, 1_000).items();
      all.addAll(items);
      counted.put(tenant, items.stream().mapToLong(ItemRows::size).sum());
    }
    assertThat(all).isNotEmpty().doesNotHaveDuplicates();
    assertThat(stores.get(1).bytes()).isEqualTo(counted);
    assertThat(stores.get(1).expired(NOW.plusSeconds(1_000_000), 1_000))
        .containsExactlyInAnyOrderElementsOf(
            all.stream().filter(item -> item.expiresAt() != null).map(Item::place).toList());
    for (Item item : all) {
      assertThat(stores.get(1).get(item.place())).contains(item);
    }
  }

  private static void act(Items items, Random random) {
    AgentId agent = AGENTS.get(random.nextInt(AGENTS.size()));
    Place place = new Place(agent, "t" + random.nextInt(2), "k" + random.nextInt(4));
    Place beside = new Place(agent, "", "k" + random.nextInt(4));
    Instant now = NOW.plusSeconds(random.nextInt(60));
    Duration ttl = random.nextBoolean() ? null : Duration.ofSeconds(1 + random.nextInt(60));
    switch (random.nextInt(6)) {
      case 0 -> items.delete(place, now);
      case 1 -> items.pin(place, random.nextBoolean(), now);
      case 2 -> items.sweep(now, 3);
      case 3 -> items.restore(place, now);
      default ->
          items.put(
              List.of(
                  wish(place, "x".repeat(random.nextInt(200)), ttl, null),
                  wish(beside, random.nextInt(), ttl, null)),
              1 << 20,
              now);
    }
  }

  private interface Writer {
    void write(int number) throws Exception;
  }

  private static void inParallel(int writers, Writer writer) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(writers);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < writers; i++) {
        int number = i;
        all.add(
            pool.submit(
                () -> {
                  writer.write(number);
                  return null;
                }));
      }
      for (Future<?> each : all) {
        each.get();
      }
    } finally {
      pool.shutdownNow();
    }
  }
}
