package org.aionos.telemetry;

import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.DoubleSupplier;
import org.aionos.kernel.Meters;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/**
 * Keeps the kernel's meters in a Prometheus registry, under exactly the names they were asked for.
 */
@Component(service = Meters.class)
public final class PrometheusMeters implements Meters {

  /** From a fast kernel call to the slowest tool that the default deadline admits. */
  private static final double[] MILLIS = {
    0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000
  };

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final PrometheusTextFormatWriter writer =
      PrometheusTextFormatWriter.builder().setIncludeCreatedTimestamps(false).build();
  private final ConcurrentMap<String, Counter> counters = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, Histogram> histograms = new ConcurrentHashMap<>();

  @Activate
  public PrometheusMeters() {
    gauge(
        "aion_kernel_heap_used_bytes",
        "Heap in use",
        () -> ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
    gauge(
        "aion_kernel_threads",
        "Live threads",
        () -> ManagementFactory.getThreadMXBean().getThreadCount());
    CounterWithCallback.builder()
        .name("aion_kernel_gc_seconds_total")
        .help("Time spent collecting garbage")
        .callback(callback -> callback.call(gcSeconds()))
        .register(registry);
  }

  private static double gcSeconds() {
    return ManagementFactory.getGarbageCollectorMXBeans().stream()
            .mapToLong(bean -> Math.max(0, bean.getCollectionTime()))
            .sum()
        / 1_000.0;
  }

  @Override
  public Counter counter(String name, String help, String... labelNames) {
    return counters.computeIfAbsent(name, absent -> newCounter(name, help, labelNames));
  }

  private Counter newCounter(String name, String help, String... labelNames) {
    if (!name.endsWith("_total")) {
      NamedCounter counter = new NamedCounter(name, help, labelNames);
      registry.register(counter);
      return counter;
    }
    var counter =
        io.prometheus.metrics.core.metrics.Counter.builder()
            .name(name)
            .help(help)
            .labelNames(labelNames)
            .register(registry);
    return (amount, labels) -> counter.labelValues(labels).inc(amount);
  }

  @Override
  public Histogram millis(String name, String help, String... labelNames) {
    return histograms.computeIfAbsent(
        name,
        absent -> {
          var histogram =
              io.prometheus.metrics.core.metrics.Histogram.builder()
                  .name(name)
                  .help(help)
                  .labelNames(labelNames)
                  .classicOnly()
                  .classicUpperBounds(MILLIS)
                  .register(registry);
          return (value, labels) -> histogram.labelValues(labels).observe(value);
        });
  }

  @Override
  public AutoCloseable gauge(String name, String help, DoubleSupplier value) {
    var gauge =
        GaugeWithCallback.builder()
            .name(name)
            .help(help)
            .callback(callback -> callback.call(value.getAsDouble()))
            .build();
    registry.register(gauge);
    return () -> registry.unregister(gauge);
  }

  @Override
  public AutoCloseable gauge(
      String name, String help, String label, Map<String, DoubleSupplier> values) {
    var gauge =
        GaugeWithCallback.builder()
            .name(name)
            .help(help)
            .labelNames(label)
            .callback(
                callback ->
                    values.forEach((each, value) -> callback.call(value.getAsDouble(), each)))
            .build();
    registry.register(gauge);
    return () -> registry.unregister(gauge);
  }

  @Override
  public void writeText(OutputStream out) throws IOException {
    writer.write(out, registry.scrape());
  }
}
