package org.aionos.process;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/** Stands still until told to move. Serves as wall clock and as ticker. */
final class FakeClock implements InstantSource, LongSupplier {

  private volatile long nanos;

  void advance(Duration by) {
    nanos += by.toNanos();
  }

  @Override
  public Instant instant() {
    return Instant.parse("2026-01-01T00:00:00Z").plusNanos(nanos);
  }

  @Override
  public long getAsLong() {
    return nanos;
  }
}
