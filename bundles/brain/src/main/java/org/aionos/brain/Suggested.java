package org.aionos.brain;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.aionos.document.Documents;
import org.aionos.kernel.task.Tier;
import org.aionos.policies.PolicyDocument;
import org.jspecify.annotations.Nullable;

/**
 * The optimiser's answer, in the same form as a model's: it passes the same rails.
 *
 * <p>Besides turns it tightens tenants whose own figures call for it, one limit of each by half a
 * step, a quarter: of who fails by itself the calls, of who burns its money that; or, where that
 * limit is not set, the tasks at once.
 */
final class Suggested {

  private static final BigDecimal HALF_A_STEP = new BigDecimal("0.75");

  private Suggested() {}

  static byte[] answer(
      Situation situation, Ids ids, Caution caution, Optimiser.Found found, GuardRails rails) {
    List<Map<String, @Nullable Object>> changes = turns(situation, found);
    for (String tenant : situation.snapshot().tenants().keySet()) {
      Optional<Evidence.Finding> why = Evidence.against(tenant, situation, caution);
      if (why.isPresent() && changes.size() < caution.changesMax()) {
        Map<String, @Nullable Object> change = tighter(tenant, situation, ids, why.get());
        // A floor may be in the way, or nothing is left to take; the others still count.
        if (change != null && passes(change, situation, ids, rails)) {
          changes.add(change);
        }
      }
    }
    return Documents.write(Map.of("changes", changes, "rationale", rationale(changes, found)));
  }

  private static boolean passes(
      Map<String, @Nullable Object> change, Situation situation, Ids ids, GuardRails rails) {
    byte[] alone = Documents.write(Map.of("changes", List.of(change), "rationale", "alone"));
    return rails.judge(situation, ids, alone) instanceof GuardRails.Passed;
  }

  private static List<Map<String, @Nullable Object>> turns(
      Situation situation, Optimiser.Found found) {
    List<Map<String, @Nullable Object>> changes = new ArrayList<>();
    Order better = found.better();
    if (better == null) {
      return changes;
    }
    Order present = Order.of(situation.rules());
    for (Tier tier : Tier.values()) {
      turn("/weights/" + tier.written(), present.weight(tier), better.weight(tier), changes);
    }
    turn("/slice_ms", present.sliceMillis(), better.sliceMillis(), changes);
    turn("/ageing_ms", present.ageingMillis(), better.ageingMillis(), changes);
    turn(
        "/minimum_runtime_ms",
        present.minimumRuntimeMillis(),
        better.minimumRuntimeMillis(),
        changes);
    return changes;
  }

  private static void turn(
      String pointer, long present, long better, List<Map<String, @Nullable Object>> changes) {
    if (present != better) {
      changes.add(
          change(
              PolicyDocument.SCHEDULER,
              pointer,
              better,
              "the recorded load fares better with " + better + " than with " + present));
    }
  }

  private static Map<String, @Nullable Object> change(
      String file, String pointer, Object value, String reason) {
    Map<String, @Nullable Object> change = new LinkedHashMap<>();
    change.put("file", file);
    change.put("pointer", pointer);
    change.put("value", value);
    change.put("reason", reason);
    return change;
  }

  private static @Nullable Map<String, @Nullable Object> tighter(
      String tenant, Situation situation, Ids ids, Evidence.Finding why) {
    Limits limits = situation.limits(tenant);
    Limits.Kind first = why.burns() ? Limits.Kind.USD_PER_HOUR : Limits.Kind.CALLS_PER_HOUR;
    Limits.Kind kind = limits.of(first) == null ? Limits.Kind.MAX_CONCURRENCY : first;
    BigDecimal present = limits.of(kind);
    if (present == null) {
      return null;
    }
    BigDecimal lower =
        present.multiply(HALF_A_STEP).setScale(kind.isWhole() ? 0 : 6, RoundingMode.CEILING);
    Object value = kind.isWhole() ? (Object) lower.longValueExact() : lower.stripTrailingZeros();
    return change(
        PolicyDocument.QUOTAS,
        "/tenants/" + ids.tenant(tenant) + "/" + kind.written(),
        value,
        why.says());
  }

  private static String rationale(
      List<Map<String, @Nullable Object>> changes, Optimiser.Found found) {
    String turns =
        found.better() == null
            ? found.before().tasks() == 0
                ? "No tasks are on record to try other turns on."
                : "Of "
                    + found.tried()
                    + " other ways to take turns none is better by "
                    + Math.round(Optimiser.MARGIN * 100)
                    + " % on the "
                    + found.before().tasks()
                    + " tasks on record."
            : "Of "
                + found.tried()
                + " other ways to take turns, one step away each, this one suits the "
                + found.before().tasks()
                + " tasks on record best: it costs "
                + Math.round(100 * found.cost())
                + " % of what is in force, by waits, the worst slowdown of a tenant, and"
                + " preemptions.";
    long limits =
        changes.stream().filter(each -> PolicyDocument.QUOTAS.equals(each.get("file"))).count();
    return limits == 0
        ? turns
        : turns
            + " Of "
            + limits
            + " tenants a limit goes down by a quarter, by their own figures.";
  }
}
