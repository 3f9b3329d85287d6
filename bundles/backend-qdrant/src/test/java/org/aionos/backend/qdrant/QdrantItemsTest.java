package org.aionos.backend.qdrant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.aionos.items.FindContract;
import org.aionos.items.ItemRows;
import org.aionos.items.Items;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.Embedding;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Probe;
import org.aionos.kernel.memory.Provenance;
import org.aionos.kernel.memory.StoreDriver;
import org.aionos.kernel.memory.Vector;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Against the server of {@code QDRANT_URL} and {@code QDRANT_API_KEY} if there is one, where it
 * leaves collections that begin with {@code aion_test_}; else against {@link QdrantServer}.
 */
final class QdrantItemsTest extends FindContract {

  private static QdrantServer server;

  private static final QdrantDriver driver = new QdrantDriver();
  private final String collection = "aion_test_" + UUID.randomUUID();

  @BeforeAll
  static void start() throws Exception {
    server = QdrantServer.start();
  }

  @AfterAll
  static void stop() throws Exception {
    driver.close();
    server.close();
  }

  static StoreDriver.Opening opening(String url, String collection, String key, Path caFile) {
    return new StoreDriver.Opening(
        "long", url, collection, null, key, caFile, Duration.ofSeconds(20), Path.of("unused"));
  }

  @Override
  protected ItemStore open() {
    String url = System.getenv("QDRANT_URL");
    return driver.open(
        opening(
            url == null ? server.url() : url,
            collection,
            url == null ? null : System.getenv("QDRANT_API_KEY"),
            null));
  }

  @Test
  void embeddings_of_one_model_are_not_compared_with_those_of_another() {
    for (String model : List.of("a@1", "b@1")) {
      Item.Content content = new Item.Content("text", Map.of(), List.of(), null);
      Embedding embedding = new Embedding(model, Vector.of(1f, 0f));
      new Items(store(), WHILE)
          .put(
              List.of(
                  new Items.Wish(
                      place(ANN, model),
                      content,
                      false,
                      null,
                      null,
                      Provenance.own("sc-1"),
                      embedding)),
              ROOM,
              NOW);
    }
    Probe probe =
        new Probe(null, null, new Embedding("a@1", Vector.of(1f, 0f)), 5, Probe.Boosts.NONE);

    assertThat(store().find(ANN, Filter.ANY, probe, NOW))
        .extracting(hit -> hit.item().place().key())
        .containsExactly("a@1");
    Probe unknown =
        new Probe(null, null, new Embedding("c@1", Vector.of(1f, 0f)), 5, Probe.Boosts.NONE);
    assertThat(store().find(ANN, Filter.ANY, unknown, NOW)).isEmpty();
  }

  @Test
  void agents_choose_only_so_many_spaces_of_vectors() {
    for (int dimensions = 2; dimensions < 34; dimensions++) {
      put(ANN, "k" + dimensions, "text", Map.of(), new float[dimensions]);
    }
    assertThatThrownBy(() -> put(ANN, "more", "text", Map.of(), new float[34]))
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> assertThat(refused.problem().code()).isEqualTo(Code.INVALID_FIELD));
    assertThat(store().get(place(ANN, "more"))).isEmpty();
    put(ANN, "more", "text", Map.of(), new float[33]);
  }

  @Test
  void all_of_a_tenant_are_read_page_by_page() {
    for (int i = 0; i < 130; i++) {
      put(ANN, "k" + i, "x", Map.of());
    }
    List<Item> all = new ArrayList<>();
    String after = null;
    do {
      Page page = store().all("acme", after, 1_000);
      all.addAll(page.items());
      after = page.next();
    } while (after != null);
    assertThat(all).hasSize(130).doesNotHaveDuplicates();
    assertThat(store().bytes("acme")).isEqualTo(all.stream().mapToLong(ItemRows::size).sum());
    assertThatThrownBy(() -> store().all("other", store().all("acme", null, 9).next(), 9))
        .isInstanceOf(Refused.class);
  }
}
