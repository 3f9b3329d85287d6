package org.aionos.backend.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.TaskStore.Row;
import org.aionos.kernel.task.Tier;
import org.aionos.tasks.TaskStoreContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RedisTasksTest extends TaskStoreContract {

  @TempDir static Path folder;
  private static RedisServer server;

  private final RedisTaskDriver driver = new RedisTaskDriver();
  private boolean emptied;

  @BeforeAll
  static void start() throws Exception {
    server = RedisServer.start(folder);
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @Override
  protected TaskStore open() throws Exception {
    if (!emptied) {
      emptied = true;
      server.ask("FLUSHALL");
    }
    return another();
  }

  private TaskStore another() {
    return driver.open(Openings.of(server.url(), null, null, null, Duration.ofSeconds(20)));
  }

  /** All nodes are lost so much earlier. */
  @Override
  protected void pass(long millis) throws Exception {
    assertThat(
            server.ask(
                "EVAL \"for _, n in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do"
                    + " redis.call('ZINCRBY', KEYS[1], -ARGV[1], n) end"
                    + " for _, r in ipairs(redis.call('KEYS', 'aion:task:row:*')) do"
                    + " if redis.call('HEXISTS', r, 'c') == 1 then"
                    + " redis.call('HINCRBY', r, 'c', -ARGV[1]) end end return 1\""
                    + " 1 aion:task:nodes "
                    + millis))
        .isEqualTo(":1");
  }

  @Test
  void kernels_see_what_others_do() {
    try (TaskStore other = another()) {
      store().add(row("t1"));
      Row held = other.claim("n2", 9).get(0);

      assertThat(store().claim("n1", 9)).isEmpty();
      assertThat(store().append(held.key(), "n1", text("mine"))).isEqualTo(-1);
      assertThat(other.append(held.key(), "n2", text("a"))).isEqualTo(1);
      assertThat(store().log(held.key())).hasSize(1);
    }
  }

  @Test
  void tasks_that_wait_go_over_a_stream_of_their_queue_and_tenant() throws Exception {
    store().add(row(new Key("a:b", "x:y"), Tier.HIGH, NOW));
    store().add(row(new Key("a", "b:x"), Tier.HIGH, NOW));

    assertThat(server.ask("XLEN aion:task:queue:HIGH:a%3Ab")).isEqualTo(":1");
    Row claimed = store().claim("n1", 1).get(0);
    assertThat(claimed.key()).isEqualTo(new Key("a:b", "x:y"));
    assertThat(pending("a%3Ab")).isEqualTo(":1");
    assertThat(store().list(new TaskStore.Filter("a:b", null, null, null), null, 9).rows())
        .hasSize(1);
  }

  private String pending(String tenant) throws Exception {
    return server.ask(
        "EVAL \"return redis.call('XPENDING', KEYS[1], 'kernels')[1]\" 1 aion:task:queue:HIGH:"
            + tenant);
  }

  @Test
  void nothing_is_left_of_tasks_that_were_taken_away_but_counters() throws Exception {
    for (int i = 0; i < 9; i++) {
      store().add(row("t" + i));
    }
    for (Row row : store().claim("n1", 9)) {
      store().append(row.key(), "n1", text("entry"));
      assertThat(store().replace(next(row, TaskState.SUCCEEDED, null))).isTrue();
      store().remove(row.key());
    }
    store().post("box", text("hello"), 1);
    store().discard("box", Long.MAX_VALUE);
    pass(store().claimMillis() * 2);
    store().claim("n2", 1);

    // aion:task:nodes, aion:task:waiting, aion:task:turn, aion:mail-number
    assertThat(server.ask("DBSIZE")).isEqualTo(":4");
  }

  @Test
  void what_others_took_out_of_the_server_is_passed_over() throws Exception {
    for (String id : List.of("t1", "t2", "t3")) {
      store().add(row(id));
    }
    server.ask("DEL aion:task:row:acme:t1");
    Row held = store().claim("n1", 1).get(0);
    assertThat(held.key().id()).isEqualTo("t2");
    server.ask("DEL aion:task:row:acme:t2");
    pass(store().claimMillis() * 2);

    assertThat(store().append(held.key(), "n1", text("a"))).isEqualTo(-1);
    assertThat(store().claim("n2", 9)).extracting(row -> row.key().id()).containsExactly("t3");
    assertThat(server.ask("XLEN aion:task:queue:NORMAL:acme")).isEqualTo(":1");
  }

  @Test
  void no_node_has_the_name_for_nobody() {
    assertThatThrownBy(() -> store().claim("-", 1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> store().renew("-")).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void a_server_whose_memory_is_full_refuses_what_grows_and_lets_tasks_end() throws Exception {
    store().add(row("t1"));
    Row held = store().claim("n1", 9).get(0);
    store().append(held.key(), "n1", text("a"));
    server.ask("CONFIG SET maxmemory 1");
    try {
      assertThatThrownBy(() -> store().add(row("t2")))
          .isInstanceOf(StoreUnavailable.class)
          .hasMessage("the server of tasks refuses: OOM");
      assertThatThrownBy(() -> store().append(held.key(), "n1", text("b")))
          .isInstanceOf(StoreUnavailable.class);
      assertThatThrownBy(() -> store().post("box", text("m"), 9))
          .isInstanceOf(StoreUnavailable.class);
      store().renew("n1");
      assertThat(store().log(held.key())).hasSize(1);
      assertThat(store().replace(next(held, TaskState.FAILED, null))).isTrue();
      store().remove(held.key());
    } finally {
      server.ask("CONFIG SET maxmemory 0");
    }
    assertThat(store().find(key("t2"))).isEmpty();
    assertThat(store().waiting()).containsEntry(Tier.NORMAL, 0L);
    assertThat(store().claim("n1", 9)).isEmpty();
  }
}
