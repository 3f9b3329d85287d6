package org.aionos.kernel.policy;

import java.time.Instant;
import java.util.List;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Calls that wait for a person. An approval is of one call alone: this agent, this tool as it is
 * installed, these arguments, this version of the policy; it is used once, and ends by itself. What
 * a method returned survives a crash. Safe for use by many threads.
 */
@ProviderType
public interface Approvals {

  /**
   * Uses up the approval of a call. Without one, a person is asked, and the caller told so.
   *
   * @param subject what is used and as what: the syscall, or a tool with its version and digest
   * @throws Refused {@code APPROVAL_REQUIRED} with the id of what waits; {@code QUEUE_FULL} if too
   *     much waits
   */
  void use(Decision.AfterApproval decision, Asked asked, String subject);

  /** What waits or was decided, and has not ended, the newest first. */
  List<Approval> list(@Nullable String tenant);

  /**
   * @throws Refused {@code NOT_FOUND}; {@code CONFLICT} if it was decided otherwise, or is used
   */
  Approval decide(String id, boolean approved, Caller by);

  /** Where a request stands. */
  enum State {
    WAITING,
    APPROVED,
    REFUSED
  }

  /**
   * @param subject as it was given to {@link #use}
   * @param arguments SHA-256 of the params, in hex
   * @param shown the params in words, cut, for the person who decides
   * @param by who decided; null while it waits
   * @param expires when it ends by itself, decided or not
   */
  record Approval(
      String id,
      State state,
      AgentId agent,
      String syscall,
      String subject,
      String arguments,
      String shown,
      String policyVersion,
      String rule,
      Instant asked,
      Instant expires,
      @Nullable String by) {}
}
