package org.aionos.policy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.DoubleSupplier;
import org.aionos.kernel.Meters;

/** Meters that can be looked at, and whose text can be set. */
final class CountedMeters implements Meters {

  final Map<String, Long> counters = new ConcurrentHashMap<>();
  final Map<String, DoubleSupplier> gauges = new ConcurrentHashMap<>();
  volatile String text = "";

  @Override
  public Counter counter(String name, String help, String... labelNames) {
    counters.put(name, 0L);
    return (amount, labels) -> counters.merge(name, amount, Long::sum);
  }

  @Override
  public Histogram millis(String name, String help, String... labelNames) {
    return (value, labels) -> {};
  }

  @Override
  public AutoCloseable gauge(String name, String help, DoubleSupplier value) {
    gauges.put(name, value);
    return () -> gauges.remove(name);
  }

  @Override
  public AutoCloseable gauge(
      String name, String help, String label, Map<String, DoubleSupplier> values) {
    throw new AssertionError("policy has no such gauge");
  }

  @Override
  public void writeText(OutputStream out) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
  }
}
