package org.aionos.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every store of items does. */
abstract class ItemStoreContract {

  static final AgentId ANN = new AgentId("acme", "ann");
  static final AgentId BOB = new AgentId("acme", "bob");
  static final Instant NOW = Instant.parse("2030-01-01T00:00:00.5Z");
  static final long ROOM = 1 << 20;

  private ItemStore store;

  abstract ItemStore open();

  @BeforeEach
  void openStore() {
    store = open();
  }

  @AfterEach
  void closeStore() {
    store.close();
  }

  private void reopen() {
    store.close();
    store = open();
  }

  private static Place place(AgentId agent, String key) {
    return new Place(agent, "", key);
  }

  private static ItemStore.Wish wish(Place place, Object value) {
    return wish(place, value, null, null);
  }

  private static ItemStore.Wish wish(
      Place place, Object value, @Nullable Duration ttl, @Nullable Long ifVersion) {
    return new ItemStore.Wish(
        place, new Item.Content(value, Map.of(), List.of()), false, ttl, ifVersion);
  }

  private Item put(Place place, Object value) {
    return put(wish(place, value), "sc-1", NOW);
  }

  private Item put(ItemStore.Wish wish, String by, Instant now) {
    return store.put(List.of(wish), by, ROOM, now).get(0);
  }

  private @Nullable Object value(Place place, Instant now) {
    return store.get(place, now).map(item -> item.content().value()).orElse(null);
  }

  private List<String> keys(AgentId agent) {
    List<String> keys = new ArrayList<>();
    String after = null;
    do {
      ItemStore.Page page = store.query(new ItemStore.Selection(agent, Filter.ANY, after, 3), NOW);
      page.items().forEach(item -> keys.add(item.place().key()));
      after = page.next();
    } while (after != null);
    return keys;
  }

  @Test
  void what_was_put_is_there_also_after_a_restart() {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("text", "سلام \ud83d\ude00 \u0000 line\nbreak");
    value.put("list", List.of(1, 2.5, true));
    value.put("none", null);
    ItemStore.Wish wish =
        new ItemStore.Wish(
            new Place(ANN, "t-1", "a key / with %00 and ..\\"),
            new Item.Content(value, Map.of("source", "web"), List.of("x", "y")),
            true,
            Duration.ofHours(1),
            null);
    Item written = put(wish, "sc-7", NOW);

    reopen();

    assertThat(store.get(wish.place(), NOW)).contains(written);
    assertThat(written)
        .isEqualTo(
            new Item(
                wish.place(), wish.content(), 1, true, NOW, NOW, NOW.plusSeconds(3_600), "sc-7"));
  }

  @Test
  void an_item_is_there_until_the_instant_at_which_it_expires() {
    Place place = place(ANN, "k");
    put(wish(place, 1, Duration.ofMillis(1_500), null), "sc-1", NOW);

    assertThat(value(place, NOW.plusMillis(1_499))).isEqualTo(1);
    assertThat(value(place, NOW.plusMillis(1_500))).isNull();
    ItemStore.Selection all = new ItemStore.Selection(ANN, Filter.ANY, null, 9);
    assertThat(store.query(all, NOW.plusMillis(1_500)).items()).isEmpty();
  }

  @Test
  void expired_items_are_taken_away_the_longest_expired_first_and_their_bytes_with_them() {
    for (int i = 0; i < 5; i++) {
      put(wish(place(ANN, "k" + i), i, Duration.ofSeconds(10 - i), null), "sc-1", NOW);
    }
    put(place(ANN, "stays"), 1);
    put(wish(place(ANN, "k4"), 4, Duration.ofDays(1), null), "sc-1", NOW);

    assertThat(store.sweep(NOW.plusSeconds(8), 1)).isEqualTo(1);
    assertThat(keys(ANN)).containsExactly("k0", "k1", "k2", "k4", "stays");
    assertThat(store.sweep(NOW.plusSeconds(8), 9)).isEqualTo(1);
    assertThat(store.sweep(NOW.plusSeconds(8), 9)).isZero();
    assertThat(keys(ANN)).containsExactly("k0", "k1", "k4", "stays");
    store.sweep(NOW.plus(Duration.ofDays(2)), 99);
    store.delete(place(ANN, "stays"), NOW);
    assertThat(store.bytes("acme")).isZero();
  }

  @Test
  void an_expired_item_that_was_not_taken_away_yet_is_as_none() {
    Place place = place(ANN, "k");
    put(wish(place, 1, Duration.ofSeconds(1), null), "sc-1", NOW);
    Instant later = NOW.plusSeconds(5);

    assertThat(store.delete(place, later)).isFalse();
    put(wish(place, 1, Duration.ofSeconds(1), null), "sc-1", NOW);
    Item anew = put(wish(place, 2, null, 0L), "sc-2", later);

    assertThat(anew.version()).isEqualTo(1);
    assertThat(anew.createdAt()).isEqualTo(later);
    assertThat(store.sweep(later.plusSeconds(9), 9)).isZero();
  }

  @Test
  void the_same_again_lives_on_and_is_no_other_version() {
    Place place = place(ANN, "k");
    Item first = put(place, "v");
    Item again = put(wish(place, "v", Duration.ofHours(1), null), "sc-2", NOW.plusSeconds(9));
    Item other = put(wish(place, "w"), "sc-3", NOW.plusSeconds(10));

    assertThat(again.version()).isEqualTo(1);
    assertThat(again.writtenBy()).isEqualTo(first.writtenBy());
    assertThat(again.expiresAt()).isEqualTo(NOW.plusSeconds(3_609));
    assertThat(other.version()).isEqualTo(2);
    assertThat(other.createdAt()).isEqualTo(NOW);
    assertThat(other.updatedAt()).isEqualTo(NOW.plusSeconds(10));
    assertThat(other.writtenBy()).isEqualTo("sc-3");
  }

  @Test
  void a_put_can_want_a_version() {
    Place place = place(ANN, "k");
    assertConflict(wish(place, 1, null, 1L), "there is no such item");
    put(wish(place, 1, null, 0L), "sc-1", NOW);
    assertConflict(wish(place, 2, null, 0L), "the item has the version 1, not 0");
    put(wish(place, 2, null, 1L), "sc-1", NOW);

    assertThat(value(place, NOW)).isEqualTo(2);
  }

  private void assertConflict(ItemStore.Wish wish, String why) {
    assertThatThrownBy(() -> put(wish, "sc-1", NOW))
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> {
              assertThat(refused.problem().code()).isEqualTo(Code.CONFLICT);
              assertThat(refused.problem().message()).isEqualTo(why);
              assertThat(refused.problem().pointer()).isEqualTo("/params/items/0/if_version");
            });
  }

  @Test
  void a_batch_is_written_whole_or_not_at_all() {
    put(place(ANN, "there"), 1);
    List<ItemStore.Wish> wishes =
        List.of(
            wish(place(ANN, "fresh"), 1),
            wish(place(ANN, "fresh"), 2, null, 1L),
            wish(place(ANN, "there"), 2, null, 7L));

    assertThatThrownBy(() -> store.put(wishes, "sc-1", ROOM, NOW))
        .isInstanceOfSatisfying(
            Refused.class,
            refused ->
                assertThat(refused.problem().pointer()).isEqualTo("/params/items/2/if_version"));
    assertThat(keys(ANN)).containsExactly("there");

    List<Item> written = store.put(wishes.subList(0, 2), "sc-1", ROOM, NOW);
    assertThat(written).extracting(Item::version).containsExactly(1L, 2L);
    assertThat(value(place(ANN, "fresh"), NOW)).isEqualTo(2);
  }

  @Test
  void a_tenant_has_so_much_room_and_no_more() {
    put(place(ANN, "k"), "x".repeat(100));
    long used = store.bytes("acme");
    List<ItemStore.Wish> more = List.of(wish(place(BOB, "k"), "x"));

    assertThatThrownBy(() -> store.put(more, "sc-1", used + 10, NOW))
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> assertThat(refused.problem().code()).isEqualTo(Code.BUDGET_EXHAUSTED));
    store.put(List.of(wish(place(ANN, "k"), "x".repeat(90))), "sc-1", used, NOW);
    assertThat(store.bytes("acme")).isEqualTo(used - 10);
    assertThat(store.bytes("other")).isZero();
  }

  @Test
  void agents_and_tenants_whose_names_begin_alike_have_nothing_of_each_other() {
    List<AgentId> agents =
        List.of(
            ANN,
            BOB,
            new AgentId("acme", "ann-2"),
            new AgentId("acme", "an"),
            new AgentId("acme.ann", "ann"),
            new AgentId("acm", "eann"));
    for (AgentId agent : agents) {
      put(new Place(agent, "", "k"), agent.toString());
      put(new Place(agent, "k", "k"), agent + " of a task");
    }

    for (AgentId agent : agents) {
      assertThat(store.query(new ItemStore.Selection(agent, Filter.ANY, null, 99), NOW).items())
          .extracting(item -> item.content().value())
          .containsExactly(agent.toString(), agent + " of a task");
    }
    store.delete(place(ANN, "k"), NOW);
    assertThat(value(place(BOB, "k"), NOW)).isEqualTo(BOB.toString());
  }

  @Test
  void pages_go_on_where_the_one_before_ended_and_nobody_goes_on_with_anothers() {
    for (int i = 10; i < 20; i++) {
      put(place(ANN, "k" + i), i);
    }
    ItemStore.Page first = store.query(new ItemStore.Selection(ANN, Filter.ANY, null, 4), NOW);

    assertThat(keys(ANN)).hasSize(10).isSorted().doesNotHaveDuplicates();
    for (ItemStore.Selection wrong :
        List.of(
            new ItemStore.Selection(BOB, Filter.ANY, first.next(), 4),
            new ItemStore.Selection(ANN, Filter.ANY, "%%", 4))) {
      assertThatThrownBy(() -> store.query(wrong, NOW)).isInstanceOf(Refused.class);
    }
  }

  @Test
  void a_pin_changes_nothing_but_itself() {
    Item item = put(place(ANN, "k"), 1);

    assertThat(store.pin(item.place(), true, NOW))
        .contains(
            new Item(item.place(), item.content(), 1, true, NOW, NOW, null, item.writtenBy()));
    assertThat(store.pin(place(ANN, "none"), true, NOW)).isEmpty();
    store.delete(item.place(), NOW);
    assertThat(store.bytes("acme")).isZero();
  }

  @Test
  void writers_at_once_lose_no_version_and_no_byte() throws Exception {
    ExecutorService writers = Executors.newFixedThreadPool(8);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < 400; i++) {
        int value = i;
        all.add(writers.submit(() -> put(place(ANN, "k"), value)));
      }
      for (Future<?> each : all) {
        each.get();
      }
    } finally {
      writers.shutdownNow();
    }

    assertThat(store.get(place(ANN, "k"), NOW).orElseThrow().version()).isEqualTo(400);
    store.delete(place(ANN, "k"), NOW);
    assertThat(store.bytes("acme")).isZero();
  }

  /** One seed is one life: what a plain map says, the store says too. */
  @Test
  void does_as_a_plain_map_would_whatever_is_asked_of_it() {
    for (long seed = 0; seed < 20; seed++) {
      live(seed);
    }
  }

  private void live(long seed) {
    Random random = new Random(seed);
    Map<Place, Item> model = new HashMap<>();
    Instant now = NOW.plus(Duration.ofDays(10 * seed));
    for (int step = 0; step < 200; step++) {
      now = now.plusMillis(random.nextInt(400));
      AgentId agent = random.nextBoolean() ? ANN : BOB;
      Place place = new Place(agent, "s" + seed, "k" + random.nextInt(8));
      Item known = model.get(place);
      boolean isThere = known != null && known.isThere(now);
      switch (random.nextInt(5)) {
        case 0, 1 -> {
          Duration ttl = random.nextBoolean() ? null : Duration.ofMillis(1 + random.nextInt(900));
          model.put(place, put(wish(place, random.nextInt(3), ttl, null), "sc-" + step, now));
        }
        case 2 -> {
          model.remove(place);
          assertThat(store.delete(place, now)).isEqualTo(isThere);
        }
        case 3 -> store.sweep(now, random.nextInt(5));
        default ->
            assertThat(store.get(place, now).orElse(null))
                .as("seed %d step %d", seed, step)
                .isEqualTo(isThere ? known : null);
      }
    }
    store.sweep(now.plus(Duration.ofDays(1)), 9_999);
    for (Item item : model.values()) {
      store.delete(item.place(), now);
    }
    assertThat(store.bytes("acme")).as("seed %d", seed).isZero();
  }
}
