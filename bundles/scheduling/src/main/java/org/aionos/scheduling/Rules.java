package org.aionos.scheduling;

import static java.util.Objects.requireNonNull;

import java.util.EnumMap;
import java.util.Map;
import org.aionos.kernel.task.Tier;

/**
 * By what is decided. May be changed while tasks run.
 *
 * @param slots how many jobs run at once; 0 lets nothing start
 * @param tierWeights how the tiers share the slots while several are wanted; of every tier
 * @param tenants what is said of a tenant, by its name
 * @param otherTenants what holds for all others
 * @param agents what is said of an agent
 * @param otherAgents what holds for all others
 * @param windowMillis over this long the guarantees of tiers hold; what a tier is owed, or owes,
 *     from before is forgotten, and so is what a tenant that is gone has used
 * @param minimumRuntimeMillis nothing is preempted before it has run so long
 * @param sliceMillis so far, in slot time by weight, a tenant (or an agent of one) may fall behind
 *     another of its tier before it gets a slot of that one's
 * @param ageingMillis one step of priority is worth having been submitted so much earlier
 * @param spareMillis a job that could not be frozen is left alone for so long
 * @param frozenMax so many jobs may be frozen at once, for each holds memory; with them nothing is
 *     preempted any more, and with half of them not for turns within a tier
 */
public record Rules(
    int slots,
    Map<Tier, Integer> tierWeights,
    Map<String, Quota> tenants,
    Quota otherTenants,
    Map<Agent, Quota> agents,
    Quota otherAgents,
    long windowMillis,
    long minimumRuntimeMillis,
    long sliceMillis,
    long ageingMillis,
    long spareMillis,
    int frozenMax) {

  /** Weights beyond this would make the smallest share too small to be counted well. */
  public static final int WEIGHT_MAX = 10_000;

  public Rules {
    tierWeights = Map.copyOf(new EnumMap<>(tierWeights));
    tenants = Map.copyOf(tenants);
    agents = Map.copyOf(agents);
    requireNonNull(otherTenants, "otherTenants");
    requireNonNull(otherAgents, "otherAgents");
    for (Tier tier : Tier.values()) {
      Integer weight = tierWeights.get(tier);
      if (weight == null) {
        throw new IllegalArgumentException("no weight for tier " + tier.written());
      }
      checkWeight(weight);
    }
    notNegative(slots, "slots");
    notNegative(frozenMax, "frozenMax");
    notNegative(minimumRuntimeMillis, "minimumRuntimeMillis");
    notNegative(ageingMillis, "ageingMillis");
    positive(windowMillis, "windowMillis");
    positive(sliceMillis, "sliceMillis");
    positive(spareMillis, "spareMillis");
  }

  /** Slots by themselves, and everything else as it is when nobody says anything. */
  public static Rules of(int slots) {
    return new Rules(
        slots,
        Map.of(Tier.HIGH, 6, Tier.NORMAL, 3, Tier.LOW, 1),
        Map.of(),
        Quota.NONE,
        Map.of(),
        Quota.NONE,
        60_000,
        1_000,
        5_000,
        30_000,
        10_000,
        64);
  }

  Quota tenant(String name) {
    return tenants.getOrDefault(name, otherTenants);
  }

  Quota agent(String tenant, String name) {
    return agents.isEmpty()
        ? otherAgents
        : agents.getOrDefault(new Agent(tenant, name), otherAgents);
  }

  /** Those who take turns within a tier leave room for what is more urgent. */
  int frozenByTurnsMax() {
    return frozenMax / 2;
  }

  /** What a tier must be owed to get one slot more; a shorter turn would be preempted at once. */
  long quantumMillis() {
    return Math.max(1, minimumRuntimeMillis);
  }

  /** Names an agent. */
  public record Agent(String tenant, String name) {
    public Agent {
      requireNonNull(tenant, "tenant");
      requireNonNull(name, "name");
    }
  }

  /**
   * What a tenant gets of a tier, or an agent of its tenant.
   *
   * @param weight its share, beside those of the others
   * @param concurrencyMax so many of its jobs run at once, in all tiers together
   */
  public record Quota(int weight, int concurrencyMax) {

    /** An equal share, and no limit of its own. */
    public static final Quota NONE = new Quota(1, Integer.MAX_VALUE);

    public Quota {
      checkWeight(weight);
      notNegative(concurrencyMax, "concurrencyMax");
    }
  }

  private static void checkWeight(int weight) {
    if (weight < 1 || weight > WEIGHT_MAX) {
      throw new IllegalArgumentException("a weight must be 1 to " + WEIGHT_MAX + ": " + weight);
    }
  }

  private static void notNegative(long value, String name) {
    if (value < 0) {
      throw new IllegalArgumentException(name + " must not be negative: " + value);
    }
  }

  private static void positive(long value, String name) {
    if (value <= 0) {
      throw new IllegalArgumentException(name + " must be positive: " + value);
    }
  }
}
