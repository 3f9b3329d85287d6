package org.aionos.shell;

import java.util.UUID;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.Scheduler;
import org.aionos.kernel.task.Tier;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** Hands a task over, as whoever sits at the shell. */
final class Submitted {

  private static final String AGENT_INTENT = "agent:";
  private static final int CHANCE_LENGTH = 8;

  private Submitted() {}

  static String intentOf(AgentId launched) {
    return AGENT_INTENT + launched.name();
  }

  /** A name that no other task has, by all chance. */
  static String newId(AgentId agent) {
    String chance = UUID.randomUUID().toString().substring(0, CHANCE_LENGTH);
    return agent.name() + "-" + chance;
  }

  /** 0 to 9, or the name of a queue; null where none is written. */
  static @Nullable Integer priority(@Nullable String written) {
    if (written == null) {
      return null;
    }
    for (Tier tier : Tier.values()) {
      if (tier.written().equals(written)) {
        return tier.priority();
      }
    }
    if (!written.matches("[0-9]")) {
      throw new IllegalArgumentException("--priority is high, normal, low, or 0 to 9");
    }
    return Integer.valueOf(written);
  }

  /**
   * Submits it and says its name and state.
   *
   * @throws IllegalArgumentException with the field that is wrong
   */
  static void to(Scheduler scheduler, Scheduler.Submission submission, Session session) {
    Scheduler.Accepted accepted;
    try {
      accepted = scheduler.submit(submission, Operator.of(session));
    } catch (Refused refused) {
      String pointer = refused.problem().pointer();
      throw pointer == null
          ? refused
          : new IllegalArgumentException(pointer + ": " + refused.getMessage(), refused);
    }
    System.out.println(
        accepted.task().key()
            + (accepted.created() ? " is " : " was there before and is ")
            + accepted.task().state().written());
  }
}
