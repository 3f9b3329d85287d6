package org.aionos.scheduling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.Tier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Long runs in which everybody wants more than there is. */
final class SharesTest {

  private static final long WINDOW = 60_000;
  private static final int WINDOWS = 10;

  /** Of all slots, in one window. */
  private static final double PERCENT_POINTS = 5;

  /** Of its own share, in the long run. */
  private static final double PERCENT = 2;

  private int number;

  @ParameterizedTest
  @CsvSource({"1,6,3,1", "2,6,3,1", "4,6,3,1", "7,1,1,1", "4,8,4,1", "16,20,5,1"})
  void saturated_tiers_get_the_slots_by_their_weights(int slots, int high, int normal, int low) {
    Map<Tier, Integer> weights = Map.of(Tier.HIGH, high, Tier.NORMAL, normal, Tier.LOW, low);
    World world = world(rules(slots, weights, Map.of()));
    for (Tier tier : Tier.values()) {
      saturate(world, "acme", tier, slots);
    }
    Map<Tier, Double> parts = new HashMap<>();
    weights.forEach((tier, weight) -> parts.put(tier, (double) weight));

    windows(world, slots, world.slotMillis, parts);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 9})
  void saturated_tenants_of_a_tier_get_its_slots_by_their_weights(int slots) {
    Map<String, Integer> weights = Map.of("acme", 4, "beta", 2, "core", 1, "data", 1);
    Map<String, Rules.Quota> quotas = new HashMap<>();
    Map<String, Double> parts = new HashMap<>();
    weights.forEach(
        (tenant, weight) -> {
          quotas.put(tenant, new Rules.Quota(weight, Integer.MAX_VALUE));
          parts.put(tenant, (double) weight);
        });
    World world = world(rules(slots, Rules.of(1).tierWeights(), quotas));
    weights.keySet().forEach(tenant -> saturate(world, tenant, Tier.NORMAL, slots));

    windows(world, slots, world.tenantSlotMillis, parts);
  }

  @Test
  void a_tier_alone_has_everything() {
    World world = world(rules(4, Rules.of(1).tierWeights(), Map.of()));
    saturate(world, "acme", Tier.LOW, 4);

    world.run(WINDOW);

    assertThat(world.slotMillis.get(Tier.LOW)).isEqualTo(4 * WINDOW);
  }

  @Test
  void a_tier_goes_without_a_slot_no_longer_than_is_stated() {
    for (long seed = 1; seed <= 300; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      int slots = 1 + random.nextInt(4);
      Map<Tier, Integer> weights = new HashMap<>();
      for (Tier tier : Tier.values()) {
        weights.put(tier, 1 + random.nextInt(9));
      }
      World world = world(rules(slots, weights, Map.of()));
      world.checked = true;
      world.starvationMillisMax = stated(world.rules);
      for (Tier tier : Tier.values()) {
        world.at(random.nextLong(10_000), () -> saturate(world, "acme", tier, slots));
      }
      run(world, 40_000, seed);
    }
  }

  /** As the documentation of {@link Schedule} has it. */
  private static long stated(Rules rules) {
    double weights = rules.tierWeights().values().stream().mapToInt(Integer::intValue).sum();
    double least =
        rules.tierWeights().values().stream().mapToInt(Integer::intValue).min().orElse(1);
    double guarantee = rules.slots() * least / weights;
    long longest = rules.minimumRuntimeMillis() + SHORT_MILLIS_MAX + FREEZE_MILLIS_MAX;
    return (long) ((3 * rules.quantumMillis() + rules.slots() * longest) / guarantee + 2 * longest);
  }

  @Test
  void a_tenant_that_comes_waits_for_one_start_of_each_other_at_most() {
    for (long seed = 1; seed <= 500; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      int slots = 1 + random.nextInt(4);
      int others = 1 + random.nextInt(6);
      World world = world(rules(slots, Rules.of(1).tierWeights(), Map.of()));
      for (int other = 0; other < others; other++) {
        String tenant = "tenant" + other;
        world.at(random.nextLong(3_000), () -> saturate(world, tenant, Tier.NORMAL, slots));
      }
      int[] before = {0};
      world.at(
          5_000 + random.nextLong(20_000),
          () -> {
            before[0] = world.started.size();
            saturate(world, "newcomer", Tier.NORMAL, 1);
          });
      run(world, 60_000, seed);

      List<World.Task> after = world.started.subList(before[0], world.started.size());
      assertThat(after.stream().takeWhile(task -> !task.tenant().equals("newcomer")).count())
          .as("seed %s", seed)
          .isLessThanOrEqualTo(others)
          .isLessThan(after.size());
    }
  }

  private static void run(World world, long untilMillis, long seed) {
    try {
      world.run(untilMillis);
    } catch (AssertionError failure) {
      throw new AssertionError("seed " + seed + ": " + failure.getMessage(), failure);
    }
  }

  /** Lets windows pass, and compares what each has had with what it should have. */
  private static <K> void windows(
      World world, int slots, Map<K, Long> counted, Map<K, Double> weights) {
    double all = weights.values().stream().mapToDouble(Double::doubleValue).sum();
    world.run(WINDOW);
    Map<K, Long> first = new HashMap<>(counted);
    for (int window = 1; window <= WINDOWS; window++) {
      Map<K, Long> before = new HashMap<>(counted);
      world.run((window + 1) * WINDOW);
      weights.forEach(
          (key, weight) ->
              assertThat(percent(counted.get(key) - before.get(key), slots * WINDOW))
                  .as("percent of %s in one window", key)
                  .isCloseTo(100 * weight / all, within(PERCENT_POINTS)));
    }
    weights.forEach(
        (key, weight) ->
            assertThat(percent(counted.get(key) - first.get(key), slots * WINDOW * WINDOWS))
                .as("percent of %s", key)
                .isCloseTo(100 * weight / all, within(PERCENT * weight / all)));
  }

  private static double percent(long part, long all) {
    return 100.0 * part / all;
  }

  private static final long SHORT_MILLIS_MAX = 300;
  private static final long FREEZE_MILLIS_MAX = 5;

  private static World world(Rules rules) {
    World world = new World(1, rules);
    world.checked = false;
    world.freezeMillisMax = FREEZE_MILLIS_MAX;
    return world;
  }

  /** More than all slots can do, now and whenever something of it ends. */
  private void saturate(World world, String tenant, Tier tier, int slots) {
    for (int job = 0; job <= slots; job++) {
      add(world, tenant, tier);
    }
    world.ended =
        task -> {
          world.tasks.remove(task.job.key());
          add(world, task.tenant(), task.job.tier());
        };
  }

  /** Some are short and cannot be frozen, and some are long and can. */
  private void add(World world, String tenant, Tier tier) {
    boolean isLong = world.random.nextBoolean();
    long work = isLong ? world.random.nextLong(20_000) : world.random.nextLong(SHORT_MILLIS_MAX);
    Key key = new Key(tenant, "task-" + ++number);
    world.submit(new Job(key, "a", tier, 5, world.now, 0, isLong, false, null), 1 + work, 0);
  }

  private static Rules rules(
      int slots, Map<Tier, Integer> weights, Map<String, Rules.Quota> tenants) {
    Rules like = Rules.of(slots);
    return new Rules(
        slots,
        weights,
        tenants,
        like.otherTenants(),
        like.agents(),
        like.otherAgents(),
        WINDOW,
        500,
        1_000,
        like.ageingMillis(),
        like.spareMillis(),
        1_000);
  }
}
