package org.aionos.tasks;

import java.time.Duration;
import org.aionos.kernel.task.Cluster;

final class MapClusterTest extends ClusterContract {

  private long nanos;
  private final MapCluster cluster = new MapCluster(() -> nanos);

  @Override
  protected Cluster open() {
    return cluster;
  }

  @Override
  protected void pass(Duration time) {
    nanos += time.toNanos();
  }
}
