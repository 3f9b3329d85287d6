package org.aionos.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.aionos.backend.minio.FaultyWire;
import org.aionos.backend.minio.MinioDriver;
import org.aionos.backend.minio.S3ProxyServer;
import org.aionos.backend.minio.S3Server;
import org.aionos.items.Items;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ObjectStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Provenance;
import org.aionos.kernel.memory.StoreUnavailable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Writers while the wire to the bucket, or the server, fails and comes back. */
final class EpisodicFaultsTest {

  private static final AgentId ANN = new AgentId("acme", "ann");
  private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");
  private static final Duration TIMEOUT = Duration.ofSeconds(1);
  private static final EpisodicItems.Limits LIMITS =
      new EpisodicItems.Limits(4_000, Duration.ofHours(1), 60_000, 8_000);

  @TempDir static Path library;
  @TempDir static Path served;
  @TempDir Path folder;
  private static S3ProxyServer server;

  private final String bucket = "aion-" + UUID.randomUUID();

  @BeforeAll
  static void start() throws IOException {
    NativeLibrary.load(library, "test");
    server = S3ProxyServer.start(served);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private EpisodicItems open(String home, int port) {
    ObjectStore objects =
        new MinioDriver()
            .open(S3Server.opening(port, bucket, folder, TIMEOUT), Duration.ofDays(30));
    return EpisodicItems.open(
        folder.resolve(home),
        folder.resolve(home + "-index"),
        false,
        objects,
        LIMITS,
        Duration.ofMillis(20),
        InstantSource.fixed(NOW));
  }

  /** Until the store takes no more, or has taken so many. */
  private static void write(
      EpisodicItems store, String prefix, int count, Map<Place, Item> acknowledged) {
    Items items = new Items(store, Duration.ZERO);
    for (int i = 0; i < count; i++) {
      Items.Wish wish =
          new Items.Wish(
              new Place(ANN, "", prefix + i),
              new Item.Content("x".repeat(500) + i, Map.of(), List.of(), null),
              false,
              null,
              null,
              Provenance.own("sc-1"),
              null);
      long begun = System.nanoTime();
      try {
        Item item = items.put(List.of(wish), Long.MAX_VALUE, NOW).get(0);
        acknowledged.put(item.place(), item);
      } catch (StoreUnavailable full) {
        return;
      } finally {
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(TIMEOUT);
      }
    }
  }

  private static Map<Place, Item> all(EpisodicItems store) {
    Map<Place, Item> all = new HashMap<>();
    String after = null;
    do {
      Page page = store.all("acme", after, 50);
      page.items().forEach(item -> all.put(item.place(), item));
      after = page.next();
    } while (after != null);
    return all;
  }

  private void awaitUploaded(EpisodicItems store) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (store.waitingBytes() > LIMITS.segmentBytesMax() * 2L) {
      assertThat(System.nanoTime()).as("it is uploaded in time").isLessThan(deadline);
      Thread.onSpinWait();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"STALL", "CUT", "REFUSE"})
  void writers_wait_for_no_bucket_and_nothing_acknowledged_is_lost(FaultyWire.Fault fault)
      throws Exception {
    Map<Place, Item> acknowledged = new HashMap<>();
    try (FaultyWire wire = new FaultyWire(server.port())) {
      EpisodicItems store = open("home", wire.port());
      write(store, "before-", 30, acknowledged);
      awaitUploaded(store);
      wire.is(fault);
      write(store, "during-", 1_000, acknowledged);
      assertThat(acknowledged).hasSizeBetween(70, 200);
      // A restart in the midst of it changes nothing.
      store.close();
      store = open("home", wire.port());
      write(store, "still-", 10, acknowledged);
      wire.is(FaultyWire.Fault.NONE);
      awaitUploaded(store);
      write(store, "after-", 30, acknowledged);
      awaitUploaded(store);

      assertThat(acknowledged).containsKey(new Place(ANN, "", "after-29"));
      assertThat(all(store)).isEqualTo(acknowledged);
      store.close();
    }
  }

  @Test
  void a_server_that_is_killed_loses_nothing_and_an_empty_kernel_finds_all_in_its_bucket()
      throws Exception {
    Map<Place, Item> acknowledged = new HashMap<>();
    EpisodicItems store = open("home", server.port());
    write(store, "before-", 100, acknowledged);
    server.kill();
    write(store, "during-", 50, acknowledged);
    server.restart();
    awaitUploaded(store);
    write(store, "after-", 20, acknowledged);
    awaitUploaded(store);
    // The day is over: what is open is sealed and goes, too.
    store.tend(NOW.plus(Duration.ofDays(1)));
    assertThat(store.waitingBytes()).isZero();
    assertThat(all(store)).isEqualTo(acknowledged);
    store.close();

    EpisodicItems elsewhere = open("elsewhere", server.port());
    assertThat(all(elsewhere)).isEqualTo(acknowledged);
    elsewhere.close();
  }
}
