package org.aionos.brain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.task.Tier;
import org.aionos.scheduling.Rules;
import org.junit.jupiter.api.Test;

class ReplayTest {

  private static final AgentId ACME = new AgentId("acme", "a");
  private static final AgentId BETA = new AgentId("beta", "b");

  private static Load.Task task(long at, AgentId agent, Tier tier, long run) {
    return new Load.Task(at, agent, tier, tier.priority(), run, true);
  }

  private static Rules rules(int slots, long minimumRuntimeMillis) {
    Rules rules = Rules.of(slots);
    return new Order(rules.tierWeights(), 5_000, 30_000, minimumRuntimeMillis).over(rules);
  }

  @Test
  void tasks_that_find_a_slot_do_not_wait() throws Exception {
    Played played =
        Replay.of(
            new Load(List.of(task(0, ACME, Tier.LOW, 500), task(100, BETA, Tier.LOW, 500))),
            rules(2, 1_000));

    assertThat(played.tasks()).isEqualTo(2);
    assertThat(played.queues()).isEqualTo(Map.of(Tier.LOW, new Played.Waits(2, 0, 0, 0)));
    assertThat(played.worstSlowdown()).isEqualTo(1);
    assertThat(played.preemptions()).isZero();
  }

  @Test
  void one_slot_makes_the_second_wait_for_the_first() throws Exception {
    Played played =
        Replay.of(
            new Load(List.of(task(0, ACME, Tier.LOW, 500), task(100, BETA, Tier.LOW, 200))),
            rules(1, 1_000));

    assertThat(played.queues()).isEqualTo(Map.of(Tier.LOW, new Played.Waits(2, 0, 400, 400)));
    assertThat(played.worstTenant()).isEqualTo("beta");
    assertThat(played.worstSlowdown()).isCloseTo(3.0, within(1e-9));
  }

  @Test
  void what_is_higher_preempts_and_the_victim_goes_on_where_it_was() throws Exception {
    Load load =
        new Load(List.of(task(0, ACME, Tier.LOW, 10_000), task(2_000, BETA, Tier.HIGH, 1_000)));

    Played played = Replay.of(load, rules(1, 1_000));

    assertThat(played.preemptions()).isEqualTo(1);
    assertThat(played.queues().get(Tier.HIGH).p95Millis()).isEqualTo(Replay.FREEZE_MILLIS);
    assertThat(played.queues().get(Tier.LOW).p95Millis()).isZero();
    // Of acme: 10 s of work, and 1 s in which it stood aside. Of beta: the time that freezing took.
    assertThat(played.worstTenant()).isEqualTo("acme");
    assertThat(played.worstSlowdown()).isCloseTo(1.1, within(1e-9));
  }

  @Test
  void what_may_not_be_preempted_runs_to_its_end() throws Exception {
    Load load =
        new Load(
            List.of(
                new Load.Task(0, ACME, Tier.LOW, 1, 10_000, false),
                task(2_000, BETA, Tier.HIGH, 1_000)));

    Played played = Replay.of(load, rules(1, 1_000));

    assertThat(played.preemptions()).isZero();
    assertThat(played.queues().get(Tier.HIGH).p95Millis()).isEqualTo(8_000);
  }

  @Test
  void a_tenant_that_may_run_nothing_does_not_hang_it() throws Exception {
    Rules none = Rules.of(2);
    Rules rules =
        new Rules(
            2,
            none.tierWeights(),
            Map.of("acme", new Rules.Quota(1, 0)),
            Rules.Quota.NONE,
            Map.of(),
            Rules.Quota.NONE,
            60_000,
            1_000,
            5_000,
            30_000,
            10_000,
            64);

    Played played =
        Replay.of(
            new Load(List.of(task(0, ACME, Tier.HIGH, 10), task(0, BETA, Tier.LOW, 5_000))), rules);

    assertThat(played.queues().get(Tier.HIGH).p95Millis()).isEqualTo(5_000);
    assertThat(played.queues().get(Tier.LOW).p95Millis()).isZero();
  }

  @Test
  void the_same_load_gives_the_same_figures() throws Exception {
    assertThat(Replay.of(MadeLoad.busy(7), MadeLoad.bad()))
        .isEqualTo(Replay.of(MadeLoad.busy(7), MadeLoad.bad()));
  }

  @Test
  void nothing_is_played_of_no_load() throws Exception {
    Played played = Replay.of(Load.NONE, Rules.of(1));

    assertThat(played.tasks()).isZero();
    assertThat(played.queues()).isEmpty();
  }

  @Test
  void it_can_be_interrupted() {
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> Replay.of(MadeLoad.busy(1), MadeLoad.bad()))
        .isInstanceOf(InterruptedException.class);
    assertThat(Thread.interrupted()).isFalse();
  }

  @Test
  void a_share_is_found_by_nearest_rank() {
    assertThat(Replay.rank(new long[] {1}, 0.95)).isEqualTo(1);
    assertThat(Replay.rank(new long[] {1, 2, 3, 4}, 0.5)).isEqualTo(2);
    assertThat(Replay.rank(new long[] {1, 2, 3, 4}, 0.95)).isEqualTo(4);
    assertThat(Replay.rank(List.of(3L, 1L, 2L), 1)).isEqualTo(3);
  }

  @Test
  void of_too_many_tasks_the_newest_are_kept() {
    List<Load.Task> tasks = new java.util.ArrayList<>();
    for (int i = 0; i < Load.TASKS_MAX + 10; i++) {
      tasks.add(0, task(i, ACME, Tier.LOW, 1));
    }

    Load load = new Load(tasks);

    assertThat(load.tasks()).hasSize(Load.TASKS_MAX);
    assertThat(load.tasks().get(0).atMillis()).isEqualTo(10);
  }
}
