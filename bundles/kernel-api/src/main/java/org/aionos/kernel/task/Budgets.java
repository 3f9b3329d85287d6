package org.aionos.kernel.task;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.jspecify.annotations.Nullable;
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

  /**
   * As above, of a call of which is known what it may use at most.
   *
   * @param atMost as {@link org.aionos.kernel.SyscallHandler#atMost} says
   */
  default Reservation reserve(Syscall syscall, AgentProcess agent, Outcome.Spent atMost) {
    return reserve(syscall, agent);
  }

  /**
   * The limits that hold, and what of them is used, by tenant and agent.
   *
   * @param tenant null for all
   */
  default List<Standing> standings(@Nullable String tenant) {
    return List.of();
  }

  /**
   * What was used of each engine (a model, a tool, a part of the kernel) in the present hour of the
   * clock, the dearest first, since this node began.
   *
   * @param tenant null for all
   */
  default List<Spending> spendings(@Nullable String tenant) {
    return List.of();
  }

  /**
   * @param engine as in {@link Outcome.Engine}
   */
  record Spending(String tenant, String engine, long calls, Outcome.Spent spent) {}

  /**
   * One limit and how it stands.
   *
   * @param level {@code tenant}, {@code agent} or {@code task}
   * @param holder the tenant, the agent's address, or tenant and task
   * @param kind {@code calls}, {@code tokens} or {@code usd}
   * @param window {@code hour}, {@code 10 seconds} or {@code task}
   * @param max in units of the kind
   * @param used in the present window
   * @param reserved set aside for calls that run
   */
  record Standing(
      String level,
      String holder,
      String tenant,
      String kind,
      String window,
      BigDecimal max,
      BigDecimal used,
      BigDecimal reserved) {}

  /** What is set aside for one call. */
  interface Reservation {

    /** Where no limit applies. */
    Reservation NONE = (outcome, took) -> {};

    /** Charges what the call has used. Called once. */
    void settle(Outcome outcome, Duration took);
  }
}
