package org.aionos.telemetry;

import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.UnknownSnapshot;
import io.prometheus.metrics.model.snapshots.UnknownSnapshot.UnknownDataPointSnapshot;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.LongAdder;
import org.aionos.kernel.Meters;

/**
 * A counter under a name that the contract fixed without {@code _total}. Prometheus would append it
 * to a counter, so this one is exposed without a type.
 */
final class NamedCounter implements Collector, Meters.Counter {

  private final String name;
  private final String help;
  private final String[] labelNames;
  private final ConcurrentMap<List<String>, LongAdder> values = new ConcurrentHashMap<>();

  NamedCounter(String name, String help, String... labelNames) {
    this.name = name;
    this.help = help;
    this.labelNames = labelNames.clone();
  }

  @Override
  public void add(long amount, String... labelValues) {
    values.computeIfAbsent(List.of(labelValues), absent -> new LongAdder()).add(amount);
  }

  @Override
  public MetricSnapshot collect() {
    UnknownSnapshot.Builder snapshot = UnknownSnapshot.builder().name(name).help(help);
    values.forEach(
        (labels, value) ->
            snapshot.dataPoint(
                UnknownDataPointSnapshot.builder()
                    .labels(Labels.of(labelNames, labels.toArray(String[]::new)))
                    .value(value.sum())
                    .build()));
    return snapshot.build();
  }

  @Override
  public String getPrometheusName() {
    return name;
  }
}
