package org.aionos.scheduler;

import static java.util.Comparator.comparing;

import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.task.Budgets.Spending;
import org.jspecify.annotations.Nullable;

/**
 * What tenants have used of each engine in the present hour of the clock. For people to look at:
 * the journal has it for ever, and limits are kept elsewhere.
 */
final class Spendings {

  private static final long HOUR_MILLIS = 3_600_000;

  /** Tools and models are few; beyond, what is rare is not told apart. */
  private static final int ROWS_MAX = 10_000;

  private static final String OTHERS = "others";

  private record Of(String tenant, String engine) {}

  private final InstantSource clock;

  /** Guarded by this, as is the hour. */
  private final Map<Of, Spending> rows = new HashMap<>();

  private long hour;

  Spendings(InstantSource clock) {
    this.clock = clock;
  }

  /** A call has ended. What was refused, and had no engine, is not counted. */
  void add(String tenant, Outcome outcome) {
    String engine = engine(outcome);
    if (engine != null) {
      add(tenant, engine, outcome.spent());
    }
  }

  private static @Nullable String engine(Outcome outcome) {
    if (outcome instanceof Outcome.Ok ok) {
      return ok.engine().name();
    }
    Outcome.Engine engine = ((Outcome.Failed) outcome).engine();
    if (engine != null) {
      return engine.name();
    }
    return outcome.spent().equals(Outcome.Spent.NOTHING) ? null : OTHERS;
  }

  private synchronized void add(String tenant, String engine, Outcome.Spent spent) {
    roll();
    Of of = new Of(tenant, engine);
    if (rows.size() >= ROWS_MAX && !rows.containsKey(of)) {
      of = new Of(tenant, OTHERS);
    }
    rows.merge(of, new Spending(of.tenant, of.engine, 1, spent), Spendings::sum);
  }

  private static Spending sum(Spending before, Spending more) {
    return new Spending(
        before.tenant(),
        before.engine(),
        before.calls() + more.calls(),
        before.spent().plus(more.spent()));
  }

  private void roll() {
    long present = Math.floorDiv(clock.millis(), HOUR_MILLIS);
    if (present > hour) {
      hour = present;
      rows.clear();
    }
  }

  /** The dearest first. */
  synchronized List<Spending> list(@Nullable String tenant) {
    roll();
    return rows.values().stream()
        .filter(row -> tenant == null || tenant.equals(row.tenant()))
        .sorted(
            comparing((Spending row) -> row.spent().costUsd())
                .thenComparing(Spending::calls)
                .reversed()
                .thenComparing(Spending::tenant)
                .thenComparing(Spending::engine))
        .toList();
  }
}
