package org.aionos.scheduler;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.TaskStore.Key;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the entries of one task's log. An answer of the store that is lost leaves open whether the
 * entry is there: then the log is looked at before anything is written again, so that no entry is
 * there twice, and none that its writer was told is not.
 *
 * <p>Used by one thread at a time.
 */
final class LogKeeper implements CallLog.Sink {

  /** A call waits for it; a server that was restarted is back by then. */
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(3);

  static final long PAUSE_MILLIS = 100;

  private final TaskStore store;
  private final Key key;
  private final String node;
  private final LongSupplier nanos;
  private final Runnable lost;
  private final long pauseMillis;

  /** Entries that the log is known to have. */
  private int length;

  /** One that may be there beyond these. */
  private byte @Nullable [] inDoubt;

  /**
   * @param node that holds the task
   * @param length entries that the log has
   * @param lost told that it is another node's by now
   * @param pauseMillis between two looks at a store that does not answer
   */
  LogKeeper(
      TaskStore store,
      Key key,
      String node,
      int length,
      LongSupplier nanos,
      Runnable lost,
      long pauseMillis) {
    this.store = store;
    this.key = key;
    this.node = node;
    this.length = length;
    this.nanos = nanos;
    this.lost = lost;
    this.pauseMillis = pauseMillis;
  }

  @Override
  public void append(byte[] entry) {
    long until = nanos.getAsLong() + PATIENCE_NANOS;
    while (true) {
      try {
        appendOnce(entry);
        return;
      } catch (StoreUnavailable away) {
        if (nanos.getAsLong() - until >= 0 || !paused()) {
          throw new Refused(Code.RESTARTING, "the store of tasks does not answer; retry");
        }
      }
    }
  }

  private void appendOnce(byte[] entry) {
    if (inDoubt != null && isThere(inDoubt, entry)) {
      return;
    }
    inDoubt = entry;
    int now = store.append(key, node, entry);
    inDoubt = null;
    if (now < 0) {
      throw taken();
    }
    if (now != length + 1) {
      // What was given up came after all, late: the task's calls would be counted wrongly.
      cut(length);
      appendOnce(entry);
      return;
    }
    length = now;
  }

  /** Settles the doubt about one entry; whether it is the one to be appended now, and there. */
  private boolean isThere(byte[] doubtful, byte[] entry) {
    List<byte[]> log = store.log(key);
    boolean isSame = Arrays.equals(doubtful, entry);
    boolean isThere = log.size() == length + 1 && Arrays.equals(log.get(length), doubtful);
    if (isThere && isSame) {
      inDoubt = null;
      length++;
      return true;
    }
    if (log.size() > length) {
      cut(length);
    }
    inDoubt = null;
    return false;
  }

  private void cut(int entries) {
    if (!store.cut(key, node, entries)) {
      throw taken();
    }
  }

  private Refused taken() {
    lost.run();
    return new Refused(Code.CONFLICT, "another node has taken the task " + key.id());
  }

  private boolean paused() {
    try {
      Thread.sleep(pauseMillis);
      return true;
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
