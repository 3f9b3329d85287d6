package org.aionos.kernel;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.function.DoubleSupplier;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Where kernel bundles count. Names follow Prometheus; asking twice for one name gives the same
 * meter. Label values must come from a small closed set: never an id, a path or anything a caller
 * chooses freely.
 */
@ProviderType
public interface Meters {

  Counter counter(String name, String help, String... labelNames);

  /** A distribution of milliseconds. */
  Histogram millis(String name, String help, String... labelNames);

  /** A value read when somebody looks. Close the registration when its source goes away. */
  AutoCloseable gauge(String name, String help, DoubleSupplier value);

  /**
   * Values that share a name, told apart by one label.
   *
   * @param values by the label's value
   */
  AutoCloseable gauge(String name, String help, String label, Map<String, DoubleSupplier> values);

  /** Writes all meters in the Prometheus text format, version 0.0.4. */
  void writeText(OutputStream out) throws IOException;

  /** Grows only. */
  interface Counter {
    void add(long amount, String... labelValues);
  }

  /** Collects values. */
  interface Histogram {
    void record(double value, String... labelValues);
  }
}
