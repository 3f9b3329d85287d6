package org.aionos.kernel.policy;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What the policy in force sets beside capabilities. A part of the kernel that it tunes has a
 * configuration of its own; the policy narrows that and orders it, and never gives more. Null, or
 * empty, where the policy does not speak. Answers at once; safe for use by many threads.
 */
@ProviderType
public interface Tuning {

  Scheduling scheduling();

  /** Of a tenant as a whole. */
  Quota quota(String tenant);

  /** Of one agent, besides what its tenant has. */
  Quota quota(AgentId agent);

  Models models(String tenant);

  Memory memory(String tenant);

  /** Tells of every change, on a thread of the policy's, until closed. */
  AutoCloseable listen(Runnable changed);

  /**
   * Replaces what {@code scheduler.yaml} says, since it gives nobody more than there is.
   *
   * @param weights of the queues; all or none
   */
  record Scheduling(
      Map<Tier, Integer> weights,
      @Nullable Long sliceMillis,
      @Nullable Long ageingMillis,
      @Nullable Long minimumRuntimeMillis) {

    public static final Scheduling UNSAID = new Scheduling(Map.of(), null, null, null);
  }

  /**
   * Holds besides what {@code scheduler.yaml} says: the lower one counts.
   *
   * @param tokenRate tokens a second
   */
  record Quota(
      @Nullable Integer maxConcurrency,
      @Nullable Long tokenRate,
      @Nullable BigDecimal usdPerHour,
      @Nullable Long callsPerHour) {

    public static final Quota UNSAID = new Quota(null, null, null, null);
  }

  /**
   * @param routes names of models, and of what {@code models.yaml} lists for each, what is tried,
   *     in this order, as {@code provider/model}; what is not listed there is passed over
   * @param allowCloud false: only providers that are local
   */
  record Models(Map<String, List<String>> routes, boolean allowCloud) {

    public static final Models UNSAID = new Models(Map.of(), true);
  }

  /**
   * Holds besides what {@code memory.yaml} says: the lower one counts.
   *
   * @param tenantBytesMax of all items of the tenant, of each type
   */
  record Memory(@Nullable Long tenantBytesMax) {

    public static final Memory UNSAID = new Memory((Long) null);
  }
}
