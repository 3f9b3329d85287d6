package org.aionos.process;

import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.DoubleSupplier;
import org.aionos.kernel.Meters;

/** Counts in maps. */
final class FakeMeters implements Meters {

  final Map<String, Long> counts = new ConcurrentHashMap<>();
  final Map<String, DoubleSupplier> gauges = new ConcurrentHashMap<>();

  @Override
  public Counter counter(String name, String help, String... labelNames) {
    return (amount, labels) -> counts.merge(name + List.of(labels), amount, Long::sum);
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
    gauges.put(name, value);
    return () -> gauges.remove(name);
  }

  @Override
  public Histogram millis(String name, String help, String... labelNames) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void writeText(OutputStream out) {
    throw new UnsupportedOperationException();
  }
}
