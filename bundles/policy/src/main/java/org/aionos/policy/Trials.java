package org.aionos.policy;

import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Refused;
import org.aionos.kernel.policy.PolicyVersions.Figures;
import org.aionos.kernel.policy.PolicyVersions.Trial;
import org.aionos.policies.Gates;
import org.aionos.policy.InForce.Candidate;
import org.aionos.policy.InForce.Loaded;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at figures interval by interval, and does what the {@link SafeKeeper} says. What was
 * counted begins anew with each trial, and with each life of the kernel.
 */
final class Trials {

  private static final Logger log = LoggerFactory.getLogger(Trials.class);

  private final LongSupplier nanos;
  private final InstantSource clock;
  private final MeterReadings meters;

  // All that follows belongs to whoever holds the lock of the switches.
  private String tried = "";
  private long begunNanos;
  private SafeKeeper keeper = new SafeKeeper();
  private Figures settled = Figures.NONE;

  Trials(Meters meters, InstantSource clock, LongSupplier nanos) {
    this.meters = new MeterReadings(meters);
    this.clock = clock;
    this.nanos = nanos;
    this.begunNanos = nanos.getAsLong();
  }

  /** Of the last interval of what is in force that had calls enough. */
  Figures settled() {
    return settled;
  }

  /** Looks at the figures if an interval is over. To be called a few times in each. */
  void look(Switches switches) {
    synchronized (switches) {
      InForce now = switches.inForce();
      Loaded stable = now.stable();
      if (stable == null) {
        return;
      }
      SwitchState.Watch watch = switches.watched();
      String subject = subject(stable, now.canary(), watch);
      if (!subject.equals(tried)) {
        begin(subject, stable, now.canary());
        return;
      }
      Gates gates = stable.document().gates();
      double seconds = (nanos.getAsLong() - begunNanos) / 1e9;
      if (seconds >= gates.intervalSeconds()) {
        begunNanos = nanos.getAsLong();
        judge(switches, gates, stable, now.canary(), watch, seconds);
      }
    }
  }

  private static String subject(
      Loaded stable, @Nullable Candidate canary, SwitchState.@Nullable Watch watch) {
    return stable.name()
        + (canary == null ? "" : " " + canary.version().name())
        + (watch == null ? "" : " watched");
  }

  private void begin(String subject, Loaded stable, @Nullable Candidate canary) {
    boolean other = !subject.split(" ", 2)[0].equals(tried.split(" ", 2)[0]);
    tried = subject;
    begunNanos = nanos.getAsLong();
    keeper = new SafeKeeper();
    settled = other ? Figures.NONE : settled;
    stable.calls().take(0);
    if (canary != null) {
      canary.version().calls().take(0);
    }
  }

  private void judge(
      Switches switches,
      Gates gates,
      Loaded stable,
      @Nullable Candidate canary,
      SwitchState.@Nullable Watch watch,
      double seconds) {
    Figures ofStable = stable.calls().take(seconds);
    Figures ofCanary = canary == null ? Figures.NONE : canary.version().calls().take(seconds);
    if (ofStable.calls() >= gates.samplesMin()) {
      settled = ofStable;
    }
    if (canary == null && watch == null) {
      return;
    }
    if (canary == null
        && watch != null
        && !clock
            .instant()
            .isBefore(watch.since().plus(Duration.ofSeconds(gates.watchSeconds())))) {
      act(switches::endWatch);
      return;
    }
    Map<String, Double> readings = meters.read(gates, seconds);
    Figures subject = canary == null ? ofStable : ofCanary;
    Figures beside = canary == null && watch != null ? watch.figures() : ofStable;
    switch (keeper.judge(gates, subject, beside, readings)) {
      case GO_ON -> log.debug("policy trial: subject={} says={}", tried, keeper.says());
      case GO_BACK -> act(() -> switches.goBack(keeper.says()));
      case CALL_OPERATOR ->
          act(() -> callOperator(switches, canary == null ? stable : canary.version()));
    }
  }

  private void callOperator(Switches switches, Loaded subject) {
    switches.callOperator(
        "nothing could be concluded of "
            + subject.name()
            + " for "
            + keeper.inconclusive()
            + " intervals: "
            + keeper.says()
            + "; promote it, or end it");
    keeper.pause();
  }

  /** What could not be put on record is done at the end of the next interval. */
  private static void act(Runnable what) {
    try {
      what.run();
    } catch (Refused notNow) {
      log.error("a version is not gone back from yet: {}", notNow.problem().message());
    }
  }

  /** How the trial stands; empty if there is none. */
  Optional<Trial> trial(Switches switches) {
    synchronized (switches) {
      InForce now = switches.inForce();
      SwitchState.Canary some = switches.canary();
      SwitchState.Watch watch = switches.watched();
      Loaded stable = now.stable();
      if (stable == null) {
        return Optional.empty();
      }
      SafeKeeper shown =
          subject(stable, now.canary(), watch).equals(tried) ? keeper : new SafeKeeper();
      if (some != null) {
        return Optional.of(trial(some.version(), stable.name(), some, shown, false, some.since()));
      }
      return watch == null
          ? Optional.empty()
          : Optional.of(trial(stable.name(), watch.before(), null, shown, true, watch.since()));
    }
  }

  private static Trial trial(
      String version,
      String stable,
      SwitchState.@Nullable Canary some,
      SafeKeeper keeper,
      boolean watched,
      java.time.Instant since) {
    return new Trial(
        version,
        stable,
        some == null ? null : some.percent(),
        some == null ? Set.of() : some.tenants(),
        watched,
        since,
        keeper.failures(),
        keeper.inconclusive(),
        keeper.paused(),
        keeper.says(),
        keeper.figures(),
        keeper.beside());
  }
}
