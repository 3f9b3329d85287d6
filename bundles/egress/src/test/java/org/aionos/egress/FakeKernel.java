package org.aionos.egress;

import java.io.OutputStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.DoubleSupplier;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Syscall;
import org.jspecify.annotations.Nullable;

/** Keeps what the broker tells the journal. */
final class FakeKernel implements Journal, Meters {

  final List<Event> events = new CopyOnWriteArrayList<>();

  Map<String, Object> lastFacts() {
    return new java.util.LinkedHashMap<>(events.get(events.size() - 1).facts());
  }

  @Override
  public String record(Event event) {
    events.add(event);
    return "ev-" + events.size();
  }

  @Override
  public Asked asked(Syscall syscall) {
    throw new AssertionError("not a syscall");
  }

  @Override
  public void ended(Asked asked, @Nullable Decision by, Outcome outcome, Duration took) {
    throw new AssertionError("not a syscall");
  }

  @Override
  public Counter counter(String name, String help, String... labelNames) {
    return (amount, labels) -> {};
  }

  @Override
  public Histogram millis(String name, String help, String... labelNames) {
    return (value, labels) -> {};
  }

  @Override
  public AutoCloseable gauge(
      String name,
      String help,
      String label,
      java.util.Map<String, java.util.function.DoubleSupplier> values) {
    return () -> {};
  }

  @Override
  public AutoCloseable gauge(String name, String help, DoubleSupplier value) {
    return () -> {};
  }

  @Override
  public void writeText(OutputStream out) {
    throw new AssertionError("nobody looks");
  }
}
