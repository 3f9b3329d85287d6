package org.aionos.sandbox;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for what the host does in its own time, and nobody tells us of. */
final class Patience {

  private static final long LOOK_NANOS = TimeUnit.MICROSECONDS.toNanos(500);

  private Patience() {}

  /**
   * Looks again and again until something is done. An interrupt does not end the wait, and is kept
   * for whoever comes after: what is waited for here is the end of processes, which a caller whose
   * deadline has passed must see too.
   *
   * @return whether it was done in time
   */
  static boolean await(Duration max, BooleanSupplier done) {
    long start = System.nanoTime();
    boolean interrupted = false;
    try {
      while (!done.getAsBoolean()) {
        if (System.nanoTime() - start > max.toNanos()) {
          return false;
        }
        interrupted |= Thread.interrupted();
        LockSupport.parkNanos(LOOK_NANOS);
      }
      return true;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
