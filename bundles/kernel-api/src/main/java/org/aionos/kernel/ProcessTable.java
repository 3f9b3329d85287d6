package org.aionos.kernel;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The agents of this kernel. What a method returned survives a crash. Safe for use by many threads.
 */
@ProviderType
public interface ProcessTable {

  /**
   * Registers an agent, or changes its registration. One that asks for more than the registration
   * in force waits for an operator, unless an operator makes it; until then the old one stays in
   * force.
   *
   * @throws Refused {@code NOT_YOUR_AGENT}, {@code INVALID_FIELD}, {@code MISSING_FIELD} with the
   *     pointer of the field
   */
  AgentProcess register(Registration registration, Caller by);

  /**
   * Puts a waiting registration in force.
   *
   * @param digest of the registration that the operator looked at
   * @throws Refused {@code ROLE_REQUIRED}, {@code NOT_FOUND}, {@code CONFLICT} if another one waits
   *     by now
   */
  AgentProcess approve(AgentId agent, String digest, Caller by);

  /**
   * Notes a sign of life.
   *
   * @throws Refused {@code UNKNOWN_AGENT}, {@code AGENT_STOPPED}
   */
  AgentProcess heartbeat(AgentId agent, AgentProcess.Vitals vitals);

  /**
   * Stops or resumes an agent: while stopped, its syscalls are refused.
   *
   * @throws Refused {@code ROLE_REQUIRED}, {@code NOT_YOUR_AGENT}, {@code NOT_FOUND}
   */
  AgentProcess setStopped(AgentId agent, boolean stopped, Caller by);

  /** Returns the row of an agent and notes a sign of life. In memory: takes about a microsecond. */
  Optional<AgentProcess> seen(AgentId agent);

  Optional<AgentProcess> find(AgentId agent);

  /** All agents, or those of one tenant, by id. */
  List<AgentProcess> list(@Nullable String tenant);

  /**
   * The body of {@code /v1/agent/register}.
   *
   * @param capabilities null where the request has none: then those of the manifest hold
   * @param manifest agent.yml as YAML or JSON text, or as JSON object; null for none
   */
  record Registration(
      AgentId agent,
      String name,
      String version,
      @Nullable Set<String> capabilities,
      Map<String, @Nullable Object> limits,
      @Nullable Object manifest) {}
}
