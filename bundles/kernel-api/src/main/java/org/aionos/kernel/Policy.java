package org.aionos.kernel;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.aionos.kernel.memory.Trust;
import org.osgi.annotation.versioning.ProviderType;

/** Decides who may do what. Denies whatever no rule allows. Safe for use by many threads. */
@ProviderType
public interface Policy {

  /**
   * Decides one syscall. Has no effects and does no I/O: same version, same syscall, same agent,
   * same decision.
   *
   * @param needs capabilities that carrying it out takes, besides those the caller names
   */
  Decision decide(Asked asked, AgentProcess agent, Set<String> needs);

  /**
   * Decides whether a call that may run may also use one tool.
   *
   * @param needs the tool's {@code capabilities_required}
   * @param trust the lowest of what the call's task has read
   */
  Decision decideTool(
      Decision.Allow permit, AgentProcess agent, String tool, Set<String> needs, Trust trust);

  /**
   * Hears how each call ended that this policy let run. Takes no time: it is on the way of every
   * answer.
   */
  default void observe(Syscall syscall, Decision.Allow by, Outcome outcome, Duration took) {}

  /** As above, of a task of which nothing is known. */
  default Decision decideTool(
      Decision.Allow permit, AgentProcess agent, String tool, Set<String> needs) {
    return decideTool(permit, agent, tool, needs, Trust.LOW);
  }

  /**
   * What an agent with this declaration may use under the version in force: for people to look at.
   */
  Grants grants(AgentId agent, Declared declared);

  /** The version in force, and whether a newer file was refused. */
  Version version();

  /**
   * Why the version in force may not be that of the other nodes; empty for a kernel that is alone,
   * and for a node that has theirs. What lasts no longer than a change takes is not said.
   */
  default String behind() {
    return "";
  }

  /**
   * @param withheld each capability that is not granted, and the rule that withholds it
   */
  record Grants(Set<String> capabilities, Map<String, String> withheld, Set<String> syscalls) {}

  /**
   * @param id names the version in every decision
   * @param source the file it was read from
   * @param rejected why the file that is there now is not in force; empty if it is
   */
  record Version(String id, String source, String rejected) {}
}
