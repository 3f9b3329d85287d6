package org.aionos.policy;

import java.time.Instant;
import java.util.Map;
import java.util.Set;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Declared;
import org.aionos.kernel.Syscall;

/** Agents and what they ask for. */
final class Calls {

  private Calls() {}

  static AgentProcess agent(AgentId id, Set<String> capabilities, Set<String> syscalls) {
    return new AgentProcess(
        id,
        "worker",
        "1",
        AgentProcess.State.ALIVE,
        1,
        new Declared(capabilities, syscalls),
        Map.of(),
        Map.of(),
        AgentProcess.Vitals.UNKNOWN,
        Instant.EPOCH,
        Instant.EPOCH,
        null);
  }

  static Syscall syscall(AgentId agent, String name, Set<String> capsRequired) {
    return syscall(agent, name, capsRequired, Map.of());
  }

  static Syscall syscall(
      AgentId agent, String name, Set<String> capsRequired, Map<String, Object> params) {
    return new Syscall(
        name,
        agent,
        Caller.agentKey("ak_1", agent),
        Syscall.Context.NONE,
        capsRequired,
        params,
        Syscall.Budget.NONE,
        "0");
  }

  static Asked asked(Syscall syscall) {
    return new Asked("sc-1", 1, syscall);
  }
}
