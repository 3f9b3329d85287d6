package org.aionos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.Tier;
import org.aionos.scheduler.Order.TaskQuota;
import org.aionos.scheduler.SchedulerSettings.Retries;
import org.aionos.scheduling.Explanation;
import org.aionos.scheduling.Explanation.Reason;
import org.aionos.scheduling.Explanation.Standing;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ExplainedTest {

  private static final Key KEY = new Key("acme", "t");
  private static final AgentId AGENT = new AgentId("acme", "worker");

  private static Work work(TaskState state) {
    Order order =
        new Order(
            "syscall:x.y",
            5,
            Map.of(),
            new TaskQuota(null, null, null, null),
            new Retries(1, Duration.ZERO, Duration.ZERO),
            null,
            1_000,
            "me",
            "d");
    return Work.submitted(KEY, AGENT, order).with(state, progress -> {});
  }

  private static Explanation board(Standing standing, Reason... reasons) {
    return new Explanation(KEY, standing, Tier.HIGH, true, 3, List.of(reasons));
  }

  static List<Reason> reasons() {
    return List.of(
        new Explanation.RetryAt(5_000),
        new Explanation.HeldUntil(5_000, true),
        new Explanation.HeldUntil(5_000, false),
        new Explanation.TenantConcurrency(2, 3),
        new Explanation.AgentConcurrency(2, 3),
        new Explanation.SlotsFull(8, List.of(KEY)),
        new Explanation.Behind(7, Tier.LOW),
        new Explanation.MinimumRuntime(KEY, 5_000),
        new Explanation.FrozenFull(64));
  }

  @ParameterizedTest
  @MethodSource("reasons")
  void each_reason_is_a_sentence_and_says_what_would_help(Reason reason) {
    var explained =
        Explained.of(
            work(TaskState.QUEUED), board(Standing.WAITING, reason), null, null, null, null);

    assertThat(explained.summary()).startsWith("waits: ").contains("; it goes on when ");
    assertThat(explained.values()).containsEntry("position", 3L).containsEntry("queue_now", "high");
    List<?> waits = (List<?>) explained.values().get("waits_for");
    assertThat(waits).hasSize(1);
    Map<?, ?> shown = (Map<?, ?>) waits.get(0);
    assertThat(shown.get("admit")).isEqualTo(reason.remedy());
    assertThat(String.valueOf(shown.get("reason"))).isNotEmpty().isNotEqualTo("null");
    assertThat(String.valueOf(shown.get("detail"))).isNotEmpty().doesNotContain("null");
  }

  @Test
  void no_reason_is_said_by_the_words_of_another() {
    List<Object> names =
        reasons().stream()
            .map(
                reason ->
                    ((Map<?, ?>)
                            ((List<?>)
                                    Explained.of(
                                            work(TaskState.QUEUED),
                                            board(Standing.WAITING, reason),
                                            null,
                                            null,
                                            null,
                                            null)
                                        .values()
                                        .get("waits_for"))
                                .get(0))
                        .get("reason"))
            .map(Object.class::cast)
            .toList();

    assertThat(names).doesNotHaveDuplicates().hasSize(9);
  }

  private static String summary(Work work, Standing standing) {
    return Explained.of(work, board(standing), null, null, null, null).summary();
  }

  @Test
  void a_task_is_explained_wherever_it_stands() {
    assertThat(summary(work(TaskState.RUNNING), Standing.RUNNING)).isEqualTo("runs");
    assertThat(summary(work(TaskState.RUNNING), Standing.YIELDING)).contains("being preempted");
    assertThat(summary(work(TaskState.QUEUED), Standing.UNKNOWN)).contains("a node to take it");
    assertThat(summary(work(TaskState.QUEUED), Standing.WAITING)).isEqualTo("is about to run");
    Work preempted =
        work(TaskState.QUEUED).with(TaskState.PREEMPTED, progress -> progress.preemptedBy = "a/b");
    assertThat(summary(preempted, Standing.FROZEN)).contains("was preempted by a/b and ");
    assertThat(summary(Ends.cancelled(preempted, "olga", 9_000), Standing.UNKNOWN))
        .isEqualTo("cancelled: by olga");
  }

  @Test
  void sla_and_budget_are_shown_where_there_are_some() {
    var explained =
        Explained.of(
            work(TaskState.QUEUED), board(Standing.WAITING), 2_000L, 1_500L, BigDecimal.ONE, null);

    assertThat(explained.values().get("sla"))
        .isEqualTo(
            Map.of(
                "p95_ms",
                2_000L,
                "p95_ms_measured",
                1_500L,
                "raised_after_ms",
                1_000L,
                "raised",
                true));
    assertThat(explained.values()).containsKey("budget");
  }

  @Test
  void the_95th_percentile_is_that_of_the_latest_hundred() {
    Latencies latencies = new Latencies();
    assertThat(latencies.p95Millis(AGENT)).isNull();
    latencies.add(AGENT, 7);
    assertThat(latencies.p95Millis(AGENT)).isEqualTo(7);
    for (int i = 1; i <= 100; i++) {
      latencies.add(AGENT, i);
    }
    assertThat(latencies.p95Millis(AGENT)).isEqualTo(95);
    for (int i = 0; i < 100; i++) {
      latencies.add(AGENT, 1_000);
    }
    assertThat(latencies.p95Millis(AGENT)).isEqualTo(1_000);
    for (int i = 0; i < 1_000; i++) {
      latencies.add(new AgentId("acme", "a" + i), 1);
    }
    assertThat(latencies.p95Millis(AGENT)).isNull();
  }
}
