package org.aionos.brain;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.policy.Brain;
import org.aionos.kernel.task.Tier;
import org.aionos.policies.Difference;
import org.aionos.policies.InvalidPolicy;
import org.aionos.policies.PolicyDocument;
import org.aionos.policies.Widening;
import org.jspecify.annotations.Nullable;

/**
 * What a proposal has to pass, whoever made it: a model, whose answer is the words of a stranger,
 * or the optimiser. Pure: the same answer in the same situation has the same fate.
 *
 * <p>An answer says which fields should have which values, of the few that can be changed at all
 * ({@link Target}). Everything else of the version is taken from the one in force, so it cannot say
 * anything about capabilities, trust, egress or gates; it does not name the version either. Of each
 * field it may ask for one step: performance up to twice or half, limits down to half, and none
 * below the tenant's floor. What comes out is read again as a whole version and compared with the
 * one in force: it must be the fields that were asked for, and grant nobody more.
 */
final class GuardRails {

  /** Sixteen changes take two or three. */
  static final int ANSWER_BYTES_MAX = 64 << 10;

  /** An answer nests four levels deep. */
  static final int ANSWER_DEPTH_MAX = 8;

  private static final int QUOTED_MAX = 80;
  private static final int DIGITS_MAX = 18;
  private static final int CENTS_DIGITS = 6;
  private static final Set<Difference.Matter> MATTERS =
      Set.of(Difference.Matter.BUDGET, Difference.Matter.MEMORY, Difference.Matter.PERFORMANCE);
  private static final Map<String, String> KINDS =
      Map.of(
          PolicyDocument.QUOTAS, "QuotaPolicy",
          PolicyDocument.SCHEDULER, "SchedulerPolicy",
          PolicyDocument.MODELS, "ModelPolicy",
          PolicyDocument.MEMORY, "MemoryPolicy");

  /** Read when it is first wanted: a kernel that starts does not wait for it. */
  private static final class Answer {
    static final ResourceSchema SCHEMA = ResourceSchema.of("answer.schema.json");
  }

  /** What becomes of an answer. */
  sealed interface Verdict {}

  /**
   * It may be kept as a version.
   *
   * @param changes with names; none if the answer asks for none, then the candidate is what is in
   *     force
   * @param needsOperator why a person has to activate it; empty if nobody has to
   */
  record Passed(
      PolicyDocument candidate,
      List<Brain.Change> changes,
      String rationale,
      List<String> needsOperator)
      implements Verdict {}

  /**
   * It may not.
   *
   * @param reason what is wrong and what would be right, in words that quote next to nothing of the
   *     answer
   */
  record Refusal(String reason) implements Verdict {}

  /** Ends the judgement; carries the reason. */
  private static final class Fault extends Exception {

    private static final long serialVersionUID = 1L;

    Fault(String reason) {
      super(reason, null, false, false);
    }
  }

  /** One field and its new value. */
  private record Step(Target target, @Nullable Object before, Object after, String reason) {}

  private final Caution caution;

  GuardRails(Caution caution) {
    this.caution = caution;
  }

  /** The schema of an answer, as a model is told it. */
  static Map<String, @Nullable Object> schema() {
    return Answer.SCHEMA.values();
  }

  Verdict judge(Situation situation, byte[] answer) {
    return judge(situation, Ids.of(situation), answer);
  }

  Verdict judge(Situation situation, Ids ids, byte[] answer) {
    try {
      Fields root = read(answer);
      List<String> needsOperator = new ArrayList<>();
      List<Step> steps = steps(root, situation, ids, needsOperator);
      String rationale = plain(text(root, "rationale"), "/rationale");
      PolicyDocument candidate = steps.isEmpty() ? situation.inForce() : apply(steps, situation);
      compare(situation.inForce(), candidate, steps);
      return new Passed(
          candidate,
          steps.stream().map(step -> change(step, ids)).toList(),
          ids.named(rationale),
          List.copyOf(needsOperator));
    } catch (Fault fault) {
      return new Refusal(String.valueOf(fault.getMessage()));
    }
  }

  private static Brain.Change change(Step step, Ids ids) {
    return new Brain.Change(
        step.target().file(),
        step.target().pointer(),
        step.before(),
        step.after(),
        ids.named(step.reason()));
  }

  // --- reading ----------------------------------------------------------------------------------

  private static Fields read(byte[] answer) throws Fault {
    if (answer.length > ANSWER_BYTES_MAX) {
      throw new Fault("the answer is longer than " + ANSWER_BYTES_MAX + " bytes");
    }
    try {
      Fields root = Documents.json(answer);
      if (depth(root.values()) > ANSWER_DEPTH_MAX) {
        throw new Fault("the answer nests deeper than " + ANSWER_DEPTH_MAX + " levels");
      }
      ResourceSchema.Fault fault = Answer.SCHEMA.fault(root.values()).orElse(null);
      if (fault != null) {
        throw new Fault(
            "the answer is not of its schema: "
                + quoted(fault.pointer())
                + " "
                + quoted(fault.why()));
      }
      return root;
    } catch (InvalidDocument invalid) {
      throw new Fault("the answer is not one JSON object: " + quoted(invalid.describe()));
    }
  }

  private static int depth(@Nullable Object value) {
    int deepest = 0;
    if (value instanceof Map<?, ?> map) {
      for (Object each : map.values()) {
        deepest = Math.max(deepest, depth(each));
      }
      return deepest + 1;
    }
    if (value instanceof List<?> list) {
      for (Object each : list) {
        deepest = Math.max(deepest, depth(each));
      }
      return deepest + 1;
    }
    return 0;
  }

  private static String text(Fields fields, String name) throws Fault {
    try {
      return fields.text(name);
    } catch (InvalidDocument invalid) {
      throw new Fault(quoted(invalid.describe()));
    }
  }

  /** People read it: nothing in it may make them see something else than is there. */
  private static String plain(String text, String where) throws Fault {
    boolean plain =
        text.codePoints()
            .allMatch(
                c ->
                    c == '\n'
                        || switch (Character.getType(c)) {
                          case Character.CONTROL,
                              Character.FORMAT,
                              Character.SURROGATE,
                              Character.PRIVATE_USE,
                              Character.UNASSIGNED,
                              Character.LINE_SEPARATOR,
                              Character.PARAGRAPH_SEPARATOR ->
                              false;
                          default -> true;
                        });
    if (!plain || text.isBlank()) {
      throw new Fault(where + " must be words: no control, invisible or direction characters");
    }
    return text;
  }

  /** A little of what somebody else has written, for a reason. */
  static String quoted(String text) {
    StringBuilder quoted = new StringBuilder();
    text.codePoints()
        .limit(QUOTED_MAX)
        .forEach(c -> quoted.append(c >= ' ' && c < 0x7f ? Character.toString(c) : "?"));
    return quoted.toString();
  }

  // --- each change ------------------------------------------------------------------------------

  private List<Step> steps(Fields root, Situation situation, Ids ids, List<String> needsOperator)
      throws Fault {
    List<Step> steps = new ArrayList<>();
    Set<String> places = new HashSet<>();
    int number = 0;
    for (Fields change : changes(root)) {
      String where = "/changes/" + number++;
      if (number > caution.changesMax()) {
        throw new Fault("there are more than " + caution.changesMax() + " changes");
      }
      Target target = target(change, ids, where);
      if (!places.add(target.file() + target.pointer())) {
        throw new Fault(where + " is of a field that another change is of already");
      }
      String reason = plain(text(change, "reason"), where + "/reason");
      steps.add(step(target, change.value("value"), situation, ids, where, reason, needsOperator));
    }
    return steps;
  }

  private static List<Fields> changes(Fields root) throws Fault {
    try {
      return root.list("changes");
    } catch (InvalidDocument invalid) {
      throw new Fault(quoted(invalid.describe()));
    }
  }

  private static Target target(Fields change, Ids ids, String where) throws Fault {
    String file = text(change, "file");
    Target target = Target.of(file, text(change, "pointer"), ids);
    if (target == null) {
      throw new Fault(
          where
              + "/pointer leads to nothing in "
              + quoted(file)
              + " that a proposal may change. It may be scheduler.yaml /weights/{high,normal,low},"
              + " /slice_ms, /ageing_ms, /minimum_runtime_ms; quotas.yaml"
              + " /tenants/<id>/{max_concurrency,token_rate,usd_per_hour,calls_per_hour};"
              + " memory.yaml /tenants/<id>/tenant_bytes_max; models.yaml /routes/<id>; with ids of"
              + " the snapshot");
    }
    return target;
  }

  private Step step(
      Target target,
      @Nullable Object value,
      Situation situation,
      Ids ids,
      String where,
      String reason,
      List<String> needsOperator)
      throws Fault {
    Order order = Order.of(situation.rules());
    return switch (target.kind()) {
      case WEIGHT -> turns(target, value, order.weight(target.tier()), Steps.WEIGHT, where, reason);
      case SLICE -> turns(target, value, order.sliceMillis(), Steps.SLICE_MILLIS, where, reason);
      case AGEING -> turns(target, value, order.ageingMillis(), Steps.AGEING_MILLIS, where, reason);
      case MINIMUM_RUNTIME ->
          turns(
              target,
              value,
              order.minimumRuntimeMillis(),
              Steps.MINIMUM_RUNTIME_MILLIS,
              where,
              reason);
      case QUOTA -> quota(target, value, situation, where, reason, needsOperator);
      case MEMORY -> memory(target, value, situation, where, reason);
      case ROUTE -> route(target, value, situation, ids, where, reason, needsOperator);
    };
  }

  private static Step turns(
      Target target,
      @Nullable Object value,
      long present,
      Steps.Bounds bounds,
      String where,
      String reason)
      throws Fault {
    long wanted = whole(value, where).longValueExact();
    if (wanted == present) {
      throw new Fault(where + " changes nothing: it is " + present);
    }
    if (!bounds.contain(wanted)) {
      throw new Fault(where + "/value must be from " + bounds.min() + " to " + bounds.max());
    }
    if (!Steps.isOne(present, wanted)) {
      throw new Fault(
          where
              + "/value is more than one step from "
              + present
              + ": at least half of it, at most twice");
    }
    return new Step(target, present, wanted, reason);
  }

  private Step quota(
      Target target,
      @Nullable Object value,
      Situation situation,
      String where,
      String reason,
      List<String> needsOperator)
      throws Fault {
    Limits.Kind kind = target.limit();
    String tenant = String.valueOf(target.subject());
    BigDecimal wanted = kind.isWhole() ? new BigDecimal(whole(value, where)) : money(value, where);
    BigDecimal present = situation.limits(tenant).of(kind);
    BigDecimal baseline = situation.baseline(tenant).of(kind);
    tightened(wanted, present, baseline, caution.floors().of(kind), where);
    if (Evidence.against(tenant, situation, caution).isEmpty()) {
      throw new Fault(
          where
              + " is about a tenant whose own figures do not call for less: "
              + caution.callsMin()
              + " calls at least, of which "
              + caution.failedPercent()
              + " % failed by its own fault, or money used at "
              + caution.burnPercent()
              + " % of its limit");
    }
    if (!situation.snapshot().measured()) {
      needsOperator.add(
          target.file()
              + " "
              + target.pointer()
              + ": takes from a tenant by figures that were brought, not measured here");
    }
    Object after = kind.isWhole() ? (Object) wanted.longValueExact() : wanted;
    return new Step(target, present, after, reason);
  }

  private Step memory(
      Target target, @Nullable Object value, Situation situation, String where, String reason)
      throws Fault {
    String tenant = String.valueOf(target.subject());
    BigDecimal wanted = new BigDecimal(whole(value, where));
    BigDecimal present = situation.memory(tenant);
    tightened(wanted, present, situation.memoryBaseline(tenant), null, where);
    Long used = situation.memoryBytes().get(tenant);
    if (used == null || wanted.longValueExact() < used + used / 4) {
      throw new Fault(
          where
              + "/value must leave a quarter more than the tenant keeps, and what it keeps must"
              + " have been measured: what it has would be thrown away");
    }
    return new Step(target, present, wanted.longValueExact(), reason);
  }

  /** Whether a limit goes down, by one step at most, and not below the floor. */
  private void tightened(
      BigDecimal wanted,
      @Nullable BigDecimal present,
      @Nullable BigDecimal baseline,
      @Nullable BigDecimal floor,
      String where)
      throws Fault {
    if (present == null || baseline == null) {
      throw new Fault(where + " is of a limit that nobody has set: the first is the operator's");
    }
    if (wanted.compareTo(present) >= 0) {
      throw new Fault(
          where
              + "/value must be lower than "
              + present.toPlainString()
              + ": only people give more");
    }
    if (wanted.compareTo(Steps.half(present)) < 0) {
      throw new Fault(
          where
              + "/value is more than one step below "
              + present.toPlainString()
              + ": half at least");
    }
    BigDecimal share =
        baseline
            .multiply(BigDecimal.valueOf(caution.floorPercent()))
            .divide(BigDecimal.valueOf(100), CENTS_DIGITS, RoundingMode.CEILING);
    BigDecimal least = floor == null ? share : share.max(floor);
    if (wanted.compareTo(least) < 0) {
      throw new Fault(
          where + "/value is below what is left to a tenant always: " + least.toPlainString());
    }
  }

  private static Step route(
      Target target,
      @Nullable Object value,
      Situation situation,
      Ids ids,
      String where,
      String reason,
      List<String> needsOperator)
      throws Fault {
    List<String> present =
        situation.routes().getOrDefault(String.valueOf(target.subject()), List.of());
    List<String> wanted = new ArrayList<>();
    if (value instanceof List<?> items) {
      for (Object item : items) {
        String route = ids.routeOf(String.valueOf(item));
        if (route != null) {
          wanted.add(route);
        }
      }
      if (wanted.size() != items.size()) {
        throw new Fault(where + "/value must be a list of routes, by ids of the snapshot");
      }
    } else {
      throw new Fault(where + "/value must be a list of routes");
    }
    if (present.size() != wanted.size()
        || new HashSet<>(wanted).size() != wanted.size()
        || !new HashSet<>(present).equals(new HashSet<>(wanted))) {
      throw new Fault(where + "/value must be the same routes in another order, none more or less");
    }
    if (present.equals(wanted)) {
      throw new Fault(where + " changes nothing: that is their order");
    }
    needsOperator.add(
        target.file()
            + " "
            + target.pointer()
            + ": decides whose words go to which provider first");
    return new Step(target, present, List.copyOf(wanted), reason);
  }

  private static BigInteger whole(@Nullable Object value, String where) throws Fault {
    if (!(value instanceof Integer || value instanceof Long)) {
      throw new Fault(where + "/value must be a whole number, without a fraction or an exponent");
    }
    return BigInteger.valueOf(((Number) value).longValue());
  }

  private static BigDecimal money(@Nullable Object value, String where) throws Fault {
    if (!(value instanceof Number)) {
      throw new Fault(where + "/value must be a number");
    }
    try {
      BigDecimal number = new BigDecimal(value.toString());
      if (number.precision() > DIGITS_MAX || Math.abs(number.scale()) > DIGITS_MAX) {
        throw new Fault(where + "/value has more than " + DIGITS_MAX + " digits");
      }
      BigDecimal exact = number.setScale(Math.max(number.scale(), 0), RoundingMode.UNNECESSARY);
      if (exact.scale() > CENTS_DIGITS) {
        throw new Fault(where + "/value is finer than a millionth");
      }
      return exact;
    } catch (NumberFormatException notFinite) {
      throw new Fault(where + "/value must be a finite number");
    }
  }

  // --- the candidate ----------------------------------------------------------------------------

  private static PolicyDocument apply(List<Step> steps, Situation situation) throws Fault {
    Map<String, Map<String, @Nullable Object>> changed = new TreeMap<>();
    for (Step step : steps) {
      Target target = step.target();
      Map<String, @Nullable Object> root =
          changed.computeIfAbsent(target.file(), file -> copy(situation.inForce(), file));
      if (target.kind() == Target.Kind.WEIGHT) {
        fillWeights(root, Order.of(situation.rules()));
      }
      put(root, target.path(), step.after());
    }
    Map<String, String> texts = new TreeMap<>(situation.inForce().texts());
    changed.forEach(
        (file, root) ->
            texts.put(
                file, YamlText.of("Of the Brain; the version before has its own comments.", root)));
    try {
      return PolicyDocument.ofTexts(texts);
    } catch (InvalidPolicy invalid) {
      throw new Fault("what comes out is no policy: " + quoted(invalid.describe()));
    }
  }

  private static Map<String, @Nullable Object> copy(PolicyDocument document, String file) {
    Map<String, @Nullable Object> values = document.values(file);
    if (values != null) {
      return copy(values);
    }
    Map<String, @Nullable Object> fresh = new LinkedHashMap<>();
    fresh.put("apiVersion", "aion.os/v1");
    fresh.put("kind", KINDS.get(file));
    return fresh;
  }

  private static Map<String, @Nullable Object> copy(Map<?, ?> values) {
    Map<String, @Nullable Object> copy = new LinkedHashMap<>();
    values.forEach(
        (key, value) ->
            copy.put(String.valueOf(key), value instanceof Map<?, ?> map ? copy(map) : value));
    return copy;
  }

  /** Weights are said of all queues or of none. */
  private static void fillWeights(Map<String, @Nullable Object> root, Order order) {
    if (!(root.get("weights") instanceof Map<?, ?>)) {
      Map<String, @Nullable Object> weights = new LinkedHashMap<>();
      for (Tier tier : Tier.values()) {
        weights.put(tier.written(), order.weight(tier));
      }
      root.put("weights", weights);
    }
  }

  private static void put(Map<String, @Nullable Object> root, List<String> path, Object value) {
    Map<String, @Nullable Object> at = root;
    for (String step : path.subList(0, path.size() - 1)) {
      Map<String, @Nullable Object> below =
          at.get(step) instanceof Map<?, ?> map ? copy(map) : new LinkedHashMap<>();
      at.put(step, below);
      at = below;
    }
    at.put(path.get(path.size() - 1), value);
  }

  /** What was made is what was asked for, and grants nobody more. Else something above is wrong. */
  private static void compare(PolicyDocument before, PolicyDocument after, List<Step> steps)
      throws Fault {
    List<Widening.Wider> wider = Widening.between(before, after);
    if (!wider.isEmpty()) {
      throw new Fault("it would give somebody more: " + quoted(wider.get(0).says()));
    }
    Map<String, List<String>> asked = new TreeMap<>();
    steps.forEach(
        step ->
            asked
                .computeIfAbsent(step.target().file(), file -> new ArrayList<>())
                .add(step.target().pointer()));
    for (Difference.Change change : Difference.between(before, after)) {
      List<String> pointers = asked.getOrDefault(change.file(), Collections.emptyList());
      boolean named =
          pointers.stream()
              .anyMatch(
                  pointer ->
                      pointer.equals(change.pointer())
                          || pointer.startsWith(change.pointer() + "/")
                          || change.pointer().startsWith(pointer + "/"));
      if (!named || !MATTERS.contains(change.matter())) {
        throw new Fault("it would change what nobody has asked for, in " + quoted(change.file()));
      }
    }
  }
}
