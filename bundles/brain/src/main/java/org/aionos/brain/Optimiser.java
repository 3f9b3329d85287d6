package org.aionos.brain;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.task.Tier;
import org.aionos.scheduling.Rules;
import org.jspecify.annotations.Nullable;

/**
 * Finds better turns for a recorded load by trying all that are one step away: each value as it is,
 * half or double. The neighbourhood is small (at most 675), a trial takes milliseconds, and what is
 * best in it is then known and not guessed; the next step is for the next proposal, after this one
 * has been seen to hold.
 */
final class Optimiser {

  /** What is not better by that much is not worth a change. */
  static final double MARGIN = 0.05;

  /** Costs nearer to each other than this are the same. */
  private static final double GRAIN = 0.001;

  /**
   * What was found.
   *
   * @param load what it was tried on: the newer half, or less, of one that takes too long to play
   * @param better null if nothing is better than what is in force by the margin
   * @param cost of the best, by {@link Objective}
   */
  record Found(
      Load load,
      @Nullable Order better,
      Played before,
      @Nullable Played after,
      double cost,
      int tried) {}

  private Optimiser() {}

  /**
   * @param changesMax in so many values the better order may differ
   */
  static Found search(Load recorded, Rules rules, int changesMax) throws InterruptedException {
    Order present = Order.of(rules);
    Load load = playable(recorded, rules);
    Played before = Replay.of(load, rules);
    Objective objective = new Objective(before);
    Order best = present;
    Played after = before;
    double cost = 1;
    int tried = 0;
    for (Order order : neighbours(present, load.hasPriorities())) {
      if (order.differences(present) > changesMax) {
        continue;
      }
      Played played = Replay.of(load, order.over(rules));
      double each = objective.cost(played);
      tried++;
      if (played.whole() && isBetter(each, order, cost, best, present)) {
        best = order;
        after = played;
        cost = each;
      }
    }
    return cost <= 1 - MARGIN
        ? new Found(load, best, before, after, cost, tried)
        : new Found(load, null, before, null, cost, tried);
  }

  /** The newest part of a load that can be played to its end. */
  static Load playable(Load recorded, Rules rules) throws InterruptedException {
    Load load = recorded;
    while (load.tasks().size() > 1 && !Replay.of(load, rules).whole()) {
      load = new Load(load.tasks().subList(load.tasks().size() / 2, load.tasks().size()));
    }
    return load;
  }

  /** Of those that cost the same, the one that changes less, then the one that was tried first. */
  private static boolean isBetter(
      double cost, Order order, double bestCost, Order best, Order present) {
    long grains = Math.round(cost / GRAIN);
    long bestGrains = Math.round(bestCost / GRAIN);
    return grains < bestGrains
        || (grains == bestGrains && order.differences(present) < best.differences(present));
  }

  /** All that are one step away, in an order that never changes; the present one left out. */
  static List<Order> neighbours(Order present, boolean withAgeing) {
    List<Order> neighbours = new ArrayList<>();
    List<Long> ageings =
        withAgeing
            ? Steps.around(present.ageingMillis(), Steps.AGEING_MILLIS)
            : List.of(present.ageingMillis());
    for (Map<Tier, Integer> weights : weights(present)) {
      for (long slice : Steps.around(present.sliceMillis(), Steps.SLICE_MILLIS)) {
        for (long minimum :
            Steps.around(present.minimumRuntimeMillis(), Steps.MINIMUM_RUNTIME_MILLIS)) {
          for (long ageing : ageings) {
            neighbours.add(new Order(weights, slice, ageing, minimum));
          }
        }
      }
    }
    neighbours.remove(present);
    return neighbours;
  }

  private static List<Map<Tier, Integer>> weights(Order present) {
    List<Map<Tier, Integer>> all = new ArrayList<>();
    for (long high : Steps.around(present.weight(Tier.HIGH), Steps.WEIGHT)) {
      for (long normal : Steps.around(present.weight(Tier.NORMAL), Steps.WEIGHT)) {
        for (long low : Steps.around(present.weight(Tier.LOW), Steps.WEIGHT)) {
          Map<Tier, Integer> weights =
              Map.of(Tier.HIGH, (int) high, Tier.NORMAL, (int) normal, Tier.LOW, (int) low);
          if (isNew(weights, present)) {
            all.add(weights);
          }
        }
      }
    }
    return all;
  }

  /** All twice or all half is the same shares again. */
  private static boolean isNew(Map<Tier, Integer> weights, Order present) {
    boolean same = true;
    boolean twice = true;
    boolean half = true;
    for (Map.Entry<Tier, Integer> each : weights.entrySet()) {
      int weight = present.weight(each.getKey());
      same &= each.getValue() == weight;
      twice &= each.getValue() == 2 * weight;
      half &= 2 * each.getValue() == weight;
    }
    return same || !(twice || half);
  }
}
