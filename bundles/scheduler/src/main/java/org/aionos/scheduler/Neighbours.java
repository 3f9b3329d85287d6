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

  /** From now on {@code came} is told when one has come, on the thread that brings it. */
  void listen(Runnable came);

  /** Whether calls can be made, and the tools of the last run are back. */
  boolean areReady();
}
