package org.aionos.scheduler;

import java.util.Set;

/**
 * Which of the kernel's own calls may be made once more when nobody knows whether they were carried
 * out: those that change nothing, and those that a second time leave all as the first did.
 */
final class Repeatable {

  private static final String GENERATE = "model.generate";

  private static final Set<String> NAMES =
      Set.of(
          "tool.list",
          "fs.read",
          "fs.list",
          "fs.write",
          "agent.info",
          "agent.list",
          // A message stays until it is acknowledged.
          "agent.recv",
          "memory.get",
          "memory.query",
          "memory.list",
          "memory.rag",
          "memory.put",
          "memory.pin",
          "memory.delete",
          // They cost once more, and change nothing.
          GENERATE,
          "model.embed");

  private Repeatable() {}

  static boolean isRepeatable(String syscall) {
    return NAMES.contains(syscall);
  }

  /** Whether a call that is broken off can go on later from where it was. */
  static boolean canGoOn(String syscall) {
    return syscall.equals(GENERATE);
  }
}
