package org.aionos.brain;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.aionos.kernel.model.Models;
import org.aionos.kernel.policy.Brain;
import org.aionos.kernel.task.Budgets;
import org.aionos.kernel.task.Tier;
import org.aionos.policies.PolicyDocument;
import org.aionos.scheduling.Rules;
import org.jspecify.annotations.Nullable;

/**
 * Begins with turns that are wrong, has them bettered on one load, and plays ten others of the same
 * kind before and after: once by the optimiser, once by a model whose answers stand in a file.
 */
public final class TurnsBenchmark {

  private static final Instant NOW = Instant.parse("2026-11-29T12:00:00Z");
  private static final long TRAINING = 1;
  private static final long HELD_OUT_FIRST = 100;
  private static final int HELD_OUT = 10;

  /** More proposals than it ever takes to come to rest. */
  private static final int PROPOSALS_MAX = 20;

  private final FakeVersions versions = new FakeVersions();
  private final FakeScheduler scheduler = new FakeScheduler();
  private final Thinker thinker;

  private TurnsBenchmark(@Nullable Models models) {
    FakeJournal journal = new FakeJournal();
    Budgets budgets = (syscall, agent) -> Budgets.Reservation.NONE;
    versions.inForce(Kernel.files());
    scheduler.turns(MadeLoad.bad());
    scheduler.record(MadeLoad.busy(TRAINING), NOW.minusSeconds(3_000));
    thinker =
        new Thinker(
            versions,
            scheduler,
            new Telemetry(scheduler, journal, budgets),
            journal,
            new FakeMeters(),
            () -> null,
            () -> models,
            Caution.USUAL,
            new Thinker.Asking("default", false, Duration.ofSeconds(60), 2_048),
            InstantSource.fixed(NOW));
  }

  /** No arguments. */
  public static void main(String[] args) throws Exception {
    System.out.println(
        "training: seed "
            + TRAINING
            + "; held out: seeds "
            + HELD_OUT_FIRST
            + " to "
            + (HELD_OUT_FIRST + HELD_OUT - 1)
            + ", means; "
            + Load.TASKS_MAX
            + " tasks each, "
            + MadeLoad.SLOTS
            + " slots");
    System.out.printf(
        Locale.ROOT,
        "%-34s %9s %9s %9s %9s %9s%n",
        "p95 wait, ms",
        "high",
        "normal",
        "low",
        "slowdown",
        "preempts");
    Rules bad = MadeLoad.bad();
    print("before, training", bad, List.of(MadeLoad.busy(TRAINING)));
    print("before, held out", bad, heldOut());
    ofOptimiser();
    ofModel();
    print("as shipped, held out", Rules.of(MadeLoad.SLOTS), heldOut());
  }

  private static void ofOptimiser() throws InterruptedException {
    TurnsBenchmark bench = new TurnsBenchmark(null);
    long begun = System.nanoTime();
    boolean more = bench.step();
    long millis = (System.nanoTime() - begun) / 1_000_000;
    bench.print("optimiser, 1 proposal");
    int proposals = 1;
    while (more && proposals < PROPOSALS_MAX) {
      more = bench.step();
      proposals += more ? 1 : 0;
    }
    bench.print("optimiser, at rest after " + proposals);
    System.out.println("  the first proposal took " + millis + " ms");
  }

  private static void ofModel() throws InterruptedException, IOException {
    ScriptedModels models = new ScriptedModels(answers());
    TurnsBenchmark bench = new TurnsBenchmark(models);
    int proposals = 0;
    while (!models.script.isEmpty() && bench.step()) {
      proposals++;
    }
    bench.print("model, after " + proposals);
    System.out.println(
        "  it was asked " + models.questions.size() + " times; what was too far was refused");
  }

  /** One proposal, put in force as an operator would. */
  private boolean step() throws InterruptedException {
    Brain.Proposal proposal = thinker.propose(null, "bench");
    if (proposal.version() != null) {
      versions.current = proposal.version();
    }
    return proposal.version() != null;
  }

  private void print(String name) throws InterruptedException {
    PolicyDocument document =
        Kernel.document(versions.find(String.valueOf(versions.current)).files());
    Rules rules = Turning.under(document, scheduler.turns(), MadeLoad.SLOTS, Load.NONE);
    print(name + ", training", rules, List.of(MadeLoad.busy(TRAINING)));
    print(name + ", held out", rules, heldOut());
  }

  private static List<Load> heldOut() {
    return java.util.stream.LongStream.range(HELD_OUT_FIRST, HELD_OUT_FIRST + HELD_OUT)
        .mapToObj(MadeLoad::busy)
        .toList();
  }

  private static void print(String name, Rules rules, List<Load> loads)
      throws InterruptedException {
    Map<Tier, Long> waits = new java.util.EnumMap<>(Tier.class);
    double slowdown = 0;
    long preemptions = 0;
    for (Load load : loads) {
      Played played = Replay.of(load, rules);
      played.queues().forEach((tier, queue) -> waits.merge(tier, queue.p95Millis(), Long::sum));
      slowdown += played.worstSlowdown();
      preemptions += played.preemptions();
    }
    int count = loads.size();
    System.out.printf(
        Locale.ROOT,
        "%-34s %9d %9d %9d %9.2f %9d%n",
        name,
        waits.getOrDefault(Tier.HIGH, 0L) / count,
        waits.getOrDefault(Tier.NORMAL, 0L) / count,
        waits.getOrDefault(Tier.LOW, 0L) / count,
        slowdown / count,
        preemptions / count);
  }

  private static String[] answers() throws IOException {
    try (InputStream in = TurnsBenchmark.class.getResourceAsStream("answers.jsonl");
        BufferedReader lines =
            new BufferedReader(
                new InputStreamReader(
                    java.util.Objects.requireNonNull(in), StandardCharsets.UTF_8))) {
      return lines.lines().toArray(String[]::new);
    }
  }
}
