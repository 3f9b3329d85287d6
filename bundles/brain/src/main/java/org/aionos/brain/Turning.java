package org.aionos.brain;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.task.Scheduler;
import org.aionos.policies.PolicyDocument;
import org.aionos.scheduling.Rules;
import org.jspecify.annotations.Nullable;

/**
 * How turns are taken under a policy: what the scheduler's own configuration says, with the order
 * of turns as the policy has it, and of both limits of concurrency the lower.
 */
final class Turning {

  private Turning() {}

  /**
   * @param turns null if the scheduler does not say: then as it comes
   * @param load whose tenants and agents matter
   */
  static Rules under(PolicyDocument policy, Scheduler.@Nullable Turns turns, int slots, Load load) {
    Rules own = turns == null ? Rules.of(Math.max(1, slots)) : rules(turns);
    Set<AgentId> named = new HashSet<>();
    load.tasks().forEach(task -> named.add(task.agent()));
    Map<String, Rules.Quota> tenants = new HashMap<>(own.tenants());
    Map<Rules.Agent, Rules.Quota> agents = new HashMap<>(own.agents());
    for (AgentId agent : named) {
      tenants.computeIfAbsent(agent.tenant(), tenant -> own.otherTenants());
      agents.computeIfAbsent(
          new Rules.Agent(agent.tenant(), agent.name()), each -> own.otherAgents());
    }
    tenants.replaceAll((tenant, quota) -> lower(quota, policy.quota(tenant).maxConcurrency()));
    agents.replaceAll(
        (agent, quota) ->
            lower(quota, policy.quota(new AgentId(agent.tenant(), agent.name())).maxConcurrency()));
    Rules limited =
        new Rules(
            own.slots(),
            own.tierWeights(),
            tenants,
            own.otherTenants(),
            agents,
            own.otherAgents(),
            own.windowMillis(),
            own.minimumRuntimeMillis(),
            own.sliceMillis(),
            own.ageingMillis(),
            own.spareMillis(),
            own.frozenMax());
    return Order.of(own).with(policy.scheduling()).over(limited);
  }

  private static Rules.Quota lower(Rules.Quota quota, @Nullable Integer max) {
    return max == null
        ? quota
        : new Rules.Quota(quota.weight(), Math.min(quota.concurrencyMax(), max));
  }

  private static Rules rules(Scheduler.Turns turns) {
    Rules usual = Rules.of(turns.slots());
    Map<String, Rules.Quota> tenants = new HashMap<>();
    turns.tenants().forEach((tenant, place) -> tenants.put(tenant, quota(place)));
    Map<Rules.Agent, Rules.Quota> agents = new HashMap<>();
    turns
        .agents()
        .forEach(
            (agent, place) ->
                agents.put(new Rules.Agent(agent.tenant(), agent.name()), quota(place)));
    return new Rules(
        turns.slots(),
        turns.weights(),
        tenants,
        quota(turns.otherTenants()),
        agents,
        quota(turns.otherAgents()),
        turns.windowMillis(),
        turns.minimumRuntimeMillis(),
        turns.sliceMillis(),
        turns.ageingMillis(),
        usual.spareMillis(),
        usual.frozenMax());
  }

  private static Rules.Quota quota(Scheduler.Place place) {
    Integer max = place.concurrencyMax();
    return new Rules.Quota(place.weight(), max == null ? Integer.MAX_VALUE : max);
  }
}
