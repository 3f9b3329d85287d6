package org.aionos.router;

import org.jspecify.annotations.Nullable;

/**
 * A tool held open for one call. Close it exactly once.
 *
 * @param trial to be told how the call ends; null if no version of the tool is on trial
 */
record ToolLease(InstalledTool installed, @Nullable VersionTrial trial) implements AutoCloseable {

  @Override
  public void close() {
    installed.holders.leave();
  }
}
