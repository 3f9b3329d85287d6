package org.aionos.brain;

import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.JournalReader;
import org.aionos.kernel.memory.MemoryControl;
import org.aionos.kernel.task.Budgets;
import org.aionos.kernel.task.Scheduler;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;

/**
 * What this kernel has measured in the last hour. Of what is on record it reads numbers, codes and
 * checked names; no message, argument or result.
 */
final class Telemetry {

  static final Duration SPAN = Duration.ofHours(1);

  /** Of the journal; the latest. A busier hour is looked at as far back as they reach. */
  private static final int ENTRIES_MAX = 20_000;

  private static final int PAGE = 1_000;
  private static final String TOPIC = "kernel.syscalls";
  private static final String ENDED = "syscall.ended";
  private static final int TENANTS_MAX = 1_000;

  private final Scheduler scheduler;
  private final JournalReader journal;
  private final Budgets budgets;

  Telemetry(Scheduler scheduler, JournalReader journal, Budgets budgets) {
    this.scheduler = scheduler;
    this.journal = journal;
    this.budgets = budgets;
  }

  /** Of one tenant's calls. */
  private static final class Tally {
    final List<Long> latencies = new ArrayList<>();
    long failedByItself;
    long failedOtherwise;
    BigDecimal cost = BigDecimal.ZERO;
    BigDecimal recentCost = BigDecimal.ZERO;
  }

  Snapshot measured(Instant now) {
    List<JournalReader.Entry> entries = entries(now);
    Instant from =
        entries.size() < ENTRIES_MAX ? now.minus(SPAN) : entries.get(entries.size() - 1).time();
    Duration span = Duration.between(from, now);
    Instant recent = now.minus(span.dividedBy(4));
    Map<String, Tally> tallies = new HashMap<>();
    for (JournalReader.Entry entry : entries) {
      String tenant = entry.tenant();
      if (tenant != null && AgentId.isName(tenant)) {
        count(entry, tallies.computeIfAbsent(tenant, each -> new Tally()), recent);
      }
    }
    return new Snapshot(true, span.toMillis(), queues(), figures(tallies, span), load(now));
  }

  private List<JournalReader.Entry> entries(Instant now) {
    List<JournalReader.Entry> ended = new ArrayList<>();
    Long before = null;
    for (int pages = 0; pages < 2 * ENTRIES_MAX / PAGE; pages++) {
      JournalReader.Page page =
          journal.query(
              new JournalReader.Query(
                  null, null, TOPIC, null, null, now.minus(SPAN), null, before, PAGE));
      for (JournalReader.Entry entry : page.entries()) {
        if (entry.kind().equals(ENDED) && ended.size() < ENTRIES_MAX) {
          ended.add(entry);
        }
      }
      before = page.next();
      if (before == null || ended.size() >= ENTRIES_MAX) {
        break;
      }
    }
    return ended;
  }

  private static void count(JournalReader.Entry entry, Tally tally, Instant recent) {
    if (entry.facts().get("latency_ms") instanceof Number latency) {
      tally.latencies.add(latency.longValue());
    } else {
      tally.latencies.add(0L);
    }
    Code code = code(entry.facts().get("code"));
    if (code != Code.OK && code != Code.CANCELLED) {
      switch (code.blame()) {
        case CALLER -> tally.failedByItself++;
        case TOOL, OPERATOR, KERNEL -> tally.failedOtherwise++;
        // What a limit or a rule refuses is neither: it is as it should be.
        case NOBODY, POLICY, BUDGET -> {}
      }
    }
    if (entry.facts().get("cost_usd") instanceof Number cost) {
      BigDecimal usd = new BigDecimal(cost.toString());
      tally.cost = tally.cost.add(usd);
      if (entry.time().isAfter(recent)) {
        tally.recentCost = tally.recentCost.add(usd);
      }
    }
  }

  private static Code code(@Nullable Object name) {
    for (Code code : Code.values()) {
      if (code.name().equals(name)) {
        return code;
      }
    }
    return Code.OK;
  }

  private static Map<String, Snapshot.TenantFigures> figures(
      Map<String, Tally> tallies, Duration span) {
    Map<String, Snapshot.TenantFigures> figures = new TreeMap<>();
    BigDecimal quarters =
        BigDecimal.valueOf(Duration.ofHours(4).toMillis() / (double) Math.max(1, span.toMillis()));
    tallies.entrySet().stream()
        .sorted((one, other) -> other.getValue().latencies.size() - one.getValue().latencies.size())
        .limit(TENANTS_MAX)
        .forEach(
            each -> {
              Tally tally = each.getValue();
              figures.put(
                  each.getKey(),
                  new Snapshot.TenantFigures(
                      tally.latencies.size(),
                      tally.failedByItself,
                      tally.failedOtherwise,
                      Replay.rank(tally.latencies, 0.5),
                      Replay.rank(tally.latencies, 0.95),
                      tally.cost,
                      tally.recentCost.multiply(quarters)));
            });
    return figures;
  }

  private Map<Tier, Snapshot.QueueFigures> queues() {
    Scheduler.Queues queues = scheduler.queues();
    Map<Tier, Snapshot.QueueFigures> figures = new EnumMap<>(Tier.class);
    for (Tier tier : Tier.values()) {
      figures.put(
          tier,
          new Snapshot.QueueFigures(
              queues.waiting().getOrDefault(tier, 0L), queues.running().getOrDefault(tier, 0L)));
    }
    return figures;
  }

  /** Tasks that came in the last hour, and have ended. */
  Load load(Instant now) {
    List<Load.Task> tasks = new ArrayList<>();
    for (TaskState state : List.of(TaskState.SUCCEEDED, TaskState.FAILED)) {
      String after = null;
      int read = 0;
      do {
        Scheduler.Page page =
            scheduler.list(new TaskStore.Filter(null, null, state, null), after, PAGE);
        for (Scheduler.Task task : page.tasks()) {
          Load.Task recorded = recorded(task, now);
          if (recorded != null) {
            tasks.add(recorded);
          }
        }
        read += page.tasks().size();
        after = page.next();
      } while (after != null && read < 2 * Load.TASKS_MAX);
    }
    return new Load(tasks);
  }

  private static Load.@Nullable Task recorded(Scheduler.Task task, Instant now) {
    Map<String, @Nullable Object> values = task.values();
    Instant submitted = time(values.get("submitted_at"));
    Tier tier = tier(values.get("queue"));
    if (submitted == null
        || tier == null
        || submitted.isBefore(now.minus(SPAN))
        || values.get("started_at") == null
        || !(values.get("usage") instanceof Map<?, ?> usage)
        || !(usage.get("run_ms") instanceof Number run)
        || !(values.get("priority") instanceof Number priority)) {
      return null;
    }
    return new Load.Task(
        submitted.toEpochMilli(),
        task.agent(),
        tier,
        Math.max(0, Math.min(9, priority.intValue())),
        Math.max(0, run.longValue()),
        !String.valueOf(values.get("intent")).startsWith("syscall:"));
  }

  private static @Nullable Instant time(@Nullable Object written) {
    try {
      return written == null ? null : Instant.parse(written.toString());
    } catch (DateTimeException notATime) {
      return null;
    }
  }

  private static @Nullable Tier tier(@Nullable Object written) {
    for (Tier tier : Tier.values()) {
      if (tier.written().equals(written)) {
        return tier;
      }
    }
    return null;
  }

  /** What the kernel's own configuration lets tenants use, of those that it counts. */
  Map<String, Limits> configured(Snapshot snapshot) {
    Map<String, Limits> limits = new HashMap<>();
    Scheduler.Turns turns = scheduler.turns();
    if (turns != null) {
      for (String tenant : snapshot.tenants().keySet()) {
        Integer max = turns.tenants().getOrDefault(tenant, turns.otherTenants()).concurrencyMax();
        limits.put(
            tenant, new Limits(max == null ? null : BigDecimal.valueOf(max), null, null, null));
      }
    }
    for (Budgets.Standing standing : budgets.standings(null)) {
      if (standing.level().equals("tenant") && AgentId.isName(standing.tenant())) {
        limits.merge(standing.tenant(), limit(standing), Limits::and);
      }
    }
    return limits;
  }

  private static Limits limit(Budgets.Standing standing) {
    return switch (standing.kind() + "/" + standing.window()) {
      case "tokens/second" -> new Limits(null, standing.max(), null, null);
      case "usd/hour" -> new Limits(null, null, standing.max(), null);
      case "calls/hour" -> new Limits(null, null, null, standing.max());
      default -> Limits.NONE;
    };
  }

  static Map<String, Long> memoryBytes(@Nullable MemoryControl memory) {
    Map<String, Long> bytes = new HashMap<>();
    if (memory != null) {
      memory.usage().forEach(usage -> bytes.merge(usage.tenant(), usage.bytes(), Math::max));
    }
    bytes.keySet().removeIf(tenant -> !AgentId.isName(tenant));
    return bytes;
  }
}
