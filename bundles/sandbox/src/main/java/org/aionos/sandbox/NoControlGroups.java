package org.aionos.sandbox;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.aionos.kernel.task.AgentLauncher;
import org.jspecify.annotations.Nullable;

/**
 * A host without cgroups that we may use, on which an operator runs tools all the same: each
 * process is bounded by its resource limits alone, not all of them together.
 */
final class NoControlGroups implements ControlGroups, ControlGroup {

  @Override
  public String kind() {
    return "DEGRADED: resource limits of each process alone";
  }

  @Override
  public List<Path> folders() {
    return List.of();
  }

  @Override
  public ControlGroup create(String id, Limits limits, boolean freezable) {
    return this;
  }

  @Override
  public List<Path> doors() {
    return List.of();
  }

  @Override
  public List<Long> processes() {
    return List.of();
  }

  @Override
  public @Nullable Path unified() {
    return null;
  }

  @Override
  public boolean outOfMemory() {
    return false;
  }

  @Override
  public void freeze() throws IOException {
    throw new IOException("without cgroups nothing can be frozen; see ./aion doctor");
  }

  @Override
  public boolean isFrozen() {
    return false;
  }

  @Override
  public void thaw() {}

  @Override
  public AgentLauncher.Usage usage() {
    return AgentLauncher.Usage.NOTHING;
  }

  @Override
  public void kill() {}

  @Override
  public void remove() {}
}
