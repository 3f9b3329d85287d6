package org.aionos.kernel;

import org.aionos.tool.Effects;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A tool behind a boundary. Called from many threads at once. What it keeps between calls, it keeps
 * for one agent alone: no call may see what another agent's call has left.
 */
@ConsumerType
public interface ConfinedTool extends AutoCloseable {

  /**
   * Performs one call. Its effects are the tool's only way out.
   *
   * @param agent whose call it is
   * @throws ToolFailure when the tool says so: the agent can act on the reason
   * @throws Refused {@code TOOL_OUT_OF_MEMORY}, {@code TOOL_OUTPUT_LIMIT}, {@code
   *     TOOL_FORBIDDEN_CALL}, {@code TOOL_CRASHED}, {@code TOOL_FAULT}, {@code TIER_UNAVAILABLE}
   * @throws InterruptedException when the deadline passes; by then nothing of the call runs any
   *     more
   */
  ToolResult invoke(ToolCall call, AgentId agent, Effects effects)
      throws ToolFailure, InterruptedException;

  /** Gives back all that the tool holds. Calls in flight have ended, or are given up. */
  @Override
  void close();
}
