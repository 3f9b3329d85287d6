package org.aionos.scheduler;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.jspecify.annotations.Nullable;

/**
 * The calls of a task that the kernel makes itself, one after the other. In the params of a step
 * {@code {"$ref": "/<step>/<pointer>"}} stands for what is at that JSON pointer (RFC 6901) in the
 * result of an earlier step.
 */
final class Steps {

  private static final String REFERENCE = "$ref";
  private static final int STEPS_MAX = 100;

  /** In characters, about: what a request may bring. */
  private static final int RESOLVED_MAX = 1 << 20;

  /** Of a value besides its characters. */
  private static final int VALUE_WEIGHT = 4;

  private static final int CAPABILITIES_MAX = 64;
  private static final long LATENCY_MILLIS_MAX = 86_400_000;
  private static final String STEP_ID = "[A-Za-z0-9][A-Za-z0-9_-]{0,62}";

  /**
   * @param params with references
   */
  record Step(
      String id,
      String syscall,
      Map<String, @Nullable Object> params,
      Set<String> capsRequired,
      Syscall.Budget budget) {}

  private Steps() {}

  /**
   * The steps of a task.
   *
   * @param params of the task: of a call its own, of a workflow its {@code steps}
   * @throws InvalidDocument with the pointer, below that of {@code params}
   */
  static List<Step> of(Intent intent, Fields params) throws InvalidDocument {
    if (intent instanceof Intent.Call call) {
      return List.of(
          new Step("call", call.syscall(), params.values(), Set.of(), Syscall.Budget.NONE));
    }
    params.only("steps");
    if (!params.has("steps")) {
      throw params.missing("steps");
    }
    List<Fields> written = params.list("steps");
    if (written.isEmpty() || written.size() > STEPS_MAX) {
      throw params.invalid("steps", "are 1 to " + STEPS_MAX);
    }
    List<Step> steps = new ArrayList<>();
    Set<String> known = new LinkedHashSet<>();
    for (Fields step : written) {
      steps.add(step(step, known));
      known.add(steps.get(steps.size() - 1).id());
    }
    return steps;
  }

  private static Step step(Fields fields, Set<String> before) throws InvalidDocument {
    fields.only("id", "syscall", "params", "caps_required", "budget");
    String id = fields.text("id");
    if (!id.matches(STEP_ID) || before.contains(id)) {
      throw fields.invalid("id", "must be a name that no earlier step has: " + STEP_ID);
    }
    String syscall = fields.text("syscall");
    if (!(Intent.read("syscall:" + syscall) instanceof Intent.Call)) {
      throw fields.invalid("syscall", "must be the name of a syscall");
    }
    Fields params = fields.objectOrEmpty("params");
    checkReferences(params.values(), params, before);
    Fields budget = fields.objectOrEmpty("budget").only("usd_max", "latency_ms");
    Long latencyMillis = budget.wholeNumberOrNull("latency_ms", 1, LATENCY_MILLIS_MAX);
    return new Step(
        id,
        syscall,
        params.values(),
        fields.texts("caps_required", CAPABILITIES_MAX),
        new Syscall.Budget(
            budget.numberOrNull("usd_max", 0, 1_000_000),
            latencyMillis == null ? null : Duration.ofMillis(latencyMillis)));
  }

  private static void checkReferences(@Nullable Object value, Fields params, Set<String> before)
      throws InvalidDocument {
    String reference = reference(value);
    if (reference != null) {
      List<String> path = path(reference);
      if (path.isEmpty() || !before.contains(path.get(0))) {
        throw new InvalidDocument(
            InvalidDocument.Fault.INVALID,
            params.pointer(),
            "the reference " + reference + " does not begin with /<id of an earlier step>");
      }
    } else if (value instanceof Map<?, ?> map) {
      for (Object each : map.values()) {
        checkReferences(each, params, before);
      }
    } else if (value instanceof List<?> list) {
      for (Object each : list) {
        checkReferences(each, params, before);
      }
    }
  }

  /** The params with every reference replaced by what it stands for. */
  static Map<String, @Nullable Object> resolved(
      Step step, Map<String, Map<String, @Nullable Object>> results) {
    Map<String, @Nullable Object> resolved = new LinkedHashMap<>();
    if (!(resolve(step.params(), results) instanceof Map<?, ?> whole)) {
      throw new Refused(
          Code.INVALID_FIELD, "what the params of step " + step.id() + " refer to is no object");
    }
    whole.forEach((name, value) -> resolved.put(String.valueOf(name), value));
    requireBounded(resolved, step, new int[] {RESOLVED_MAX});
    return resolved;
  }

  /** A few references to a long result are short to write, and long to carry out. */
  private static void requireBounded(@Nullable Object value, Step step, int[] left) {
    left[0] -= value instanceof String text ? text.length() + VALUE_WEIGHT : VALUE_WEIGHT;
    if (left[0] < 0) {
      throw new Refused(
          Code.INVALID_FIELD,
          "the params of step " + step.id() + " are, with what they refer to, too long");
    }
    if (value instanceof Map<?, ?> map) {
      map.forEach(
          (name, each) -> {
            left[0] -= String.valueOf(name).length();
            requireBounded(each, step, left);
          });
    } else if (value instanceof List<?> list) {
      list.forEach(each -> requireBounded(each, step, left));
    }
  }

  private static @Nullable Object resolve(
      @Nullable Object value, Map<String, Map<String, @Nullable Object>> results) {
    String reference = reference(value);
    if (reference != null) {
      return found(reference, results);
    }
    if (value instanceof Map<?, ?> map) {
      Map<String, @Nullable Object> resolved = new LinkedHashMap<>();
      map.forEach((name, each) -> resolved.put(String.valueOf(name), resolve(each, results)));
      return resolved;
    }
    if (value instanceof List<?> list) {
      List<@Nullable Object> resolved = new ArrayList<>();
      list.forEach(each -> resolved.add(resolve(each, results)));
      return resolved;
    }
    return value;
  }

  private static @Nullable Object found(
      String reference, Map<String, Map<String, @Nullable Object>> results) {
    @Nullable Object at = results;
    for (String part : path(reference)) {
      if (at instanceof Map<?, ?> map && map.containsKey(part)) {
        at = map.get(part);
      } else if (at instanceof List<?> list && part.matches("0|[1-9]\\d{0,8}")) {
        int index = Integer.parseInt(part);
        at = index < list.size() ? list.get(index) : nothing(reference);
      } else {
        at = nothing(reference);
      }
    }
    return at;
  }

  private static @Nullable Object nothing(String reference) {
    throw new Refused(
        Problem.of(
            Code.INVALID_FIELD, "there is nothing at " + reference + " in the results so far"));
  }

  private static @Nullable String reference(@Nullable Object value) {
    return value instanceof Map<?, ?> map
            && map.size() == 1
            && map.get(REFERENCE) instanceof String reference
        ? reference
        : null;
  }

  private static List<String> path(String reference) {
    if (!reference.startsWith("/")) {
      return List.of();
    }
    List<String> path = new ArrayList<>();
    for (String part : reference.substring(1).split("/", -1)) {
      path.add(part.replace("~1", "/").replace("~0", "~"));
    }
    return path;
  }
}
