package org.aionos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.scheduler.Order.TaskQuota;
import org.aionos.scheduler.SchedulerSettings.Retries;
import org.aionos.scheduling.Action;
import org.aionos.scheduling.Explanation.Standing;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class BoardTest {

  private static final int MANY = 100_000;

  private final FakeClock clock = new FakeClock();
  private final SchedulerSettings settings = settings("slots: 2\nlimits: {tenant_queued_max: 3}");
  private final Board board = new Board(settings, clock);

  private static SchedulerSettings settings(String yaml) {
    try {
      return SchedulerSettings.read(yaml.getBytes(StandardCharsets.UTF_8));
    } catch (InvalidDocument invalid) {
      throw new AssertionError(invalid);
    }
  }

  private Work work(String tenant, String id, @Nullable Long deadline) {
    Order order =
        new Order(
            "syscall:x.y",
            5,
            Map.of("text", "x".repeat(2_000)),
            new TaskQuota(null, null, null, null),
            new Retries(1, Duration.ZERO, Duration.ZERO),
            deadline,
            clock.millis(),
            "me",
            "d");
    return Work.submitted(new Key(tenant, id), new AgentId(tenant, "worker"), order);
  }

  @Test
  void a_task_that_ends_and_begins_anew_waits_though_the_beginning_is_heard_of_first() {
    Work work = work("acme", "t", null);
    board.add(work, null, false);
    assertThat(board.decide()).hasSize(1);
    board.add(work, null, false);
    assertThat(board.decide()).isEmpty();

    board.gone(work.key());

    assertThat(board.knows(work.key())).isTrue();
    assertThat(board.decide()).hasSize(1);
    board.gone(work.key());
    assertThat(board.knows(work.key())).isFalse();
    assertThat(board.explain(work.key()).standing()).isEqualTo(Standing.UNKNOWN);
  }

  @Test
  void deadlines_that_pass_are_named_once_and_those_of_ended_tasks_never() {
    long at = clock.millis() + 1_000;
    for (String id : new String[] {"a", "b", "c"}) {
      board.add(work("acme", id, at), null, false);
    }
    board.gone(new Key("acme", "b"));
    assertThat(board.overdue()).isEmpty();
    clock.advance(Duration.ofSeconds(1));

    assertThat(board.overdue()).containsExactly(new Key("acme", "a"), new Key("acme", "c"));
    assertThat(board.overdue()).isEmpty();
  }

  @Test
  void a_hundred_thousand_that_wait_cost_no_more_than_their_places() {
    long before = usedBytes();
    long begun = System.nanoTime();
    for (int i = 0; i < MANY; i++) {
      board.add(work("tenant" + i % 100, "task-" + i, clock.millis() + i), null, true);
    }
    Duration took = Duration.ofNanos(System.nanoTime() - begun);
    long bytesEach = (usedBytes() - before) / MANY;
    assertThat(board.decide()).hasSize(2);
    System.out.printf("100,000 waiting: %d bytes each, %d ms%n", bytesEach, took.toMillis());

    // Its order alone would be more.
    assertThat(bytesEach).isLessThan(1_000);
    assertThat(took).isLessThan(Duration.ofSeconds(20));
    for (int i = 0; i < MANY; i++) {
      board.gone(new Key("tenant" + i % 100, "task-" + i));
    }
    assertThat((usedBytes() - before) / MANY).isLessThan(200);
    clock.advance(Duration.ofDays(1));
    assertThat(board.overdue()).isEmpty();
  }

  private static long usedBytes() {
    Runtime runtime = Runtime.getRuntime();
    for (int i = 0; i < 3; i++) {
      runtime.gc();
    }
    return runtime.totalMemory() - runtime.freeMemory();
  }

  @Test
  void a_tenant_runs_no_more_at_once_than_the_policy_lets_it_also_one_that_no_file_names() {
    FakeTuning tuning = new FakeTuning();
    tuning.tenants.put("acme", FakeTuning.concurrency(1));
    Board tuned = new Board(settings("slots: 8").tunedBy(tuning), clock);
    for (int i = 0; i < 3; i++) {
      tuned.add(work("acme", "a" + i, null), null, false);
      tuned.add(work("other", "o" + i, null), null, false);
    }

    assertThat(begun(tuned)).containsExactlyInAnyOrder("acme", "other", "other", "other");
    tuning.tenants.put("acme", FakeTuning.concurrency(2));
    tuned.rules(settings("slots: 8").tunedBy(tuning));
    assertThat(begun(tuned)).containsExactly("acme");
  }

  private static List<String> begun(Board board) {
    return board.decide().stream()
        .filter(Action.Start.class::isInstance)
        .map(action -> ((Action.Start) action).key().tenant())
        .toList();
  }
}
