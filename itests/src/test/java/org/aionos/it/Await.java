package org.aionos.it;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/** Waits for conditions, never for time. */
final class Await {

  private static final long LOOK_NANOS = 5_000_000;

  private Await() {}

  static void until(String what, Duration timeout, Callable<Boolean> condition) {
    long end = System.nanoTime() + timeout.toNanos();
    Throwable last = null;
    while (System.nanoTime() - end < 0) {
      try {
        if (condition.call()) {
          return;
        }
        last = null;
      } catch (Exception | AssertionError notYet) {
        last = notYet;
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
    throw new AssertionError("not within " + timeout + ": " + what, last);
  }
}
