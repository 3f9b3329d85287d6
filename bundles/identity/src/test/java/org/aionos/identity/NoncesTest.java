package org.aionos.identity;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.junit.jupiter.api.Test;

final class NoncesTest {

  private static final Duration WINDOW = Duration.ofSeconds(300);

  private final FakeClock clock = new FakeClock();

  @Test
  void of_sixteen_threads_with_one_nonce_exactly_one_is_admitted() throws Exception {
    assertEachIsAdmittedOnce(16, 100);
  }

  @Test
  void of_two_threads_with_one_nonce_exactly_one_is_admitted() throws Exception {
    // Two cores meet more closely than sixteen threads that take turns on them.
    assertEachIsAdmittedOnce(2, 5_000);
  }

  private void assertEachIsAdmittedOnce(int threadCount, int nonceCount) throws Exception {
    Nonces nonces = nonces(nonceCount, Map.of());
    ExecutorService threads = Executors.newFixedThreadPool(threadCount);
    AtomicInteger arrived = new AtomicInteger();
    try {
      List<Future<Integer>> admitted = new ArrayList<>();
      for (int i = 0; i < threadCount; i++) {
        admitted.add(threads.submit(() -> admittedOf(nonces, nonceCount, threadCount, arrived)));
      }
      int sum = 0;
      for (Future<Integer> one : admitted) {
        sum += one.get();
      }
      assertThat(sum).isEqualTo(nonceCount);
    } finally {
      threads.shutdownNow();
    }
  }

  /** Tries the same nonces as the other threads, each together with them. */
  private int admittedOf(Nonces nonces, int nonceCount, int threadCount, AtomicInteger arrived) {
    int admitted = 0;
    for (int i = 0; i < nonceCount; i++) {
      arrived.incrementAndGet();
      // Spinning first: whoever is woken comes too late for the race.
      for (int spins = 0; arrived.get() < threadCount * (i + 1); spins++) {
        if (spins < 2_000) {
          Thread.onSpinWait();
        } else {
          Thread.yield();
        }
      }
      admitted += answer(nonces, "nonce-" + i, clock.millis()) == Code.OK ? 1 : 0;
    }
    return admitted;
  }

  @Test
  void at_the_bound_a_tenant_is_put_off_and_the_others_are_not() {
    Nonces nonces = nonces(3, Map.of());
    for (int i = 0; i < 3; i++) {
      nonces.take("acme", "nonce-" + i, clock.millis());
    }

    Problem problem = Kernel.problemOf(() -> nonces.take("acme", "nonce-3", clock.millis()));

    assertThat(problem.code()).isEqualTo(Code.RATE_LIMITED);
    nonces.take("other", "nonce-3", clock.millis());
    clock.advance(problem.retryAfter());
    nonces.take("acme", "nonce-3", clock.millis());
  }

  @Test
  void at_the_bound_the_window_shrinks_but_no_replay_gets_in() {
    Nonces nonces = nonces(1, Map.of());
    long signedAt = clock.millis();
    nonces.take("acme", "nonce-1", signedAt);

    assertThat(answer(nonces, "nonce-2", clock.millis()))
        .as("two clocks may differ by seconds, so that much is always remembered")
        .isEqualTo(Code.RATE_LIMITED);
    assertThat(answer(nonces, "nonce-1", signedAt)).isEqualTo(Code.REPLAYED);
    clock.advance(Duration.ofSeconds(10));

    assertThat(answer(nonces, "nonce-2", clock.millis())).isEqualTo(Code.OK);
    assertThat(answer(nonces, "nonce-1", signedAt))
        .as("forgotten, so whatever is that old is put off")
        .isEqualTo(Code.RESTARTING);
  }

  @Test
  void below_the_bound_nothing_is_forgotten_within_the_window() {
    Nonces nonces = nonces(2, Map.of());
    long signedAt = clock.millis();
    nonces.take("acme", "nonce-1", signedAt);
    clock.advance(WINDOW);

    assertThat(answer(nonces, "nonce-1", signedAt)).isEqualTo(Code.REPLAYED);
  }

  @Test
  void after_a_crash_what_was_signed_before_the_start_is_put_off() {
    Nonces nonces = nonces(10, Map.of());

    Problem problem = Kernel.problemOf(() -> nonces.take("acme", "n1", clock.millis() - 1));

    assertThat(problem.code()).isEqualTo(Code.RESTARTING);
    assertThat(problem.retryAfter()).isEqualTo(Duration.ofSeconds(1));
    assertThat(problem.message()).contains("sign it again");
    assertThat(answer(nonces, "n1", clock.millis())).isEqualTo(Code.OK);
  }

  @Test
  void a_successor_goes_on_where_its_predecessor_ended() {
    Nonces first = nonces(10, Map.of());
    long signedAt = clock.millis();
    clock.advance(Duration.ofSeconds(10));
    long ahead = clock.millis() + 100_000;
    first.take("acme", "taken-1", signedAt);
    first.take("acme", "taken-2", ahead);

    Nonces second = nonces(10, first.close());

    assertThat(answer(second, "taken-1", signedAt)).isEqualTo(Code.REPLAYED);
    assertThat(answer(second, "taken-2", ahead)).isEqualTo(Code.REPLAYED);
    assertThat(answer(second, "under-way", signedAt)).isEqualTo(Code.OK);
    assertThat(answer(first, "too-late", clock.millis())).isEqualTo(Code.RESTARTING);
  }

  @Test
  void a_wider_window_does_not_readmit_what_a_narrower_one_forgot() {
    Nonces first = nonces(10, Map.of());
    long signedAt = clock.millis();
    first.take("acme", "n1", signedAt);
    clock.advance(WINDOW.plusSeconds(5));
    Map<String, String> left = first.close();

    Nonces second = new Nonces(clock, WINDOW.multipliedBy(2), 10, left, Nonces.Elsewhere.NOWHERE);

    assertThat(answer(second, "n1", signedAt)).isEqualTo(Code.RESTARTING);
  }

  @Test
  void a_clock_that_steps_back_does_not_readmit_what_was_forgotten() {
    Nonces nonces = nonces(10, Map.of());
    long signedAt = clock.millis();
    nonces.take("acme", "n1", signedAt);
    clock.advance(WINDOW.plusSeconds(5));
    nonces.take("acme", "n2", clock.millis());

    clock.advance(WINDOW.negated());

    assertThat(answer(nonces, "n1", signedAt)).isEqualTo(Code.RESTARTING);
    Nonces successor = nonces(10, nonces.close());
    assertThat(answer(successor, "n1", signedAt)).isEqualTo(Code.RESTARTING);
  }

  @Property(tries = 200)
  void nothing_is_admitted_twice_in_any_life(@ForAll long seed) {
    Random random = new Random(seed);
    FakeClock time = new FakeClock();
    Nonces nonces = new Nonces(time, WINDOW, 20, Map.of(), Nonces.Elsewhere.NOWHERE);
    Set<String> admitted = new HashSet<>();

    for (int step = 0; step < 200; step++) {
      String nonce = "n" + random.nextInt(30);
      // As a captured request is: one nonce always comes with one timestamp.
      long signedAt = FakeClock.START.toEpochMilli() + 40_000L * nonce.hashCode() % 900_000;
      if (answer(nonces, nonce, signedAt) == Code.OK) {
        assertThat(admitted.add(nonce)).as("seed %d nonce %s twice", seed, nonce).isTrue();
      }
      time.advance(Duration.ofSeconds(random.nextInt(12) - 2));
      if (random.nextInt(20) == 0) {
        nonces = new Nonces(time, WINDOW, 20, nonces.close(), Nonces.Elsewhere.NOWHERE);
      }
    }
  }

  private Nonces nonces(int perTenantMax, Map<String, String> left) {
    return new Nonces(clock, WINDOW, perTenantMax, left, Nonces.Elsewhere.NOWHERE);
  }

  private static Code answer(Nonces nonces, String nonce, long timestampMillis) {
    try {
      nonces.take("acme", nonce, timestampMillis);
      return Code.OK;
    } catch (Refused refused) {
      return refused.problem().code();
    }
  }
}
