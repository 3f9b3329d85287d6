package org.aionos.router;

import java.util.concurrent.Semaphore;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.tool.Tool;
import org.osgi.framework.Version;

/** One installed version of one tool, and the calls in flight on it. */
final class InstalledTool {

  private final ToolManifest manifest;
  private final Version version;
  private final long serviceId;
  private final Tool tool;
  private final Semaphore free;
  final Holders holders = new Holders();

  InstalledTool(ToolManifest manifest, long serviceId, Tool tool) {
    this.manifest = manifest;
    this.version = Version.parseVersion(manifest.version());
    this.serviceId = serviceId;
    this.tool = tool;
    this.free = new Semaphore(manifest.concurrencyMax());
  }

  /** Whether a call may run beside the ones in flight; give the slot back with {@link #done}. */
  boolean begin() {
    return free.tryAcquire();
  }

  void done() {
    free.release();
  }

  ToolManifest manifest() {
    return manifest;
  }

  Version version() {
    return version;
  }

  long serviceId() {
    return serviceId;
  }

  Tool tool() {
    return tool;
  }
}
