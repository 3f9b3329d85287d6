package org.aionos.scheduler;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.TaskStore.Message;

/**
 * Boxes of messages, one for each agent. A message stays until its agent says that it has it: who
 * is interrupted between the two gets it once more.
 */
final class Mail {

  /** Each that waits holds a call of the router's. */
  private static final int WAITERS_MAX = 32;

  /** Where several nodes share a store, mail may come without a word. */
  private static final long LOOK_MILLIS = 200;

  private final TaskStore store;
  private final SettingsFile settings;
  private final Semaphore places = new Semaphore(WAITERS_MAX);
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition came = lock.newCondition();
  private volatile boolean closed;

  Mail(TaskStore store, SettingsFile settings) {
    this.store = store;
    this.settings = settings;
  }

  /**
   * @throws Refused {@code QUEUE_FULL} if the box has no room
   */
  long send(AgentId to, byte[] message) {
    SchedulerSettings.Limits limits = settings.now().limits();
    if (message.length > limits.mailBytesMax()) {
      throw new Refused(
          Problem.at(
              "/params/body",
              Code.INVALID_FIELD,
              "is more than " + limits.mailBytesMax() + " bytes as JSON"));
    }
    long number = store.post(to.toString(), message, limits.mailMax());
    if (number < 0) {
      throw new Refused(
          Problem.later(
                  Code.QUEUE_FULL,
                  to + " has as many messages as it may: " + limits.mailMax(),
                  Duration.ofSeconds(1))
              .admittedBy("it reads some, or limits.mail_max of scheduler.yaml is raised"));
    }
    lock.lock();
    try {
      came.signalAll();
    } finally {
      lock.unlock();
    }
    return number;
  }

  void discard(AgentId of, long through) {
    store.discard(of.toString(), through);
  }

  /**
   * The oldest messages of a box, once there is one, or after that long.
   *
   * @throws Refused {@code KERNEL_BUSY} if too many wait
   */
  List<Message> receive(AgentId of, int max, Duration waitMax) throws InterruptedException {
    List<Message> there = store.mail(of.toString(), max);
    if (!there.isEmpty() || waitMax.isZero()) {
      return there;
    }
    if (!places.tryAcquire()) {
      throw new Refused(
          Code.KERNEL_BUSY, "too many agents wait for messages; ask without wait_ms, or later");
    }
    try {
      return await(of, max, waitMax.toNanos());
    } finally {
      places.release();
    }
  }

  private List<Message> await(AgentId of, int max, long waitNanos) throws InterruptedException {
    long left = waitNanos;
    while (true) {
      List<Message> there = store.mail(of.toString(), max);
      if (!there.isEmpty() || left <= 0 || closed) {
        return there;
      }
      long step = Math.min(left, TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS));
      lock.lock();
      try {
        left -= step - Math.max(0, came.awaitNanos(step));
      } finally {
        lock.unlock();
      }
    }
  }

  /** Nobody waits any more. */
  void close() {
    closed = true;
    lock.lock();
    try {
      came.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
