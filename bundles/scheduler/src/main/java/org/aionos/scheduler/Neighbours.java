package org.aionos.scheduler;

import org.aionos.kernel.SyscallRouter;
import org.aionos.kernel.ToolCatalog;
import org.aionos.kernel.task.AgentDoors;
import org.aionos.kernel.task.AgentLauncher;
import org.jspecify.annotations.Nullable;

/** The parts of the kernel that tasks need while they run. They come and go; null for gone. */
interface Neighbours {

  @Nullable SyscallRouter router();

  @Nullable ToolCatalog tools();

  @Nullable AgentLauncher launcher();

  @Nullable AgentDoors doors();

  /** Whether calls can be made, and the tools of the last run are back. */
  boolean areReady();
}
