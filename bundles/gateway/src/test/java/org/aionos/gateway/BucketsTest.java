package org.aionos.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

final class BucketsTest {

  private final AtomicLong nanos = new AtomicLong();

  @Example
  void gives_a_burst_then_the_rate_and_says_how_long_to_wait() {
    Buckets buckets = new Buckets(10, nanos::get);
    for (int i = 0; i < 20; i++) {
      assertThat(buckets.take("a")).isZero();
    }

    assertThat(buckets.take("a")).isEqualTo(Duration.ofMillis(100));
    assertThat(buckets.take("b")).as("another name has its own").isZero();
    nanos.addAndGet(Duration.ofMillis(100).toNanos());
    assertThat(buckets.take("a")).isZero();
    assertThat(buckets.take("a")).isPositive();
  }

  @Property(tries = 200)
  void never_gives_more_than_burst_plus_rate(@ForAll long seed) {
    SplittableRandom chance = new SplittableRandom(seed);
    Buckets buckets = new Buckets(100, nanos::get);
    long begun = nanos.get();
    int given = 0;
    for (int i = 0; i < 2_000; i++) {
      nanos.addAndGet(chance.nextInt(2_000_000));
      given += buckets.take("a").isZero() ? 1 : 0;
    }

    double seconds = (nanos.get() - begun) / 1e9;
    assertThat((double) given).isLessThanOrEqualTo(200 + 100 * seconds + 1);
  }
}
