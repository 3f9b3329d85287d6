package org.aionos.kernel.memory;

import org.aionos.kernel.AgentId;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The lowest trust of what a task has read, of memory and of tools. What it writes is worth no
 * more, and policy can keep it from tools. Survives a restart. Threads may share it.
 */
@ProviderType
public interface TaskTrust {

  /**
   * @param task as in the call's context; null for a call without one, which is as one task
   */
  Trust of(AgentId agent, @Nullable String task);

  /** The task has read something that is worth so much. Never raises. */
  void read(AgentId agent, @Nullable String task, Trust trust);
}
