package org.aionos.sandbox;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A program that runs behind walls, with its three pipes. */
interface Cage {

  OutputStream in();

  InputStream out();

  InputStream err();

  /** How many processes are inside; 0 where there is no way to know. */
  int processes();

  /** The folder of its cgroup of version 2; null if there is none. */
  default @Nullable Path unified() {
    return null;
  }

  /** Whether a process inside was killed for want of memory. */
  boolean outOfMemory();

  /** Ends everything inside; returns before it is gone. */
  void kill();

  /**
   * Takes the cage down. When this returns, nothing of it is left: no process, group, file or pipe.
   * A second call gives the same answer.
   *
   * @param patience what the program gets to end by itself
   */
  Ending end(Duration patience);

  /**
   * How a program ended.
   *
   * @param exit its status; 128 and the signal's number if a signal ended it
   * @param outOfMemory whether a process was killed for want of memory
   */
  record Ending(int exit, boolean outOfMemory) {}
}
