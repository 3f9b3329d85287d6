package org.aionos.router;

import java.util.concurrent.Semaphore;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.tool.Effects;
import org.aionos.tool.Tool;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.osgi.framework.Version;

/** One installed version of one tool, and the calls in flight on it. */
final class InstalledTool {

  /** Enters the tool, wherever it runs. */
  @FunctionalInterface
  interface Entry {
    ToolResult invoke(ToolCall call, AgentId agent, Effects effects)
        throws ToolFailure, InterruptedException;
  }

  private final ToolManifest manifest;
  private final Version version;
  private final String origin;
  private final long age;
  private final Entry entry;
  private final Semaphore free;
  final Holders holders = new Holders();

  /**
   * @param origin location of its bundle
   * @param age grows from one tool to the next
   */
  InstalledTool(ToolManifest manifest, String origin, long age, Entry entry) {
    this.manifest = manifest;
    this.version = Version.parseVersion(manifest.version());
    this.origin = origin;
    this.age = age;
    this.entry = entry;
    this.free = new Semaphore(manifest.concurrencyMax());
  }

  /** Code in this process, entered with its own class loader as the thread's. */
  static Entry trusted(Tool tool) {
    ClassLoader loader = tool.getClass().getClassLoader();
    return (call, agent, effects) -> {
      Thread thread = Thread.currentThread();
      ClassLoader before = thread.getContextClassLoader();
      // Libraries inside a tool look their parts up here; the kernel's own loader must not leak.
      thread.setContextClassLoader(loader);
      try {
        return tool.invoke(call, effects);
      } finally {
        thread.setContextClassLoader(before);
      }
    };
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

  String origin() {
    return origin;
  }

  long age() {
    return age;
  }

  ToolResult invoke(ToolCall call, AgentId agent, Effects effects)
      throws ToolFailure, InterruptedException {
    return entry.invoke(call, agent, effects);
  }
}
