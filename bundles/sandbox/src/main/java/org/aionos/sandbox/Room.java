package org.aionos.sandbox;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.function.LongSupplier;

/**
 * One worker's way to have a large message in memory. Few workers may at a time: a message of
 * nothing but brackets grows twentyfold when it is read, and there are many workers to send one.
 */
final class Room {

  /** So many bytes are small, whatever they become. */
  static final int SMALL_BYTES = 64 << 10;

  /** Large messages in memory at once, of all workers; each may become some 90 MB. */
  static final int PLACES = 2;

  private final Semaphore places;
  private final LongSupplier nanoClock;

  /** Guarded by this, as is what follows. */
  private boolean held;

  private long sinceNanos;
  private boolean closed;

  /**
   * @param places shared by all workers
   */
  Room(Semaphore places, LongSupplier nanoClock) {
    this.places = places;
    this.nanoClock = nanoClock;
  }

  /** Waits for a place, unless this worker has one. */
  void enter() throws InterruptedException {
    if (isHeld()) {
      return;
    }
    places.acquire();
    synchronized (this) {
      if (held || closed) {
        places.release();
      } else {
        held = true;
        sinceNanos = nanoClock.getAsLong();
      }
    }
  }

  synchronized void leave() {
    if (held) {
      held = false;
      places.release();
    }
  }

  /** Gives the place back for good. */
  synchronized void close() {
    closed = true;
    leave();
  }

  synchronized boolean isHeld() {
    return held;
  }

  synchronized boolean isHeldFor(Duration duration) {
    return held && nanoClock.getAsLong() - sinceNanos >= duration.toNanos();
  }
}
