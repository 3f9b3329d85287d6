package org.aionos.scheduling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.Tier;
import org.aionos.scheduling.Action.Preempt;
import org.aionos.scheduling.Action.Resume;
import org.aionos.scheduling.Action.Start;
import org.aionos.scheduling.Explanation.Standing;
import org.junit.jupiter.api.Test;

final class ScheduleTest {

  private static final long MINIMUM = 1_000;
  private static final long SLICE = 5_000;
  private static final long SPARE = 10_000;

  private Schedule schedule = new Schedule(Rules.of(1), 0);

  @Test
  void a_job_starts_when_there_is_a_slot_and_the_next_when_it_has_ended() {
    submit("acme/one", 0);
    submit("acme/two", 0);

    assertThat(schedule.decide(0)).containsExactly(start("acme/one"));
    assertThat(schedule.decide(10)).isEmpty();
    assertThat(schedule.end(key("acme/one"), 20)).isTrue();
    assertThat(schedule.decide(20)).containsExactly(start("acme/two"));
  }

  @Test
  void what_is_said_of_a_job_that_does_not_stand_so_changes_nothing() {
    submit("acme/waits", 0);

    assertThat(schedule.end(key("acme/other"), 0)).isFalse();
    assertThat(schedule.yielded(key("acme/waits"), 0)).isFalse();
    assertThat(schedule.kept(key("acme/waits"), 0)).isFalse();
    assertThat(schedule.saved(key("acme/waits"), 0)).isFalse();
    assertThat(schedule.again(key("acme/waits"), 9_000, 0)).isFalse();
    assertThat(schedule.decide(0)).containsExactly(start("acme/waits"));
    assertThatThrownBy(() -> submit("acme/waits", 0)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void a_job_that_is_tried_again_waits_for_its_time() {
    submit("acme/one", 0);
    schedule.decide(0);

    schedule.again(key("acme/one"), 700, 100);

    assertThat(schedule.decide(100)).isEmpty();
    assertThat(schedule.explain(key("acme/one"), 100).reasons())
        .containsExactly(new Explanation.RetryAt(700));
    assertThat(schedule.nextDecision(100)).isEqualTo(OptionalLong.of(700));
    assertThat(schedule.decide(699)).isEmpty();
    assertThat(schedule.decide(700)).containsExactly(start("acme/one"));
  }

  @Test
  void the_higher_tier_goes_first() {
    submit("acme/low", Tier.LOW, 0);
    submit("acme/normal", Tier.NORMAL, 0);
    submit("acme/high", Tier.HIGH, 0);

    assertThat(runOneByOne(3)).containsExactly("acme/high", "acme/normal", "acme/low");
  }

  @Test
  void a_higher_tier_preempts_a_lower_one_that_has_run_its_minimum() {
    submit("acme/low", Tier.LOW, 0);
    schedule.decide(0);
    submit("acme/high", Tier.HIGH, 400);

    assertThat(schedule.decide(400)).isEmpty();
    assertThat(schedule.explain(key("acme/high"), 400).reasons())
        .containsExactly(
            new Explanation.SlotsFull(1, List.of(key("acme/low"))),
            new Explanation.MinimumRuntime(key("acme/low"), MINIMUM));
    assertThat(schedule.nextDecision(400)).isEqualTo(OptionalLong.of(MINIMUM));
    assertThat(schedule.decide(MINIMUM))
        .containsExactly(new Preempt(key("acme/low"), key("acme/high")));
  }

  @Test
  void a_victim_holds_its_slot_until_it_is_frozen_and_goes_on_later() {
    submit("acme/low", Tier.LOW, 0);
    schedule.decide(0);
    submit("acme/high", Tier.HIGH, MINIMUM);
    schedule.decide(MINIMUM);

    assertThat(schedule.decide(MINIMUM + 1)).isEmpty();
    schedule.yielded(key("acme/low"), MINIMUM + 2);
    assertThat(schedule.explain(key("acme/low"), MINIMUM + 2).standing())
        .isEqualTo(Standing.FROZEN);
    assertThat(schedule.decide(MINIMUM + 2)).containsExactly(start("acme/high"));
    schedule.end(key("acme/high"), 1_500);
    assertThat(schedule.decide(1_500)).containsExactly(new Resume(key("acme/low")));
  }

  @Test
  void a_victim_that_could_not_be_frozen_is_left_alone_for_a_while() {
    submit("acme/low", Tier.LOW, 0);
    schedule.decide(0);
    submit("acme/high", Tier.HIGH, MINIMUM);
    schedule.decide(MINIMUM);

    schedule.kept(key("acme/low"), 1_100);

    assertThat(schedule.decide(1_100 + SPARE - 1)).isEmpty();
    assertThat(schedule.decide(1_100 + SPARE)).hasSize(1);
  }

  @Test
  void what_cannot_be_frozen_is_no_victim() {
    schedule.submit(new Job(key("acme/low"), "a", Tier.LOW, 5, 0, 0, false, false, null), 0);
    schedule.decide(0);
    submit("acme/high", Tier.HIGH, 0);

    assertThat(schedule.decide(50_000)).isEmpty();
  }

  @Test
  void the_victim_is_of_the_lowest_tier_and_loses_the_least_work() {
    schedule = new Schedule(Rules.of(3), 0);
    submit("acme/normal", Tier.NORMAL, 0);
    submit("acme/unsaved", Tier.LOW, 0);
    submit("acme/saved", Tier.LOW, 0);
    schedule.decide(0);
    schedule.saved(key("acme/saved"), 1_500);
    schedule.saved(key("acme/normal"), 1_999);
    submit("acme/high", Tier.HIGH, 2_000);

    assertThat(schedule.decide(2_000))
        .containsExactly(new Preempt(key("acme/saved"), key("acme/high")));
  }

  @Test
  void as_many_yield_as_can_start_and_no_more() {
    schedule = new Schedule(rules(4, Map.of("acme", new Rules.Quota(1, 2)), 64), 0);
    for (int i = 0; i < 4; i++) {
      submit("other/low" + i, Tier.LOW, 0);
    }
    schedule.decide(0);
    for (int i = 0; i < 3; i++) {
      submit("acme/high" + i, Tier.HIGH, 2_000);
    }

    assertThat(schedule.decide(2_000)).hasSize(2);
    assertThat(schedule.decide(2_001)).isEmpty();
    assertThat(schedule.counts().preemptions()).isEqualTo(2);
  }

  @Test
  void with_as_many_frozen_as_may_be_nothing_is_preempted() {
    schedule = new Schedule(rules(2, Map.of(), 1), 0);
    submit("acme/low1", Tier.LOW, 0);
    submit("acme/low2", Tier.LOW, 0);
    schedule.decide(0);
    submit("acme/high1", Tier.HIGH, 2_000);
    submit("acme/high2", Tier.HIGH, 2_000);

    Preempt preempt = (Preempt) schedule.decide(2_000).get(0);
    schedule.yielded(preempt.victim(), 2_000);
    assertThat(schedule.decide(2_000)).containsExactly(start("acme/high1"));
    assertThat(schedule.explain(key("acme/high2"), 2_000).reasons())
        .contains(new Explanation.FrozenFull(1));
    schedule.again(preempt.victim(), 0, 2_001);
    assertThat(schedule.decide(2_001)).hasSize(1);
  }

  @Test
  void turns_within_a_tier_leave_half_of_the_frozen_to_what_is_higher() {
    schedule = new Schedule(rules(1, Map.of(), 2), 0);
    submit("acme/1", 0);
    schedule.decide(0);
    submit("beta/1", 0);
    submit("core/1", 0);
    assertThat(schedule.decide(6_000)).hasSize(1);
    schedule.yielded(key("acme/1"), 6_000);
    assertThat(schedule.decide(6_000)).containsExactly(start("beta/1"));

    assertThat(schedule.decide(18_000)).isEmpty();
    submit("acme/high", Tier.HIGH, 18_000);
    assertThat(schedule.decide(18_000))
        .containsExactly(new Preempt(key("beta/1"), key("acme/high")));
  }

  @Test
  void a_lower_tier_gets_its_share_though_a_higher_one_wants_everything() {
    submit("acme/high", Tier.HIGH, 0);
    schedule.decide(0);
    submit("acme/low", Tier.LOW, 0);
    submit("acme/high2", Tier.HIGH, 0);
    // Of weights 6 and 1 a seventh: one second is saved up in seven.
    assertThat(schedule.nextDecision(0)).isEqualTo(OptionalLong.of(0));
    assertThat(schedule.decide(0)).isEmpty();

    assertThat(schedule.decide(6_999)).isEmpty();
    assertThat(schedule.decide(7_000))
        .containsExactly(new Preempt(key("acme/high"), key("acme/low")));
    schedule.yielded(key("acme/high"), 7_000);
    assertThat(schedule.decide(7_000)).containsExactly(start("acme/low"));
    // It has its turn until what it was owed is used up.
    assertThat(schedule.decide(8_100)).isEmpty();
    assertThat(schedule.decide(8_170)).hasSize(1);
  }

  @Test
  void slots_that_nobody_else_wanted_are_nobodys_debt() {
    submit("acme/low", Tier.LOW, 0);
    schedule.decide(0);
    submit("acme/high", Tier.HIGH, 100_000);
    schedule.decide(100_000);
    schedule.yielded(key("acme/low"), 100_000);
    schedule.decide(100_000);
    submit("acme/high2", Tier.HIGH, 100_000);

    assertThat(schedule.decide(107_000))
        .containsExactly(new Preempt(key("acme/high"), key("acme/low")));
  }

  @Test
  void tenants_take_turns() {
    submit("acme/1", 0);
    submit("acme/2", 0);
    submit("acme/3", 0);
    submit("beta/1", 0);
    submit("beta/2", 0);

    assertThat(runOneByOne(5)).containsExactly("acme/1", "beta/1", "acme/2", "beta/2", "acme/3");
  }

  @Test
  void a_tenant_that_is_more_than_a_slice_behind_preempts() {
    submit("acme/1", 0);
    schedule.decide(0);
    submit("acme/2", 0);
    submit("beta/1", 0);

    assertThat(schedule.decide(SLICE)).isEmpty();
    assertThat(schedule.decide(SLICE + 1))
        .containsExactly(new Preempt(key("acme/1"), key("beta/1")));
  }

  @Test
  void an_agent_that_is_more_than_a_slice_behind_preempts_another_of_its_tenant() {
    submit("acme/1", "writer", 5, 0);
    schedule.decide(0);
    submit("acme/2", "reader", 5, 0);

    assertThat(schedule.decide(SLICE)).isEmpty();
    assertThat(schedule.decide(SLICE + 1))
        .containsExactly(new Preempt(key("acme/1"), key("acme/2")));
  }

  @Test
  void a_tenant_that_comes_back_has_no_arrears() {
    submit("beta/0", 0);
    schedule.decide(0);
    schedule.end(key("beta/0"), 10);
    submit("acme/1", 10);
    submit("acme/2", 10);
    schedule.decide(10);
    submit("acme/3", 40_000);
    submit("beta/1", 40_000);
    submit("beta/2", 40_000);
    schedule.end(key("acme/1"), 40_000);

    assertThat(runOneByOne(4, 40_000)).containsExactly("acme/2", "beta/1", "acme/3", "beta/2");
  }

  @Test
  void a_tenant_that_had_what_nobody_else_wanted_owes_nothing() {
    submit("acme/0", 0);
    schedule.decide(0);
    schedule.end(key("acme/0"), 50_000);
    submit("beta/1", 58_000);
    submit("beta/2", 58_000);
    submit("beta/3", 58_000);
    schedule.decide(58_000);
    schedule.end(key("beta/1"), 58_000);
    submit("acme/1", 58_000);
    submit("acme/2", 58_000);

    assertThat(runOneByOne(4, 58_000)).containsExactly("beta/2", "acme/1", "beta/3", "acme/2");
  }

  @Test
  void a_tenant_does_not_get_rid_of_what_it_has_had_by_going_away() {
    submit("acme/0", 0);
    schedule.decide(0);
    submit("beta/1", 0);
    submit("beta/2", 0);
    schedule.end(key("acme/0"), 3_000);
    schedule.decide(3_000);
    submit("acme/1", 3_010);
    schedule.end(key("beta/1"), 3_020);

    assertThat(runOneByOne(2, 3_020)).containsExactly("beta/2", "acme/1");
  }

  @Test
  void free_slots_are_spread_over_tenants() {
    schedule = new Schedule(Rules.of(4), 0);
    for (int i = 0; i < 4; i++) {
      submit("acme/" + i, 0);
      submit("beta/" + i, 0);
    }

    assertThat(schedule.decide(0))
        .containsExactlyInAnyOrder(
            start("acme/0"), start("acme/1"), start("beta/0"), start("beta/1"));
  }

  @Test
  void within_an_agent_priority_goes_first_and_then_who_came_first() {
    submit("acme/first", "a", 3, 0);
    submit("acme/second", "a", 3, 0);
    submit("acme/urgent", "a", 6, 0);

    assertThat(runOneByOne(3)).containsExactly("acme/urgent", "acme/first", "acme/second");
  }

  @Test
  void a_step_of_priority_is_worth_thirty_seconds_of_waiting() {
    submit("acme/blocks", "a", 9, 0);
    schedule.decide(0);
    submit("acme/old", "a", 3, 0);
    submit("acme/young", "a", 4, 29_999);
    submit("acme/younger", "a", 4, 30_001);
    schedule.end(key("acme/blocks"), 30_001);

    assertThat(runOneByOne(3, 30_001)).containsExactly("acme/young", "acme/old", "acme/younger");
  }

  @Test
  void half_of_its_sla_raises_a_job_by_a_tier() {
    submit("acme/normal", Tier.NORMAL, 0);
    schedule.decide(0);
    submit("acme/low", Tier.LOW, 0);
    schedule.submit(new Job(key("acme/late"), "a", Tier.LOW, 5, 0, 0, true, false, 4_000L), 0);

    assertThat(schedule.explain(key("acme/late"), 1_999).raised()).isFalse();
    Explanation raised = schedule.explain(key("acme/late"), 2_000);
    assertThat(raised.raised()).isTrue();
    assertThat(raised.tier()).isEqualTo(Tier.NORMAL);
    schedule.end(key("acme/normal"), 2_000);
    assertThat(schedule.decide(2_000)).containsExactly(start("acme/late"));
  }

  @Test
  void a_tenant_at_its_limit_waits_and_the_others_do_not() {
    schedule = new Schedule(rules(3, Map.of("acme", new Rules.Quota(1, 1)), 64), 0);
    submit("acme/1", 0);
    submit("acme/2", 0);
    submit("beta/1", 0);

    assertThat(schedule.decide(0)).containsExactlyInAnyOrder(start("acme/1"), start("beta/1"));
    assertThat(schedule.explain(key("acme/2"), 0).reasons())
        .containsExactly(new Explanation.TenantConcurrency(1, 1));
  }

  @Test
  void an_agent_at_its_limit_waits_and_the_others_of_its_tenant_do_not() {
    var one = Map.of(new Rules.Agent("acme", "a"), new Rules.Quota(1, 1));
    schedule = new Schedule(withAgents(Rules.of(3), one), 0);
    submit("acme/1", "a", 5, 0);
    submit("acme/2", "a", 5, 0);
    submit("acme/3", "b", 5, 0);

    assertThat(schedule.decide(0)).containsExactlyInAnyOrder(start("acme/1"), start("acme/3"));
    assertThat(schedule.explain(key("acme/2"), 0).reasons())
        .containsExactly(new Explanation.AgentConcurrency(1, 1));
  }

  @Test
  void an_agent_at_its_limit_makes_room_for_what_is_higher_of_its_own() {
    var one = Map.of(new Rules.Agent("acme", "a"), new Rules.Quota(1, 1));
    schedule = new Schedule(withAgents(Rules.of(16), one), 0);
    submit("acme/low", Tier.LOW, 0);
    schedule.decide(0);
    submit("acme/high", Tier.HIGH, 2_000);

    assertThat(schedule.decide(2_000))
        .containsExactly(new Preempt(key("acme/low"), key("acme/high")));
    assertThat(schedule.decide(2_001)).isEmpty();
    schedule.yielded(key("acme/low"), 2_001);
    assertThat(schedule.decide(2_001)).containsExactly(start("acme/high"));
  }

  @Test
  void a_tenant_at_its_limit_makes_room_for_what_is_higher_of_its_own() {
    schedule = new Schedule(rules(16, Map.of("acme", new Rules.Quota(1, 1)), 64), 0);
    submit("acme/low", Tier.LOW, 0);
    schedule.decide(0);
    schedule.submit(
        new Job(key("acme/high"), "other", Tier.HIGH, 5, 2_000, 0, true, false, null), 2_000);

    assertThat(schedule.decide(2_000))
        .containsExactly(new Preempt(key("acme/low"), key("acme/high")));
    schedule.yielded(key("acme/low"), 2_001);
    assertThat(schedule.decide(2_001)).containsExactly(start("acme/high"));
  }

  @Test
  void the_last_place_of_a_tenant_is_for_its_highest_though_a_lower_tier_is_owed_a_slot() {
    schedule = new Schedule(rules(14, Map.of("acme", new Rules.Quota(1, 1)), 64), 0);

    theLastPlaceIsForTheHighest("other");
  }

  @Test
  void the_last_place_of_an_agent_is_for_its_highest_though_a_lower_tier_is_owed_a_slot() {
    var one = Map.of(new Rules.Agent("acme", "a"), new Rules.Quota(1, 1));
    schedule = new Schedule(withAgents(Rules.of(14), one), 0);

    theLastPlaceIsForTheHighest("a");
  }

  private void theLastPlaceIsForTheHighest(String agentOfHigh) {
    submit("acme/low", Tier.LOW, 0);
    for (int other = 0; other < 13; other++) {
      Key key = key("beta/high" + other);
      schedule.submit(new Job(key, "a", Tier.HIGH, 5, 0, 0, false, false, null), 0);
    }
    assertThat(schedule.decide(0)).hasSize(14);
    submit("core/low", Tier.LOW, 0);
    schedule.submit(
        new Job(key("acme/high"), agentOfHigh, Tier.HIGH, 5, 2_000, 0, true, false, null), 2_000);
    assertThat(schedule.decide(2_000))
        .containsExactly(new Preempt(key("acme/low"), key("acme/high")));

    schedule.yielded(key("acme/low"), 2_001);
    assertThat(schedule.decide(2_001)).containsExactly(start("core/low"));
    schedule.end(key("beta/high0"), 2_002);
    assertThat(schedule.decide(2_002)).containsExactly(start("acme/high"));
  }

  @Test
  void looking_for_victims_leaves_the_order_of_those_who_wait() {
    schedule = new Schedule(Rules.of(2), 0);
    submit("core/low1", Tier.LOW, 0);
    submit("core/low2", Tier.LOW, 0);
    schedule.decide(0);
    submit("acme/high", Tier.HIGH, 2_000);
    submit("beta/high", Tier.HIGH, 2_000);

    assertThat(schedule.decide(2_000)).hasSize(2);
    schedule.yielded(key("core/low1"), 2_001);

    assertThat(schedule.decide(2_001)).containsExactly(start("acme/high"));
  }

  @Test
  void a_changed_weight_does_not_change_what_was_used() {
    submit("acme/1", 0);
    schedule.decide(0);
    submit("beta/1", 0);

    schedule.rules(rules(1, Map.of("acme", new Rules.Quota(10, 9)), 64), 4_000);

    // Four seconds at weight 1, and then a tenth of the time. A slice is now worth 500.
    assertThat(schedule.decide(13_900)).isEmpty();
    assertThat(schedule.decide(14_100)).hasSize(1);
  }

  @Test
  void frozen_jobs_hold_neither_slot_nor_concurrency() {
    schedule = new Schedule(rules(1, Map.of("acme", new Rules.Quota(1, 1)), 64), 0);
    submit("acme/low", Tier.LOW, 0);
    schedule.decide(0);
    submit("acme/high", Tier.HIGH, 2_000);
    schedule.decide(2_000);
    schedule.yielded(key("acme/low"), 2_000);

    assertThat(schedule.decide(2_000)).containsExactly(start("acme/high"));
    assertThat(schedule.counts().frozen()).isEqualTo(1);
  }

  @Test
  void nothing_of_a_held_tenant_starts_before_its_time() {
    schedule.hold("acme", null, 3_000, 0);
    submit("acme/1", 0);

    assertThat(schedule.decide(0)).isEmpty();
    assertThat(schedule.explain(key("acme/1"), 0).reasons())
        .containsExactly(new Explanation.HeldUntil(3_000, false));
    assertThat(schedule.nextDecision(0)).isEqualTo(OptionalLong.of(3_000));
    assertThat(schedule.decide(3_000)).containsExactly(start("acme/1"));
  }

  @Test
  void a_hold_of_one_agent_leaves_the_others_and_can_be_taken_back() {
    schedule = new Schedule(Rules.of(2), 0);
    schedule.hold("acme", "a", Long.MAX_VALUE, 0);
    submit("acme/1", "a", 5, 0);
    submit("acme/2", "b", 5, 0);

    assertThat(schedule.decide(0)).containsExactly(start("acme/2"));
    schedule.hold("acme", "a", 0, 10);
    assertThat(schedule.decide(10)).containsExactly(start("acme/1"));
  }

  @Test
  void changed_rules_hold_at_once() {
    submit("acme/1", 0);
    submit("acme/2", 0);
    submit("acme/3", 0);
    schedule.decide(0);

    schedule.rules(Rules.of(3), 10);
    assertThat(schedule.decide(10)).hasSize(2);
    schedule.rules(Rules.of(1), 20);
    submit("acme/4", 20);
    schedule.end(key("acme/1"), 30);
    schedule.end(key("acme/2"), 30);
    assertThat(schedule.decide(30)).isEmpty();
    schedule.end(key("acme/3"), 40);
    assertThat(schedule.decide(40)).containsExactly(start("acme/4"));
  }

  @Test
  void an_explanation_counts_who_is_before() {
    submit("acme/runs", 0);
    schedule.decide(0);
    submit("acme/1", 0);
    submit("acme/2", 0);
    submit("acme/high", Tier.HIGH, 0);

    Explanation explanation = schedule.explain(key("acme/2"), 10);

    assertThat(explanation.position()).isEqualTo(3);
    assertThat(explanation.reasons())
        .containsExactly(
            new Explanation.SlotsFull(1, List.of(key("acme/runs"))),
            new Explanation.Behind(2, Tier.NORMAL));
    assertThat(explanation.reasons()).allSatisfy(each -> assertThat(each.remedy()).isNotBlank());
    assertThat(schedule.explain(key("acme/none"), 10).standing()).isEqualTo(Standing.UNKNOWN);
    assertThat(schedule.explain(key("acme/runs"), 10).standing()).isEqualTo(Standing.RUNNING);
  }

  @Test
  void shares_say_who_has_had_what_in_the_last_window() {
    schedule = new Schedule(Rules.of(2), 0);
    submit("acme/1", "a", 5, 0);
    submit("beta/1", "b", 5, 0);
    schedule.decide(0);
    schedule.end(key("beta/1"), 10_000);

    assertThat(schedule.shares(20_000))
        .contains(
            new Schedule.Had(Tier.NORMAL, null, null, 3, 30_000, 0, 1),
            new Schedule.Had(Tier.NORMAL, "acme", "a", 1, 20_000, 0, 1),
            new Schedule.Had(Tier.NORMAL, "beta", null, 1, 10_000, 0, 0));
    assertThat(schedule.shares(200_000))
        .filteredOn(had -> had.tenant() != null && had.slotMillis() > 0)
        .extracting(Schedule.Had::tenant)
        .containsOnly("acme");
  }

  @Test
  void with_nothing_waiting_nothing_is_to_be_decided() {
    submit("acme/1", 0);
    assertThat(schedule.nextDecision(0)).isEqualTo(OptionalLong.of(0));
    schedule.decide(0);
    schedule.end(key("acme/1"), 5);
    schedule.decide(5);

    assertThat(schedule.nextDecision(5)).isEmpty();
  }

  private List<String> runOneByOne(int jobs) {
    return runOneByOne(jobs, 0);
  }

  /** Each runs for ten milliseconds. */
  private List<String> runOneByOne(int jobs, long fromMillis) {
    List<String> order = new java.util.ArrayList<>();
    for (long now = fromMillis; order.size() < jobs; now += 10) {
      List<Action> actions = schedule.decide(now);
      assertThat(actions).hasSize(1);
      Key started = ((Start) actions.get(0)).key();
      order.add(started.toString());
      schedule.end(started, now + 10);
    }
    return order;
  }

  private void submit(String key, long now) {
    submit(key, "a", 5, now);
  }

  private void submit(String key, Tier tier, long now) {
    schedule.submit(new Job(key(key), "a", tier, 5, now, 0, true, false, null), now);
  }

  private void submit(String key, String agent, int priority, long now) {
    schedule.submit(
        new Job(key(key), agent, Tier.NORMAL, priority, now, 0, true, false, null), now);
  }

  private static Start start(String key) {
    return new Start(key(key));
  }

  private static Key key(String key) {
    String[] parts = key.split("/");
    return new Key(parts[0], parts[1]);
  }

  private static Rules rules(int slots, Map<String, Rules.Quota> tenants, int frozenMax) {
    Rules like = Rules.of(slots);
    return new Rules(
        slots,
        like.tierWeights(),
        tenants,
        like.otherTenants(),
        Map.of(),
        like.otherAgents(),
        like.windowMillis(),
        MINIMUM,
        SLICE,
        like.ageingMillis(),
        SPARE,
        frozenMax);
  }

  private static Rules withAgents(Rules like, Map<Rules.Agent, Rules.Quota> agents) {
    return new Rules(
        like.slots(),
        like.tierWeights(),
        Map.of(),
        like.otherTenants(),
        agents,
        like.otherAgents(),
        like.windowMillis(),
        MINIMUM,
        SLICE,
        like.ageingMillis(),
        SPARE,
        64);
  }
}
