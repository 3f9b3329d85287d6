package org.aionos.journal;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.aionos.kernel.Code;
import org.aionos.kernel.JournalReader.Entry;
import org.aionos.kernel.JournalReader.Query;
import org.aionos.kernel.JournalReader.Tail;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The live ends of the journal. Writers pay for a glance at an empty list while nobody watches, and
 * for one copy of a record while somebody does; its JSON is read by the watcher's thread.
 */
final class Tails {

  private static final Logger log = LoggerFactory.getLogger(Tails.class);

  /** About ten seconds of a busy kernel at 100 records a second. */
  static final int WAITING_MAX = 1_024;

  /** More consoles than anybody keeps open; each costs writers a copy. */
  static final int WATCHERS_MAX = 256;

  private final CopyOnWriteArrayList<Watcher> watchers = new CopyOnWriteArrayList<>();

  /**
   * Begins to watch.
   *
   * @throws Refused {@code KERNEL_BUSY} if too many do
   */
  synchronized Tail watch(Query query) {
    if (watchers.size() >= WATCHERS_MAX) {
      throw new Refused(Code.KERNEL_BUSY, "too many watch the journal; close one, then retry");
    }
    Watcher watcher = new Watcher(new Filter(query));
    watchers.add(watcher);
    return watcher;
  }

  /** Shows a batch to all watchers. Called in the order of the journal, by one thread at a time. */
  void publish(Batch batch) {
    if (watchers.isEmpty()) {
      return;
    }
    byte[] bytes = batch.bytes();
    int frame = 0;
    while (frame < batch.length()) {
      int payload = frame + Format.PAYLOAD_AT;
      int end = payload + Format.intAt(bytes, frame);
      show(bytes, payload, end);
      frame = end;
    }
  }

  private void show(byte[] bytes, int from, int end) {
    byte @Nullable [] copy = null;
    for (Watcher watcher : watchers) {
      if (watcher.filter.mayMatch(bytes, from, end - from)) {
        copy = copy == null ? Arrays.copyOfRange(bytes, from, end) : copy;
        watcher.offer(copy);
      }
    }
  }

  private final class Watcher implements Tail {

    private final Filter filter;
    private final BlockingQueue<byte[]> waiting = new ArrayBlockingQueue<>(WAITING_MAX);
    private final AtomicLong lost = new AtomicLong();

    Watcher(Filter filter) {
      this.filter = filter;
    }

    void offer(byte[] payload) {
      if (!waiting.offer(payload)) {
        lost.incrementAndGet();
      }
    }

    @Override
    public @Nullable Entry next(Duration waitMax) throws InterruptedException {
      long deadline = System.nanoTime() + waitMax.toNanos();
      while (true) {
        byte[] payload = waiting.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        if (payload == null) {
          return null;
        }
        Entry entry = read(payload);
        if (entry != null && filter.matches(entry)) {
          return entry;
        }
      }
    }

    @Override
    public long lostSinceLastAsked() {
      return lost.getAndSet(0);
    }

    @Override
    public void close() {
      watchers.remove(this);
      waiting.clear();
    }

    private static @Nullable Entry read(byte[] payload) {
      try {
        return EntryReader.read(payload, 0, payload.length);
      } catch (IOException unreadable) {
        log.error("kernel fault: a record was written that cannot be read", unreadable);
        return null;
      }
    }
  }
}
