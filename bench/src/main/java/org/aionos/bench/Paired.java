package org.aionos.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.aionos.bench.Requests.Signature;

/**
 * Drives the kernel and the bare server in turns, with the same requests, and compares each round
 * with its neighbour: what else the machine does meanwhile hits both alike.
 */
public final class Paired {

  private static final int CONNECTIONS = 32;
  private static final int TEXT_LENGTH = 1_000;
  private static final int OPEN_PER_SECOND = 3_000;
  private static final long WARM_CALLS = 100_000;
  private static final int WARM_UPS_MAX = 6;

  private final Target bare;
  private final Target governed;
  private final Duration roundTime;
  private boolean clean = true;

  private Paired(Target bare, Target governed, Duration roundTime) {
    this.bare = bare;
    this.governed = governed;
    this.roundTime = roundTime;
  }

  /** Takes: bare port, bare pid, kernel port, kernel pid, pairs, seconds of a round. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Paired paired =
        new Paired(
            Target.bare(Integer.parseInt(args[0]), Long.parseLong(args[1])),
            Target.governed(Integer.parseInt(args[2]), Long.parseLong(args[3])),
            Duration.ofSeconds(Long.parseLong(args[5])));
    int pairs = Integer.parseInt(args[4]);
    double v1 = paired.closed(Signature.V1, pairs, paired.roundTime);
    // Each v2 call leaves a nonce behind for five minutes, so these rounds are fewer and shorter.
    double v2 = paired.closed(Signature.V2, Math.min(3, pairs), paired.roundTime.dividedBy(2));
    double p99V1 = paired.open(Signature.V1);
    double p99V2 = paired.open(Signature.V2);
    System.out.printf(
        "%nSUMMARY governed/bare v1 %.2f, v2 %.2f (target 0.60); p99 at %,d/s v1 %.2f ms, v2 %.2f ms"
            + " (target 1.00)%n",
        v1, v2, OPEN_PER_SECOND, p99V1, p99V2);
    if (!paired.clean) {
      System.out.println("SUMMARY some answers were not good: the figures above do not count");
      System.exit(1);
    }
  }

  private double closed(Signature signature, int pairs, Duration time) throws IOException {
    System.out.printf(
        "%nclosed loop, %d connections, signature %s, %d pairs of %d s%n",
        CONNECTIONS, signature, pairs, time.toSeconds());
    Requests requests = new Requests(signature, TEXT_LENGTH);
    warmUp(bare, requests, time);
    warmUp(governed, requests, time);
    List<Round> bares = new ArrayList<>();
    List<Round> governeds = new ArrayList<>();
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < pairs; i++) {
      // A B, then B A: a machine that slows down steadily favours neither.
      boolean bareFirst = i % 2 == 0;
      Round first = run(bareFirst ? bare : governed, requests, time);
      Round second = run(bareFirst ? governed : bare, requests, time);
      Round ofBare = bareFirst ? first : second;
      Round ofGoverned = bareFirst ? second : first;
      bares.add(ofBare);
      governeds.add(ofGoverned);
      ratios.add(ofGoverned.perSecond() / ofBare.perSecond());
      System.out.println("  " + ofBare);
      System.out.printf("  %s  ratio %.3f%n", ofGoverned, ratios.get(i));
    }
    double ratio = median(ratios);
    System.out.printf(
        "  median   bare %,.0f/s, governed %,.0f/s, ratio %.3f; server CPU %.1f and %.1f us/call%n",
        median(bares.stream().map(Round::perSecond).toList()),
        median(governeds.stream().map(Round::perSecond).toList()),
        ratio,
        median(bares.stream().map(Round::serverMicros).toList()),
        median(governeds.stream().map(Round::serverMicros).toList()));
    return ratio;
  }

  /**
   * As long as a round, and on a slow or busy machine longer: compiled code needs its calls, and
   * its compiler needs the processor that the calls take.
   */
  private void warmUp(Target target, Requests requests, Duration time) throws IOException {
    long calls = 0;
    for (int i = 0; i < WARM_UPS_MAX && (i == 0 || calls < WARM_CALLS); i++) {
      Round round = run(target, requests, time);
      calls += round.calls();
      System.out.println("  warm-up  " + round);
    }
  }

  private Round run(Target target, Requests requests, Duration time) throws IOException {
    return noted(new ClosedLoop(target, requests, CONNECTIONS).run(time));
  }

  private double open(Signature signature) throws IOException, InterruptedException {
    System.out.printf(
        "%nopen loop, %,d calls/s, signature %s, %d s, latency from the intended time of sending%n",
        OPEN_PER_SECOND, signature, roundTime.toSeconds());
    Requests requests = new Requests(signature, TEXT_LENGTH);
    double p99 = 0;
    for (Target target : List.of(bare, governed)) {
      // The first seconds at a new rate are those of the thread pool, not of the server.
      noted(
          new OpenLoop(target, requests, CONNECTIONS, OPEN_PER_SECOND).run(Duration.ofSeconds(2)));
      OpenLoop loop = new OpenLoop(target, requests, CONNECTIONS, OPEN_PER_SECOND);
      Round round = noted(loop.run(roundTime));
      System.out.println("  " + round.latencies());
      System.out.printf(
          "           of it the client's timer: p50 %.3f  p99 %.3f ms; server %.1f us/call%n",
          loop.lateNanos.getValueAtPercentile(50) / 1e6,
          loop.lateNanos.getValueAtPercentile(99) / 1e6,
          round.serverMicros());
      p99 = round.millis(99);
    }
    return p99;
  }

  private Round noted(Round round) {
    clean &= round.isClean();
    return round;
  }

  private static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }
}
