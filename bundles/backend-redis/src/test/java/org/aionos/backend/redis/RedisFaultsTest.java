package org.aionos.backend.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.aionos.items.ItemRows;
import org.aionos.items.Items;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Provenance;
import org.aionos.kernel.memory.Selection;
import org.aionos.kernel.memory.StoreUnavailable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a server, or the way to it, does wrong. */
final class RedisFaultsTest {

  private static final AgentId ANN = new AgentId("acme", "ann");
  private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");
  private static final long ROOM = 1 << 20;
  private static final Duration WAIT_MAX = Duration.ofSeconds(20);

  @TempDir Path folder;
  private RedisServer server;
  private TcpProxy proxy;
  private RedisDriver driver;
  private ItemStore store;

  @BeforeEach
  void start() throws Exception {
    // By "everysec", the default, Redis acknowledges what it has not handed to the system yet.
    server = RedisServer.start(folder, "--appendfsync", "always");
    proxy = new TcpProxy(server.port());
    driver = new RedisDriver();
    store = driver.open(Openings.of(proxy.url()));
  }

  @AfterEach
  void stop() throws Exception {
    driver.close();
    proxy.close();
    server.close();
  }

  private static Place place(String key) {
    return new Place(ANN, "", key);
  }

  private Item put(String key, Object value) {
    return put(store, key, value);
  }

  private static Item put(ItemStore store, String key, Object value) {
    return new Items(store, Duration.ZERO)
        .put(
            List.of(
                new Items.Wish(
                    place(key),
                    new Item.Content(value, Map.of(), List.of(), null),
                    false,
                    null,
                    null,
                    Provenance.own("sc-1"),
                    null)),
            ROOM,
            NOW)
        .get(0);
  }

  private void assertUnavailable(String why) {
    long begun = System.nanoTime();
    assertThatThrownBy(() -> store.get(place("k")))
        .isInstanceOf(StoreUnavailable.class)
        .hasMessageMatching("the server of short memory " + why);
    assertThat(Duration.ofNanos(System.nanoTime() - begun))
        .isLessThan(Openings.TIMEOUT.multipliedBy(3));
  }

  /** Until it answers again, for which it has to be asked. */
  private void awaitBack() {
    long end = System.nanoTime() + WAIT_MAX.toNanos();
    while (true) {
      try {
        store.bytes("acme");
        return;
      } catch (StoreUnavailable notYet) {
        assertThat(System.nanoTime()).isLessThan(end);
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void a_server_that_is_away_is_missed_at_once_and_found_again() throws Exception {
    put("k", 1);
    proxy.refuse();

    for (int i = 0; i < 3; i++) {
      assertUnavailable("cannot be reached");
    }
    proxy.admit();
    awaitBack();
    assertThat(store.get(place("k")).orElseThrow().content().value()).isEqualTo(1);
  }

  @Test
  void a_store_is_opened_before_its_server() throws Exception {
    server.kill();
    try (ItemStore early = driver.open(Openings.of(server.url()))) {
      assertThatThrownBy(() -> early.bytes()).isInstanceOf(StoreUnavailable.class);
      server.start();
      store = early;
      awaitBack();
      put("k", 1);
    }
  }

  @Test
  void a_server_that_stalls_holds_nobody_longer_than_the_time_out() throws Exception {
    put("k", 1);
    proxy.stall(true);
    ExecutorService callers = Executors.newFixedThreadPool(8);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        // Of those that wait, one is the first to find out, and closes the connection of all.
        all.add(
            callers.submit(() -> assertUnavailable("(does not answer in time|cannot be reached)")));
      }
      for (Future<?> each : all) {
        each.get();
      }
    } finally {
      callers.shutdownNow();
    }
    proxy.stall(false);
    awaitBack();
    assertThat(put("k", 2).version()).isEqualTo(2);
  }

  @Test
  void a_change_whose_answer_is_lost_is_made_once() throws Exception {
    put("k", 1);
    proxy.loseAnswers(true);
    assertThatThrownBy(() -> put("k", 2)).isInstanceOf(StoreUnavailable.class);
    proxy.loseAnswers(false);
    awaitBack();

    assertThat(store.get(place("k")).orElseThrow().version()).isLessThanOrEqualTo(2);
    assertThat(put("k", 3).version()).isLessThanOrEqualTo(3);
  }

  @Test
  void a_connection_that_is_cut_is_made_anew() throws Exception {
    for (int i = 0; i < 20; i++) {
      put("k", i);
      proxy.cut();
      awaitBack();
    }
    assertThat(store.get(place("k")).orElseThrow().version()).isEqualTo(20);
  }

  @Test
  void calls_on_their_way_learn_that_the_way_was_cut_or_closed_and_nothing_else() throws Exception {
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger answered = new AtomicInteger();
    ExecutorService callers = Executors.newFixedThreadPool(6);
    List<Future<?>> all = new ArrayList<>();
    for (int caller = 0; caller < 6; caller++) {
      String key = "k" + caller;
      all.add(
          callers.submit(
              () -> {
                while (!over.get()) {
                  try {
                    put(key, answered.get());
                    answered.incrementAndGet();
                  } catch (StoreUnavailable cut) {
                    assertThat(cut).hasMessageStartingWith("the s");
                  }
                }
              }));
    }
    for (int cut = 0; cut < 10; cut++) {
      awaitMore(answered, 20);
      proxy.cut();
    }
    awaitMore(answered, 20);
    store.close();
    over.set(true);
    for (Future<?> each : all) {
      each.get();
    }
    callers.shutdown();
  }

  private static void awaitMore(AtomicInteger count, int more) {
    int wanted = count.get() + more;
    long end = System.nanoTime() + WAIT_MAX.toNanos();
    while (count.get() < wanted) {
      assertThat(System.nanoTime()).isLessThan(end);
      Thread.onSpinWait();
    }
  }

  @Test
  void a_server_without_room_takes_nothing_more_but_lets_go() throws Exception {
    put("k", "x".repeat(1_000));
    long bytes = store.bytes("acme");
    server.ask("CONFIG SET maxmemory 1");

    assertThatThrownBy(() -> put("more", 1))
        .isInstanceOf(StoreUnavailable.class)
        .hasMessage("the server of short memory refuses: OOM");
    assertThat(store.bytes("acme")).isEqualTo(bytes);
    assertThat(new Items(store, Duration.ZERO).delete(place("k"), NOW)).isTrue();
    assertThat(store.bytes()).isEmpty();
    server.ask("CONFIG SET maxmemory 0");
    put("more", 1);
  }

  @Test
  void a_replica_is_read_and_not_written() throws Exception {
    put("k", 1);
    server.ask("REPLICAOF 127.0.0.1 1");

    assertThatThrownBy(() -> put("k", 2))
        .isInstanceOf(StoreUnavailable.class)
        .hasMessageStartingWith("the server of short memory refuses: ");
    server.ask("REPLICAOF NO ONE");
    awaitBack();
    assertThat(put("k", 2).version()).isEqualTo(2);
  }

  @Test
  void the_script_is_told_again_to_a_server_that_forgot_it() throws Exception {
    put("k", 1);
    server.ask("SCRIPT FLUSH");
    assertThat(put("k", 2).version()).isEqualTo(2);
  }

  @Test
  void nothing_acknowledged_is_missing_after_kill_nine() throws Exception {
    Set<String> acknowledged = ConcurrentHashMap.newKeySet();
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger failed = new AtomicInteger();
    ExecutorService writers = Executors.newFixedThreadPool(4);
    for (int writer = 0; writer < 4; writer++) {
      String name = "w" + writer + "-";
      writers.submit(
          () -> {
            for (int i = 0; !over.get(); i++) {
              try {
                put(name + i, i);
                acknowledged.add(name + i);
              } catch (StoreUnavailable down) {
                failed.incrementAndGet();
              }
            }
          });
    }
    for (int round = 1; round <= 3; round++) {
      awaitSize(acknowledged, acknowledged.size() + 200);
      int before = failed.get();
      server.kill();
      long end = System.nanoTime() + WAIT_MAX.toNanos();
      while (failed.get() == before) {
        assertThat(System.nanoTime()).isLessThan(end);
        Thread.onSpinWait();
      }
      server.start();
    }
    awaitSize(acknowledged, acknowledged.size() + 200);
    over.set(true);
    writers.shutdown();
    assertThat(writers.awaitTermination(20, TimeUnit.SECONDS)).isTrue();

    Set<String> stored = ConcurrentHashMap.newKeySet();
    String after = null;
    do {
      Page page = store.query(new Selection(ANN, Filter.ANY, after, 200), NOW);
      page.items().forEach(item -> stored.add(item.place().key()));
      after = page.next();
    } while (after != null);
    assertThat(stored).containsAll(acknowledged);
    assertThat(store.bytes("acme"))
        .isEqualTo(
            stored.stream()
                .mapToLong(key -> ItemRows.size(store.get(place(key)).orElseThrow()))
                .sum());
  }

  private static void awaitSize(Set<String> set, int size) {
    long end = System.nanoTime() + WAIT_MAX.toNanos();
    while (set.size() < size) {
      assertThat(System.nanoTime()).as("%d of %d", set.size(), size).isLessThan(end);
      Thread.onSpinWait();
    }
  }

  @Test
  void no_thread_is_left_when_the_driver_goes() {
    put("k", 1);
    driver.close();

    assertThatThrownBy(() -> store.bytes())
        .isInstanceOf(StoreUnavailable.class)
        .hasMessage("the store of short memory is closed");
    long end = System.nanoTime() + WAIT_MAX.toNanos();
    while (!foreignThreads().isEmpty()) {
      assertThat(System.nanoTime()).as(foreignThreads().toString()).isLessThan(end);
      Thread.onSpinWait();
    }
  }

  private static Set<String> foreignThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(
            name ->
                name.matches(".*(lettuce|netty|globalEventExecutor|parallel-|boundedElastic).*"))
        .collect(Collectors.toSet());
  }
}
