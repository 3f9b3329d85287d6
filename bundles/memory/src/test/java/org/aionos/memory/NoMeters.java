package org.aionos.memory;

import java.io.OutputStream;
import java.util.function.DoubleSupplier;
import org.aionos.kernel.Meters;

/** Counts nothing, for tests. */
final class NoMeters implements Meters {

  @Override
  public Counter counter(String name, String help, String... labelNames) {
    return (amount, labelValues) -> {};
  }

  @Override
  public Histogram millis(String name, String help, String... labelNames) {
    return (value, labelValues) -> {};
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
  public void writeText(OutputStream out) {}
}
