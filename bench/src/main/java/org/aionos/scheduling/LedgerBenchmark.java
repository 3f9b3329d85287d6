package org.aionos.scheduling;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.aionos.scheduling.Ledger.Amounts;
import org.aionos.scheduling.Ledger.Answer;
import org.aionos.scheduling.Ledger.Keeper;
import org.aionos.scheduling.Ledger.Kind;
import org.aionos.scheduling.Ledger.Level;
import org.aionos.scheduling.Ledger.Limit;
import org.aionos.scheduling.Ledger.Reservation;
import org.aionos.scheduling.Ledger.Scope;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** A reservation at three levels with seven limits, and its settlement. */
@State(org.openjdk.jmh.annotations.Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 2)
@Fork(
    value = 1,
    jvmArgsAppend = {"-XX:+UseSerialGC", "-Xms256m", "-Xmx256m"})
public class LedgerBenchmark {

  private static final long PLENTY = 1_000_000_000_000L;
  private static final int TASKS = 10_000;
  private static final long HOUR_MILLIS = 3_600_000;
  private static final Amounts MOST = new Amounts(1, 1_000, 20_000, 0);
  private static final Amounts ACTUAL = new Amounts(1, 300, 5_000, 0);

  private final Ledger ledger = new Ledger(Keeper.NONE);
  private final List<List<Scope>> calls = new ArrayList<>();
  private int next;

  /** Opens an account for each of many tasks. */
  public LedgerBenchmark() {
    Scope tenant =
        limited(Level.TENANT, "acme", new Limit.PerWindow(Kind.USD_MICROS, PLENTY, HOUR_MILLIS));
    Scope agent =
        limited(
            Level.AGENT,
            "acme/writer",
            new Limit.PerWindow(Kind.USD_MICROS, PLENTY, HOUR_MILLIS),
            new Limit.Rate(Kind.TOKENS, PLENTY, PLENTY));
    for (int task = 0; task < TASKS; task++) {
      Scope each =
          limited(
              Level.TASK,
              "acme/task-" + task,
              new Limit.Total(Kind.CALLS, PLENTY),
              new Limit.Total(Kind.TOKENS, PLENTY),
              new Limit.Total(Kind.USD_MICROS, PLENTY),
              new Limit.Total(Kind.TIME_MILLIS, PLENTY));
      calls.add(List.of(tenant, agent, each));
    }
  }

  private Scope limited(Level level, String name, Limit... limits) {
    Scope scope = new Scope(level, name);
    ledger.limit(scope, List.of(limits), 0);
    return scope;
  }

  /** One call's. */
  @Benchmark
  public Answer reserveAndSettle() {
    next = (next + 1) % TASKS;
    Answer answer = ledger.reserve(calls.get(next), MOST, 0);
    if (answer instanceof Reservation reservation) {
      reservation.settle(ACTUAL, 0);
    }
    return answer;
  }
}
