package org.aionos.sandbox;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where the processes of one worker are bounded, counted and ended together. */
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

  /** Ends everything inside; returns before it is gone. */
  void kill();

  /** Takes the group away once nothing is inside. Waits for a moment; never throws. */
  void remove();
}
