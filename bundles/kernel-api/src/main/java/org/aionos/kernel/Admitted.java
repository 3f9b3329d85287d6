package org.aionos.kernel;

import static java.util.Objects.requireNonNull;

import java.time.Instant;

/**
 * A syscall that policy allows: what a handler is given. Authority travels in it.
 *
 * @param deadline wall-clock end of the call; the kernel interrupts the thread then
 */
public record Admitted(Asked asked, Decision.Allow permit, AgentProcess agent, Instant deadline) {

  public Admitted {
    requireNonNull(asked, "asked");
    requireNonNull(permit, "permit");
    requireNonNull(agent, "agent");
    requireNonNull(deadline, "deadline");
  }

  public Syscall syscall() {
    return asked.syscall();
  }
}
