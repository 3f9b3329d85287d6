package org.aionos.brain;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Code;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.task.Budgets;
import org.aionos.kernel.task.Scheduler;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TelemetryTest {

  private static final Instant NOW = Instant.parse("2026-11-29T12:00:00Z");

  private final FakeScheduler scheduler = new FakeScheduler();
  private final FakeJournal journal = new FakeJournal();
  private final Budgets budgets =
      new Budgets() {
        @Override
        public Reservation reserve(Syscall syscall, AgentProcess agent) {
          return Reservation.NONE;
        }

        @Override
        public List<Standing> standings(@Nullable String tenant) {
          return List.of(
              standing("tenant", "acme", "usd", "hour", "3"),
              standing("tenant", "acme", "calls", "hour", "500"),
              standing("agent", "acme", "calls", "hour", "1"),
              standing("tenant", "beta", "tokens", "second", "70"));
        }
      };
  private final Telemetry telemetry = new Telemetry(scheduler, journal, budgets);

  private static Budgets.Standing standing(
      String level, String tenant, String kind, String window, String max) {
    return new Budgets.Standing(
        level, tenant, tenant, kind, window, new BigDecimal(max), BigDecimal.ZERO, BigDecimal.ZERO);
  }

  @Test
  void calls_are_counted_by_tenant_and_by_who_is_to_blame() {
    journal.ended(NOW.minusSeconds(4_000), "acme", Code.OK, 9_999, "99");
    journal.ended(NOW.minusSeconds(3_000), "acme", Code.OK, 10, "0.5");
    journal.ended(NOW.minusSeconds(2_900), "acme", Code.TOOL_FAILED, 20, "0");
    journal.ended(NOW.minusSeconds(2_800), "acme", Code.TOOL_FAULT, 30, "0");
    journal.ended(NOW.minusSeconds(2_700), "acme", Code.CAPABILITY_DENIED, 1, "0");
    journal.ended(NOW.minusSeconds(2_600), "acme", Code.RATE_LIMITED, 1, "0");
    journal.ended(NOW.minusSeconds(2_500), "acme", Code.CANCELLED, 1, "0");
    journal.ended(NOW.minusSeconds(10), "acme", Code.OK, 40, "0.25");
    journal.ended(NOW.minusSeconds(10), "beta", Code.OK, 5, "0");

    Snapshot snapshot = telemetry.measured(NOW);

    assertThat(snapshot.measured()).isTrue();
    assertThat(snapshot.millis()).isEqualTo(3_600_000);
    assertThat(snapshot.tenants()).containsOnlyKeys("acme", "beta");
    Snapshot.TenantFigures acme = snapshot.tenants().get("acme");
    assertThat(acme.calls()).isEqualTo(7);
    assertThat(acme.failedByItself()).isEqualTo(1);
    assertThat(acme.failedOtherwise()).isEqualTo(1);
    assertThat(acme.p50Millis()).isEqualTo(10);
    assertThat(acme.p95Millis()).isEqualTo(40);
    assertThat(acme.costUsd()).isEqualByComparingTo("0.75");
    // Of the last quarter of an hour, by the hour.
    assertThat(acme.recentUsdPerHour()).isEqualByComparingTo("1");
    assertThat(snapshot.queues().get(Tier.HIGH)).isEqualTo(new Snapshot.QueueFigures(4, 0));
  }

  @Test
  void a_busy_hour_is_looked_at_as_far_back_as_the_latest_entries_reach() {
    for (int i = 25_000; i > 0; i--) {
      journal.ended(NOW.minusMillis(100L * i), "acme", Code.OK, 1, "0");
    }

    Snapshot snapshot = telemetry.measured(NOW);

    assertThat(snapshot.tenants().get("acme").calls()).isEqualTo(20_000);
    assertThat(snapshot.millis()).isEqualTo(2_000_000);
  }

  @Test
  void tasks_of_the_last_hour_that_have_ended_are_a_load() {
    Load.Task task = new Load.Task(0, new AgentId("acme", "a"), Tier.NORMAL, 5, 700, true);
    scheduler.record(new Load(List.of(task)), NOW.minusSeconds(7_200));
    scheduler.record(new Load(List.of(task)), NOW.minusSeconds(600));
    scheduler.ended.add(
        new Scheduler.Task(
            new TaskStore.Key("acme", "never-ran"),
            new AgentId("acme", "a"),
            TaskState.FAILED,
            Map.of("queue", "low", "submitted_at", NOW.toString())));

    assertThat(telemetry.load(NOW).tasks())
        .containsExactly(
            new Load.Task(
                NOW.minusSeconds(600).toEpochMilli(),
                new AgentId("acme", "a"),
                Tier.NORMAL,
                5,
                700,
                true));
  }

  @Test
  void of_many_tasks_the_newest_are_taken() {
    scheduler.record(MadeLoad.busy(1), NOW.minusSeconds(1_800));
    scheduler.record(MadeLoad.busy(2), NOW.minusSeconds(1_700));

    assertThat(telemetry.load(NOW).tasks()).hasSize(Load.TASKS_MAX);
  }

  @Test
  void limits_of_the_configuration_are_known_by_tenant() {
    scheduler.turns =
        new Scheduler.Turns(
            4,
            Map.of(Tier.HIGH, 1, Tier.NORMAL, 1, Tier.LOW, 1),
            60_000,
            1,
            1,
            1,
            Map.of("beta", new Scheduler.Place(1, null)),
            new Scheduler.Place(1, 6),
            Map.of(),
            new Scheduler.Place(1, null));
    journal.ended(NOW, "acme", Code.OK, 1, "0");
    journal.ended(NOW, "beta", Code.OK, 1, "0");

    Map<String, Limits> limits = telemetry.configured(telemetry.measured(NOW));

    assertThat(limits.get("acme"))
        .isEqualTo(
            new Limits(BigDecimal.valueOf(6), null, new BigDecimal("3"), new BigDecimal("500")));
    assertThat(limits.get("beta")).isEqualTo(new Limits(null, new BigDecimal("70"), null, null));
  }
}
