package org.aionos.backend.qdrant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.qdrant.client.ValueFactory;
import io.qdrant.client.grpc.Points.PointStruct;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
import org.aionos.kernel.memory.Vector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What stands in the server, and what others do to it. */
final class QdrantPointsTest {

  private static final AgentId ANN = new AgentId("acme", "ann");
  private static final AgentId BOB = new AgentId("acme", "bob");
  private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");
  private static final Duration WHILE = Duration.ofSeconds(60);

  private final QdrantDriver driver = new QdrantDriver();
  private QdrantServer server;
  private ItemStore store;

  @BeforeEach
  void start() throws Exception {
    server = QdrantServer.start();
    store = driver.open(QdrantItemsTest.opening(server.url(), "test", null, null));
  }

  @AfterEach
  void stop() throws Exception {
    driver.close();
    server.close();
  }

  private static Place place(AgentId agent, String key) {
    return new Place(agent, "t", key);
  }

  private void put(AgentId agent, String key, Object value) {
    put(store, agent, key, value);
  }

  private static void put(ItemStore into, AgentId agent, String key, Object value) {
    new Items(into, WHILE)
        .put(
            List.of(
                new Items.Wish(
                    place(agent, key),
                    new Item.Content(value, Map.of("n", 1), List.of("tag"), Vector.of(1f, 0f)),
                    false,
                    null,
                    null,
                    Provenance.own("sc-1"),
                    null)),
            1 << 20,
            NOW);
  }

  @Test
  void an_item_is_a_point_with_the_fields_that_the_contract_names() {
    put(ANN, "k", "words");

    PointStruct point =
        server.collections.get("test").points.get(ItemPoints.id(place(ANN, "k")).toString());
    assertThat(point.getPayloadOrThrow("tenant").getStringValue()).isEqualTo("acme");
    assertThat(point.getPayloadOrThrow("agent").getStringValue()).isEqualTo("ann");
    assertThat(point.getPayloadOrThrow("tags").getListValue().getValuesList())
        .containsExactly(ValueFactory.value("tag"));
    assertThat(point.getPayloadOrThrow("ts").getIntegerValue()).isEqualTo(NOW.toEpochMilli());
    assertThat(point.getVectors().getVectors().getVectorsMap())
        .containsOnlyKeys("words", "vector_2");
  }

  @Test
  void a_point_that_names_another_place_is_not_believed() {
    put(ANN, "mine", "x");
    put(BOB, "k", "secret");
    Map<String, PointStruct> points = server.collections.get("test").points;
    PointStruct bobs = points.get(ItemPoints.id(place(BOB, "k")).toString());
    points.computeIfPresent(
        ItemPoints.id(place(ANN, "mine")).toString(),
        (id, mine) -> mine.toBuilder().putPayload("line", bobs.getPayloadOrThrow("line")).build());

    assertThatThrownBy(() -> store.get(place(ANN, "mine")))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void of_two_kernels_neither_writes_over_what_it_has_not_seen() {
    ItemStore other = driver.open(QdrantItemsTest.opening(server.url(), "test", null, null));
    Place place = place(ANN, "k");
    put(ANN, "k", "first");
    boolean[] raced = {false};
    server.beforeUpsert(
        () -> {
          if (!raced[0]) {
            raced[0] = true;
            put(other, ANN, "k", "between");
          }
        });

    put(ANN, "k", "second");

    server.beforeUpsert(() -> {});
    Item item = store.get(place).orElseThrow();
    assertThat(raced[0]).isTrue();
    assertThat(item.content().value()).isEqualTo("second");
    assertThat(item.version()).isEqualTo(3);
    assertThat(store.bytes("acme")).isEqualTo(ItemRows.size(item));
  }

  @Test
  void a_writer_sees_that_he_was_heard_also_if_another_has_written_over_it_since() {
    ItemStore other = driver.open(QdrantItemsTest.opening(server.url(), "test", null, null));
    put(ANN, "k", "first");
    boolean[] raced = {false};
    server.afterUpsert(
        () -> {
          if (!raced[0]) {
            raced[0] = true;
            put(other, ANN, "k", "third");
          }
        });

    put(ANN, "k", "second");

    Item item = store.get(place(ANN, "k")).orElseThrow();
    assertThat(raced[0]).isTrue();
    assertThat(item.content().value()).isEqualTo("third");
    assertThat(item.version()).isEqualTo(3);
  }

  /** Each adds one to what it read, wanting that version; so the sum tells whether one was lost. */
  @Test
  void of_writers_in_two_kernels_none_is_lost() throws Exception {
    List<ItemStore> stores =
        List.of(store, driver.open(QdrantItemsTest.opening(server.url(), "test", null, null)));
    Place place = place(ANN, "counter");
    put(ANN, "counter", 0);
    ExecutorService writers = Executors.newFixedThreadPool(4);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        Items items = new Items(stores.get(i % 2), WHILE);
        all.add(writers.submit(() -> addOne(items, place)));
      }
      for (Future<?> each : all) {
        each.get();
      }
    } finally {
      writers.shutdownNow();
    }

    Item item = store.get(place).orElseThrow();
    assertThat(item.content().value()).isEqualTo(100);
    assertThat(item.version()).isEqualTo(101);
  }

  private static void addOne(Items items, Place place) {
    while (true) {
      Item before = items.get(place, NOW).orElseThrow();
      int count = ((Number) before.content().value()).intValue();
      try {
        items.put(
            List.of(
                new Items.Wish(
                    place,
                    new Item.Content(count + 1, Map.of(), List.of(), null),
                    false,
                    null,
                    before.version(),
                    Provenance.own("sc-1"),
                    null)),
            1 << 20,
            NOW);
        return;
      } catch (Refused conflict) {
        assertThat(conflict.problem().code()).isEqualTo(Code.CONFLICT);
      }
    }
  }
}
