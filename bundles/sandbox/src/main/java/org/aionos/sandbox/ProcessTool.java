package org.aionos.sandbox;

import java.util.function.Consumer;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.ConfinedTool;
import org.aionos.sandbox.ToolFolders.Unpacked;
import org.aionos.tool.Effects;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;

/** A tool of the process tier that is open for calls. */
final class ProcessTool implements ConfinedTool {

  private final Program program;
  private final Unpacked unpacked;
  private final WorkerPool workers;
  private final ToolFolders folders;
  private final Consumer<ProcessTool> whenClosed;

  ProcessTool(
      Program program,
      Unpacked unpacked,
      WorkerPool workers,
      ToolFolders folders,
      Consumer<ProcessTool> whenClosed) {
    this.program = program;
    this.unpacked = unpacked;
    this.workers = workers;
    this.folders = folders;
    this.whenClosed = whenClosed;
  }

  @Override
  public ToolResult invoke(ToolCall call, AgentId agent, Effects effects)
      throws ToolFailure, InterruptedException {
    return workers.call(program, agent, call, effects);
  }

  @Override
  public void close() {
    workers.close(program);
    folders.remove(unpacked);
    whenClosed.accept(this);
  }
}
