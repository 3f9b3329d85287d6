package org.aionos.kernel;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.function.Consumer;

/**
 * A syscall that policy allows: what a handler is given. Authority travels in it.
 *
 * @param deadline wall-clock end of the call; the kernel interrupts the thread then
 * @param interim hears what the call says before it ends; may be told on any thread
 * @param underway hears how far it is, and knows how far it was
 */
public record Admitted(
    Asked asked,
    Decision.Allow permit,
    AgentProcess agent,
    Instant deadline,
    Consumer<Interim> interim,
    Underway underway) {

  public Admitted {
    requireNonNull(asked, "asked");
    requireNonNull(permit, "permit");
    requireNonNull(agent, "agent");
    requireNonNull(deadline, "deadline");
    requireNonNull(interim, "interim");
    requireNonNull(underway, "underway");
  }

  /** A call of which nobody wants to know how far it is. */
  public Admitted(
      Asked asked,
      Decision.Allow permit,
      AgentProcess agent,
      Instant deadline,
      Consumer<Interim> interim) {
    this(asked, permit, agent, deadline, interim, Underway.UNKNOWN);
  }

  /** A call to which nobody listens before it ends. */
  public Admitted(Asked asked, Decision.Allow permit, AgentProcess agent, Instant deadline) {
    this(asked, permit, agent, deadline, nobody -> {});
  }

  public Syscall syscall() {
    return asked.syscall();
  }
}
