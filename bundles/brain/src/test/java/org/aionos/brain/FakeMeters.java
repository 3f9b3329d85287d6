package org.aionos.brain;

import java.io.OutputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import org.aionos.kernel.Meters;

/** Counts by name and labels. */
final class FakeMeters implements Meters {

  final Map<List<String>, Long> counts = new HashMap<>();

  @Override
  public Counter counter(String name, String help, String... labelNames) {
    return (amount, labels) -> counts.merge(List.of(labels), amount, Long::sum);
  }

  @Override
  public Histogram millis(String name, String help, String... labelNames) {
    return (value, labels) -> {};
  }

  @Override
  public AutoCloseable gauge(String name, String help, DoubleSupplier value) {
    return () -> {};
  }

  @Override
  public AutoCloseable gauge(
      String name, String help, String label, Map<String, DoubleSupplier> values) {
    return () -> {};
  }

  @Override
  public void writeText(OutputStream out) {}
}
