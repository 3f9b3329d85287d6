package org.aionos.items;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.aionos.kernel.memory.ObjectStore;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every store of objects does. */
public abstract class ObjectStoreContract {

  private ObjectStore store;

  /** The same store each time within one test, whatever was closed meanwhile; empty at first. */
  protected abstract ObjectStore open() throws Exception;

  @BeforeEach
  final void openStore() throws Exception {
    store = open();
  }

  @AfterEach
  final void closeStore() {
    if (store != null) {
      store.close();
    }
  }

  private void put(String name, String text) {
    store.put(name, text.getBytes(UTF_8));
  }

  private @Nullable String text(String name) {
    return store.get(name).map(bytes -> new String(bytes, UTF_8)).orElse(null);
  }

  @Test
  void an_object_is_there_whole_until_it_is_replaced_or_deleted_also_after_a_restart()
      throws Exception {
    put("episodic/acme/ann/a.jsonl", "one");
    put("episodic/acme/ann/b.jsonl", "");
    store.close();
    openStore();

    assertThat(text("episodic/acme/ann/a.jsonl")).isEqualTo("one");
    assertThat(text("episodic/acme/ann/b.jsonl")).isEmpty();
    put("episodic/acme/ann/a.jsonl", "two and more");
    assertThat(text("episodic/acme/ann/a.jsonl")).isEqualTo("two and more");
    store.delete("episodic/acme/ann/a.jsonl");
    assertThat(store.get("episodic/acme/ann/a.jsonl")).isEmpty();
  }

  @Test
  void what_is_not_there_is_empty_and_can_be_deleted() {
    assertThat(store.get("a/b")).isEmpty();
    assertThat(store.get("a/b", 0, 1)).isEmpty();
    assertThat(store.names("", null, 10)).isEmpty();
    store.delete("a/b");
  }

  @Test
  void parts_are_read_alone() {
    byte[] bytes = new byte[6 << 20];
    new Random(1).nextBytes(bytes);
    store.put("large", bytes);

    assertThat(store.get("large").orElseThrow()).isEqualTo(bytes);
    assertThat(store.get("large", 0, 1).orElseThrow()).containsExactly(bytes[0]);
    assertThat(store.get("large", bytes.length - 3L, 3).orElseThrow())
        .containsExactly(bytes[bytes.length - 3], bytes[bytes.length - 2], bytes[bytes.length - 1]);
    assertThat(store.get("large", 1_000_000, 5_000).orElseThrow())
        .isEqualTo(java.util.Arrays.copyOfRange(bytes, 1_000_000, 1_005_000));
  }

  @Test
  void names_are_told_in_order_and_in_pages() {
    List<String> all =
        List.of("e/a-1/x", "e/a.1/x", "e/a/2026-01-01/1", "e/a/2026-01-01/2", "e/a/2026-01-02/1");
    all.forEach(name -> put(name, name));
    put("f/other", "x");
    put("d", "x");

    assertThat(store.names("e/", null, 100)).containsExactlyElementsOf(all);
    assertThat(store.names("e/a/", null, 100)).containsExactlyElementsOf(all.subList(2, 5));
    assertThat(store.names("e/a/2026-01-0", null, 2)).containsExactlyElementsOf(all.subList(2, 4));
    assertThat(store.names("", null, 1)).containsExactly("d");
    assertThat(store.names("e/b/", null, 9)).isEmpty();
    List<String> paged = new ArrayList<>();
    List<String> page = store.names("e/", null, 2);
    while (!page.isEmpty()) {
      paged.addAll(page);
      page = store.names("e/", page.get(page.size() - 1), 2);
    }
    assertThat(paged).containsExactlyElementsOf(all);
  }

  @Test
  void a_name_cannot_lead_out_of_the_store() {
    for (String name :
        List.of("", "/a", "a/", "../a", "a/../b", "a//b", "a/./b", ".a", "a\\b", "a b", "a\0b")) {
      assertThatThrownBy(() -> put(name, "x"))
          .as(name)
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> store.get(name)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> store.get(name, 0, 1)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> store.delete(name)).isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> store.names("../", null, 9))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void readers_see_one_object_or_the_other_never_parts_of_both() throws Exception {
    String ones = "1".repeat(300_000);
    String twos = "2".repeat(200_000);
    put("k", ones);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        boolean writes = i % 2 == 0;
        String next = i % 4 == 0 ? ones : twos;
        all.add(
            threads.submit(
                () -> {
                  if (writes) {
                    put("k", next);
                  } else {
                    assertThat(text("k")).isIn(ones, twos);
                  }
                }));
      }
      for (Future<?> each : all) {
        each.get();
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(text("k")).isIn(ones, twos);
  }
}
