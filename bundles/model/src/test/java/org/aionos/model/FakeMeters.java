package org.aionos.model;

import java.io.OutputStream;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.DoubleSupplier;
import org.aionos.kernel.Meters;

/** Keeps what is counted, under {@code name[label, label]}. */
final class FakeMeters implements Meters {

  final Map<String, Double> values = new ConcurrentHashMap<>();
  final Map<String, DoubleSupplier> gauges = new ConcurrentHashMap<>();
  Map<String, DoubleSupplier> labelled = Map.of();

  double value(String name, String... labels) {
    return values.getOrDefault(name + java.util.List.of(labels), 0.0);
  }

  @Override
  public Counter counter(String name, String help, String... labelNames) {
    return (amount, labels) ->
        values.merge(name + java.util.List.of(labels), (double) amount, Double::sum);
  }

  @Override
  public Histogram millis(String name, String help, String... labelNames) {
    return (value, labels) -> values.merge(name + java.util.List.of(labels), 1.0, Double::sum);
  }

  @Override
  public AutoCloseable gauge(String name, String help, DoubleSupplier value) {
    gauges.put(name, value);
    return () -> gauges.remove(name);
  }

  @Override
  public AutoCloseable gauge(
      String name, String help, String label, Map<String, DoubleSupplier> values) {
    labelled = values;
    return () -> {};
  }

  @Override
  public void writeText(OutputStream out) {
    throw new AssertionError("nobody looks");
  }
}
