package org.aionos.brain;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.task.Tier;
import org.aionos.scheduling.Rules;
import org.junit.jupiter.api.Test;

class OptimiserTest {

  private static final AgentId ACME = new AgentId("acme", "a");

  @Test
  void every_neighbour_is_one_step_away_and_there_once() {
    Order present =
        new Order(Map.of(Tier.HIGH, 6, Tier.NORMAL, 3, Tier.LOW, 1), 10_000, 60_000, 1_000);

    List<Order> neighbours = Optimiser.neighbours(present, true);

    assertThat(neighbours).doesNotHaveDuplicates().doesNotContain(present);
    // Low cannot be halved: 3 × 3 × 2 weights, without all doubled, × 27, without the present one.
    assertThat(neighbours).hasSize((18 - 1) * 27 - 1);
    assertThat(neighbours)
        .allSatisfy(
            order -> {
              for (Tier tier : Tier.values()) {
                assertThat(Steps.isOne(present.weight(tier), order.weight(tier))).isTrue();
              }
              assertThat(Steps.isOne(present.sliceMillis(), order.sliceMillis())).isTrue();
              assertThat(Steps.isOne(present.ageingMillis(), order.ageingMillis())).isTrue();
              assertThat(order.minimumRuntimeMillis()).isBetween(500L, 2_000L);
            });
  }

  @Test
  void bounds_are_not_left() {
    Order present =
        new Order(Map.of(Tier.HIGH, 1_000, Tier.NORMAL, 1, Tier.LOW, 1), 100, 1_000, 600_000);

    assertThat(Optimiser.neighbours(present, true))
        .isNotEmpty()
        .allSatisfy(
            order -> {
              assertThat(order.weight(Tier.HIGH)).isLessThanOrEqualTo(1_000);
              assertThat(order.sliceMillis()).isGreaterThanOrEqualTo(100);
              assertThat(order.ageingMillis()).isGreaterThanOrEqualTo(1_000);
              assertThat(order.minimumRuntimeMillis()).isLessThanOrEqualTo(600_000);
            });
  }

  @Test
  void a_bad_order_is_bettered_on_the_load_it_was_found_on_and_on_another_of_its_kind()
      throws Exception {
    Rules bad = MadeLoad.bad();
    Optimiser.Found found = Optimiser.search(MadeLoad.busy(1), bad, 16);

    assertThat(found.better()).isNotNull();
    assertThat(found.cost()).isLessThan(0.8);

    long highBefore = 0;
    long highAfter = 0;
    for (long heldOut = 100; heldOut < 110; heldOut++) {
      Load load = MadeLoad.busy(heldOut);
      Played before = Replay.of(load, bad);
      Played after = Replay.of(load, found.better().over(bad));
      assertThat(new Objective(before).cost(after)).as("seed %s", heldOut).isLessThan(0.95);
      highBefore += before.queues().get(Tier.HIGH).p95Millis();
      highAfter += after.queues().get(Tier.HIGH).p95Millis();
    }
    assertThat(highAfter).isLessThan(highBefore * 9 / 10);
  }

  @Test
  void step_by_step_it_comes_to_rest() throws Exception {
    Rules rules = MadeLoad.bad();
    Load load = MadeLoad.busy(1, 300);
    Played first = Replay.of(load, rules);
    int steps = 0;
    for (Optimiser.Found found = Optimiser.search(load, rules, 16);
        found.better() != null;
        found = Optimiser.search(load, rules, 16)) {
      rules = found.better().over(rules);
      assertThat(++steps).as("steps").isLessThan(30);
    }

    Played last = Replay.of(load, rules);
    assertThat(steps).isGreaterThan(1);
    assertThat(last.queues().get(Tier.HIGH).p95Millis())
        .isLessThan(first.queues().get(Tier.HIGH).p95Millis() / 4);
  }

  @Test
  void it_changes_no_more_values_than_it_may() throws Exception {
    Rules bad = MadeLoad.bad();
    Order one = Optimiser.search(MadeLoad.busy(1, 250), bad, 1).better();

    assertThat(one).isNotNull();
    assertThat(one.differences(Order.of(bad))).isEqualTo(1);
    assertThat(Optimiser.search(MadeLoad.busy(1, 250), bad, 16).better().differences(Order.of(bad)))
        .isGreaterThan(1);
  }

  @Test
  void the_same_load_gives_the_same_answer() throws Exception {
    assertThat(Optimiser.search(MadeLoad.busy(3, 250), MadeLoad.bad(), 16))
        .isEqualTo(Optimiser.search(MadeLoad.busy(3, 250), MadeLoad.bad(), 16));
  }

  @Test
  void where_nobody_waits_nothing_is_proposed() throws Exception {
    Load idle =
        new Load(
            List.of(
                new Load.Task(0, ACME, Tier.HIGH, 8, 10, false),
                new Load.Task(60_000, ACME, Tier.LOW, 1, 10, true)));

    Optimiser.Found found = Optimiser.search(idle, Rules.of(4), 16);

    assertThat(found.better()).isNull();
    assertThat(found.cost()).isEqualTo(1);
    assertThat(found.after()).isNull();
  }

  @Test
  void the_measure_of_what_is_in_force_is_one() throws Exception {
    Played played = Replay.of(MadeLoad.busy(5), MadeLoad.bad());

    assertThat(new Objective(played).cost(played)).isEqualTo(1.0);
  }

  @Test
  void the_measure_weighs_waits_slowdown_and_preemptions_as_documented() {
    Played before =
        new Played(
            10,
            Map.of(
                Tier.HIGH, new Played.Waits(5, 0, 900, 900),
                Tier.LOW, new Played.Waits(5, 0, 1_900, 1_900)),
            "acme",
            4,
            10,
            true);
    Played after =
        new Played(
            10,
            Map.of(
                Tier.HIGH, new Played.Waits(5, 0, 400, 400),
                Tier.LOW, new Played.Waits(5, 0, 3_900, 3_900)),
            "acme",
            2,
            30,
            true);

    double waits = (5 * 0.5 + 2 * 2.0) / 7;
    assertThat(new Objective(before).cost(after))
        .isCloseTo(
            0.70 * waits + 0.25 * 0.5 + 0.05 * (1 + 20.0 / 10),
            org.assertj.core.api.Assertions.within(1e-12));
  }
}
