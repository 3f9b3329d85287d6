package org.aionos.tasks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.TaskStore.Row;
import org.aionos.kernel.task.Tier;

/** How long a store takes to add, replace and append; printed, for no time is right everywhere. */
public final class TaskStoreSpeed {

  /** As a task and a recorded outcome are on the whole. */
  private static final int BYTES = 1_000;

  /** One call of many; its number tells it apart. */
  public interface Call {
    void make(int number);
  }

  private TaskStoreSpeed() {}

  /** Of so many tasks; with one thread, then with sixteen. Leaves none that has not ended. */
  public static void print(String name, TaskStore store, int count) throws Exception {
    for (int threads : List.of(1, 16)) {
      String run = "r" + threads + "-";
      Map<Key, Row> rows = new ConcurrentHashMap<>();
      measure(name + " add of 1,000 bytes", count, threads, i -> store.add(row(run + i, i)));
      long begun = System.nanoTime();
      store.claim("node", count).forEach(row -> rows.put(row.key(), row));
      System.out.printf(
          "%s claim of %d: %.0f ms%n", name, rows.size(), (System.nanoTime() - begun) / 1e6);
      assertThat(rows).hasSize(count);
      measure(
          name + " append of 1,000 bytes",
          count,
          threads,
          i -> assertThat(store.append(key(run + i), "node", new byte[BYTES])).isEqualTo(1));
      measure(
          name + " replace of 1,000 bytes",
          count,
          threads,
          i -> assertThat(store.replace(ended(rows.get(key(run + i))))).isTrue());
    }
  }

  private static Key key(String id) {
    return new Key("acme", id);
  }

  public static Row row(String id, long submittedMillis) {
    return new Row(
        key(id),
        "ann",
        Tier.NORMAL,
        TaskState.QUEUED,
        submittedMillis,
        1,
        null,
        document(submittedMillis));
  }

  /** Text that can be packed about as well as JSON can. */
  private static byte[] document(long seed) {
    Random random = new Random(seed);
    StringBuilder text = new StringBuilder();
    while (text.length() < BYTES) {
      text.append("\"name\":\"").append(Long.toHexString(random.nextLong())).append("\",");
    }
    return text.substring(0, BYTES).getBytes(UTF_8);
  }

  private static Row ended(Row row) {
    return new Row(
        row.key(),
        row.agent(),
        row.tier(),
        TaskState.SUCCEEDED,
        row.submittedMillis(),
        row.revision() + 1,
        null,
        row.document());
  }

  /** Makes so many calls on so many threads, and prints how long each took. */
  public static void measure(String what, int count, int threads, Call call) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    long[] nanos = new long[count];
    List<Future<?>> all = new ArrayList<>();
    long begun = System.nanoTime();
    for (int thread = 0; thread < threads; thread++) {
      int first = thread;
      all.add(
          pool.submit(
              () -> {
                for (int i = first; i < count; i += threads) {
                  long before = System.nanoTime();
                  call.make(i);
                  nanos[i] = System.nanoTime() - before;
                }
              }));
    }
    for (Future<?> each : all) {
      each.get();
    }
    double seconds = (System.nanoTime() - begun) / 1e9;
    pool.shutdown();
    Arrays.sort(nanos);
    System.out.printf(
        "%s, %d threads: p50 %.3f ms, p99 %.3f ms, %.0f a second%n",
        what, threads, nanos[count / 2] / 1e6, nanos[count * 99 / 100] / 1e6, count / seconds);
  }
}
