package org.aionos.scheduling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.aionos.scheduling.Ledger.Amounts;
import org.aionos.scheduling.Ledger.Answer;
import org.aionos.scheduling.Ledger.Keeper;
import org.aionos.scheduling.Ledger.Kind;
import org.aionos.scheduling.Ledger.Level;
import org.aionos.scheduling.Ledger.Limit;
import org.aionos.scheduling.Ledger.Mark;
import org.aionos.scheduling.Ledger.Refusal;
import org.aionos.scheduling.Ledger.Reservation;
import org.aionos.scheduling.Ledger.Scope;
import org.junit.jupiter.api.Test;

final class LedgerTest {

  private static final long HOUR = 3_600_000;
  private static final Scope TENANT = new Scope(Level.TENANT, "acme");
  private static final Scope AGENT = new Scope(Level.AGENT, "acme/writer");
  private static final Scope TASK = new Scope(Level.TASK, "acme/task-1");
  private static final List<Scope> ALL = List.of(TENANT, AGENT, TASK);

  private Ledger ledger = new Ledger(Keeper.NONE);

  @Test
  void what_is_not_limited_is_admitted() {
    assertThat(ledger.reserve(ALL, calls(1_000), 0)).isInstanceOf(Reservation.class);
    assertThat(ledger.snapshot(0)).isEmpty();
  }

  @Test
  void a_refusal_names_the_limit_and_charges_nobody() {
    Limit limit = new Limit.Total(Kind.CALLS, 2);
    ledger.limit(TENANT, List.of(new Limit.Total(Kind.CALLS, 100)), 0);
    ledger.limit(TASK, List.of(limit), 0);
    reserve(calls(2));

    assertThat(ledger.reserve(ALL, calls(1), 0))
        .isEqualTo(new Refusal(TASK, limit, 2, Long.MAX_VALUE));
    assertThat(ledger.snapshot(0))
        .contains(new Mark(TENANT, Kind.CALLS, 0, 0, 2), new Mark(TASK, Kind.CALLS, 0, 0, 2));
  }

  @Test
  void what_was_not_used_is_given_back_and_what_was_used_beyond_is_charged() {
    ledger.limit(TASK, List.of(new Limit.Total(Kind.TOKENS, 100)), 0);
    Reservation first = reserve(tokens(80));
    assertThat(ledger.reserve(ALL, tokens(21), 0)).isInstanceOf(Refusal.class);

    first.settle(tokens(10), 0);
    Reservation second = reserve(tokens(90));
    second.settle(tokens(95), 0);

    assertThat(ledger.snapshot(0)).containsExactly(new Mark(TASK, Kind.TOKENS, 0, 0, 105));
    assertThatThrownBy(() -> second.settle(tokens(1), 0)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void a_window_begins_anew_and_what_is_given_back_later_is_the_old_ones() {
    Limit limit = new Limit.PerWindow(Kind.USD_MICROS, 50, HOUR);
    ledger.limit(AGENT, List.of(limit), 0);
    Answer first = ledger.reserve(ALL, usd(50), HOUR - 1);

    assertThat(ledger.reserve(ALL, usd(1), HOUR - 1))
        .isEqualTo(new Refusal(AGENT, limit, 50, HOUR));
    assertThat(ledger.reserve(ALL, usd(50), HOUR)).isInstanceOf(Reservation.class);
    ((Reservation) first).settle(Amounts.NOTHING, HOUR);
    assertThat(ledger.reserve(ALL, usd(1), HOUR)).isInstanceOf(Refusal.class);
    assertThat(ledger.reserve(ALL, usd(51), 2 * HOUR))
        .isEqualTo(new Refusal(AGENT, limit, 0, Long.MAX_VALUE));
  }

  @Test
  void a_clock_that_goes_back_opens_no_window_again() {
    ledger.limit(AGENT, List.of(new Limit.PerWindow(Kind.USD_MICROS, 50, HOUR)), 0);
    ledger.reserve(ALL, usd(50), HOUR);

    assertThat(ledger.reserve(ALL, usd(1), HOUR - 1)).isInstanceOf(Refusal.class);
  }

  @Test
  void a_rate_admits_its_burst_and_then_by_its_pace() {
    Limit limit = new Limit.Rate(Kind.TOKENS, 10, 30);
    ledger.limit(AGENT, List.of(limit), 0);
    reserve(tokens(30));

    assertThat(ledger.reserve(ALL, tokens(5), 0)).isEqualTo(new Refusal(AGENT, limit, 30, 500));
    assertThat(ledger.reserve(ALL, tokens(5), 499)).isInstanceOf(Refusal.class);
    assertThat(ledger.reserve(ALL, tokens(5), 500)).isInstanceOf(Reservation.class);
    assertThat(ledger.reserve(ALL, tokens(31), 1L << 50))
        .isEqualTo(new Refusal(AGENT, limit, 0, Long.MAX_VALUE));
    assertThat(ledger.reserve(ALL, tokens(30), 1L << 50)).isInstanceOf(Reservation.class);
  }

  @Test
  void changed_limits_leave_what_was_used() {
    ledger.limit(TASK, List.of(new Limit.Total(Kind.CALLS, 10)), 0);
    reserve(calls(8));

    ledger.limit(TASK, List.of(new Limit.Total(Kind.CALLS, 9)), 0);

    assertThat(ledger.reserve(ALL, calls(2), 0)).isInstanceOf(Refusal.class);
    reserve(calls(1));
    ledger.forget(TASK);
    reserve(calls(99));
  }

  @Test
  void what_cannot_be_meant_is_not_taken() {
    Limit limit = new Limit.Total(Kind.CALLS, 10);
    assertThatThrownBy(() -> ledger.limit(TASK, List.of(limit, limit), 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> ledger.reserve(List.of(TASK, TASK), calls(1), 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> calls(-1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void amounts_beyond_all_measure_overflow_nothing() {
    ledger.limit(TASK, List.of(new Limit.Total(Kind.CALLS, 10)), 0);
    ledger.limit(AGENT, List.of(new Limit.Rate(Kind.CALLS, 1, 10)), 0);
    assertThat(ledger.reserve(ALL, calls(Long.MAX_VALUE), 0)).isInstanceOf(Refusal.class);

    reserve(calls(1)).settle(calls(Long.MAX_VALUE), 0);

    assertThat(ledger.reserve(List.of(TASK), calls(1), 0)).isInstanceOf(Refusal.class);
    assertThat(ledger.reserve(List.of(AGENT), calls(1), 0)).isInstanceOf(Refusal.class);
  }

  @Test
  void what_is_on_disk_is_ahead_of_what_was_handed_out() {
    Map<Scope, Long> disk = new HashMap<>();
    AtomicInteger writes = new AtomicInteger();
    ledger =
        new Ledger(
            marks -> {
              writes.incrementAndGet();
              marks.forEach(mark -> disk.put(mark.scope(), mark.used()));
            });
    ledger.limit(TASK, List.of(new Limit.Total(Kind.CALLS, 6_400)), 0);

    for (int call = 1; call <= 6_400; call++) {
      reserve(calls(1));
      assertThat(disk.get(TASK)).isBetween((long) call, 6_400L);
    }
    assertThat(writes.get()).isBetween(60, 65);
    assertThat(ledger.leased(0)).containsExactly(new Mark(TASK, Kind.CALLS, 0, 0, 6_400));
  }

  @Test
  void what_cannot_be_written_is_not_handed_out() {
    ledger =
        new Ledger(
            marks -> {
              throw new IllegalStateException("the disk is full");
            });
    ledger.limit(TASK, List.of(new Limit.Total(Kind.CALLS, 10)), 0);

    assertThatThrownBy(() -> ledger.reserve(ALL, calls(1), 0)).hasMessage("the disk is full");
    assertThat(ledger.snapshot(0)).isEmpty();
  }

  @Test
  void a_restored_ledger_goes_on_where_the_other_ended_and_its_rates_begin_empty() {
    ledger.restore(List.of(new Mark(TASK, Kind.CALLS, 0, 0, 7)), 1_000);
    ledger.limit(TASK, List.of(new Limit.Total(Kind.CALLS, 10)), 1_000);
    ledger.limit(AGENT, List.of(new Limit.Rate(Kind.TOKENS, 10, 30)), 1_500);

    assertThat(ledger.reserve(ALL, calls(4), 1_500)).isInstanceOf(Refusal.class);
    assertThat(ledger.reserve(ALL, calls(3), 1_500)).isInstanceOf(Reservation.class);
    assertThat(ledger.reserve(ALL, tokens(6), 1_500)).isInstanceOf(Refusal.class);
    assertThat(ledger.reserve(ALL, tokens(5), 1_500)).isInstanceOf(Reservation.class);
    assertThatThrownBy(() -> ledger.restore(List.of(), 0))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void of_a_thousand_concurrent_calls_on_a_budget_of_a_hundred_a_hundred_are_admitted()
      throws Exception {
    ledger.limit(TENANT, List.of(new Limit.PerWindow(Kind.CALLS, 1_000_000, HOUR)), 0);
    ledger.limit(AGENT, List.of(new Limit.PerWindow(Kind.CALLS, 100, HOUR)), 0);
    AtomicInteger admitted = new AtomicInteger();

    together(
        1_000,
        call -> {
          if (ledger.reserve(ALL, calls(1), 0) instanceof Reservation reservation) {
            admitted.incrementAndGet();
            reservation.settle(calls(1), 0);
          }
        });

    assertThat(admitted.get()).isEqualTo(100);
    assertThat(ledger.snapshot(0))
        .containsExactlyInAnyOrder(
            new Mark(TENANT, Kind.CALLS, HOUR, 0, 100), new Mark(AGENT, Kind.CALLS, HOUR, 0, 100));
  }

  @Test
  void what_concurrent_calls_give_back_can_be_used_and_never_more() throws Exception {
    ledger.limit(TASK, List.of(new Limit.Total(Kind.TOKENS, 60_000)), 0);
    AtomicInteger used = new AtomicInteger();

    together(
        100_000,
        call -> {
          if (ledger.reserve(ALL, tokens(10), 0) instanceof Reservation reservation) {
            int actual = call % 3;
            used.addAndGet(actual);
            reservation.settle(tokens(actual), 0);
          }
        });

    assertThat(used.get()).isBetween(59_600, 60_000);
    assertThat(ledger.snapshot(0)).containsExactly(new Mark(TASK, Kind.TOKENS, 0, 0, used.get()));
  }

  private interface Call {
    void make(int number);
  }

  private static void together(int calls, Call call) throws Exception {
    int threads = 32;
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    CountDownLatch begin = new CountDownLatch(threads);
    List<Future<?>> done = new ArrayList<>();
    for (int thread = 0; thread < threads; thread++) {
      int first = thread;
      done.add(
          pool.submit(
              () -> {
                begin.countDown();
                begin.await();
                for (int number = first; number < calls; number += threads) {
                  call.make(number);
                }
                return null;
              }));
    }
    for (Future<?> each : done) {
      each.get();
    }
    pool.shutdown();
  }

  private Reservation reserve(Amounts amounts) {
    Answer answer = ledger.reserve(ALL, amounts, 0);
    assertThat(answer).isInstanceOf(Reservation.class);
    return (Reservation) answer;
  }

  private static Amounts calls(long calls) {
    return new Amounts(calls, 0, 0, 0);
  }

  private static Amounts tokens(long tokens) {
    return new Amounts(0, tokens, 0, 0);
  }

  private static Amounts usd(long usdMicros) {
    return new Amounts(0, 0, usdMicros, 0);
  }
}
