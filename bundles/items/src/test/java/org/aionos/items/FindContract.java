package org.aionos.items;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Hit;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Probe;
import org.aionos.kernel.memory.Provenance;
import org.aionos.kernel.memory.Trust;
import org.aionos.kernel.memory.Vector;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a store does that finds, besides what all stores do. */
public abstract class FindContract extends ItemStoreContract {

  protected final void put(
      AgentId agent, String key, Object value, Map<String, Object> meta, float... vector) {
    put(List.of(wish(agent, key, value, meta, vector)));
  }

  private void put(List<Items.Wish> wishes) {
    new Items(store(), WHILE).put(wishes, ROOM << 8, NOW);
  }

  private static Items.Wish wish(
      AgentId agent, String key, Object value, Map<String, Object> meta, float... vector) {
    return new Items.Wish(
        new Place(agent, "t" + key.length() % 3, key),
        new Item.Content(
            value,
            meta,
            List.of("tag" + key.length() % 4),
            vector.length == 0 ? null : Vector.of(vector)),
        false,
        Duration.ofHours(1),
        null,
        new Provenance("sc-1", null, List.of(), Trust.values()[key.hashCode() & 1]),
        null);
  }

  protected static Place place(AgentId agent, String key) {
    return new Place(agent, "t" + key.length() % 3, key);
  }

  protected static Probe probe(@Nullable String text, int k, float... vector) {
    return new Probe(
        text, vector.length == 0 ? null : Vector.of(vector), null, k, Probe.Boosts.NONE);
  }

  private List<String> keys(
      AgentId agent, Filter filter, @Nullable String text, int k, float... vector) {
    return keys(store().find(agent, filter, probe(text, k, vector), NOW));
  }

  private static List<String> keys(List<Hit> hits) {
    return hits.stream().map(hit -> hit.item().place().key()).toList();
  }

  @Test
  void finds_by_words_in_english_and_persian_what_was_written_just_now() {
    put(ANN, "cats", "Cats are sleeping on the warm roof", Map.of());
    put(ANN, "dogs", Map.of("title", "Dogs", "body", List.of("They bark")), Map.of());
    put(ANN, "books", "کتاب‌های تازه در کتابخانه", Map.of());

    assertThat(keys(ANN, Filter.ANY, "a sleeping cat", 5)).containsExactly("cats");
    assertThat(keys(ANN, Filter.ANY, "barking dog", 5)).containsExactly("dogs");
    assertThat(keys(ANN, Filter.ANY, "کتاب", 5)).containsExactly("books");
    assertThat(keys(ANN, Filter.ANY, "elephant", 5)).isEmpty();

    put(ANN, "cats", "now about birds", Map.of());
    new Items(store(), WHILE).delete(place(ANN, "dogs"), NOW);
    assertThat(keys(ANN, Filter.ANY, "sleeping cat bark", 5)).isEmpty();
    assertThat(keys(ANN, Filter.ANY, "bird", 5)).containsExactly("cats");
  }

  @Test
  void finds_by_vector_and_fuses_both() {
    put(ANN, "east", "one", Map.of(), 1f, 0f);
    put(ANN, "north", "two", Map.of(), 0f, 1f);
    put(ANN, "northeast", "three", Map.of(), 0.7f, 0.7f);
    put(ANN, "deep", "four", Map.of(), 1f, 0f, 0f);

    assertThat(keys(ANN, Filter.ANY, null, 2, 0.9f, 0.1f)).containsExactly("east", "northeast");
    assertThat(keys(ANN, Filter.ANY, null, 9, 0f, 0f, 1f)).containsExactly("deep");
    List<Hit> fused = store().find(ANN, Filter.ANY, probe("two", 3, 0.9f, 0.1f), NOW);
    assertThat(fused.get(0).item().place().key()).isEqualTo("north");
    assertThat(fused.get(0).lexical()).isPositive();
    assertThat(fused.get(0).dense()).isPositive();
    assertThat(fused.get(1).lexical()).isNull();
  }

  @Test
  void an_expired_item_is_not_found() {
    put(ANN, "k", "words", Map.of());

    assertThat(store().find(ANN, Filter.ANY, probe("words", 5), NOW.plusSeconds(3_600))).isEmpty();
    assertThat(keys(ANN, Filter.ANY, "words", 5)).containsExactly("k");
  }

  @Test
  void nobody_finds_what_another_has_and_the_best_of_the_admitted_are_found() {
    AgentId alike = new AgentId("acme", "ann-2");
    for (int i = 0; i < 50; i++) {
      put(BOB, "b" + i, "the very words", Map.of("n", i), 1f, 0f);
      put(alike, "a" + i, "the very words", Map.of("n", i), 1f, 0f);
    }
    put(ANN, "mine", "some of the words and others besides", Map.of("n", 7), 0.1f, 1f);

    assertThat(keys(ANN, Filter.ANY, "the very words", 5)).containsExactly("mine");
    assertThat(keys(ANN, Filter.ANY, null, 5, 1f, 0f)).containsExactly("mine");
    assertThat(keys(BOB, new Filter.Meta("n", "gte", 48), "very", 5))
        .containsExactlyInAnyOrder("b48", "b49");
    assertThat(keys(BOB, new Filter.Meta("n", "eq", 49.0), null, 5, 0f, 1f)).containsExactly("b49");
    assertThat(keys(BOB, new Filter.Not(new Filter.Meta("n", "lt", 49)), "very", 5))
        .containsExactly("b49");
  }

  /** What a search admits is what the filter admits, for whatever filter. */
  @Test
  void filters_mean_the_same_in_a_search() {
    Random random = new Random(1);
    List<Object> values = List.of(1, 2, 2.5, 1e300, "a", "b", true, "9");
    List<Item> all = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      put(
          ANN,
          "k" + i,
          "word",
          Map.of("m", values.get(random.nextInt(values.size())), "n", random.nextInt(4)));
      all.add(store().get(place(ANN, "k" + i)).orElseThrow());
    }
    for (int i = 0; i < 300; i++) {
      Filter filter = Filters.any(random, values, NOW, 3);
      List<String> expected =
          all.stream().filter(filter::admits).map(item -> item.place().key()).sorted().toList();

      assertThat(keys(ANN, filter, "word", 60).stream().sorted().toList())
          .as(filter.toString())
          .isEqualTo(expected);
    }
  }

  /** A small measure of how many of the exact neighbours are found, with a filter and without. */
  @Test
  void finds_nearly_all_of_the_exact_neighbours() {
    Random random = new Random(5);
    List<float[]> vectors = new ArrayList<>();
    List<Items.Wish> wishes = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      float[] vector = new float[16];
      for (int d = 0; d < vector.length; d++) {
        vector[d] = (float) random.nextGaussian();
      }
      vectors.add(vector);
      wishes.add(wish(ANN, "v" + i, "", Map.of("tenth", i % 10), vector));
    }
    for (int i = 0; i < wishes.size(); i += 100) {
      put(wishes.subList(i, i + 100));
    }
    for (Filter filter : List.of(Filter.ANY, new Filter.Meta("tenth", "eq", 3))) {
      double recalled = 0;
      for (int query = 0; query < 50; query++) {
        float[] probe = vectors.get(random.nextInt(vectors.size()));
        List<String> exact = exact(vectors, probe, filter == Filter.ANY ? -1 : 3);
        List<String> keys = keys(ANN, filter, null, 10, probe);
        recalled += exact.stream().filter(keys::contains).count() / 10.0;
      }
      assertThat(recalled / 50).isGreaterThan(0.97);
    }
  }

  private static List<String> exact(List<float[]> vectors, float[] probe, int tenth) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < vectors.size(); i++) {
      if (tenth < 0 || i % 10 == tenth) {
        order.add(i);
      }
    }
    order.sort(Comparator.comparingDouble((Integer i) -> -cosine(vectors.get(i), probe)));
    return order.subList(0, 10).stream().map(i -> "v" + i).toList();
  }

  private static double cosine(float[] a, float[] b) {
    double dot = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      dot += a[i] * b[i];
      aa += a[i] * a[i];
      bb += b[i] * b[i];
    }
    return dot / Math.sqrt(aa * bb);
  }
}
