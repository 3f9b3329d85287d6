package org.aionos.scheduler;

import org.aionos.kernel.AgentId;
import org.jspecify.annotations.Nullable;

/** What a task is to do. */
sealed interface Intent {

  /** One governed call. */
  record Call(String syscall) implements Intent {}

  /** An agent, launched as its manifest says. */
  record Agent(String name) implements Intent {}

  /** Calls one after the other, which may use what earlier ones returned. */
  record Workflow() implements Intent {}

  /** Reads the written form; null if it is none. */
  static @Nullable Intent read(String written) {
    if (written.equals("workflow")) {
      return new Workflow();
    }
    int colon = written.indexOf(':');
    String kind = colon < 0 ? "" : written.substring(0, colon);
    String name = written.substring(colon + 1);
    return switch (kind) {
      case "syscall" -> name.matches("[a-z][a-z0-9_.]{0,62}") ? new Call(name) : null;
      case "agent" -> AgentId.isName(name) ? new Agent(name) : null;
      default -> null;
    };
  }
}
