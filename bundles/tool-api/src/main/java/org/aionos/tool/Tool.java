package org.aionos.tool;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * One capability an agent can call. Register an implementation as a service carrying {@link
 * ToolSpec}, in a bundle with an {@code AION-INF/tool.yml}; the kernel finds it, checks every call
 * against the caller's grants, and runs it.
 *
 * <p><b>Threads.</b> The kernel calls {@code invoke} from many threads at once. Keep no mutable
 * state.
 *
 * <p><b>Time.</b> At {@link ToolCall#deadline()} the kernel interrupts the thread and reports
 * {@code TIMED_OUT}, whatever this method does afterwards. A tool that ignores the interrupt keeps
 * its slot until it returns.
 */
@ConsumerType
@FunctionalInterface
public interface Tool {

  /**
   * Performs one call. Reaches the outside world only through {@code effects}: they carry the
   * grants of this call and are dead once this method returns.
   *
   * @throws ToolFailure when the agent can act on the reason; any other exception is reported as a
   *     fault of the tool and its message is withheld from the agent
   * @throws InterruptedException when the deadline passes or the call is cancelled
   */
  ToolResult invoke(ToolCall call, Effects effects) throws ToolFailure, InterruptedException;
}
