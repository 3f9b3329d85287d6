package org.aionos.scheduler;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;

/** Stands still until told to move. */
final class FakeClock implements InstantSource {

  private final AtomicLong millis = new AtomicLong(1_767_225_600_000L);

  void advance(Duration by) {
    millis.addAndGet(by.toMillis());
  }

  @Override
  public Instant instant() {
    return Instant.ofEpochMilli(millis.get());
  }

  @Override
  public long millis() {
    return millis.get();
  }

  long nanos() {
    return millis.get() * 1_000_000;
  }
}
