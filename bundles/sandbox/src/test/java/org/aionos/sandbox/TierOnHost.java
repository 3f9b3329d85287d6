package org.aionos.sandbox;

import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.aionos.kernel.ConfinedTool;
import org.aionos.kernel.ToolPackage;

/** A process tier that has a host of its own, as in a kernel. */
final class TierOnHost implements AutoCloseable {

  private final Host host;
  private final ProcessTier tier;

  TierOnHost(SandboxConfig config, Path state, Path profiles, Pattern devices) throws IOException {
    host = new Host(config, state, profiles, devices, Path.of("/sys/fs/cgroup"));
    tier = new ProcessTier(config, host);
    tier.begin();
  }

  ConfinedTool open(ToolPackage tool) {
    return tier.open(tool);
  }

  Host host() {
    return host;
  }

  int workers() {
    return tier.workers();
  }

  @Override
  public void close() {
    tier.close();
    host.close();
  }
}
