package org.aionos.sandbox;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.aionos.kernel.task.AgentLauncher;
import org.jspecify.annotations.Nullable;

/** Where the processes of one worker, or agent, are bounded, counted and ended together. */
interface ControlGroup {

  /** Whoever writes its pid into all of these files is inside, and all its children with it. */
  List<Path> doors();

  /** Pids of what runs inside, as this process sees them. Empty where there is no way to know. */
  List<Long> processes();

  /**
   * Its folder in the hierarchy of version 2, by which probes know it; null if it has none. On a
   * host with both versions it bounds nothing.
   */
  @Nullable Path unified();

  /** Whether something inside was killed for want of memory. */
  boolean outOfMemory();

  /**
   * Begins to stop everything inside where it is; {@link #isFrozen} says when all of it stands.
   *
   * @throws IOException if this host cannot; the message says what would help
   */
  void freeze() throws IOException;

  boolean isFrozen();

  /** Lets everything inside go on. */
  void thaw();

  /** What has been used; nothing where there is no way to know. */
  AgentLauncher.Usage usage();

  /** Ends everything inside, frozen or not; returns before it is gone. */
  void kill();

  /** Takes the group away once nothing is inside. Waits for a moment; never throws. */
  void remove();
}
