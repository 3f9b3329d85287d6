package org.aionos.backend.qdrant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.aionos.items.Certificates;
import org.aionos.items.Items;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Provenance;
import org.aionos.kernel.memory.StoreDriver;
import org.aionos.kernel.memory.StoreUnavailable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a server does wrong, and whom it does not let in. */
final class QdrantFaultsTest {

  private static final AgentId ANN = new AgentId("acme", "ann");
  private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");
  private static final Duration TIMEOUT = Duration.ofMillis(500);
  private static final Duration WAIT_MAX = Duration.ofSeconds(20);
  private static final Place PLACE = new Place(ANN, "", "k");

  @TempDir Path folder;
  private final QdrantDriver driver = new QdrantDriver();

  @AfterEach
  void stop() {
    driver.close();
  }

  private static StoreDriver.Opening opening(
      String url, String key, Path caFile, Duration timeoutMax) {
    return new StoreDriver.Opening(
        "long", url, "", null, key, caFile, timeoutMax, Path.of("unused"));
  }

  private static Item put(ItemStore store, Object value) {
    return new Items(store, Duration.ZERO)
        .put(
            List.of(
                new Items.Wish(
                    PLACE,
                    new Item.Content(value, Map.of(), List.of(), null),
                    false,
                    null,
                    null,
                    Provenance.own("sc-1"),
                    null)),
            1 << 20,
            NOW)
        .get(0);
  }

  private static void assertUnavailable(ItemStore store, String why) {
    long begun = System.nanoTime();
    assertThatThrownBy(() -> store.get(PLACE))
        .isInstanceOf(StoreUnavailable.class)
        .hasMessage("the server of long memory " + why);
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(TIMEOUT.multipliedBy(4));
  }

  private static void awaitBack(ItemStore store) {
    long end = System.nanoTime() + WAIT_MAX.toNanos();
    while (true) {
      try {
        store.get(PLACE);
        return;
      } catch (StoreUnavailable notYet) {
        assertThat(System.nanoTime()).isLessThan(end);
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void a_server_that_is_away_is_missed_at_once_and_found_again() throws Exception {
    try (QdrantServer server = QdrantServer.start()) {
      ItemStore store = driver.open(opening(server.url(), null, null, TIMEOUT));
      put(store, 1);
      server.refuse();
      for (int i = 0; i < 3; i++) {
        assertUnavailable(store, "cannot be reached");
      }
      server.admit();
      awaitBack(store);
      assertThat(put(store, 2).version()).isEqualTo(2);
    }
  }

  @Test
  void a_store_is_opened_before_its_server() throws Exception {
    try (QdrantServer server = QdrantServer.start()) {
      server.refuse();
      ItemStore store = driver.open(opening(server.url(), null, null, TIMEOUT));
      assertUnavailable(store, "cannot be reached");
      server.admit();
      awaitBack(store);
      put(store, 1);
      assertThat(server.collections).containsOnlyKeys("aion_long_memory");
    }
  }

  @Test
  void a_server_that_stalls_holds_nobody_longer_than_the_time_out() throws Exception {
    try (QdrantServer server = QdrantServer.start()) {
      ItemStore store = driver.open(opening(server.url(), null, null, TIMEOUT));
      put(store, 1);
      server.stall(true);
      assertUnavailable(store, "does not answer in time");
      assertThatThrownBy(() -> put(store, 2)).isInstanceOf(StoreUnavailable.class);
      server.stall(false);
      awaitBack(store);
      assertThat(store.get(PLACE).orElseThrow().content().value()).isEqualTo(1);
      assertThat(put(store, 3).version()).isEqualTo(2);
    }
  }

  @Test
  void calls_on_their_way_learn_that_the_way_was_cut_or_closed_and_nothing_else() throws Exception {
    try (QdrantServer server = QdrantServer.start()) {
      ItemStore store = driver.open(opening(server.url(), null, null, TIMEOUT));
      AtomicBoolean over = new AtomicBoolean();
      AtomicInteger answered = new AtomicInteger();
      ExecutorService callers = Executors.newFixedThreadPool(4);
      List<Future<?>> all = new ArrayList<>();
      for (int caller = 0; caller < 4; caller++) {
        all.add(
            callers.submit(
                () -> {
                  while (!over.get()) {
                    try {
                      store.get(PLACE);
                      answered.incrementAndGet();
                    } catch (StoreUnavailable cut) {
                      assertThat(cut).hasMessageStartingWith("the s");
                    }
                  }
                }));
      }
      for (int cut = 0; cut < 5; cut++) {
        awaitMore(answered, 20);
        server.refuse();
        server.admit();
      }
      awaitMore(answered, 20);
      store.close();
      over.set(true);
      for (Future<?> each : all) {
        each.get();
      }
      callers.shutdown();
    }
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
  void a_collection_that_somebody_took_away_is_made_anew() throws Exception {
    try (QdrantServer server = QdrantServer.start()) {
      ItemStore store = driver.open(opening(server.url(), null, null, TIMEOUT));
      put(store, 1);
      server.collections.clear();

      assertUnavailable(store, "refuses: NOT_FOUND");
      assertThat(put(store, 2).version()).isEqualTo(1);
      assertThat(server.collections).containsOnlyKeys("aion_long_memory");
    }
  }

  @Test
  void the_key_is_that_of_the_settings_or_of_the_url() throws Exception {
    try (QdrantServer server = QdrantServer.start("s3cret", null)) {
      Duration timeout = Duration.ofSeconds(10);
      String inUrl = server.url().replace("//", "//:s3cret@");
      put(driver.open(opening(server.url(), "s3cret", null, timeout)), 1);
      put(driver.open(opening(inUrl, null, null, timeout)), 2);
      put(driver.open(opening(inUrl.replace("s3cret", "wr0ng"), "s3cret", null, timeout)), 3);
      for (String wrong : new String[] {"wr0ng", null}) {
        assertUnavailable(
            driver.open(opening(server.url(), wrong, null, timeout)), "refuses: UNAUTHENTICATED");
      }
    }
  }

  @Test
  void a_server_has_to_prove_by_its_certificate_who_it_is() throws Exception {
    Certificates certificates = new Certificates(folder);
    Path ca = certificates.authority("ca");
    Path other = certificates.authority("other");
    certificates.certify("ca", "server", "ip:127.0.0.1");
    certificates.certify("ca", "elsewhere", "dns:elsewhere.example");
    Duration timeout = Duration.ofSeconds(10);

    try (QdrantServer server = QdrantServer.start(null, folder.resolve("server.pem"))) {
      put(driver.open(opening(server.url(), null, ca, timeout)), 1);
      put(driver.open(opening(server.url().replace("https", "grpcs"), null, ca, timeout)), 2);
      for (Path wrong : new Path[] {other, null}) {
        assertUnavailable(
            driver.open(opening(server.url(), null, wrong, timeout)), "cannot be reached");
      }
      String plain = server.url().replace("https", "http");
      assertUnavailable(driver.open(opening(plain, null, null, timeout)), "cannot be reached");
    }
    try (QdrantServer server = QdrantServer.start(null, folder.resolve("elsewhere.pem"))) {
      assertUnavailable(driver.open(opening(server.url(), null, ca, timeout)), "cannot be reached");
    }
  }

  @Test
  void settings_that_cannot_be_right_are_refused_without_their_secrets() {
    for (String url :
        List.of("redis://:s3cret@host", "http://:s3cret@ho st", "s3cret", "http://", "")) {
      assertThatThrownBy(() -> driver.open(opening(url, null, null, TIMEOUT)))
          .as(url)
          .isInstanceOfSatisfying(
              IllegalArgumentException.class,
              refused -> {
                assertThat(refused).hasNoCause();
                assertThat(refused.getMessage()).startsWith("url ").doesNotContain("s3cret");
              });
    }
    for (StoreDriver.Opening wrong :
        List.of(
            opening("https://host", null, folder.resolve("none"), TIMEOUT),
            new StoreDriver.Opening(
                "long", "http://host", "a/b", null, null, null, TIMEOUT, folder),
            new StoreDriver.Opening(
                "short", "http://host", "", null, null, null, TIMEOUT, folder))) {
      assertThatThrownBy(() -> driver.open(wrong)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void no_thread_is_left_when_the_driver_goes() throws Exception {
    try (QdrantServer server = QdrantServer.start()) {
      Set<Thread> before = Thread.getAllStackTraces().keySet();
      ItemStore store = driver.open(opening(server.url(), null, null, TIMEOUT));
      put(store, 1);
      driver.close();

      assertThatThrownBy(() -> store.get(PLACE))
          .isInstanceOf(StoreUnavailable.class)
          .hasMessage("the store of long memory is closed");
      server.close();
      long end = System.nanoTime() + WAIT_MAX.toNanos();
      while (!fresh(before).isEmpty()) {
        assertThat(System.nanoTime()).as(fresh(before).toString()).isLessThan(end);
        Thread.onSpinWait();
      }
    }
  }

  private static Set<String> fresh(Set<Thread> before) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> !before.contains(thread) && thread.isAlive())
        .map(Thread::getName)
        .filter(name -> name.matches(".*(aion-qdrant|grpc|nio|netty|globalEventExecutor|pool-).*"))
        .collect(Collectors.toSet());
  }
}
