package org.aionos.brain;

import java.util.EnumMap;
import java.util.Map;
import org.aionos.kernel.policy.Tuning;
import org.aionos.kernel.task.Tier;
import org.aionos.scheduling.Rules;

/**
 * How turns are taken, every value of it: what {@code scheduler.yaml} of a policy can set.
 *
 * @param weights of every queue
 */
record Order(
    Map<Tier, Integer> weights, long sliceMillis, long ageingMillis, long minimumRuntimeMillis) {

  Order {
    weights = Map.copyOf(new EnumMap<>(weights));
  }

  static Order of(Rules rules) {
    return new Order(
        rules.tierWeights(),
        rules.sliceMillis(),
        rules.ageingMillis(),
        rules.minimumRuntimeMillis());
  }

  int weight(Tier tier) {
    return weights.getOrDefault(tier, 1);
  }

  /** The same, where a policy does not speak. */
  Order with(Tuning.Scheduling said) {
    Long slice = said.sliceMillis();
    Long ageing = said.ageingMillis();
    Long minimumRuntime = said.minimumRuntimeMillis();
    return new Order(
        said.weights().isEmpty() ? weights : said.weights(),
        slice == null ? sliceMillis : slice,
        ageing == null ? ageingMillis : ageing,
        minimumRuntime == null ? minimumRuntimeMillis : minimumRuntime);
  }

  /** Rules that are these but for the order of turns. */
  Rules over(Rules rules) {
    return new Rules(
        rules.slots(),
        weights,
        rules.tenants(),
        rules.otherTenants(),
        rules.agents(),
        rules.otherAgents(),
        rules.windowMillis(),
        minimumRuntimeMillis,
        sliceMillis,
        ageingMillis,
        rules.spareMillis(),
        rules.frozenMax());
  }

  /** In how many values it differs from another. */
  int differences(Order other) {
    int count = 0;
    for (Tier tier : Tier.values()) {
      count += weight(tier) == other.weight(tier) ? 0 : 1;
    }
    count += sliceMillis == other.sliceMillis ? 0 : 1;
    count += ageingMillis == other.ageingMillis ? 0 : 1;
    count += minimumRuntimeMillis == other.minimumRuntimeMillis ? 0 : 1;
    return count;
  }
}
