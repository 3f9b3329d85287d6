package org.aionos.router;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.time.Duration;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeoutException;

/**
 * Counts who uses something that may be taken away, and lets its owner wait until nobody does.
 *
 * <p>One party stands for the owner, one for each holder. At zero the phaser terminates, and a
 * terminated phaser refuses new parties: that is the whole drain protocol. (It holds 65,535
 * parties; the router admits far fewer calls.)
 */
final class Holders {

  private final Phaser phaser = new Phaser(1);

  /** Takes hold; false once the owner has begun to drain. */
  boolean enter() {
    // Between the owner's leaving and the last holder's, register would still succeed.
    if (draining) {
      return false;
    }
    if (phaser.register() < 0) {
      return false;
    }
    if (draining) {
      phaser.arriveAndDeregister();
      return false;
    }
    return true;
  }

  void leave() {
    phaser.arriveAndDeregister();
  }

  /** Lets nobody in any more and waits for those inside; false if some were still there. */
  boolean drain(Duration waitMax) {
    draining = true;
    int phase = phaser.arriveAndDeregister();
    if (phase < 0) {
      return true;
    }
    try {
      phaser.awaitAdvanceInterruptibly(phase, waitMax.toMillis(), MILLISECONDS);
      return true;
    } catch (TimeoutException stillHeld) {
      return false;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** How many hold on right now. */
  int count() {
    return draining
        ? phaser.getRegisteredParties()
        : Math.max(0, phaser.getRegisteredParties() - 1);
  }

  private volatile boolean draining;
}
