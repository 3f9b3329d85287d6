package org.aionos.kernel.task;

import java.time.Duration;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What tenants, agents and tasks may use up: calls, tokens, money, time. First what a call may use
 * at most is set aside, at every level at once or at none; when it has ended, what it used is
 * charged and the rest given back. However many calls run at once, no limit is exceeded.
 */
@ProviderType
public interface Budgets {

  /**
   * Sets aside what a call may use.
   *
   * @throws Refused {@code BUDGET_EXHAUSTED} or {@code RATE_LIMITED}, with the level and the limit:
   *     nothing is set aside then
   */
  Reservation reserve(Syscall syscall, AgentProcess agent);

  /** What is set aside for one call. */
  interface Reservation {

    /** Where no limit applies. */
    Reservation NONE = (outcome, took) -> {};

    /** Charges what the call has used. Called once. */
    void settle(Outcome outcome, Duration took);
  }
}
