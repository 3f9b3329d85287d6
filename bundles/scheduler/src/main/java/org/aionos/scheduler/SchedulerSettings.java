package org.aionos.scheduler;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.policy.Tuning;
import org.aionos.kernel.task.Scheduler.Place;
import org.aionos.kernel.task.Scheduler.Turns;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;

/**
 * What {@code config/scheduler.yaml} says.
 *
 * @param slots tasks that run at once on this node
 * @param weights of the queues
 * @param window over which each queue gets its share
 * @param minimumRuntime before a task can be preempted
 * @param slice by which a tenant, or an agent, may be ahead of another that waits
 * @param ageing so long a wait counts as much as one step of priority
 * @param quotas of tenants that are not named, and of those that are
 */
record SchedulerSettings(
    int slots,
    Map<Tier, Integer> weights,
    Duration window,
    Duration minimumRuntime,
    Duration slice,
    Duration ageing,
    Limits limits,
    Retries retry,
    Quotas quotas) {

  private static final int NAMED_MAX = 10_000;
  private static final int COUNT_MAX = 1_000_000;

  /**
   * What bounds the scheduler itself.
   *
   * @param queuedMax tasks that have not ended, of all tenants
   * @param tenantQueuedMax of these, of one tenant
   * @param paramsBytesMax of one task, as JSON
   * @param callsMax that one task may make: all of them are kept, to be replayed
   * @param logBytesMax of the calls of one task and their results
   * @param stateBytesMax of what an agent saves of itself
   * @param preemptedMax tasks that wait preempted at once; with them nothing is preempted any more
   * @param frozenMax preempted agents that stay in memory; beyond, one is evicted
   * @param frozenBytesMax what they may take together
   * @param outputBytesMax of an agent's stdout and stderr, each, that is kept
   * @param kept how long a task that has ended can be looked at
   * @param stop what an agent gets to end by itself
   */
  record Limits(
      int queuedMax,
      int tenantQueuedMax,
      int paramsBytesMax,
      int callsMax,
      long logBytesMax,
      int stateBytesMax,
      int preemptedMax,
      int frozenMax,
      long frozenBytesMax,
      int outputBytesMax,
      Duration kept,
      Duration stop,
      int mailMax,
      int mailBytesMax) {}

  /**
   * How a task that failed is tried again, where it does not say itself.
   *
   * @param attemptsMax the first one included
   * @param backoff before the second; twice as long before each further one, up to {@code
   *     backoffMax}
   */
  record Retries(int attemptsMax, Duration backoff, Duration backoffMax) {

    /** How long to wait before the next attempt, after so many. */
    Duration after(int attempts) {
      long millis = backoff.toMillis();
      for (int i = 1; i < attempts && millis < backoffMax.toMillis(); i++) {
        millis *= 2;
      }
      return Duration.ofMillis(Math.min(millis, backoffMax.toMillis()));
    }
  }

  /**
   * What one tenant, or one agent, may have. Null where there is no limit.
   *
   * @param maxConcurrency tasks that run at once
   * @param tokenRate tokens a second
   */
  record Quota(
      int weight,
      @Nullable Integer maxConcurrency,
      @Nullable Long tokenRate,
      @Nullable BigDecimal usdPerHour,
      @Nullable Long callsPerHour) {

    static final Quota NONE = new Quota(1, null, null, null, null);

    /** The lower of both, each by itself. */
    Quota narrowed(Tuning.Quota by) {
      if (by.equals(Tuning.Quota.UNSAID)) {
        return this;
      }
      return new Quota(
          weight,
          least(maxConcurrency, by.maxConcurrency()),
          least(tokenRate, by.tokenRate()),
          least(usdPerHour, by.usdPerHour()),
          least(callsPerHour, by.callsPerHour()));
    }

    private static <T extends Comparable<T>> @Nullable T least(@Nullable T own, @Nullable T other) {
      return own == null ? other : other == null || own.compareTo(other) <= 0 ? own : other;
    }

    Place place() {
      return new Place(weight, maxConcurrency);
    }

    /** Whether calls use something of it up. */
    boolean isLimited() {
      return tokenRate != null || usdPerHour != null || callsPerHour != null;
    }
  }

  /**
   * @param standard of a tenant, or of an agent, that is not named
   * @param tuning the policy, which may give less; null while there is none
   */
  record Quotas(
      Quota standard,
      Quota standardOfAgents,
      Map<String, Tenant> tenants,
      @Nullable Tuning tuning) {

    Quota of(String tenant) {
      Tenant named = tenants.get(tenant);
      Quota quota = named == null ? standard : named.quota();
      return tuning == null ? quota : quota.narrowed(tuning.quota(tenant));
    }

    Quota of(AgentId agent) {
      Tenant named = tenants.get(agent.tenant());
      Quota own = named == null ? null : named.agents().get(agent.name());
      Quota quota = own == null ? standardOfAgents : own;
      return tuning == null ? quota : quota.narrowed(tuning.quota(agent));
    }
  }

  /** The same, as the policy tunes it. */
  SchedulerSettings tunedBy(@Nullable Tuning tuning) {
    if (tuning == null) {
      return this;
    }
    Tuning.Scheduling said = tuning.scheduling();
    return new SchedulerSettings(
        slots,
        said.weights().isEmpty() ? weights : said.weights(),
        window,
        millis(said.minimumRuntimeMillis(), minimumRuntime),
        millis(said.sliceMillis(), slice),
        millis(said.ageingMillis(), ageing),
        limits,
        retry,
        new Quotas(quotas.standard(), quotas.standardOfAgents(), quotas.tenants(), tuning));
  }

  private static Duration millis(@Nullable Long said, Duration own) {
    return said == null ? own : Duration.ofMillis(said);
  }

  record Tenant(Quota quota, Map<String, Quota> agents) {}

  /** As others see it. */
  Turns turns() {
    Map<String, Place> named = new LinkedHashMap<>();
    Map<AgentId, Place> agents = new LinkedHashMap<>();
    quotas
        .tenants()
        .forEach(
            (tenant, said) -> {
              named.put(tenant, said.quota().place());
              said.agents()
                  .forEach((agent, own) -> agents.put(new AgentId(tenant, agent), own.place()));
            });
    return new Turns(
        slots,
        weights,
        window.toMillis(),
        minimumRuntime.toMillis(),
        slice.toMillis(),
        ageing.toMillis(),
        named,
        quotas.standard().place(),
        agents,
        quotas.standardOfAgents().place());
  }

  // --- reading --------------------------------------------------------------------------------

  static SchedulerSettings read(byte[] yaml) throws InvalidDocument {
    Fields root =
        Documents.yaml(yaml)
            .only(
                "apiVersion",
                "kind",
                "slots",
                "queues",
                "window_s",
                "minimum_runtime_ms",
                "slice_ms",
                "ageing_ms",
                "limits",
                "retry",
                "quotas",
                StoreSettings.NAME);
    expect(root, "apiVersion", "aion.os/v1");
    expect(root, "kind", "SchedulerConfig");
    return new SchedulerSettings(
        (int) root.wholeNumber("slots", 8, 1, 1_000),
        weights(root.objectOrEmpty("queues")),
        Duration.ofSeconds(root.wholeNumber("window_s", 60, 1, 3_600)),
        Duration.ofMillis(root.wholeNumber("minimum_runtime_ms", 1_000, 0, 600_000)),
        Duration.ofMillis(root.wholeNumber("slice_ms", 10_000, 10, 3_600_000)),
        Duration.ofMillis(root.wholeNumber("ageing_ms", 60_000, 10, 86_400_000)),
        limits(root.objectOrEmpty("limits")),
        retries(root.objectOrEmpty("retry"), STANDARD),
        quotas(root.objectOrEmpty("quotas")));
  }

  private static final Retries STANDARD =
      new Retries(3, Duration.ofSeconds(1), Duration.ofMinutes(5));

  private static void expect(Fields root, String name, String value) throws InvalidDocument {
    if (!root.text(name, value).equals(value)) {
      throw root.invalid(name, "must be " + value);
    }
  }

  private static Map<Tier, Integer> weights(Fields queues) throws InvalidDocument {
    queues.only("high", "normal", "low");
    Map<Tier, Integer> standard = Map.of(Tier.HIGH, 6, Tier.NORMAL, 3, Tier.LOW, 1);
    Map<Tier, Integer> weights = new EnumMap<>(Tier.class);
    for (Tier tier : Tier.values()) {
      Fields queue = queues.objectOrEmpty(tier.written()).only("weight");
      weights.put(
          tier, (int) queue.wholeNumber("weight", standard.getOrDefault(tier, 1), 1, 1_000));
    }
    return weights;
  }

  private static Limits limits(Fields fields) throws InvalidDocument {
    fields.only(
        "queued_max",
        "tenant_queued_max",
        "params_bytes_max",
        "calls_max",
        "log_bytes_max",
        "state_bytes_max",
        "preempted_max",
        "frozen_max",
        "frozen_bytes_max",
        "output_bytes_max",
        "kept_s",
        "stop_ms",
        "mail_max",
        "mail_bytes_max");
    return new Limits(
        (int) fields.wholeNumber("queued_max", 200_000, 1, 10_000_000),
        (int) fields.wholeNumber("tenant_queued_max", 100_000, 1, 10_000_000),
        (int) fields.wholeNumber("params_bytes_max", 65_536, 64, 1_048_576),
        (int) fields.wholeNumber("calls_max", 10_000, 1, COUNT_MAX),
        fields.wholeNumber("log_bytes_max", 16_777_216, 4_096, 1L << 32),
        (int) fields.wholeNumber("state_bytes_max", 262_144, 64, 16_777_216),
        (int) fields.wholeNumber("preempted_max", 64, 0, 100_000),
        (int) fields.wholeNumber("frozen_max", 8, 0, 1_000),
        fields.wholeNumber("frozen_bytes_max", 1L << 30, 0, 1L << 40),
        (int) fields.wholeNumber("output_bytes_max", 65_536, 0, 1_048_576),
        Duration.ofSeconds(fields.wholeNumber("kept_s", 604_800, 60, 31_536_000)),
        Duration.ofMillis(fields.wholeNumber("stop_ms", 5_000, 0, 600_000)),
        (int) fields.wholeNumber("mail_max", 1_000, 1, COUNT_MAX),
        (int) fields.wholeNumber("mail_bytes_max", 65_536, 64, 1_048_576));
  }

  /**
   * @param absent what holds where nothing is said
   */
  static Retries retries(Fields fields, Retries absent) throws InvalidDocument {
    fields.only("attempts_max", "backoff_ms", "backoff_max_ms");
    return new Retries(
        (int) fields.wholeNumber("attempts_max", absent.attemptsMax(), 1, 100),
        Duration.ofMillis(
            fields.wholeNumber("backoff_ms", absent.backoff().toMillis(), 0, 86_400_000)),
        Duration.ofMillis(
            fields.wholeNumber("backoff_max_ms", absent.backoffMax().toMillis(), 0, 86_400_000)));
  }

  private static Quotas quotas(Fields fields) throws InvalidDocument {
    fields.only("default", "default_agent", "tenants");
    Map<String, Tenant> tenants = new LinkedHashMap<>();
    for (Map.Entry<String, Fields> each : named(fields, "tenants").entrySet()) {
      Map<String, Quota> agents = new LinkedHashMap<>();
      for (Map.Entry<String, Fields> agent : named(each.getValue(), "agents").entrySet()) {
        agents.put(agent.getKey(), quota(agent.getValue(), false));
      }
      tenants.put(each.getKey(), new Tenant(quota(each.getValue(), true), Map.copyOf(agents)));
    }
    return new Quotas(
        quota(fields.objectOrEmpty("default"), false),
        quota(fields.objectOrEmpty("default_agent"), false),
        Map.copyOf(tenants),
        null);
  }

  private static Map<String, Fields> named(Fields fields, String name) throws InvalidDocument {
    Map<String, Fields> named = fields.objects(name);
    for (String each : named.keySet()) {
      if (!AgentId.isName(each) || named.size() > NAMED_MAX) {
        throw fields.invalid(name, "are at most " + NAMED_MAX + ", by their names");
      }
    }
    return named;
  }

  private static Quota quota(Fields fields, boolean withAgents) throws InvalidDocument {
    if (withAgents) {
      fields.only(
          "weight", "max_concurrency", "token_rate", "usd_per_hour", "calls_per_hour", "agents");
    } else {
      fields.only("weight", "max_concurrency", "token_rate", "usd_per_hour", "calls_per_hour");
    }
    Long concurrency = fields.wholeNumberOrNull("max_concurrency", 0, COUNT_MAX);
    return new Quota(
        (int) fields.wholeNumber("weight", 1, 1, 1_000),
        concurrency == null ? null : concurrency.intValue(),
        fields.wholeNumberOrNull("token_rate", 0, 1_000_000_000),
        fields.numberOrNull("usd_per_hour", 0, COUNT_MAX),
        fields.wholeNumberOrNull("calls_per_hour", 0, 1_000_000_000));
  }
}
