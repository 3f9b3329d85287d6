package org.aionos.brain;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.aionos.kernel.Code;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.MemoryControl;
import org.aionos.kernel.model.Models;
import org.aionos.kernel.policy.Brain;
import org.aionos.kernel.policy.PolicyVersions;
import org.aionos.kernel.task.Scheduler;
import org.aionos.policies.InvalidPolicy;
import org.aionos.policies.PolicyDocument;
import org.aionos.policies.Widening;
import org.aionos.scheduling.Rules;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way from figures to a version that is kept: what is known, a model's answer or the
 * optimiser's, the rails, the store. One thought at a time.
 */
final class Thinker implements Brain {

  private static final Logger log = LoggerFactory.getLogger(Thinker.class);

  /** A broken answer is told what was wrong with it, once. */
  private static final int ANSWERS_MAX = 2;

  /** A model's turns must not make the recorded load fare worse than this, by the objective. */
  private static final double WORSE = 1.0;

  private static final int ANCESTORS_MAX = 1_000;
  private static final String TOPIC = "kernel.policy";
  private static final String OPTIMISER = "optimiser";
  private static final String MODEL = "model";

  /**
   * How it asks a model.
   *
   * @param model a name of {@code models.yaml}; {@code default} for the default one; empty: none is
   *     asked
   */
  record Asking(String model, boolean allowCloud, Duration timeMax, int tokensMax) {}

  /** What was thought of, and has passed the rails. */
  private record Thought(
      GuardRails.Passed passed, String source, Map<String, @Nullable Object> evidence) {}

  private final PolicyVersions versions;
  private final Scheduler scheduler;
  private final Telemetry telemetry;
  private final Journal journal;
  private final Supplier<@Nullable MemoryControl> memory;
  private final Supplier<@Nullable Models> models;
  private final Caution caution;
  private final Asking asking;
  private final GuardRails rails;
  private final InstantSource clock;
  private final Meters.Counter proposals;
  private final Semaphore thinking = new Semaphore(1);

  Thinker(
      PolicyVersions versions,
      Scheduler scheduler,
      Telemetry telemetry,
      Journal journal,
      Meters meters,
      Supplier<@Nullable MemoryControl> memory,
      Supplier<@Nullable Models> models,
      Caution caution,
      Asking asking,
      InstantSource clock) {
    this.versions = versions;
    this.scheduler = scheduler;
    this.telemetry = telemetry;
    this.journal = journal;
    this.memory = memory;
    this.models = models;
    this.caution = caution;
    this.asking = asking;
    this.rails = new GuardRails(caution);
    this.clock = clock;
    this.proposals =
        meters.counter(
            "aion_brain_proposals_total",
            "Proposals for the policy, by who made them and what became of them",
            "source",
            "outcome");
  }

  @Override
  public Proposal propose(@Nullable Map<String, @Nullable Object> snapshot, String by)
      throws InterruptedException {
    Snapshot brought = snapshot == null ? null : SnapshotReader.read(snapshot);
    if (!thinking.tryAcquire()) {
      throw new Refused(Code.IN_PROGRESS, "a proposal is being thought of; ask again in a moment");
    }
    try {
      Situation situation = situation(brought);
      return keep(think(situation), situation, by);
    } finally {
      thinking.release();
    }
  }

  @Override
  public Simulation simulate(String version) throws InterruptedException {
    PolicyDocument other = read(versions.find(version));
    Load recorded = telemetry.load(clock.instant());
    Rules rules = rules(read(versions.find(inForce().name())), recorded);
    Load load = Optimiser.playable(recorded, rules);
    Played before = Replay.of(load, rules);
    Played after = Replay.of(load, rules(other, load));
    return new Simulation(
        version,
        before.tasks(),
        before.values(),
        after.values(),
        rounded(new Objective(before).cost(after)));
  }

  // --- what is known ----------------------------------------------------------------------------

  private Situation situation(@Nullable Snapshot brought) {
    Snapshot measured = telemetry.measured(clock.instant());
    Snapshot snapshot = brought == null ? measured : completed(brought, measured.load());
    PolicyVersions.Version version = inForce();
    PolicyDocument document = read(versions.find(version.name()));
    return new Situation(
        version.name(),
        document,
        baseline(version, document),
        rules(document, snapshot.load()),
        telemetry.configured(snapshot),
        Telemetry.memoryBytes(memory.get()),
        snapshot);
  }

  /** Aggregated figures have no tasks in them; then ours are played. */
  private static Snapshot completed(Snapshot brought, Load measured) {
    return brought.load().isEmpty()
        ? new Snapshot(false, brought.millis(), brought.queues(), brought.tenants(), measured)
        : brought;
  }

  private PolicyVersions.Version inForce() {
    return versions
        .current()
        .orElseThrow(
            () ->
                new Refused(
                    Code.CONFLICT,
                    "no policy is in force: put agent.capabilities.yaml into the folder of policies"
                        + " first"));
  }

  private Rules rules(PolicyDocument document, Load load) {
    return Turning.under(document, scheduler.turns(), scheduler.queues().slots(), load);
  }

  private static PolicyDocument read(PolicyVersions.Whole whole) {
    try {
      return PolicyDocument.ofTexts(whole.files());
    } catch (InvalidPolicy invalid) {
      throw new Refused(
          Code.CONFLICT,
          "the version " + whole.version().name() + " cannot be used: " + invalid.describe());
    }
  }

  /**
   * What the operator has wanted: of the versions that the one in force was made of, the last that
   * a person wrote. Were it the one before, proposals could lower a floor step by step.
   */
  private PolicyDocument baseline(PolicyVersions.Version version, PolicyDocument inForce) {
    PolicyVersions.Version at = version;
    for (int ancestors = 0; ancestors < ANCESTORS_MAX && at != null; ancestors++) {
      if (isWrittenByPerson(at)) {
        return at.name().equals(version.name()) ? inForce : read(versions.find(at.name()));
      }
      at = parent(at);
    }
    return versions.list(null, ANCESTORS_MAX).stream()
        .filter(Thinker::isWrittenByPerson)
        .filter(each -> each.state() == PolicyVersions.State.FORMER)
        .findFirst()
        .map(each -> read(versions.find(each.name())))
        .orElseGet(() -> saysNoLimit(inForce));
  }

  /** Nothing is known of what a person wanted, so nothing of it can be taken as a floor. */
  private static PolicyDocument saysNoLimit(PolicyDocument inForce) {
    try {
      String capabilities = String.valueOf(inForce.texts().get(PolicyDocument.CAPABILITIES));
      return PolicyDocument.ofTexts(Map.of(PolicyDocument.CAPABILITIES, capabilities));
    } catch (InvalidPolicy impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static boolean isWrittenByPerson(PolicyVersions.Version version) {
    return version.origin() == PolicyVersions.Origin.FILE
        || version.origin() == PolicyVersions.Origin.OPERATOR;
  }

  private PolicyVersions.@Nullable Version parent(PolicyVersions.Version version) {
    String parent = version.parent();
    try {
      return parent == null ? null : versions.find(parent).version();
    } catch (Refused goneOrDamaged) {
      return null;
    }
  }

  // --- thinking ---------------------------------------------------------------------------------

  private Thought think(Situation situation) throws InterruptedException {
    Ids ids = Ids.of(situation);
    List<String> faults = new ArrayList<>();
    Thought thought = ofModel(situation, ids, faults);
    if (thought == null) {
      thought = ofOptimiser(situation, ids);
    }
    if (!faults.isEmpty()) {
      thought.evidence().put("answers_refused", List.copyOf(faults));
    }
    return thought;
  }

  private @Nullable Thought ofModel(Situation situation, Ids ids, List<String> faults)
      throws InterruptedException {
    Models known = asking.model().isEmpty() ? null : models.get();
    if (known == null || known.models().isEmpty()) {
      return null;
    }
    Load load = Optimiser.playable(situation.snapshot().load(), situation.rules());
    Played before = Replay.of(load, situation.rules());
    String fault = null;
    for (int answers = 0; answers < ANSWERS_MAX; answers++) {
      try {
        Models.Answer answer = known.ask(question(known, situation, ids, before, fault));
        Map<String, @Nullable Object> evidence = new LinkedHashMap<>();
        GuardRails.Verdict verdict = rails.judge(situation, ids, answer.text().getBytes(UTF_8));
        if (verdict instanceof GuardRails.Passed passed) {
          evidence.putAll(evidence(situation, passed));
          fault = played(passed, load, before, evidence);
          if (fault == null) {
            putSpent(answer, evidence);
            return new Thought(passed, MODEL + ":" + answer.model(), evidence);
          }
        } else if (verdict instanceof GuardRails.Refusal refusal) {
          fault = refusal.reason();
        }
      } catch (Refused refused) {
        if (refused.problem().code() != Code.RESULT_INVALID) {
          proposals.add(1, MODEL, "failed");
          log.info("no model answers; the optimiser does: why={}", refused.getMessage());
          return null;
        }
        fault =
            "the answer is not of its schema: " + GuardRails.quoted(refused.problem().message());
      }
      faults.add(String.valueOf(fault));
      proposals.add(1, MODEL, "refused");
      log.info("answer of a model refused: why={}", fault);
    }
    return null;
  }

  private Models.Question question(
      Models known, Situation situation, Ids ids, Played before, @Nullable String fault) {
    return new Models.Question(
        asking.model().equals("default") ? null : asking.model(),
        Prompt.SYSTEM,
        Prompt.of(situation, ids, caution, known.models(), before, fault),
        GuardRails.schema(),
        asking.tokensMax(),
        asking.timeMax(),
        asking.allowCloud());
  }

  private static void putSpent(Models.Answer answer, Map<String, @Nullable Object> evidence) {
    evidence.put("model_tokens_in", answer.spent().tokensIn());
    evidence.put("model_tokens_out", answer.spent().tokensOut());
    evidence.put("model_cost_usd", answer.spent().costUsd());
  }

  /** Plays what passed, for the evidence; says why it is no good if the load fares worse by it. */
  private @Nullable String played(
      GuardRails.Passed passed, Load load, Played before, Map<String, @Nullable Object> evidence)
      throws InterruptedException {
    Played after = Replay.of(load, rules(passed.candidate(), load));
    double cost = new Objective(before).cost(after);
    putPlayed(before, after, cost, evidence);
    boolean turns =
        passed.changes().stream()
            .anyMatch(change -> change.file().equals(PolicyDocument.SCHEDULER));
    return turns && !load.isEmpty() && (cost > WORSE || !after.whole())
        ? "played on the recorded load its turns make it fare worse: "
            + rounded(cost)
            + " where 1 is as now"
        : null;
  }

  private static void putPlayed(
      Played before, @Nullable Played after, double cost, Map<String, @Nullable Object> evidence) {
    evidence.put("tasks", before.tasks());
    evidence.put("before", before.values());
    evidence.put("after", after == null ? before.values() : after.values());
    evidence.put("cost", rounded(cost));
  }

  private Thought ofOptimiser(Situation situation, Ids ids) throws InterruptedException {
    Optimiser.Found found =
        Optimiser.search(situation.snapshot().load(), situation.rules(), caution.changesMax());
    byte[] answer = Suggested.answer(situation, ids, caution, found, rails);
    GuardRails.Verdict verdict = rails.judge(situation, ids, answer);
    if (!(verdict instanceof GuardRails.Passed passed)) {
      throw new IllegalStateException("the optimiser's own answer does not pass: " + verdict);
    }
    Map<String, @Nullable Object> evidence = evidence(situation, passed);
    putPlayed(found.before(), found.after(), found.better() == null ? 1 : found.cost(), evidence);
    evidence.put("tried", found.tried());
    return new Thought(passed, OPTIMISER, evidence);
  }

  private static Map<String, @Nullable Object> evidence(
      Situation situation, GuardRails.Passed passed) {
    Snapshot snapshot = situation.snapshot();
    Map<String, @Nullable Object> tenants = new TreeMap<>();
    for (Brain.Change change : passed.changes()) {
      List<String> steps = List.of(change.pointer().split("/", -1));
      Snapshot.TenantFigures figures =
          steps.size() > 2 && steps.get(1).equals("tenants")
              ? snapshot.tenants().get(steps.get(2))
              : null;
      if (figures != null) {
        tenants.put(steps.get(2), Prompt.figures(figures));
      }
    }
    Map<String, @Nullable Object> evidence = new LinkedHashMap<>();
    evidence.put("figures", snapshot.measured() ? "measured" : "brought");
    evidence.put("span_ms", snapshot.millis());
    evidence.put("tenants", tenants);
    return evidence;
  }

  private static double rounded(double cost) {
    return Math.round(cost * 1_000) / 1_000.0;
  }

  // --- keeping ----------------------------------------------------------------------------------

  private Proposal keep(Thought thought, Situation situation, String by) {
    GuardRails.Passed passed = thought.passed();
    String source = thought.source().equals(OPTIMISER) ? OPTIMISER : MODEL;
    if (passed.changes().isEmpty()) {
      proposals.add(1, source, "nothing");
      return new Proposal(
          null,
          List.of(),
          passed.rationale(),
          thought.evidence(),
          List.of(),
          List.of(),
          thought.source());
    }
    // The rails have said so; the store is told nothing that this line has not seen.
    if (!Widening.between(situation.inForce(), passed.candidate()).isEmpty()) {
      throw new IllegalStateException("a proposal passed that gives somebody more");
    }
    PolicyVersions.Version version =
        versions.add(
            new PolicyVersions.Proposal(
                null,
                passed.candidate().texts(),
                situation.version(),
                PolicyVersions.Origin.BRAIN,
                passed.rationale(),
                kept(thought, passed)),
            null);
    record(version, thought, by);
    proposals.add(1, source, passed.needsOperator().isEmpty() ? "proposed" : "needs_operator");
    return new Proposal(
        version.name(),
        passed.changes(),
        passed.rationale(),
        thought.evidence(),
        List.of(),
        passed.needsOperator(),
        thought.source());
  }

  private static Map<String, @Nullable Object> kept(Thought thought, GuardRails.Passed passed) {
    Map<String, @Nullable Object> kept = new LinkedHashMap<>(thought.evidence());
    kept.put("source", thought.source());
    kept.put("needs_operator", passed.needsOperator());
    return kept;
  }

  private void record(PolicyVersions.Version version, Thought thought, String by) {
    Map<String, @Nullable Object> facts = new LinkedHashMap<>();
    facts.put("version", version.name());
    facts.put("sha256", version.sha256());
    facts.put("source", thought.source());
    facts.put("changes", thought.passed().changes().size());
    facts.put("needs_operator", !thought.passed().needsOperator().isEmpty());
    facts.put("by", by);
    journal.record(new Journal.Event(TOPIC, "policy.proposed", null, facts));
  }
}
