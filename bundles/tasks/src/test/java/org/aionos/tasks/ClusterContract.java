package org.aionos.tasks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.aionos.kernel.task.Cluster;
import org.aionos.kernel.task.Cluster.Draw;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the nodes of a cluster can rely on. */
public abstract class ClusterContract {

  private static final Duration HOUR = Duration.ofHours(1);
  private static final int THREADS = 4;

  private Cluster cluster;
  private Cluster other;

  /** Another node's view of the same; empty at first. */
  protected abstract Cluster open() throws Exception;

  /** So much time goes by. */
  protected abstract void pass(Duration time) throws Exception;

  protected final Cluster cluster() {
    return cluster;
  }

  @BeforeEach
  final void openBoth() throws Exception {
    cluster = open();
    other = open();
  }

  private static Draw draw(String account, long amount, long limit) {
    return new Draw(account, amount, limit, HOUR);
  }

  // --- what was seen ----------------------------------------------------------------------------

  @Test
  void a_member_is_new_once_for_all_nodes_until_it_is_forgotten() throws Exception {
    assertThat(cluster.isNew("nonces", "n1", HOUR)).isTrue();
    assertThat(other.isNew("nonces", "n1", HOUR)).isFalse();
    assertThat(other.isNew("nonces", "n2", HOUR)).isTrue();
    assertThat(other.isNew("others", "n1", HOUR)).isTrue();

    pass(HOUR.plusMillis(1));
    assertThat(other.isNew("nonces", "n1", HOUR)).isTrue();
  }

  @Test
  void no_set_runs_into_the_name_of_another() {
    assertThat(cluster.isNew("a:b", "c", HOUR)).isTrue();
    assertThat(cluster.isNew("a", "b:c", HOUR)).isTrue();
  }

  @Test
  void of_many_that_ask_at_once_one_is_first() throws Exception {
    for (int round = 0; round < 50; round++) {
      String member = "m" + round;
      AtomicInteger first = new AtomicInteger();
      together(1, node -> node.isNew("s", member, HOUR) ? first.incrementAndGet() : 0);
      assertThat(first).hasValue(1);
    }
  }

  // --- accounts ---------------------------------------------------------------------------------

  @Test
  void however_many_draw_the_limit_is_reached_and_never_exceeded() throws Exception {
    AtomicInteger drawn = new AtomicInteger();

    together(
        1_000 / (2 * THREADS),
        node -> node.draw(List.of(draw("a", 1, 100))).isEmpty() ? drawn.incrementAndGet() : 0);

    assertThat(drawn).hasValue(100);
    assertThat(cluster.drawn("a")).isEqualTo(100);
  }

  @Test
  void all_is_drawn_or_nothing_and_the_first_account_that_lacks_is_named() {
    assertThat(cluster.draw(List.of(draw("a", 5, 10), draw("b", 5, 10)))).isEmpty();

    assertThat(other.draw(List.of(draw("a", 5, 10), draw("b", 6, 10), draw("c", 9, 1))))
        .hasValue(1);
    assertThat(other.draw(List.of(draw("a", 6, 10)))).hasValue(0);
    assertThat(List.of(cluster.drawn("a"), cluster.drawn("b"), cluster.drawn("c")))
        .containsExactly(5L, 5L, 0L);
    assertThat(other.draw(List.of(draw("a", 5, 10), draw("b", 5, 10)))).isEmpty();
    assertThat(cluster.draw(List.of())).isEmpty();
  }

  @Test
  void an_account_that_is_named_twice_is_drawn_from_twice() {
    assertThat(cluster.draw(List.of(draw("a", 6, 10), draw("a", 6, 10)))).hasValue(1);
    assertThat(cluster.drawn("a")).isZero();
    assertThat(cluster.draw(List.of(draw("a", 5, 10), draw("a", 5, 10)))).isEmpty();
    assertThat(cluster.drawn("a")).isEqualTo(10);
  }

  @Test
  void what_was_not_used_is_given_back() {
    assertThat(cluster.draw(List.of(draw("a", 10, 10), draw("b", 10, 10)))).isEmpty();
    other.giveBack(List.of(draw("a", 4, 10), draw("b", 9, 10)));

    assertThat(cluster.drawn("a")).isEqualTo(6);
    assertThat(cluster.drawn("b")).isEqualTo(1);
    assertThat(cluster.draw(List.of(draw("a", 5, 10)))).hasValue(0);
    assertThat(cluster.draw(List.of(draw("a", 4, 10)))).isEmpty();
  }

  @Test
  void what_was_used_beyond_is_charged_beyond_any_limit() {
    cluster.draw(List.of(draw("a", 10, 10)));
    cluster.giveBack(List.of(draw("a", -5, 10), draw("new", -3, 1)));

    assertThat(cluster.drawn("a")).isEqualTo(15);
    assertThat(cluster.drawn("new")).isEqualTo(3);
    assertThat(cluster.draw(List.of(draw("a", 0, 10)))).hasValue(0);
    assertThat(cluster.draw(List.of(draw("a", 1, 16)))).isEmpty();
  }

  @Test
  void nothing_is_given_back_to_an_account_that_has_less_or_is_forgotten() throws Exception {
    cluster.draw(List.of(draw("a", 3, 10)));
    cluster.giveBack(List.of(draw("a", 5, 10), draw("never", 5, 10)));
    assertThat(cluster.drawn("a")).isZero();
    assertThat(cluster.drawn("never")).isZero();
    assertThat(cluster.draw(List.of(draw("a", 11, 10)))).hasValue(0);
    assertThat(cluster.draw(List.of(draw("never", 11, 10)))).hasValue(0);

    cluster.draw(List.of(draw("old", 5, 10)));
    pass(HOUR.plusMillis(1));
    cluster.giveBack(List.of(draw("old", 5, 10)));
    assertThat(cluster.draw(List.of(draw("old", 11, 10)))).hasValue(0);
  }

  @Test
  void an_account_is_forgotten_some_time_after_the_last_draw() throws Exception {
    cluster.draw(List.of(draw("a", 5, 10)));
    pass(HOUR.dividedBy(2));
    cluster.draw(List.of(draw("a", 1, 10)));
    pass(HOUR.dividedBy(2).plusMillis(1));
    assertThat(cluster.drawn("a")).isEqualTo(6);
    pass(HOUR.dividedBy(2));
    assertThat(cluster.drawn("a")).isZero();
  }

  @Test
  void great_amounts_are_counted_exactly_and_such_that_cannot_be_are_refused() {
    long great = (1L << 52) - 1;
    assertThat(cluster.draw(List.of(draw("a", great, Long.MAX_VALUE)))).isEmpty();
    assertThat(cluster.draw(List.of(draw("a", 1, great)))).hasValue(0);
    assertThat(cluster.draw(List.of(draw("a", 1, great + 1)))).isEmpty();
    assertThat(cluster.drawn("a")).isEqualTo(great + 1);

    assertThatThrownBy(() -> cluster.draw(List.of(draw("a", -1, 10))))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> cluster.draw(List.of(draw("a", 1L << 53, Long.MAX_VALUE))))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void whatever_is_drawn_and_given_back_at_once_adds_up() throws Exception {
    AtomicInteger held = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    together(
        50,
        node -> {
          List<Draw> draws = List.of(draw("tenant", 3, 20), draw("agent", 3, 15));
          if (node.draw(draws).isEmpty()) {
            most.accumulateAndGet(held.addAndGet(3), Math::max);
            held.addAndGet(-3);
            node.giveBack(draws);
          }
          return 0;
        });

    assertThat(most.get()).isPositive().isLessThanOrEqualTo(15);
    assertThat(cluster.drawn("tenant")).isZero();
    assertThat(cluster.drawn("agent")).isZero();
  }

  // --- values -----------------------------------------------------------------------------------

  @Test
  void a_value_is_kept_for_all_nodes_until_one_of_a_greater_number() {
    assertThat(cluster.get("policy")).isEmpty();
    assertThat(cluster.put("policy", 3, new byte[] {0, -1})).isTrue();
    assertThat(other.put("policy", 3, "same".getBytes(UTF_8))).isFalse();
    assertThat(other.put("policy", 2, "older".getBytes(UTF_8))).isFalse();
    assertThat(other.get("policy").orElseThrow().number()).isEqualTo(3);
    assertThat(other.get("policy").orElseThrow().bytes()).isEqualTo(new byte[] {0, -1});
    assertThat(other.put("policy", 10, "newer".getBytes(UTF_8))).isTrue();
    assertThat(cluster.get("policy").orElseThrow().number()).isEqualTo(10);
    assertThat(cluster.get("other")).isEmpty();
  }

  @Test
  void of_many_that_put_the_same_number_one_does() throws Exception {
    for (int number = 1; number <= 50; number++) {
      int same = number;
      AtomicInteger done = new AtomicInteger();
      together(1, node -> node.put("v", same, new byte[1]) ? done.incrementAndGet() : 0);
      assertThat(done).hasValue(1);
    }
  }

  // --- threads ----------------------------------------------------------------------------------

  private interface OnNode {
    int run(Cluster node) throws Exception;
  }

  /** On four threads of each node. */
  private void together(int times, OnNode work) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(2 * THREADS);
    try {
      List<Callable<Integer>> all = new ArrayList<>();
      for (int thread = 0; thread < 2 * THREADS; thread++) {
        Cluster node = thread % 2 == 0 ? cluster : other;
        all.add(
            () -> {
              for (int i = 0; i < times; i++) {
                work.run(node);
              }
              return 0;
            });
      }
      for (Future<Integer> each : pool.invokeAll(all)) {
        each.get();
      }
    } finally {
      pool.shutdownNow();
    }
  }
}
