package org.aionos.kernel;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** What watched tools ask of Linux, counted inside of it. */
@ProviderType
public interface ToolProbes {

  Status status();

  /** By tool. */
  List<Reading> readings();

  /** Whether anything is counted. */
  enum State {
    /** No tool is to be watched. */
    OFF,
    /** None of the tools to be watched runs, so nothing is loaded. */
    WAITING,
    WATCHING,
    /** This host does not admit it. */
    UNAVAILABLE
  }

  /**
   * @param reason why it is unavailable, and what to do; empty otherwise
   */
  record Status(State state, String reason) {}

  /**
   * Since the tool was first watched. Only system calls that have no reason to wait are timed.
   *
   * @param denied by the seccomp filter
   * @param slowCalls of the timed ones
   * @param latencyMicrosP99 of the timed ones, rounded up to a power of two; 0 for none
   */
  record Reading(
      String tool,
      long calls,
      long denied,
      long fileBytesRead,
      long fileBytesWritten,
      long slowCalls,
      long latencyMicrosP99) {}
}
