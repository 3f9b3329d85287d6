package org.aionos.backend.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.aionos.items.ItemRows;
import org.aionos.items.ItemStoreContract;
import org.aionos.items.Items;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Provenance;
import org.aionos.kernel.memory.Selection;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RedisItemsTest extends ItemStoreContract {

  @TempDir static Path folder;
  private static RedisServer server;

  private final RedisDriver driver = new RedisDriver();
  private ItemStore store;
  private boolean emptied;

  @BeforeAll
  static void start() throws Exception {
    server = RedisServer.start(folder);
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @Override
  protected ItemStore open() throws Exception {
    if (!emptied) {
      emptied = true;
      server.ask("FLUSHALL");
    }
    store = driver.open(Openings.of(server.url() + "/3", null, null, null, Duration.ofSeconds(20)));
    return store;
  }

  private Item put(Place place, Object value, Duration ttl, Instant now) {
    return new Items(store, WHILE)
        .put(
            List.of(
                new Items.Wish(
                    place,
                    new Item.Content(value, Map.of(), List.of(), null),
                    false,
                    ttl,
                    null,
                    Provenance.own("sc-1"),
                    null)),
            ROOM,
            now)
        .get(0);
  }

  @Test
  void others_find_an_item_under_the_key_that_the_contract_names() throws Exception {
    put(new Place(ANN, "a:b%", "k:1"), "v", Duration.ofHours(1), NOW);

    assertThat(
            server.ask(
                "EVAL \"redis.call('SELECT', 3) return redis.call('GET', KEYS[1])\" 1 mem:acme:ann:a%3Ab%25:k:1"))
        .startsWith("$");
    assertThat(
            server.ask(
                "EVAL \"redis.call('SELECT', 3) return redis.call('PEXPIRETIME', KEYS[1])\" 1 mem:acme:ann:a%3Ab%25:k:1"))
        .isEqualTo(":" + NOW.plus(Duration.ofHours(25)).toEpochMilli());
    assertThat(store.expired(NOW.plus(Duration.ofHours(2)), 9))
        .containsExactly(new Place(ANN, "a:b%", "k:1"));
  }

  @Test
  void bytes_of_items_that_the_server_let_go_are_counted_out() throws Exception {
    put(new Place(ANN, "", "gone"), "v", Duration.ofHours(1), NOW);
    Item stays = put(new Place(ANN, "", "stays"), "v", Duration.ofHours(1), NOW);
    server.ask(
        "EVAL \"redis.call('SELECT', 3) return redis.call('DEL', KEYS[1])\" 1 mem:acme:ann::gone");

    assertThat(store.get(new Place(ANN, "", "gone"))).isEmpty();
    assertThat(store.all("acme", null, 9).items()).containsExactly(stays);
    store.expired(NOW.plus(Duration.ofDays(3)), 9);

    assertThat(store.bytes("acme")).isEqualTo(ItemRows.size(stays));
  }

  @Test
  void a_page_says_where_to_go_on_also_if_it_admits_nothing() {
    for (int i = 0; i < 200; i++) {
      put(new Place(ANN, "t" + i % 2, "k" + i), i, Duration.ofHours(1), NOW);
    }
    Page page = store.query(new Selection(ANN, new Filter.Task("t1"), null, 100), NOW);
    assertThat(page.items()).hasSize(100);
    assertThat(page.next()).isNotNull();
    assertThat(store.query(new Selection(ANN, Filter.ANY, page.next(), 9), NOW))
        .isEqualTo(new Page(List.of(), null));
  }

  @Test
  void what_was_only_looked_at_must_not_have_changed_either() {
    Place looked = new Place(ANN, "", "looked");
    Place written = new Place(ANN, "", "written");
    put(looked, 1, Duration.ofHours(1), NOW);
    Item other = put(new Place(ANN, "", "other"), 1, Duration.ofHours(1), NOW);
    int[] asked = {0};

    store.change(
        List.of(looked, written),
        ROOM,
        stored -> {
          if (asked[0]++ == 0) {
            put(looked, 2, Duration.ofHours(1), NOW);
          }
          long version = stored.get(looked).version();
          return Map.of(
              written,
              Optional.of(
                  new Item(
                      written,
                      new Item.Content(version, Map.of(), List.of(), null),
                      1,
                      false,
                      NOW,
                      NOW,
                      null,
                      other.provenance(),
                      null,
                      null)));
        });

    assertThat(asked[0]).isEqualTo(2);
    assertThat(store.get(written).orElseThrow().content().value()).isEqualTo(2);
  }
}
