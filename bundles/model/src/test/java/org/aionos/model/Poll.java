package org.aionos.model;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for what another process, or its socket, does in its own time. */
final class Poll {

  private static final Duration TIME_MAX = Duration.ofSeconds(20);

  private Poll() {}

  static void until(BooleanSupplier condition) {
    long begun = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - begun > TIME_MAX.toNanos()) {
        throw new AssertionError("it did not come to pass");
      }
      LockSupport.parkNanos(1_000_000);
    }
  }
}
