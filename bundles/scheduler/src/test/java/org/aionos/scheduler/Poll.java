package org.aionos.scheduler;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits for other threads, and says what it waited for in vain. */
final class Poll {

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private Poll() {}

  static void until(String what, BooleanSupplier holds) {
    until(() -> what, holds);
  }

  static void until(Supplier<String> what, BooleanSupplier holds) {
    long begun = System.nanoTime();
    while (!holds.getAsBoolean()) {
      if (System.nanoTime() - begun > PATIENCE.toNanos()) {
        throw new AssertionError("never came about: " + what.get());
      }
      LockSupport.parkNanos(500_000);
    }
  }
}
