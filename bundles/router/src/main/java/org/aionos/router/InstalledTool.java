package org.aionos.router;

import java.util.Map;
import java.util.concurrent.Semaphore;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.schemas.ValueSchema;
import org.aionos.tool.Effects;
import org.aionos.tool.Tool;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.jspecify.annotations.Nullable;
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
  private final ValueSchema input;
  private final ValueSchema output;
  private final Semaphore free;
  final Holders holders = new Holders();

  /**
   * @param origin location of its bundle
   * @param age grows from one tool to the next
   * @throws Refused {@code INVALID_FIELD} if a schema of its manifest is none
   */
  InstalledTool(ToolManifest manifest, String origin, long age, Entry entry) {
    this.manifest = manifest;
    this.version = Version.parseVersion(manifest.version());
    this.origin = origin;
    this.age = age;
    this.entry = entry;
    this.input = ValueSchema.of(manifest.input(), "/spec/io/input/schema");
    this.output = ValueSchema.of(manifest.output(), "/spec/io/output/schema");
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

  /** What an approval is bound to: this version, of this very jar. */
  String subject() {
    return manifest.nameAndVersion() + " " + origin;
  }

  long age() {
    return age;
  }

  /**
   * @throws Refused {@code MISSING_FIELD} or {@code INVALID_FIELD} with the pointer of the argument
   *     that is not what the tool takes
   */
  void checkArguments(Map<String, @Nullable Object> arguments) {
    ValueSchema.Fault fault = input.fault(arguments).orElse(null);
    if (fault != null) {
      throw new Refused(
          Problem.at(
              "/params" + fault.pointer(),
              fault.missing() ? Code.MISSING_FIELD : Code.INVALID_FIELD,
              fault.message()));
    }
  }

  /**
   * @param result plain JSON values, and not too many
   * @throws Refused {@code RESULT_INVALID} if the tool breaks its own word
   */
  void checkResult(Map<String, @Nullable Object> result) {
    ValueSchema.Fault fault = output.fault(result).orElse(null);
    if (fault != null) {
      throw new Refused(
          Code.RESULT_INVALID,
          "the tool's result breaks its schema: " + fault.pointer() + " " + fault.message());
    }
  }

  ToolResult invoke(ToolCall call, AgentId agent, Effects effects)
      throws ToolFailure, InterruptedException {
    return entry.invoke(call, agent, effects);
  }
}
