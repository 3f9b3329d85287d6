package org.aionos.gateway;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.Policy;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.aionos.kernel.policy.Brain;
import org.aionos.kernel.policy.PolicyVersions;
import org.aionos.kernel.policy.PolicyVersions.Activation;
import org.aionos.kernel.policy.PolicyVersions.DryRun;
import org.aionos.kernel.policy.PolicyVersions.Figures;
import org.aionos.kernel.policy.PolicyVersions.Origin;
import org.aionos.kernel.policy.PolicyVersions.Proposal;
import org.aionos.kernel.policy.PolicyVersions.Revocation;
import org.aionos.kernel.policy.PolicyVersions.Revoking;
import org.aionos.kernel.policy.PolicyVersions.Trial;
import org.aionos.kernel.policy.PolicyVersions.Version;
import org.jspecify.annotations.Nullable;

/** The policy in force, its versions, the canary, and what is taken away besides. */
final class PolicyEndpoints {

  private static final int PAGE_MAX = 1_000;
  private static final int TENANTS_MAX = 1_000;
  private static final int REASON_LENGTH_MAX = 1_000;
  private static final int FILES_MAX = 16;

  private final Kernel kernel;

  PolicyEndpoints(Kernel kernel) {
    this.kernel = kernel;
  }

  void show(Exchange exchange) {
    Policy.Version version = kernel.policy().version();
    // Where it lies on this host, what is wrong with it and who has it is for operators.
    boolean person = exchange.caller().has(Role.VIEWER);
    Map<String, @Nullable Object> answer = new LinkedHashMap<>();
    answer.put("version", version.id());
    answer.put("source", person ? version.source() : "");
    answer.put("rejected", person ? version.rejected() : "");
    boolean ofKernel = person && exchange.caller().tenant() == null;
    answer.put(
        "canary",
        ofKernel ? kernel.versions().canary().map(PolicyEndpoints::values).orElse(null) : null);
    answer.put("operator_called", ofKernel ? kernel.versions().operatorCalled() : "");
    exchange.answer(200, Answers.of(answer));
  }

  void list(Exchange exchange) {
    exchange.requireOfKernel(Role.VIEWER);
    int limit = exchange.queryNumber("limit", 100, 1, PAGE_MAX);
    List<Version> found = kernel.versions().list(exchange.query("after"), limit);
    Map<String, @Nullable Object> answer = new LinkedHashMap<>();
    answer.put("items", found.stream().map(PolicyEndpoints::values).toList());
    answer.put("next", found.size() < limit ? null : found.get(found.size() - 1).name());
    exchange.answer(200, Answers.of(answer));
  }

  void find(Exchange exchange) {
    exchange.requireOfKernel(Role.VIEWER);
    PolicyVersions.Whole whole = kernel.versions().find(exchange.segment(0));
    Map<String, @Nullable Object> answer = values(whole.version());
    answer.put("files", whole.files());
    exchange.answer(200, Answers.of(answer));
  }

  void add(Exchange exchange) {
    exchange.requireOfKernel(Role.OPERATOR);
    try {
      Fields fields = exchange.document().only("version", "files", "parent", "rationale");
      Version stored =
          kernel
              .versions()
              .add(
                  new Proposal(
                      fields.textOrNull("version"),
                      files(fields.object("files")),
                      fields.textOrNull("parent"),
                      Origin.OPERATOR,
                      fields.text("rationale", ""),
                      Map.of()),
                  exchange.caller());
      exchange.answer(201, Answers.of(values(stored)));
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    }
  }

  private static Map<String, String> files(Fields fields) throws InvalidDocument {
    Map<String, String> files = new TreeMap<>();
    for (String name : fields.names()) {
      if (files.size() == FILES_MAX) {
        throw fields.invalid(name, "there are more than " + FILES_MAX);
      }
      files.put(name, fields.text(name));
    }
    return files;
  }

  void diff(Exchange exchange) {
    exchange.requireOfKernel(Role.VIEWER);
    String from = named(exchange, "from");
    String to = named(exchange, "to");
    List<Map<String, @Nullable Object>> changes = new ArrayList<>();
    for (PolicyVersions.Change change : kernel.versions().diff(from, to)) {
      Map<String, @Nullable Object> values = new LinkedHashMap<>();
      values.put("file", change.file());
      values.put("pointer", change.pointer());
      values.put("before", change.before());
      values.put("after", change.after());
      values.put("matter", change.matter());
      changes.add(values);
    }
    List<Map<String, Object>> widening = new ArrayList<>();
    for (PolicyVersions.Wider wider : kernel.versions().widening(from, to)) {
      widening.add(Map.of("file", wider.file(), "pointer", wider.pointer(), "says", wider.says()));
    }
    Map<String, @Nullable Object> answer = new LinkedHashMap<>();
    answer.put("from", from);
    answer.put("to", to);
    answer.put("changes", changes);
    answer.put("widening", widening);
    exchange.answer(200, Answers.of(answer));
  }

  /** The version in force where none is named: then it is what a change is measured by. */
  private String named(Exchange exchange, String parameter) {
    String named = exchange.query(parameter);
    return named != null
        ? named
        : kernel
            .versions()
            .current()
            .orElseThrow(
                () ->
                    new Refused(
                        Code.MISSING_FIELD,
                        "name a version: ?" + parameter + "=; there is none in force"))
            .name();
  }

  void activate(Exchange exchange) {
    exchange.requireOfKernel(Role.OPERATOR);
    try {
      Fields fields = optional(exchange).only("sha256", "canary_percent", "tenants");
      Long percent = fields.wholeNumberOrNull("canary_percent", 1, 99);
      Activation how =
          new Activation(
              fields.textOrNull("sha256"),
              percent == null ? null : percent.intValue(),
              fields.texts("tenants", TENANTS_MAX));
      exchange.answer(
          200,
          Answers.of(
              values(kernel.versions().activate(exchange.segment(0), how, exchange.caller()))));
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    }
  }

  /** A call that says no more than its path needs no body. */
  private static Fields optional(Exchange exchange) throws InvalidDocument {
    return exchange.body().length == 0 ? Fields.of(Map.of(), "") : exchange.document();
  }

  void rollback(Exchange exchange) {
    exchange.requireOfKernel(Role.OPERATOR);
    try {
      String reason = reason(optional(exchange).only("reason"));
      Version now = kernel.versions().rollback(exchange.segment(0), reason, exchange.caller());
      exchange.answer(200, Answers.of(Map.of("rolled_back", now.name())));
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    }
  }

  private static String reason(Fields fields) throws InvalidDocument {
    String reason = fields.textOrNull("reason", REASON_LENGTH_MAX);
    return reason == null ? "" : reason;
  }

  void dryRun(Exchange exchange) {
    exchange.requireOfKernel(Role.OPERATOR);
    DryRun run = kernel.versions().dryRun(exchange.segment(0));
    Map<String, @Nullable Object> answer = new LinkedHashMap<>();
    answer.put("version", run.version());
    answer.put("against", run.against());
    answer.put("decided", run.decided());
    answer.put("skipped", run.skipped());
    answer.put("refused", run.refused());
    answer.put("allowed", run.allowed());
    answer.put("approvals", run.approvals());
    answer.put("examples", run.examples().stream().map(PolicyEndpoints::values).toList());
    answer.put("scheduler", played(run.version()));
    exchange.answer(200, Answers.of(answer));
  }

  /** What the order of turns would have been worth; null while the part that plays it is away. */
  private @Nullable Map<String, @Nullable Object> played(String version) {
    try {
      Brain.Simulation played = kernel.brain().simulate(version);
      Map<String, @Nullable Object> values = new LinkedHashMap<>();
      values.put("tasks", played.tasks());
      values.put("before", played.before());
      values.put("after", played.after());
      values.put("cost", played.cost());
      return values;
    } catch (Refused away) {
      if (away.problem().code() == Code.RESTARTING) {
        return null;
      }
      throw away;
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
      throw new Refused(Code.RESTARTING, "the kernel is stopping; ask again in a moment");
    }
  }

  void canary(Exchange exchange) {
    exchange.requireOfKernel(Role.VIEWER);
    Optional<Trial> trial = kernel.versions().canary();
    Map<String, @Nullable Object> answer = new LinkedHashMap<>();
    answer.put("canary", trial.map(PolicyEndpoints::values).orElse(null));
    answer.put("operator_called", kernel.versions().operatorCalled());
    exchange.answer(200, Answers.of(answer));
  }

  void promote(Exchange exchange) {
    exchange.requireOfKernel(Role.OPERATOR);
    Version now = kernel.versions().promote(exchange.caller());
    exchange.answer(200, Answers.of(Map.of("version", now.name(), "status", "promoted")));
  }

  void end(Exchange exchange) {
    exchange.requireOfKernel(Role.OPERATOR);
    try {
      kernel.versions().end(reason(optional(exchange).only("reason")), exchange.caller());
      exchange.answer(200, Answers.of(Map.of("status", "ended")));
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    }
  }

  void revocations(Exchange exchange) {
    exchange.requireOfKernel(Role.VIEWER);
    exchange.answer(
        200,
        Answers.of(
            Map.of(
                "items",
                kernel.versions().revocations().stream().map(PolicyEndpoints::values).toList())));
  }

  void revoke(Exchange exchange) {
    exchange.requireOfKernel(Role.OPERATOR);
    try {
      Fields fields =
          exchange.document().only("tenant", "agent", "capability", "tool", "syscall", "reason");
      Revocation made =
          kernel
              .versions()
              .revoke(
                  new Revoking(
                      fields.textOrNull("tenant"),
                      fields.textOrNull("agent"),
                      fields.textOrNull("capability"),
                      fields.textOrNull("tool"),
                      fields.textOrNull("syscall"),
                      fields.text("reason")),
                  exchange.caller());
      exchange.answer(201, Answers.of(values(made)));
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    }
  }

  void lift(Exchange exchange) {
    exchange.requireOfKernel(Role.OPERATOR);
    kernel.versions().lift(exchange.segment(0), exchange.caller());
    exchange.answer(200, Answers.of(Map.of("id", exchange.segment(0), "status", "lifted")));
  }

  private static Map<String, @Nullable Object> values(Version version) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("version", version.name());
    values.put("sha256", version.sha256());
    values.put("created", version.created().toString());
    values.put("by", version.by());
    values.put("parent", version.parent());
    values.put("origin", version.origin().written());
    values.put("rationale", version.rationale());
    values.put("evidence", version.evidence());
    values.put("state", version.state().written());
    return values;
  }

  private static Map<String, @Nullable Object> values(Trial trial) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("version", trial.version());
    values.put("stable", trial.stable());
    values.put("percent", trial.percent());
    values.put("tenants", List.copyOf(new TreeSet<>(trial.tenants())));
    values.put("watched", trial.watched());
    values.put("since", trial.since().toString());
    values.put("failures", trial.failures());
    values.put("inconclusive", trial.inconclusive());
    values.put("paused", trial.paused());
    values.put("says", trial.says());
    values.put("figures", values(trial.figures()));
    values.put("figures_beside", values(trial.figuresBeside()));
    return values;
  }

  private static Map<String, @Nullable Object> values(Figures figures) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("calls", figures.calls());
    values.put("error_rate", figures.errorRate());
    values.put("p95_ms", figures.latencyMillisP95());
    values.put("usd_per_hour", figures.usdPerHour());
    return values;
  }

  private static Map<String, @Nullable Object> values(PolicyVersions.Example example) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("audit_id", example.auditId());
    values.put("agent", example.agent());
    values.put("syscall", example.syscall());
    values.put("tool", example.tool());
    values.put("now", example.now());
    values.put("then", example.then());
    values.put("rule", example.rule());
    return values;
  }

  private static Map<String, @Nullable Object> values(Revocation revocation) {
    Revoking what = revocation.what();
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("id", revocation.id());
    values.put("tenant", what.tenant());
    values.put("agent", what.agent());
    values.put("capability", what.capability());
    values.put("tool", what.tool());
    values.put("syscall", what.syscall());
    values.put("reason", what.reason());
    values.put("by", revocation.by());
    values.put("at", revocation.at().toString());
    return values;
  }
}
