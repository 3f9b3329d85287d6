package org.aionos.brain;

import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;

/** Reads figures that somebody brings. */
final class SnapshotReader {

  private static final ResourceSchema SCHEMA = ResourceSchema.of("snapshot.schema.json");
  private static final Duration SPAN_MAX = Duration.ofDays(7);
  private static final Duration SPAN_USUAL = Duration.ofHours(1);
  private static final int DIGITS_MAX = 40;

  private SnapshotReader() {}

  /**
   * @throws Refused {@code MISSING_FIELD} or {@code INVALID_FIELD} with the pointer
   */
  static Snapshot read(Map<String, @Nullable Object> snapshot) {
    SCHEMA
        .fault(snapshot)
        .ifPresent(
            fault -> {
              throw refused(
                  fault.missing() ? Code.MISSING_FIELD : Code.INVALID_FIELD,
                  fault.pointer(),
                  fault.why());
            });
    try {
      Fields root = Fields.of(snapshot, "");
      return new Snapshot(false, millis(root), queues(root), tenants(root), new Load(tasks(root)));
    } catch (InvalidDocument invalid) {
      boolean missing = invalid.fault() == InvalidDocument.Fault.MISSING;
      throw refused(
          missing ? Code.MISSING_FIELD : Code.INVALID_FIELD, invalid.pointer(), invalid.why());
    }
  }

  private static Refused refused(Code code, String pointer, String why) {
    return new Refused(Problem.at(pointer, code, why));
  }

  private static long millis(Fields root) throws InvalidDocument {
    if (!root.has("from") && !root.has("until")) {
      return SPAN_USUAL.toMillis();
    }
    Duration span = Duration.between(time(root, "from"), time(root, "until"));
    if (span.isNegative() || span.isZero() || span.compareTo(SPAN_MAX) > 0) {
      throw root.invalid("until", "must be later than from, by seven days at most");
    }
    return span.toMillis();
  }

  private static Instant time(Fields root, String name) throws InvalidDocument {
    try {
      return Instant.parse(root.text(name));
    } catch (DateTimeException notATime) {
      throw root.invalid(name, "must be a time in UTC, as 2026-12-31T23:59:59Z");
    }
  }

  private static Map<Tier, Snapshot.QueueFigures> queues(Fields root) throws InvalidDocument {
    Map<Tier, Snapshot.QueueFigures> queues = new EnumMap<>(Tier.class);
    Fields said = root.objectOrEmpty("queues");
    for (Tier tier : Tier.values()) {
      Fields queue = said.objectOrEmpty(tier.written());
      queues.put(
          tier,
          new Snapshot.QueueFigures(
              queue.wholeNumber("waiting", 0, 0, Long.MAX_VALUE),
              queue.wholeNumber("running", 0, 0, Long.MAX_VALUE)));
    }
    return queues;
  }

  private static Map<String, Snapshot.TenantFigures> tenants(Fields root) throws InvalidDocument {
    Map<String, Snapshot.TenantFigures> tenants = new TreeMap<>();
    for (Map.Entry<String, Fields> each : root.objects("tenants").entrySet()) {
      Fields said = each.getValue();
      if (!AgentId.isName(each.getKey())) {
        throw new InvalidDocument(
            InvalidDocument.Fault.INVALID, said.pointer(), "is not the name of a tenant");
      }
      long calls = said.wholeNumber("calls", 0, 0, Long.MAX_VALUE);
      long own = said.wholeNumber("failed_by_itself", 0, 0, Long.MAX_VALUE);
      long other = said.wholeNumber("failed_otherwise", 0, 0, Long.MAX_VALUE);
      if (own + other > calls) {
        throw said.invalid("calls", "must be at least as many as have failed");
      }
      tenants.put(
          each.getKey(),
          new Snapshot.TenantFigures(
              calls,
              own,
              other,
              said.wholeNumber("p50_ms", 0, 0, Long.MAX_VALUE),
              said.wholeNumber("p95_ms", 0, 0, Long.MAX_VALUE),
              money(said, "cost_usd"),
              money(said, "recent_usd_per_hour")));
    }
    return tenants;
  }

  private static BigDecimal money(Fields said, String name) throws InvalidDocument {
    BigDecimal usd = said.numberOrNull(name, 0, 1_000_000_000);
    // A number of a thousand digits, or with such an exponent, is arithmetic without an end.
    if (usd != null && (usd.precision() > DIGITS_MAX || Math.abs(usd.scale()) > DIGITS_MAX)) {
      throw said.invalid(name, "has more than " + DIGITS_MAX + " digits");
    }
    return usd == null ? BigDecimal.ZERO : usd;
  }

  private static List<Load.Task> tasks(Fields root) throws InvalidDocument {
    List<Load.Task> tasks = new ArrayList<>();
    for (Fields said : root.list("load")) {
      String tenant = said.text("tenant");
      String agent = said.text("agent", "agent");
      if (!AgentId.isName(tenant) || !AgentId.isName(agent)) {
        throw said.invalid(AgentId.isName(tenant) ? "agent" : "tenant", "is not the name of one");
      }
      Tier tier = tier(said);
      tasks.add(
          new Load.Task(
              said.wholeNumber("at_ms", 0, 0, Long.MAX_VALUE),
              new AgentId(tenant, agent),
              tier,
              (int) said.wholeNumber("priority", tier.priority(), 0, 9),
              said.wholeNumber("run_ms", 0, 0, Long.MAX_VALUE),
              said.flag("preemptible", true)));
    }
    return tasks;
  }

  private static Tier tier(Fields said) throws InvalidDocument {
    for (Tier tier : Tier.values()) {
      if (tier.written().equals(said.text("queue"))) {
        return tier;
      }
    }
    throw said.invalid("queue", "must be high, normal or low");
  }
}
