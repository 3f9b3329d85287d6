package org.aionos.items;

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
import org.aionos.kernel.memory.Embedding;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Hidden;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Provenance;
import org.aionos.kernel.memory.Selection;
import org.aionos.kernel.memory.Trust;
import org.aionos.kernel.memory.Vector;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every store of items does, by itself and below {@link Items}. */
public abstract class ItemStoreContract {

  protected static final AgentId ANN = new AgentId("acme", "ann");
  protected static final AgentId BOB = new AgentId("acme", "bob");
  protected static final Instant NOW = Instant.parse("2030-01-01T00:00:00.5Z");
  protected static final long ROOM = 1 << 20;

  /** For the undo of a delete. */
  protected static final Duration WHILE = Duration.ofSeconds(60);

  private ItemStore store;
  private Items items;

  /** The same store each time within one test, whatever was closed meanwhile; empty at first. */
  protected abstract ItemStore open() throws Exception;

  protected final ItemStore store() {
    return store;
  }

  @BeforeEach
  final void openStore() throws Exception {
    store = open();
    items = new Items(store, WHILE);
  }

  @AfterEach
  final void closeStore() {
    if (store != null) {
      store.close();
    }
  }

  private void reopen() throws Exception {
    store.close();
    openStore();
  }

  private static Place place(AgentId agent, String key) {
    return new Place(agent, "", key);
  }

  private static Items.Wish wish(Place place, Object value) {
    return wish(place, value, null, null);
  }

  private static Items.Wish wish(
      Place place, Object value, @Nullable Duration ttl, @Nullable Long ifVersion) {
    return wish(place, value, ttl, ifVersion, Provenance.own("sc-1"));
  }

  private static Items.Wish wish(
      Place place,
      Object value,
      @Nullable Duration ttl,
      @Nullable Long ifVersion,
      Provenance provenance) {
    return new Items.Wish(
        place,
        new Item.Content(value, Map.of(), List.of(), null),
        false,
        ttl,
        ifVersion,
        provenance,
        null);
  }

  private void deleteForGood(Place place) {
    assertThat(new Items(store, Duration.ZERO).delete(place, NOW)).isTrue();
  }

  private Item put(Place place, Object value) {
    return put(wish(place, value), NOW);
  }

  private Item put(Items.Wish wish, Instant now) {
    return items.put(List.of(wish), ROOM, now).get(0);
  }

  private @Nullable Object value(Place place, Instant now) {
    return items.get(place, now).map(item -> item.content().value()).orElse(null);
  }

  private List<String> keys(AgentId agent) {
    List<String> keys = new ArrayList<>();
    String after = null;
    do {
      Page page = store.query(new Selection(agent, Filter.ANY, after, 3), NOW);
      page.items().forEach(item -> keys.add(item.place().key()));
      after = page.next();
    } while (after != null);
    return keys;
  }

  @Test
  void what_was_put_is_there_also_after_a_restart() throws Exception {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("text", "سلام \ud83d\ude00 \u0000 line\nbreak");
    value.put("list", List.of(1, 2.5, true));
    value.put("none", null);
    Items.Wish wish =
        new Items.Wish(
            new Place(ANN, "t:1/..", "a key: / with %00 and ..\\ \"quotes\" {x} سلام"),
            new Item.Content(
                value,
                Map.of("source", "web", "n", 1.5),
                List.of("x", "y z"),
                Vector.of(1f, -2.5f)),
            true,
            Duration.ofHours(1),
            null,
            new Provenance("sc-7", "web_search", List.of("long::k"), Trust.MEDIUM),
            new Embedding("model@1", Vector.of(0.5f, 0.25f, -1f)));
    Item written = put(wish, NOW);

    reopen();

    assertThat(items.get(wish.place(), NOW)).contains(written);
    assertThat(store.query(new Selection(ANN, Filter.ANY, null, 9), NOW).items())
        .extracting(Item::place)
        .containsExactly(wish.place());
    assertThat(written)
        .isEqualTo(
            new Item(
                wish.place(),
                wish.content(),
                1,
                true,
                NOW,
                NOW,
                NOW.plusSeconds(3_600),
                wish.provenance(),
                null,
                wish.embedding()));
    assertThat(store.bytes()).isEqualTo(Map.of("acme", ItemRows.size(written)));
  }

  @Test
  void an_item_is_there_until_the_instant_at_which_it_expires() {
    Place place = place(ANN, "k");
    put(wish(place, 1, Duration.ofMillis(1_500), null), NOW);

    assertThat(value(place, NOW.plusMillis(1_499))).isEqualTo(1);
    assertThat(value(place, NOW.plusMillis(1_500))).isNull();
    Selection all = new Selection(ANN, Filter.ANY, null, 9);
    assertThat(store.query(all, NOW.plusMillis(1_500)).items()).isEmpty();
  }

  @Test
  void expired_items_are_taken_away_the_longest_expired_first_and_their_bytes_with_them() {
    for (int i = 0; i < 5; i++) {
      put(wish(place(ANN, "k" + i), i, Duration.ofSeconds(10 - i), null), NOW);
    }
    put(place(ANN, "stays"), 1);
    put(wish(place(ANN, "k4"), 4, Duration.ofDays(1), null), NOW);

    assertThat(items.sweep(NOW.plusSeconds(8), 1)).hasSize(1);
    assertThat(keys(ANN)).containsExactly("k0", "k1", "k2", "k4", "stays");
    assertThat(items.sweep(NOW.plusSeconds(8), 9)).hasSize(1);
    assertThat(items.sweep(NOW.plusSeconds(8), 9)).isEmpty();
    assertThat(keys(ANN)).containsExactly("k0", "k1", "k4", "stays");
    items.sweep(NOW.plus(Duration.ofDays(2)), 99);
    deleteForGood(place(ANN, "stays"));
    assertThat(store.bytes("acme")).isZero();
    assertThat(store.bytes()).isEmpty();
  }

  @Test
  void an_expired_item_that_was_not_taken_away_yet_is_as_none() {
    Place place = place(ANN, "k");
    put(wish(place, 1, Duration.ofSeconds(1), null), NOW);
    Instant later = NOW.plusSeconds(5);

    assertThat(items.delete(place, later)).isFalse();
    put(wish(place, 1, Duration.ofSeconds(1), null), NOW);
    Item anew = put(wish(place, 2, null, 0L), later);

    assertThat(anew.version()).isEqualTo(1);
    assertThat(anew.createdAt()).isEqualTo(later);
    assertThat(items.sweep(later.plusSeconds(9), 9)).isEmpty();
  }

  @Test
  void the_same_again_lives_on_and_is_no_other_version() {
    Place place = place(ANN, "k");
    Item first = put(place, "v");
    Item again =
        put(
            wish(place, "v", Duration.ofHours(1), null, Provenance.own("sc-2")),
            NOW.plusSeconds(9));
    Item other = put(wish(place, "w", null, null, Provenance.own("sc-3")), NOW.plusSeconds(10));

    assertThat(again.version()).isEqualTo(1);
    assertThat(again.provenance()).isEqualTo(first.provenance());
    assertThat(again.expiresAt()).isEqualTo(NOW.plusSeconds(3_609));
    assertThat(other.version()).isEqualTo(2);
    assertThat(other.createdAt()).isEqualTo(NOW);
    assertThat(other.updatedAt()).isEqualTo(NOW.plusSeconds(10));
    assertThat(other.provenance().writtenBy()).isEqualTo("sc-3");
  }

  @Test
  void a_put_can_want_a_version() {
    Place place = place(ANN, "k");
    assertConflict(wish(place, 1, null, 1L), "there is no such item");
    put(wish(place, 1, null, 0L), NOW);
    assertConflict(wish(place, 2, null, 0L), "the item has the version 1, not 0");
    put(wish(place, 2, null, 1L), NOW);

    assertThat(value(place, NOW)).isEqualTo(2);
  }

  private void assertConflict(Items.Wish wish, String why) {
    assertThatThrownBy(() -> put(wish, NOW))
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
    List<Items.Wish> wishes =
        List.of(
            wish(place(ANN, "fresh"), 1),
            wish(place(ANN, "fresh"), 2, null, 1L),
            wish(place(ANN, "there"), 2, null, 7L));

    assertThatThrownBy(() -> items.put(wishes, ROOM, NOW))
        .isInstanceOfSatisfying(
            Refused.class,
            refused ->
                assertThat(refused.problem().pointer()).isEqualTo("/params/items/2/if_version"));
    assertThat(keys(ANN)).containsExactly("there");

    List<Item> written = items.put(wishes.subList(0, 2), ROOM, NOW);
    assertThat(written).extracting(Item::version).containsExactly(1L, 2L);
    assertThat(value(place(ANN, "fresh"), NOW)).isEqualTo(2);
  }

  @Test
  void a_tenant_has_so_much_room_and_no_more() {
    put(place(ANN, "k"), "x".repeat(100));
    long used = store.bytes("acme");
    List<Items.Wish> more = List.of(wish(place(BOB, "k"), "x"));

    assertThatThrownBy(() -> items.put(more, used + 10, NOW))
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> assertThat(refused.problem().code()).isEqualTo(Code.BUDGET_EXHAUSTED));
    items.put(List.of(wish(place(ANN, "k"), "x".repeat(90))), used, NOW);
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
      assertThat(store.query(new Selection(agent, Filter.ANY, null, 99), NOW).items())
          .extracting(item -> item.content().value())
          .containsExactly(agent.toString(), agent + " of a task");
    }
    items.delete(place(ANN, "k"), NOW);
    assertThat(value(place(BOB, "k"), NOW)).isEqualTo(BOB.toString());
  }

  @Test
  void pages_go_on_where_the_one_before_ended_and_nobody_goes_on_with_anothers() {
    for (int i = 10; i < 20; i++) {
      put(place(ANN, "k" + i), i);
    }
    Page first = store.query(new Selection(ANN, Filter.ANY, null, 4), NOW);

    assertThat(keys(ANN)).hasSize(10).isSorted().doesNotHaveDuplicates();
    for (Selection wrong :
        List.of(
            new Selection(BOB, Filter.ANY, first.next(), 4),
            new Selection(ANN, Filter.ANY, "%%", 4))) {
      assertThatThrownBy(() -> store.query(wrong, NOW)).isInstanceOf(Refused.class);
    }
  }

  @Test
  void a_pin_changes_nothing_but_itself() {
    Item item = put(place(ANN, "k"), 1);

    assertThat(items.pin(item.place(), true, NOW))
        .contains(
            new Item(
                item.place(),
                item.content(),
                1,
                true,
                NOW,
                NOW,
                null,
                item.provenance(),
                null,
                null));
    assertThat(items.pin(place(ANN, "none"), true, NOW)).isEmpty();
    deleteForGood(item.place());
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

    assertThat(items.get(place(ANN, "k"), NOW).orElseThrow().version()).isEqualTo(400);
    deleteForGood(place(ANN, "k"));
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
          model.put(
              place,
              put(wish(place, random.nextInt(3), ttl, null, Provenance.own("sc-" + step)), now));
        }
        case 2 -> {
          model.remove(place);
          assertThat(items.delete(place, now)).isEqualTo(isThere);
        }
        case 3 -> items.sweep(now, random.nextInt(5));
        default ->
            assertThat(items.get(place, now).orElse(null))
                .as("seed %d step %d", seed, step)
                .isEqualTo(isThere ? known : null);
      }
    }
    while (!items.sweep(now.plus(Duration.ofDays(1)), 50).isEmpty()) {
      // Until nothing is left that can expire.
    }
    Items forGood = new Items(store, Duration.ZERO);
    for (Item item : model.values()) {
      forGood.delete(item.place(), now);
    }
    assertThat(store.bytes("acme")).as("seed %d", seed).isZero();
  }

  @Test
  void a_deleted_item_can_be_restored_for_a_while_as_it_was() {
    Place place = place(ANN, "k");
    Item item = put(wish(place, "v", Duration.ofHours(1), null), NOW);
    assertThat(items.delete(place, NOW)).isTrue();

    assertThat(value(place, NOW)).isNull();
    assertThat(keys(ANN)).isEmpty();
    assertThat(items.delete(place, NOW)).isFalse();
    assertThat(items.pin(place, true, NOW)).isEmpty();
    assertThat(items.restore(place, NOW.plus(WHILE))).isEmpty();
    assertThat(items.restore(place, NOW.plus(WHILE).minusMillis(1))).contains(item);
    assertThat(items.get(place, NOW)).contains(item);
    assertThat(items.restore(place, NOW)).isEmpty();

    items.delete(place, NOW);
    assertThat(items.sweep(NOW.plus(WHILE), 9)).extracting(Item::place).containsExactly(place);
    assertThat(store.bytes()).isEmpty();
  }

  @Test
  void an_item_in_quarantine_is_hidden_and_not_written_over_until_it_is_released() {
    Place place = place(ANN, "k");
    Item item = put(place, "v");
    assertThat(items.quarantine(place, NOW).orElseThrow().hidden())
        .isEqualTo(new Hidden(Hidden.Reason.QUARANTINED, NOW, null));

    assertThat(items.get(place, NOW)).isEmpty();
    assertThat(items.restore(place, NOW)).isEmpty();
    assertThatThrownBy(() -> put(place, "w"))
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> assertThat(refused.problem().code()).isEqualTo(Code.CONFLICT));
    assertThat(items.release(place, NOW)).contains(item);
    assertThat(items.get(place, NOW)).contains(item);
  }

  @Test
  void trust_is_never_raised_by_writing_again_nor_by_deleting_before() {
    Place place = place(ANN, "k");
    Provenance low = new Provenance("sc-1", "web", List.of(), Trust.LOW);
    put(wish(place, "v", null, null, low), NOW);
    Item again = put(wish(place, "w"), NOW);
    items.delete(place, NOW);
    Item anew = put(wish(place, "x"), NOW);

    assertThat(again.provenance().trust()).isEqualTo(Trust.LOW);
    assertThat(anew.provenance().trust()).isEqualTo(Trust.LOW);
    assertThat(anew.version()).isEqualTo(1);
    assertThat(put(place(ANN, "other"), 1).provenance().trust()).isEqualTo(Trust.HIGH);
    Item same = put(wish(place(ANN, "other"), 1, null, null, low), NOW);
    assertThat(same.provenance()).isEqualTo(new Provenance("sc-1", null, List.of(), Trust.LOW));
    assertThat(same.version()).isEqualTo(1);
  }

  @Test
  void all_items_of_a_tenant_are_read_also_those_that_are_hidden_or_expired() {
    AgentId other = new AgentId("other", "ann");
    for (int i = 0; i < 7; i++) {
      put(wish(place(i % 2 == 0 ? ANN : BOB, "k" + i), i, Duration.ofSeconds(i + 1), null), NOW);
    }
    put(place(other, "theirs"), 1);
    items.delete(place(ANN, "k0"), NOW);
    List<String> all = new ArrayList<>();
    String after = null;
    do {
      Page page = store.all("acme", after, 3);
      page.items().forEach(item -> all.add(item.place().key()));
      after = page.next();
    } while (after != null);

    assertThat(all).containsExactlyInAnyOrder("k0", "k1", "k2", "k3", "k4", "k5", "k6");
    assertThat(store.bytes()).containsOnlyKeys("acme", "other");
    assertThat(store.bytes().get("acme")).isEqualTo(store.bytes("acme"));
  }

  @Test
  void large_values_and_long_names_are_kept_whole() {
    String large = "سلام 😀 ".repeat(20_000);
    Place place = new Place(ANN, "t".repeat(256), "ک".repeat(512));
    items.put(List.of(wish(place, large)), ROOM << 2, NOW);

    assertThat(value(place, NOW)).isEqualTo(large);
  }

  @Test
  void filters_admit_in_the_store_what_they_admit_of_the_items() {
    Random random = new Random(7);
    List<Object> values = List.of(1, 2, 2.5, "a", "b", true, "9");
    List<Item> all = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      Items.Wish wish =
          new Items.Wish(
              new Place(ANN, "t" + i % 3, "k" + i),
              new Item.Content(
                  "word",
                  Map.of("m", values.get(random.nextInt(values.size())), "n", random.nextInt(4)),
                  List.of("tag" + i % 4),
                  null),
              false,
              Duration.ofHours(1),
              null,
              new Provenance("sc-1", null, List.of(), Trust.values()[i % 3]),
              null);
      all.add(put(wish, NOW.plusMillis(i)));
    }
    for (int i = 0; i < 60; i++) {
      Filter filter = Filters.any(random, values, NOW, 3);
      List<String> expected =
          all.stream().filter(filter::admits).map(item -> item.place().key()).sorted().toList();
      List<String> found = new ArrayList<>();
      String after = null;
      do {
        Page page = store.query(new Selection(ANN, filter, after, 50), NOW.plusSeconds(1));
        page.items().forEach(item -> found.add(item.place().key()));
        after = page.next();
      } while (after != null);

      assertThat(found.stream().sorted().toList()).as(filter.toString()).isEqualTo(expected);
    }
  }

  @Test
  void writers_of_many_places_at_once_leave_the_bytes_right() throws Exception {
    ExecutorService writers = Executors.newFixedThreadPool(8);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        int value = i;
        all.add(
            writers.submit(
                () ->
                    items.put(
                        List.of(
                            wish(place(ANN, "k" + value % 10), "x".repeat(value)),
                            wish(place(BOB, "k" + value % 7), "y".repeat(value))),
                        ROOM,
                        NOW)));
      }
      for (Future<?> each : all) {
        each.get();
      }
    } finally {
      writers.shutdownNow();
    }

    long bytes = store.all("acme", null, 99).items().stream().mapToLong(ItemRows::size).sum();
    assertThat(store.bytes("acme")).isEqualTo(bytes);
  }
}
