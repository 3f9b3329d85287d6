package org.aionos.router;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.aionos.kernel.ToolCanaries.Figures;
import org.aionos.kernel.ToolCatalog;
import org.jspecify.annotations.Nullable;

/**
 * One version of a tool that takes a share of its calls and is compared with the others. It fails
 * the trial by calls in a row that fail, by failing significantly more (a two-proportion z-test,
 * one side, at 0.1 %, since it is looked at again and again), or by a 95th percentile that is
 * higher by a factor and by more than noise.
 *
 * <p>All methods may be called from any thread.
 */
final class VersionTrial implements ToolCatalog.Trial {

  /**
   * When a version deviates.
   *
   * @param callsMin that each side must have had before they are compared
   * @param failuresInARowMax that end a trial before that, unless the others fail as well
   * @param failedMoreMax share of calls, from 0 to 1, by which it may fail more
   * @param slowerMax factor by which its 95th percentile may be higher
   */
  record Rules(int callsMin, int failuresInARowMax, double failedMoreMax, double slowerMax) {}

  /**
   * How many calls of each side are looked back on: enough for a percentile, few enough to be now.
   */
  private static final int WINDOW_CALLS = 500;

  /** Below this two latencies are the same, whatever their ratio. */
  private static final Duration NOISE = Duration.ofMillis(5);

  /** Of the normal distribution, one side, 0.1 %. */
  private static final double Z_MIN = 3.09;

  /** A percentile takes sorting, so not every call asks for it. */
  private static final int CALLS_A_LOOK = 10;

  private final String version;
  private final Rules rules;
  private final Consumer<String> deviated;
  private final Consumer<VersionTrial> closed;

  /** Guarded by this, as is what follows. */
  private int percent;

  private Side onTrial = new Side();
  private Side others = new Side();
  private long turn;
  private boolean failed;

  VersionTrial(
      String version,
      int percent,
      Rules rules,
      Consumer<String> deviated,
      Consumer<VersionTrial> closed) {
    this.version = version;
    this.percent = percent;
    this.rules = rules;
    this.deviated = deviated;
    this.closed = closed;
  }

  /**
   * The order in which a call tries the versions of the tool; evenly spread, with no chance in it.
   */
  List<InstalledTool> ordered(List<InstalledTool> versions) {
    boolean mine = takesNext();
    return versions.stream()
        .sorted((a, b) -> Boolean.compare(isOnTrial(a) != mine, isOnTrial(b) != mine))
        .toList();
  }

  private synchronized boolean takesNext() {
    if (failed) {
      return false;
    }
    turn++;
    return turn * percent / 100 > (turn - 1) * percent / 100;
  }

  private boolean isOnTrial(InstalledTool tool) {
    return tool.manifest().version().equals(version);
  }

  /** A call has ended. */
  void ended(InstalledTool tool, boolean callFailed, long nanos) {
    String why;
    synchronized (this) {
      boolean mine = isOnTrial(tool);
      (mine ? onTrial : others).add(callFailed, nanos);
      why = failed || !mine ? null : deviation();
      failed |= why != null;
    }
    if (why != null) {
      deviated.accept(why);
    }
  }

  private @Nullable String deviation() {
    if (onTrial.failuresInARow >= rules.failuresInARowMax() && others.failedShare() < 0.5) {
      return "its last " + onTrial.failuresInARow + " calls failed";
    }
    if (onTrial.size() < rules.callsMin()) {
      return null;
    }
    if (others.size() < rules.callsMin()) {
      return onTrial.failedShare() > 0.5
          ? said("%.0f %% of its calls fail", failedPercent())
          : null;
    }
    double more = onTrial.failedShare() - others.failedShare();
    if (more > rules.failedMoreMax() && significance(more) > Z_MIN) {
      return said(
          "%.1f %% of its calls fail, and %.1f %% of the others'",
          failedPercent(), others.failedShare() * 100);
    }
    return onTrial.calls % CALLS_A_LOOK == 0 ? slowness() : null;
  }

  private double failedPercent() {
    return onTrial.failedShare() * 100;
  }

  /** The z of two proportions, pooled. */
  private double significance(double difference) {
    double pooled =
        (double) (onTrial.failures() + others.failures()) / (onTrial.size() + others.size());
    double variance = pooled * (1 - pooled) * (1.0 / onTrial.size() + 1.0 / others.size());
    return difference / Math.sqrt(variance);
  }

  private @Nullable String slowness() {
    double mine = onTrial.millisP95();
    double theirs = others.millisP95();
    return mine > theirs * rules.slowerMax() && mine - theirs > NOISE.toMillis()
        ? said("95 %% of its calls take up to %.1f ms, of the others' %.1f ms", mine, theirs)
        : null;
  }

  private static String said(String format, Object... figures) {
    return String.format(Locale.ROOT, format, figures);
  }

  @Override
  public synchronized Figures onTrial() {
    return onTrial.figures();
  }

  @Override
  public synchronized Figures others() {
    return others.figures();
  }

  @Override
  public synchronized void weigh(int share) {
    percent = share;
    turn = 0;
    onTrial = new Side();
    others = new Side();
  }

  @Override
  public void close() {
    closed.accept(this);
  }

  /** The latest calls of one side. */
  private static final class Side {

    private static final long FAILED = -1;

    private final long[] latest = new long[WINDOW_CALLS];
    private long calls;
    private int failuresInARow;

    void add(boolean callFailed, long nanos) {
      latest[(int) (calls++ % WINDOW_CALLS)] = callFailed ? FAILED : nanos;
      failuresInARow = callFailed ? failuresInARow + 1 : 0;
    }

    int size() {
      return (int) Math.min(calls, WINDOW_CALLS);
    }

    long failures() {
      return Arrays.stream(latest, 0, size()).filter(nanos -> nanos == FAILED).count();
    }

    double failedShare() {
      return calls == 0 ? 0 : (double) failures() / size();
    }

    /** Nearest rank. */
    double millisP95() {
      long[] sorted =
          Arrays.stream(latest, 0, size()).filter(nanos -> nanos != FAILED).sorted().toArray();
      return sorted.length == 0 ? 0 : sorted[(int) Math.ceil(sorted.length * 0.95) - 1] / 1e6;
    }

    Figures figures() {
      return new Figures(calls, failedShare() * 100, millisP95());
    }
  }
}
