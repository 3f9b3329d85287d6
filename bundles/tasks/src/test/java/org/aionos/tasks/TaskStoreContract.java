package org.aionos.tasks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.TaskStore.Filter;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.TaskStore.Message;
import org.aionos.kernel.task.TaskStore.Page;
import org.aionos.kernel.task.TaskStore.Row;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every store of tasks does. */
public abstract class TaskStoreContract {

  protected static final long NOW = 1_893_456_000_000L;
  protected static final Filter ANY = new Filter(null, null, null, null);
  private static final int THREADS = 16;
  private static final int MANY = 1_000;

  private TaskStore store;

  /** The same store each time within one test, whatever was closed meanwhile; empty at first. */
  protected abstract TaskStore open() throws Exception;

  /** So much time goes by, as the store knows it. */
  protected abstract void pass(long millis) throws Exception;

  protected final TaskStore store() {
    return store;
  }

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

  private void reopen() throws Exception {
    store.close();
    openStore();
  }

  // --- rows for tests ---------------------------------------------------------------------------

  protected static Key key(String id) {
    return new Key("acme", id);
  }

  protected static Row row(Key key, Tier tier, long submittedMillis) {
    return new Row(
        key, "ann", tier, TaskState.QUEUED, submittedMillis, 1, null, text("of " + key.id()));
  }

  protected static Row row(String id) {
    return row(key(id), Tier.NORMAL, NOW);
  }

  protected static byte[] text(String text) {
    return text.getBytes(UTF_8);
  }

  /** The next revision. */
  protected static Row next(Row row, TaskState state, @Nullable String node) {
    return new Row(
        row.key(),
        row.agent(),
        row.tier(),
        state,
        row.submittedMillis(),
        row.revision() + 1,
        node,
        text(new String(row.document(), UTF_8) + " " + state.written()));
  }

  private Row added(Row row) {
    assertThat(store.add(row)).isSameAs(row);
    return row;
  }

  /** Adds a task and lets a node claim it. */
  private Row held(String id, String node) {
    added(row(id));
    List<Row> claimed = store.claim(node, MANY);
    assertThat(claimed).hasSize(1);
    return claimed.get(0);
  }

  private Row replaced(Row row, TaskState state, @Nullable String node) {
    Row next = next(row, state, node);
    assertThat(store.replace(next)).isTrue();
    return next;
  }

  private static void assertSame(Optional<Row> found, Row row) {
    assertThat(found)
        .get()
        .usingRecursiveComparison()
        .withFailMessage(() -> found + " is not " + row)
        .isEqualTo(row);
  }

  private static List<String> ids(List<Row> rows) {
    return rows.stream().map(row -> row.key().id()).toList();
  }

  private static List<String> names(List<Row> rows) {
    return rows.stream().map(row -> row.key().toString()).toList();
  }

  private static List<String> texts(List<byte[]> entries) {
    return entries.stream().map(entry -> new String(entry, UTF_8)).toList();
  }

  // --- one task ---------------------------------------------------------------------------------

  @Test
  void a_task_that_was_added_is_found_as_it_was() {
    Row row =
        new Row(
            new Key("acme", "über:1 /x%"),
            "ann",
            Tier.HIGH,
            TaskState.QUEUED,
            NOW,
            1,
            null,
            new byte[] {0, 1, -1, '\r', '\n', 0});
    added(row);

    assertSame(store.find(row.key()), row);
    assertThat(store.find(key("other"))).isEmpty();
    assertThat(store.find(new Key("other", row.key().id()))).isEmpty();
  }

  @Test
  void a_task_is_added_once_and_then_returned_as_it_stands() {
    Row first = held("t1", "n1");
    Row running = replaced(first, TaskState.RUNNING, "n1");

    assertSame(Optional.of(store.add(row(key("t1"), Tier.LOW, NOW + 9))), running);
    assertSame(store.find(key("t1")), running);
    assertThat(store.list(ANY, null, 9).rows()).hasSize(1);
    assertThat(store.claim("n2", MANY)).isEmpty();
  }

  @Test
  void a_new_task_has_revision_1_and_is_held_by_nobody() {
    for (Row wrong :
        List.of(
            new Row(key("t"), "ann", Tier.LOW, TaskState.QUEUED, NOW, 2, null, text("")),
            new Row(key("t"), "ann", Tier.LOW, TaskState.QUEUED, NOW, 1, "n1", text("")),
            new Row(key("t"), "ann", Tier.LOW, TaskState.QUEUED, -1, 1, null, text("")),
            new Row(key("t\0"), "ann", Tier.LOW, TaskState.QUEUED, NOW, 1, null, text("")))) {
      assertThatThrownBy(() -> store.add(wrong)).isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(store.list(ANY, null, 9).rows()).isEmpty();
  }

  @Test
  void a_task_is_replaced_from_its_present_revision_alone() {
    Row first = held("t1", "n1");
    Row second = next(first, TaskState.RUNNING, "n1");

    assertThat(store.replace(next(second, TaskState.FAILED, null))).isFalse();
    assertThat(store.replace(second)).isTrue();
    assertThat(store.replace(second)).isFalse();
    assertThat(store.replace(next(row("unknown"), TaskState.RUNNING, "n1"))).isFalse();
    assertSame(store.find(key("t1")), second);
    assertThat(store.find(key("unknown"))).isEmpty();
  }

  @Test
  void a_task_that_has_ended_is_held_by_nobody() {
    Row running = replaced(held("t1", "n1"), TaskState.RUNNING, "n1");

    assertThatThrownBy(() -> store.replace(next(running, TaskState.FAILED, "n1")))
        .isInstanceOf(IllegalArgumentException.class);
    Row ended = replaced(running, TaskState.SUCCEEDED, null);

    assertSame(store.find(key("t1")), ended);
    assertThat(store.claim("n2", MANY)).isEmpty();
    assertThat(store.append(key("t1"), "n1", text("late"))).isEqualTo(-1);
    assertThat(store.cut(key("t1"), "n1", 0)).isFalse();
  }

  @Test
  void a_task_that_has_ended_may_be_queued_anew() {
    Row ended = replaced(held("t1", "n1"), TaskState.FAILED, null);
    replaced(ended, TaskState.QUEUED, null);

    assertThat(store.waiting()).containsEntry(Tier.NORMAL, 1L);
    assertThat(ids(store.claim("n2", MANY))).containsExactly("t1");
  }

  @Test
  void a_task_that_has_ended_may_begin_anew_held_by_the_node_that_says_so() {
    Row ended = replaced(held("t1", "n1"), TaskState.FAILED, null);
    added(row("t2"));
    store.renew("n1");
    replaced(ended, TaskState.QUEUED, "n1");

    assertThat(ids(store.claim("n2", MANY))).containsExactly("t2");
    assertThat(ids(store.claim("n1", MANY))).isEmpty();
    assertThat(store.append(key("t1"), "n1", text("a"))).isEqualTo(1);
  }

  @Test
  void a_task_may_change_its_queue() {
    Row held = held("t1", "n1");
    Row low =
        new Row(
            held.key(),
            "ann",
            Tier.LOW,
            TaskState.QUEUED,
            NOW,
            held.revision() + 1,
            null,
            text(""));
    assertThat(store.replace(low)).isTrue();

    assertThat(store.waiting()).containsEntry(Tier.NORMAL, 0L).containsEntry(Tier.LOW, 1L);
    assertThat(store.list(new Filter(null, null, null, Tier.NORMAL), null, 9).rows()).isEmpty();
    assertThat(store.claim("n2", MANY)).extracting(Row::tier).containsExactly(Tier.LOW);
    assertThat(store.claim("n3", MANY)).isEmpty();
  }

  @Test
  void a_task_is_taken_away_with_its_log_once_it_has_ended() {
    Row held = held("t1", "n1");
    held("t10", "n1");
    store.append(key("t1"), "n1", text("a"));
    store.append(key("t10"), "n1", text("of the other"));

    store.remove(key("t1"));
    assertThat(store.find(key("t1"))).isPresent();
    replaced(held, TaskState.CANCELLED, null);
    store.remove(key("t1"));
    store.remove(key("unknown"));

    assertThat(store.find(key("t1"))).isEmpty();
    assertThat(store.log(key("t1"))).isEmpty();
    assertThat(ids(store.list(ANY, null, 9).rows())).containsExactly("t10");
    assertThat(ids(store.list(new Filter("acme", null, null, null), null, 9).rows()))
        .containsExactly("t10");
    assertThat(texts(store.log(key("t10")))).containsExactly("of the other");
    assertThat(added(row("t1")).revision()).isEqualTo(1);
    assertThat(ids(store.claim("n1", MANY))).containsExactly("t1");
    assertThat(store.append(key("t1"), "n1", text("b"))).isEqualTo(1);
  }

  @Test
  void of_many_threads_that_add_the_same_task_one_does() throws Exception {
    for (int round = 0; round < 20; round++) {
      Key key = key("r" + round);
      AtomicInteger first = new AtomicInteger();
      Set<String> documents = ConcurrentHashMap.newKeySet();
      together(
          thread -> {
            Row own =
                new Row(key, "ann", Tier.LOW, TaskState.QUEUED, NOW, 1, null, text("of " + thread));
            Row there = store.add(own);
            documents.add(new String(there.document(), UTF_8));
            return there == own ? first.incrementAndGet() : 0;
          });

      assertThat(first).hasValue(1);
      assertThat(documents).hasSize(1);
    }
    assertThat(store.waiting()).containsEntry(Tier.LOW, 20L);
    assertThat(store.claim("n1", MANY)).hasSize(20);
  }

  @Test
  void of_many_threads_that_replace_the_same_revision_one_does() throws Exception {
    Row row = held("t1", "n1");
    for (int round = 0; round < 20; round++) {
      Row before = row;
      List<Boolean> done = together(thread -> store.replace(next(before, TaskState.RUNNING, "n1")));
      assertThat(done).containsOnlyOnce(true);
      row = store.find(key("t1")).orElseThrow();
      assertThat(row.revision()).isEqualTo(before.revision() + 1);
    }
  }

  // --- claims -----------------------------------------------------------------------------------

  @Test
  void a_claim_raises_the_revision_and_names_the_node() {
    Row row = added(row("t1"));

    Row claimed = store.claim("n1", 1).get(0);

    assertThat(claimed.revision()).isEqualTo(2);
    assertThat(claimed.node()).isEqualTo("n1");
    assertThat(claimed.state()).isEqualTo(TaskState.QUEUED);
    assertThat(claimed.document()).isEqualTo(row.document());
    assertSame(store.find(key("t1")), claimed);
    assertThat(store.replace(next(row, TaskState.CANCELLED, null))).isFalse();
  }

  @Test
  void adding_claims_nothing() {
    store.renew("n1");
    added(row("t1"));

    assertThat(store.find(key("t1")).orElseThrow().node()).isNull();
    assertThat(store.append(key("t1"), "n1", text("a"))).isEqualTo(-1);
  }

  @Test
  void tenants_take_turns_the_oldest_task_of_each_first() {
    for (int i = 0; i < 4; i++) {
      added(row(new Key("big", "b" + i), Tier.NORMAL, NOW + i));
    }
    added(row(new Key("mid", "m0"), Tier.NORMAL, NOW + 10));
    added(row(new Key("mid", "m1"), Tier.NORMAL, NOW + 11));
    added(row(new Key("tiny", "t0"), Tier.NORMAL, NOW + 12));

    assertThat(names(store.claim("n1", 2))).containsExactly("big/b0", "mid/m0");
    assertThat(names(store.claim("n1", 3))).containsExactly("tiny/t0", "big/b1", "mid/m1");
    assertThat(names(store.claim("n1", 9))).containsExactly("big/b2", "big/b3");
    assertThat(store.claim("n1", 9)).isEmpty();
  }

  @Test
  void a_claim_takes_of_each_queue_at_most_so_many() {
    for (Tier tier : Tier.values()) {
      for (int i = 0; i < 3; i++) {
        added(row(new Key("acme", tier.written() + i), tier, NOW + i));
      }
    }

    assertThat(ids(store.claim("n1", 2)))
        .containsExactly("high0", "high1", "normal0", "normal1", "low0", "low1");
    assertThat(store.claim("n1", 0)).isEmpty();
    assertThat(ids(store.claim("n2", 2))).containsExactly("high2", "normal2", "low2");
  }

  @Test
  void what_a_node_lets_go_is_others_to_claim_before_what_came_later() {
    Row held = held("t1", "n1");
    added(row(key("t2"), Tier.NORMAL, NOW + 1));
    replaced(held, TaskState.QUEUED, null);

    assertThat(store.append(key("t1"), "n1", text("late"))).isEqualTo(-1);
    assertThat(ids(store.claim("n2", 1))).containsExactly("t1");
    assertThat(ids(store.claim("n2", 9))).containsExactly("t2");
  }

  @Test
  void no_task_is_claimed_twice_by_nodes_that_live() throws Exception {
    for (int i = 0; i < 300; i++) {
      added(row(new Key("tenant" + i % 7, "t" + i), Tier.values()[i % 3], NOW + i));
    }

    List<List<Row>> claimed =
        together(
            thread -> {
              List<Row> own = new ArrayList<>();
              for (List<Row> some = claim(thread); !some.isEmpty(); some = claim(thread)) {
                own.addAll(some);
              }
              return own;
            });

    List<Row> all = claimed.stream().flatMap(List::stream).toList();
    assertThat(all).hasSize(300).extracting(Row::key).doesNotHaveDuplicates();
  }

  private List<Row> claim(int thread) {
    return store.claim("n" + thread, 3);
  }

  @Test
  void a_node_that_renews_keeps_its_tasks() throws Exception {
    held("t1", "n1");
    long step = store.claimMillis() / 3;

    for (int i = 0; i < 4; i++) {
      pass(step);
      store.renew("n1");
    }

    assertThat(store.claim("n2", MANY)).isEmpty();
    assertThat(store.append(key("t1"), "n1", text("a"))).isEqualTo(1);
  }

  @Test
  void a_node_that_is_lost_loses_its_tasks_and_changes_nothing_of_them() throws Exception {
    Row mine = replaced(held("t1", "n1"), TaskState.RUNNING, "n1");
    store.append(key("t1"), "n1", text("a"));
    store.append(key("t1"), "n1", text("b"));
    added(row(key("t2"), Tier.NORMAL, NOW + 1));

    assertThat(ids(store.claim("n2", MANY))).containsExactly("t2");
    pass(store.claimMillis() + store.claimMillis() / 2);
    store.renew("n2");
    List<Row> taken = store.claim("n3", MANY);

    assertThat(ids(taken)).contains("t1");
    Row theirs =
        taken.stream().filter(row -> row.key().id().equals("t1")).findFirst().orElseThrow();
    assertThat(theirs.state()).isEqualTo(TaskState.RUNNING);
    assertThat(theirs.node()).isEqualTo("n3");
    assertThat(theirs.revision()).isEqualTo(mine.revision() + 1);
    store.renew("n1");
    assertThat(store.replace(next(mine, TaskState.SUCCEEDED, null))).isFalse();
    assertThat(store.append(key("t1"), "n1", text("late"))).isEqualTo(-1);
    assertThat(store.cut(key("t1"), "n1", 0)).isFalse();
    assertThat(texts(store.log(key("t1")))).containsExactly("a", "b");
    assertThat(store.append(key("t1"), "n3", text("c"))).isEqualTo(3);
    assertSame(store.find(key("t1")), theirs);
  }

  @Test
  void a_node_that_comes_back_before_others_claimed_keeps_its_tasks() throws Exception {
    held("t1", "n1");
    pass(store.claimMillis() + store.claimMillis() / 2);
    store.renew("n1");

    assertThat(store.claim("n2", MANY)).isEmpty();
    assertThat(store.append(key("t1"), "n1", text("a"))).isEqualTo(1);
  }

  @Test
  void waiting_tasks_are_counted_by_queue_held_or_not() {
    assertThat(store.waiting()).isEqualTo(Map.of(Tier.HIGH, 0L, Tier.NORMAL, 0L, Tier.LOW, 0L));
    added(row(key("h"), Tier.HIGH, NOW));
    added(row(key("n0"), Tier.NORMAL, NOW));
    added(row(key("n1"), Tier.NORMAL, NOW));
    List<Row> claimed = store.claim("n1", MANY);

    assertThat(store.waiting()).isEqualTo(Map.of(Tier.HIGH, 1L, Tier.NORMAL, 2L, Tier.LOW, 0L));
    Row running = replaced(claimed.get(1), TaskState.RUNNING, "n1");
    assertThat(store.waiting()).containsEntry(Tier.NORMAL, 1L);
    Row preempted = replaced(running, TaskState.PREEMPTED, "n1");
    assertThat(store.waiting()).containsEntry(Tier.NORMAL, 2L);
    replaced(preempted, TaskState.CANCELLED, null);
    assertThat(store.waiting()).containsEntry(Tier.NORMAL, 1L);
  }

  @Test
  void unended_tasks_are_counted_by_tenant_held_or_not() {
    assertThat(store.unended("acme")).isZero();
    added(row(key("h"), Tier.HIGH, NOW));
    added(row(key("l"), Tier.LOW, NOW));
    added(row(new Key("other", "h"), Tier.HIGH, NOW));
    Row claimed = store.claim("n1", 1).get(0);

    assertThat(store.unended("acme")).isEqualTo(2);
    Row running = replaced(claimed, TaskState.RUNNING, "n1");
    assertThat(store.unended("acme")).isEqualTo(2);
    replaced(running, TaskState.FAILED, null);
    assertThat(store.unended("acme")).isEqualTo(1);
    assertThat(store.unended("other")).isEqualTo(1);
    assertThat(store.unended("nobody")).isZero();
  }

  @Test
  void a_claim_takes_of_each_queue_what_it_asks_for() {
    for (Tier tier : Tier.values()) {
      for (int i = 0; i < 3; i++) {
        added(row(key(tier.written() + i), tier, NOW + i));
      }
    }

    assertThat(ids(store.claim("n1", Map.of(Tier.HIGH, 2, Tier.LOW, 1))))
        .containsExactly("high0", "high1", "low0");
    assertThat(store.claim("n1", Map.of(Tier.NORMAL, 0))).isEmpty();
    assertThat(store.waiting()).isEqualTo(Map.of(Tier.HIGH, 3L, Tier.NORMAL, 3L, Tier.LOW, 3L));
    assertThat(ids(store.claim("n2", Map.of(Tier.NORMAL, 9)))).hasSize(3);
  }

  @Test
  void a_task_says_who_holds_it_for_how_long_and_whether_that_node_lives() throws Exception {
    added(row("t0"));
    assertThat(store.holder(key("t0"))).isEmpty();
    assertThat(store.holder(key("unknown"))).isEmpty();
    Row mine = store.claim("n1", 1).get(0);
    Row running = replaced(mine, TaskState.RUNNING, "n1");

    pass(store.claimMillis() / 3);
    TaskStore.Hold hold = store.holder(key("t0")).orElseThrow();
    assertThat(hold.node()).isEqualTo("n1");
    assertThat(hold.heldMillis())
        .isBetween(store.claimMillis() / 3 - 1, store.claimMillis() / 3 + 5_000);
    assertThat(hold.lives()).isTrue();

    pass(2 * store.claimMillis());
    assertThat(store.holder(key("t0")).orElseThrow().lives()).isFalse();
    replaced(running, TaskState.SUCCEEDED, null);
    assertThat(store.holder(key("t0"))).isEmpty();
  }

  // --- logs -------------------------------------------------------------------------------------

  @Test
  void a_log_is_read_as_it_was_written() {
    held("t1", "n1");
    List<String> written = IntStream.range(0, 300).mapToObj(i -> "entry " + i).toList();
    for (int i = 0; i < 300; i++) {
      assertThat(store.append(key("t1"), "n1", text(written.get(i)))).isEqualTo(i + 1);
    }

    assertThat(texts(store.log(key("t1")))).isEqualTo(written);
    assertThat(store.log(key("t"))).isEmpty();
    assertThat(store.append(key("t1"), "n2", text("of another"))).isEqualTo(-1);
    assertThat(store.append(key("unknown"), "n1", text("of none"))).isEqualTo(-1);
  }

  @Test
  void a_log_is_cut_to_its_first_entries_and_goes_on_from_there() throws Exception {
    held("t1", "n1");
    for (String entry : List.of("a", "b", "c", "d")) {
      store.append(key("t1"), "n1", text(entry));
    }

    assertThat(store.cut(key("t1"), "n1", 9)).isTrue();
    assertThat(store.cut(key("t1"), "n2", 1)).isFalse();
    assertThat(store.log(key("t1"))).hasSize(4);
    assertThat(store.cut(key("t1"), "n1", 2)).isTrue();
    assertThat(store.append(key("t1"), "n1", text("e"))).isEqualTo(3);
    assertThat(texts(store.log(key("t1")))).containsExactly("a", "b", "e");
    assertThat(store.cut(key("t1"), "n1", 0)).isTrue();
    assertThat(store.log(key("t1"))).isEmpty();
    assertThat(store.append(key("t1"), "n1", text("f"))).isEqualTo(1);
  }

  // --- listing ----------------------------------------------------------------------------------

  @Test
  void tasks_are_listed_newest_first() {
    added(row(key("b"), Tier.LOW, NOW));
    added(row(key("c"), Tier.LOW, NOW + 1));
    added(row(key("a"), Tier.LOW, NOW));

    Page page = store.list(ANY, null, 9);

    assertThat(ids(page.rows())).containsExactly("c", "b", "a");
    assertThat(page.next()).isNull();
    assertSame(Optional.of(page.rows().get(1)), row(key("b"), Tier.LOW, NOW));
  }

  @Test
  void filters_admit_what_they_name() {
    added(row(new Key("acme", "a"), Tier.HIGH, NOW));
    added(row(new Key("other", "a"), Tier.LOW, NOW + 1));
    added(
        new Row(
            key("of-bob"), "bob", Tier.LOW, TaskState.QUEUED, NOW + 2, 1, null, text("document")));
    Row high = store.claim("n1", 1).get(0);
    replaced(high, TaskState.FAILED, null);

    assertThat(listed(new Filter("acme", null, null, null)))
        .containsExactly("acme/of-bob", "acme/a");
    assertThat(listed(new Filter("acm", null, null, null))).isEmpty();
    assertThat(listed(new Filter(null, "bob", null, null))).containsExactly("acme/of-bob");
    assertThat(listed(new Filter(null, null, TaskState.FAILED, null))).containsExactly("acme/a");
    assertThat(listed(new Filter(null, null, TaskState.QUEUED, Tier.LOW)))
        .containsExactly("acme/of-bob", "other/a");
    assertThat(listed(new Filter("other", "ann", TaskState.QUEUED, Tier.LOW)))
        .containsExactly("other/a");
    assertThat(listed(new Filter("other", "bob", null, null))).isEmpty();
  }

  private List<String> listed(Filter filter) {
    Page page = store.list(filter, null, 9);
    assertThat(page.next()).isNull();
    return names(page.rows());
  }

  @Test
  void pages_are_stable_while_tasks_are_added() {
    List<String> before = new ArrayList<>();
    for (int i = 0; i < 25; i++) {
      // Three of each millisecond.
      added(row(new Key(i % 2 == 0 ? "acme" : "other", "t" + i), Tier.LOW, NOW + i / 3));
    }
    for (Row row : store.list(ANY, null, MANY).rows()) {
      before.add(row.key().toString());
    }

    for (Filter filter : List.of(ANY, new Filter("acme", null, null, null))) {
      List<String> seen = new ArrayList<>();
      String after = null;
      do {
        Page page = store.list(filter, after, 4);
        seen.addAll(names(page.rows()));
        after = page.next();
        added(row(new Key("acme", "new" + filter.tenant() + seen.size()), Tier.LOW, NOW + 100));
      } while (after != null);
      assertThat(seen)
          .filteredOn(name -> !name.contains("new"))
          .isEqualTo(
              before.stream()
                  .filter(name -> filter.tenant() == null || name.startsWith("acme/"))
                  .toList());
      assertThat(seen).doesNotHaveDuplicates();
    }
  }

  @Test
  void a_page_holds_so_many_and_says_whether_there_are_more() {
    IntStream.range(0, 5).forEach(i -> added(row("t" + i)));

    Page first = store.list(ANY, null, 3);
    assertThat(first.rows()).hasSize(3);
    Page second = store.list(ANY, first.next(), 3);
    assertThat(second.rows()).hasSize(2);
    assertThat(second.next()).isNull();
    assertThat(store.list(ANY, null, 5).rows()).hasSize(5);
  }

  @Test
  void pages_go_on_only_where_a_page_said() {
    for (String wrong : List.of("", "x", "%%%", "AAAA", "bm90LWEtcGxhY2U")) {
      assertThatThrownBy(() -> store.list(ANY, wrong, 3)).as(wrong).isInstanceOf(Refused.class);
    }
  }

  // --- mail -------------------------------------------------------------------------------------

  @Test
  void mail_is_kept_in_the_order_of_its_numbers() {
    long first = store.post("ann", text("one"), 9);
    long second = store.post("ann", text("two"), 9);
    store.post("bob", text("for bob"), 9);
    long third = store.post("ann", new byte[] {0, -1}, 9);

    assertThat(first).isPositive().isLessThan(second);
    assertThat(second).isLessThan(third);
    assertThat(store.mail("ann", 9))
        .extracting(Message::number)
        .containsExactly(first, second, third);
    assertThat(new String(store.mail("ann", 1).get(0).bytes(), UTF_8)).isEqualTo("one");
    assertThat(store.mail("ann", 9).get(2).bytes()).isEqualTo(new byte[] {0, -1});
    assertThat(store.mail("ann", 2)).hasSize(2);
    assertThat(store.mail("an", 9)).isEmpty();
  }

  @Test
  void a_full_box_takes_nothing_until_something_is_thrown_away() {
    long first = store.post("ann", text("one"), 2);
    store.post("ann", text("two"), 2);

    assertThat(store.post("ann", text("three"), 2)).isEqualTo(-1);
    assertThat(store.mail("ann", 9)).hasSize(2);
    store.discard("ann", first);
    assertThat(store.post("ann", text("three"), 2)).isPositive();
    assertThat(store.mail("ann", 9))
        .extracting(message -> new String(message.bytes(), UTF_8))
        .containsExactly("two", "three");
  }

  @Test
  void numbers_of_mail_go_on_also_after_all_was_thrown_away() throws Exception {
    long before = 0;
    for (int i = 0; i < 3; i++) {
      long number = store.post("ann", text("m" + i), 2);
      assertThat(number).isGreaterThan(before);
      store.discard("ann", number);
      assertThat(store.mail("ann", 9)).isEmpty();
      before = number;
      reopen();
    }
    store.discard("nobody", 9);
    store.post("ann", text("stays"), 2);
    store.discard("ann", before);
    assertThat(store.mail("ann", 9)).hasSize(1);
  }

  @Test
  void a_box_holds_no_more_than_it_may_however_many_post() throws Exception {
    List<Long> numbers = together(thread -> store.post("ann", text("of " + thread), 10));

    assertThat(numbers).filteredOn(number -> number > 0).hasSize(10).doesNotHaveDuplicates();
    assertThat(store.mail("ann", 99)).hasSize(10);
  }

  // --- lives ------------------------------------------------------------------------------------

  @Test
  void what_was_kept_is_there_when_the_store_is_opened_again() throws Exception {
    Row ended = replaced(held("ended", "n1"), TaskState.SUCCEEDED, null);
    held("held", "n1");
    store.append(key("held"), "n1", text("a"));
    added(row(key("free"), Tier.HIGH, NOW + 1));
    store.post("ann", text("hello"), 1);

    reopen();

    assertSame(store.find(key("ended")), ended);
    assertThat(ids(store.list(ANY, null, 9).rows())).containsExactly("free", "held", "ended");
    assertThat(texts(store.log(key("held")))).containsExactly("a");
    assertThat(store.waiting()).isEqualTo(Map.of(Tier.HIGH, 1L, Tier.NORMAL, 1L, Tier.LOW, 0L));
    assertThat(store.post("ann", text("full"), 1)).isEqualTo(-1);
    pass(store.claimMillis() + store.claimMillis() / 2);
    assertThat(ids(store.claim("n2", MANY))).containsExactly("free", "held");
    assertThat(store.append(key("held"), "n2", text("b"))).isEqualTo(2);
    assertThat(store.claim("n2", MANY)).isEmpty();
  }

  @Test
  void a_closed_store_says_that_it_does_not_answer() {
    store.close();
    store.close();

    assertThatThrownBy(() -> store.find(key("t1"))).isInstanceOf(StoreUnavailable.class);
    assertThatThrownBy(() -> store.add(row("t1"))).isInstanceOf(StoreUnavailable.class);
    assertThatThrownBy(() -> store.claim("n1", 1)).isInstanceOf(StoreUnavailable.class);
    assertThatThrownBy(() -> store.mail("ann", 1)).isInstanceOf(StoreUnavailable.class);
  }

  /** Steps that a seed chooses, beside a model of what must then be so. */
  @Test
  void whatever_happens_each_task_has_one_holder_and_one_state() {
    for (int seed = 1; seed <= 5; seed++) {
      Random random = new Random(seed);
      Map<Key, Row> model = new HashMap<>();
      for (int step = 0; step < 150; step++) {
        step(random, seed, model);
      }
      model.forEach((key, row) -> assertSame(store.find(key), row));
      long waiting = store.waiting().values().stream().mapToLong(Long::longValue).sum();
      long known = waiting(model);
      assertThat(waiting).as("seed %d", seed).isEqualTo(known);
      model.values().stream()
          .filter(row -> !row.state().isEnded())
          .forEach(row -> store.replace(next(row, TaskState.CANCELLED, null)));
      assertThat(store.claim("n0", MANY)).as("seed %d", seed).isEmpty();
    }
  }

  private static long waiting(Map<Key, Row> model) {
    return model.values().stream().filter(row -> row.state().isWaiting()).count();
  }

  private void step(Random random, int seed, Map<Key, Row> model) {
    Key key = new Key("tenant" + random.nextInt(3), seed + "-" + random.nextInt(20));
    String node = "n" + random.nextInt(3);
    Row before = model.get(key);
    switch (random.nextInt(4)) {
      case 0 -> {
        Row row = row(key, Tier.values()[random.nextInt(3)], NOW + random.nextInt(9));
        assertThat(store.add(row) == row).isEqualTo(before == null);
        model.putIfAbsent(key, row);
      }
      case 1 -> claimStep(node, random.nextInt(4), model);
      case 2 -> {
        if (before != null) {
          TaskState state = TaskState.values()[random.nextInt(6)];
          Row row = next(before, state, state.isEnded() || random.nextBoolean() ? null : node);
          store.renew(node);
          assertThat(store.replace(row)).isTrue();
          model.put(key, row);
        }
      }
      default -> {
        boolean holds = before != null && node.equals(before.node());
        assertThat(store.append(key, node, text("entry")) > 0).isEqualTo(holds);
      }
    }
  }

  private void claimStep(String node, int max, Map<Key, Row> model) {
    for (String all : List.of("n0", "n1", "n2")) {
      store.renew(all);
    }
    Set<Tier> some = new HashSet<>();
    for (Row claimed : store.claim(node, max)) {
      Row before = model.put(claimed.key(), claimed);
      assertThat(before.node()).isNull();
      assertThat(before.state().isEnded()).isFalse();
      assertThat(claimed.revision()).isEqualTo(before.revision() + 1);
      some.add(claimed.tier());
    }
    for (Tier tier : Tier.values()) {
      boolean left =
          model.values().stream()
              .anyMatch(row -> row.tier() == tier && !row.state().isEnded() && row.node() == null);
      assertThat(left && max > 0 && !some.contains(tier)).isFalse();
    }
  }

  // --- threads ----------------------------------------------------------------------------------

  private interface OnThread<T> {
    T run(int thread) throws Exception;
  }

  private static <T> List<T> together(OnThread<T> work) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(THREADS);
    try {
      CyclicBarrier begin = new CyclicBarrier(THREADS);
      List<Callable<T>> all = new ArrayList<>();
      for (int thread = 0; thread < THREADS; thread++) {
        int number = thread;
        all.add(
            () -> {
              begin.await();
              return work.run(number);
            });
      }
      List<T> results = new ArrayList<>();
      for (Future<T> each : pool.invokeAll(all)) {
        results.add(each.get());
      }
      return results;
    } finally {
      pool.shutdownNow();
    }
  }
}
