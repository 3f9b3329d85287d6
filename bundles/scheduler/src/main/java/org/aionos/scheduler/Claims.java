package org.aionos.scheduler;

import java.util.function.LongSupplier;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.TaskStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the store again and again that this node lives, and notices when the store may have given
 * its tasks to others. Each has a thread of its own: whatever else hangs, and even if the store
 * does, neither is late.
 */
final class Claims implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Claims.class);

  /** A sign of life that is lost, and one more, do no harm. */
  private static final int RENEWALS = 6;

  /** The last part of the time is for what runs to be stopped in. */
  private static final int STOPPING = 10;

  private static final long LOOK_MILLIS_MAX = 250;
  private static final long NANOS = 1_000_000;

  private final TaskStore store;
  private final LongSupplier nanos;
  private final Runnable lost;
  private final long claimMillis;
  private final Thread renewing = new Thread(this::renewNowAndThen, "aion-task-claims");
  private final Thread watching = new Thread(this::watch, "aion-task-claims-watch");

  /** Guarded by this, as all that follows. */
  private String node;

  private long renewedNanos;
  private boolean closed;

  /**
   * @param lost told that no task is this node's any more; a new name must be taken
   */
  Claims(TaskStore store, String node, LongSupplier nanos, Runnable lost) {
    this.store = store;
    this.node = node;
    this.nanos = nanos;
    this.lost = lost;
    this.claimMillis = store.claimMillis();
    this.renewedNanos = nanos.getAsLong();
    renewing.setDaemon(true);
    watching.setDaemon(true);
  }

  void start() {
    renewing.start();
    watching.start();
  }

  /** From now on the node is called so, and holds nothing yet. */
  synchronized void call(String name) {
    node = name;
    renewedNanos = nanos.getAsLong();
  }

  private synchronized String node() {
    return node;
  }

  private void renewNowAndThen() {
    while (await(Math.max(1, claimMillis / RENEWALS))) {
      try {
        renew();
      } catch (StoreUnavailable away) {
        log.warn("this node cannot say that it lives: {}", away.getMessage());
      } catch (RuntimeException unexpected) {
        log.error("kernel fault: this node cannot say that it lives", unexpected);
      }
    }
  }

  /** What counts is when it was said, not when that was acknowledged. */
  void renew() {
    String name = node();
    long begun = nanos.getAsLong();
    store.renew(name);
    synchronized (this) {
      if (name.equals(node)) {
        renewedNanos = Math.max(renewedNanos, begun);
      }
    }
  }

  private void watch() {
    while (await(Math.max(1, Math.min(LOOK_MILLIS_MAX, claimMillis / (4L * STOPPING))))) {
      try {
        look();
      } catch (RuntimeException unexpected) {
        log.error("kernel fault: tasks that may be others' could not be stopped", unexpected);
      }
    }
  }

  void look() {
    if (!areSure()) {
      lost.run();
    }
  }

  /** Whether no other node can have been given what this one holds. */
  synchronized boolean areSure() {
    long sureMillis = claimMillis - claimMillis / STOPPING;
    return nanos.getAsLong() - renewedNanos < sureMillis * NANOS;
  }

  /** False once it is closed. */
  private synchronized boolean await(long millis) {
    try {
      if (!closed) {
        wait(millis);
      }
      return !closed;
    } catch (InterruptedException stopped) {
      return false;
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    notifyAll();
  }
}
