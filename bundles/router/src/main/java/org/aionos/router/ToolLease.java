package org.aionos.router;

/** A tool held open for one call. Close it exactly once. */
record ToolLease(InstalledTool installed) implements AutoCloseable {

  @Override
  public void close() {
    installed.holders.leave();
  }
}
