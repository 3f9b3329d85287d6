package org.aionos.router;

import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends calls at their deadline: interrupts the thread, and if that does not help, answers in its
 * place. One thread watches all; a call costs two map operations.
 */
@Component(service = Watchdog.class)
public final class Watchdog {

  private static final Logger log = LoggerFactory.getLogger(Watchdog.class);

  /** A deadline is kept to within this. */
  private static final Duration LOOK = Duration.ofMillis(5);

  /** What an interrupted tool gets to clean up before it is answered for. */
  private static final long GRACE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final LongSupplier nanoClock;
  private final ConcurrentMap<Thread, Watch> watched = new ConcurrentHashMap<>();
  private final ScheduledExecutorService looker =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "aion-watchdog");
            thread.setDaemon(true);
            return thread;
          });

  @Activate
  public Watchdog() {
    this(System::nanoTime);
    looker.scheduleWithFixedDelay(
        this::look, LOOK.toMillis(), LOOK.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** A watchdog that looks when told to. */
  Watchdog(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
  }

  /**
   * Watches the calling thread until the watch is closed.
   *
   * @param overrun called on the watchdog's thread if the deadline and the grace have passed
   */
  Watch watch(Duration left, Runnable overrun) {
    Watch watch =
        new Watch(Thread.currentThread(), nanoClock.getAsLong() + left.toNanos(), overrun);
    watched.put(watch.thread, watch);
    return watch;
  }

  /** Moves the deadline of the calling thread's watch nearer, never further away. */
  void narrow(Duration left) {
    Watch watch = watched.get(Thread.currentThread());
    if (watch != null) {
      watch.narrow(nanoClock.getAsLong() + left.toNanos());
    }
  }

  void look() {
    long now = nanoClock.getAsLong();
    for (Watch watch : watched.values()) {
      try {
        watch.look(now);
      } catch (RuntimeException unexpected) {
        log.error("kernel fault: could not end a call at its deadline", unexpected);
      }
    }
  }

  @Deactivate
  void close() {
    looker.shutdownNow();
  }

  /** One call's watch. Closed by the thread that it watches. */
  final class Watch {

    private final Thread thread;
    private final Runnable overrun;
    private long deadlineNanos;
    private boolean interrupted;
    private boolean answered;
    private boolean closed;

    private Watch(Thread thread, long deadlineNanos, Runnable overrun) {
      this.thread = thread;
      this.deadlineNanos = deadlineNanos;
      this.overrun = overrun;
    }

    private synchronized void narrow(long nanos) {
      if (nanos - deadlineNanos < 0) {
        deadlineNanos = nanos;
      }
    }

    private void look(long now) {
      boolean answer;
      synchronized (this) {
        long late = now - deadlineNanos;
        if (closed || late < 0) {
          return;
        }
        if (!interrupted) {
          interrupted = true;
          thread.interrupt();
        }
        answer = late >= GRACE_NANOS && !answered;
        answered |= answer;
      }
      if (answer) {
        overrun.run();
      }
    }

    /** Brings the deadline to now; it is kept at the next look. */
    void hasten() {
      narrow(nanoClock.getAsLong());
    }

    /** Ends the watch. The thread is left uninterrupted. */
    void end() {
      synchronized (this) {
        closed = true;
      }
      watched.remove(thread, this);
      // Under the lock nobody interrupts any more, so this clears the last interrupt for good.
      Thread.interrupted();
    }
  }
}
