package org.aionos.tasks;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.LongSupplier;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.Cluster;
import org.jspecify.annotations.Nullable;

/** What nodes know together, in memory, for tests of others: one object is all nodes' view. */
public final class MapCluster implements Cluster {

  private record Account(long drawn, long endNanos) {}

  private final LongSupplier nanos;
  private final Map<List<String>, Long> members = new HashMap<>();
  private final Map<String, Account> accounts = new HashMap<>();
  private final Map<String, Value> values = new HashMap<>();
  private @Nullable String away;

  public MapCluster() {
    this(System::nanoTime);
  }

  public MapCluster(LongSupplier nanos) {
    this.nanos = nanos;
  }

  /** From now on every method says that the server does not answer; null: it answers again. */
  public synchronized void fail(@Nullable String why) {
    away = why;
  }

  private void answer() {
    if (away != null) {
      throw new StoreUnavailable(away);
    }
  }

  @Override
  public synchronized boolean isNew(String set, String member, Duration kept) {
    answer();
    Long end = members.get(List.of(set, member));
    if (end != null && nanos.getAsLong() < end) {
      return false;
    }
    members.put(List.of(set, member), nanos.getAsLong() + kept.toNanos());
    return true;
  }

  @Override
  public synchronized OptionalInt draw(List<Draw> draws) {
    answer();
    Map<String, Account> after = new HashMap<>();
    for (int i = 0; i < draws.size(); i++) {
      Draw draw = draws.get(i);
      if (draw.amount() < 0 || draw.amount() > 1L << 52) {
        throw new IllegalArgumentException("no amount to draw: " + draw.amount());
      }
      Account before = after.get(draw.account());
      long sum = (before == null ? drawn(draw.account()) : before.drawn()) + draw.amount();
      if (sum > draw.limit()) {
        return OptionalInt.of(i);
      }
      after.put(draw.account(), new Account(sum, end(draw)));
    }
    accounts.putAll(after);
    return OptionalInt.empty();
  }

  private long end(Draw draw) {
    return nanos.getAsLong() + draw.kept().toNanos();
  }

  @Override
  public synchronized void giveBack(List<Draw> draws) {
    answer();
    for (Draw draw : draws) {
      long left = Math.max(0, drawn(draw.account()) - draw.amount());
      Account before = accounts.get(draw.account());
      accounts.put(
          draw.account(),
          new Account(left, draw.amount() < 0 || before == null ? end(draw) : before.endNanos()));
    }
  }

  @Override
  public synchronized long drawn(String account) {
    answer();
    Account there = accounts.get(account);
    return there == null || nanos.getAsLong() >= there.endNanos() ? 0 : there.drawn();
  }

  @Override
  public synchronized boolean put(String name, long number, byte[] value) {
    answer();
    Value there = values.get(name);
    if (there != null && there.number() >= number) {
      return false;
    }
    values.put(name, new Value(number, value.clone()));
    return true;
  }

  @Override
  public synchronized Optional<Value> get(String name) {
    answer();
    return Optional.ofNullable(values.get(name));
  }
}
