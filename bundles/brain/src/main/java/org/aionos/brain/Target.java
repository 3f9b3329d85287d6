package org.aionos.brain;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.aionos.kernel.task.Tier;
import org.aionos.policies.PolicyDocument;
import org.jspecify.annotations.Nullable;

/**
 * The one field that a change is of. There are these and no others: what is not named here cannot
 * be changed by a proposal, whatever it says.
 *
 * @param path within the file, with names and not ids
 * @param subject the tenant, or the model; null for all
 */
record Target(String file, List<String> path, Kind kind, @Nullable String subject) {

  /** What can be changed. */
  enum Kind {
    WEIGHT,
    SLICE,
    AGEING,
    MINIMUM_RUNTIME,
    QUOTA,
    MEMORY,
    ROUTE
  }

  private static final Map<String, Kind> TURNS =
      Map.of(
          "slice_ms", Kind.SLICE,
          "ageing_ms", Kind.AGEING,
          "minimum_runtime_ms", Kind.MINIMUM_RUNTIME);

  /**
   * @return null if the pointer leads to nothing that a proposal may change
   */
  static @Nullable Target of(String file, String pointer, Ids ids) {
    List<String> steps = steps(pointer);
    if (steps == null) {
      return null;
    }
    return switch (file) {
      case PolicyDocument.SCHEDULER -> turns(steps);
      case PolicyDocument.QUOTAS -> quota(steps, ids);
      case PolicyDocument.MEMORY -> memory(steps, ids);
      case PolicyDocument.MODELS -> route(steps, ids);
      default -> null;
    };
  }

  /** Steps are names and ids of ours, so nothing in them needs to be escaped. */
  private static @Nullable List<String> steps(String pointer) {
    if (!pointer.startsWith("/")) {
      return null;
    }
    List<String> steps = List.of(pointer.substring(1).split("/", -1));
    return steps.stream().allMatch(Target::isStep) ? steps : null;
  }

  private static boolean isStep(String step) {
    boolean plain = !step.isEmpty() && step.length() <= 63;
    for (int i = 0; plain && i < step.length(); i++) {
      char c = step.charAt(i);
      plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    }
    return plain;
  }

  private static @Nullable Target turns(List<String> steps) {
    if (steps.size() == 2 && steps.get(0).equals("weights")) {
      for (Tier tier : Tier.values()) {
        if (tier.written().equals(steps.get(1))) {
          return new Target(PolicyDocument.SCHEDULER, steps, Kind.WEIGHT, tier.written());
        }
      }
      return null;
    }
    Kind kind = steps.size() == 1 ? TURNS.get(steps.get(0)) : null;
    return kind == null ? null : new Target(PolicyDocument.SCHEDULER, steps, kind, null);
  }

  private static @Nullable Target quota(List<String> steps, Ids ids) {
    String tenant = tenant(steps, ids);
    if (tenant == null) {
      return null;
    }
    for (Limits.Kind limit : Limits.Kind.values()) {
      if (limit.written().equals(steps.get(2))) {
        return new Target(
            PolicyDocument.QUOTAS, List.of("tenants", tenant, limit.written()), Kind.QUOTA, tenant);
      }
    }
    return null;
  }

  private static @Nullable Target memory(List<String> steps, Ids ids) {
    String tenant = tenant(steps, ids);
    return tenant == null || !steps.get(2).equals("tenant_bytes_max")
        ? null
        : new Target(
            PolicyDocument.MEMORY, List.of("tenants", tenant, steps.get(2)), Kind.MEMORY, tenant);
  }

  private static @Nullable String tenant(List<String> steps, Ids ids) {
    return steps.size() == 3 && steps.get(0).equals("tenants") ? ids.tenantOf(steps.get(1)) : null;
  }

  private static @Nullable Target route(List<String> steps, Ids ids) {
    String model =
        steps.size() == 2 && steps.get(0).equals("routes") ? ids.modelOf(steps.get(1)) : null;
    return model == null
        ? null
        : new Target(PolicyDocument.MODELS, List.of("routes", model), Kind.ROUTE, model);
  }

  Limits.Kind limit() {
    return Limits.Kind.valueOf(path.get(2).toUpperCase(Locale.ROOT));
  }

  Tier tier() {
    return Tier.valueOf(path.get(1).toUpperCase(Locale.ROOT));
  }

  /** JSON pointer within the file. */
  String pointer() {
    List<String> escaped = new ArrayList<>();
    path.forEach(step -> escaped.add(step.replace("~", "~0").replace("/", "~1")));
    return "/" + String.join("/", escaped);
  }
}
