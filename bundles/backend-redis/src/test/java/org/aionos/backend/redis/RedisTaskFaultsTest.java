package org.aionos.backend.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.TaskStore.Row;
import org.aionos.kernel.task.Tier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is so after the server, or a node, was killed in the middle. */
final class RedisTaskFaultsTest {

  private static final int TASKS = 4;
  private static final Duration WAIT_MAX = Duration.ofSeconds(20);

  @TempDir Path folder;
  private final RedisTaskDriver driver = new RedisTaskDriver();
  private RedisServer server;
  private TaskStore store;

  @BeforeEach
  void start() throws Exception {
    server = RedisServer.start(folder, "--appendfsync", "always");
    store = open(driver, server.url());
  }

  @AfterEach
  void stop() throws Exception {
    driver.close();
    server.close();
  }

  private static TaskStore open(RedisTaskDriver driver, String url) {
    return driver.open(Openings.of(url, null, null, null, Duration.ofSeconds(2)));
  }

  private static Key key(int task) {
    return new Key("acme", "t" + task);
  }

  private static void addAndClaim(TaskStore store, String node) {
    for (int task = 0; task < TASKS; task++) {
      store.add(new Row(key(task), "ann", Tier.LOW, TaskState.QUEUED, task, 1, null, new byte[9]));
    }
    assertThat(store.claim(node, TASKS)).hasSize(TASKS);
  }

  @Test
  void every_acknowledged_entry_is_there_after_the_server_was_killed() throws Exception {
    addAndClaim(store, "n1");
    List<List<String>> acknowledged = new ArrayList<>();
    AtomicInteger count = new AtomicInteger();
    AtomicInteger failed = new AtomicInteger();
    AtomicBoolean over = new AtomicBoolean();
    ExecutorService pool = Executors.newFixedThreadPool(TASKS);
    List<Future<?>> all = new ArrayList<>();
    for (int task = 0; task < TASKS; task++) {
      Key key = key(task);
      List<String> own = new ArrayList<>();
      acknowledged.add(own);
      all.add(
          pool.submit(
              () -> {
                for (int i = 0; !over.get(); i++) {
                  try {
                    assertThat(store.append(key, "n1", ("entry " + i).getBytes(UTF_8)))
                        .isPositive();
                    own.add("entry " + i);
                    count.incrementAndGet();
                  } catch (StoreUnavailable down) {
                    failed.incrementAndGet();
                  }
                }
              }));
    }
    for (int round = 0; round < 3; round++) {
      await(count, count.get() + 200);
      server.kill();
      await(failed, failed.get() + 1);
      server.start();
    }
    await(count, count.get() + 200);
    over.set(true);
    for (Future<?> each : all) {
      each.get();
    }
    pool.shutdown();

    for (int task = 0; task < TASKS; task++) {
      assertThat(store.log(key(task)).stream().map(entry -> new String(entry, UTF_8)))
          .containsSubsequence(acknowledged.get(task));
    }
    assertThat(store.claim("n1", TASKS)).isEmpty();
  }

  private static void await(AtomicInteger count, int wanted) {
    long end = System.nanoTime() + WAIT_MAX.toNanos();
    while (count.get() < wanted) {
      assertThat(System.nanoTime()).as("%s of %d", count, wanted).isLessThan(end);
      Thread.onSpinWait();
    }
  }

  @Test
  void another_node_goes_on_from_every_acknowledged_entry_of_one_that_was_killed()
      throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                server.url())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    int last = lastOf(child, 1_000);
    child.destroyForcibly().waitFor();

    assertThat(store.claim("n2", TASKS)).isEmpty();
    server.ask("DEL aion:task:nodes");
    server.ask("ZADD aion:task:nodes 1 child");
    List<Row> taken = store.claim("n2", TASKS);

    assertThat(taken).hasSize(TASKS);
    int entries = 0;
    for (Row row : taken) {
      List<byte[]> log = store.log(row.key());
      entries += log.size();
      assertThat(store.append(row.key(), "child", new byte[1])).isEqualTo(-1);
      assertThat(store.append(row.key(), "n2", new byte[1])).isEqualTo(log.size() + 1);
    }
    assertThat(entries).isGreaterThan(last);
  }

  private static int lastOf(Process child, int count) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(child.getInputStream(), UTF_8));
    int last = -1;
    while (last < count) {
      String line = lines.readLine();
      assertThat(line).as("the child goes on until it is killed").isNotNull();
      last = Integer.parseInt(line);
    }
    return last;
  }

  @Test
  void a_server_that_is_away_is_said_to_be() throws Exception {
    addAndClaim(store, "n1");
    server.kill();

    assertThatThrownBy(() -> store.append(key(0), "n1", new byte[1]))
        .isInstanceOf(StoreUnavailable.class)
        .hasMessage("the server of tasks cannot be reached");
    assertThatThrownBy(() -> store.waiting()).isInstanceOf(StoreUnavailable.class);
    assertThatThrownBy(() -> store.mail("box", 1)).isInstanceOf(StoreUnavailable.class);
  }

  /** Appends as fast as it can, and says so line by line. */
  static final class Child {

    public static void main(String[] url) {
      TaskStore store = open(new RedisTaskDriver(), url[0]);
      addAndClaim(store, "child");
      for (int i = 0; true; i++) {
        store.append(key(i % TASKS), "child", ("entry " + i).getBytes(UTF_8));
        System.out.println(i);
        System.out.flush();
      }
    }
  }
}
