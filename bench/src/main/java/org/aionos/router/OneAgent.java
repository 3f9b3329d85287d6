package org.aionos.router;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Declared;
import org.aionos.kernel.ProcessTable;
import org.jspecify.annotations.Nullable;

/** A process table with one row that never changes. */
final class OneAgent implements ProcessTable {

  static final AgentId ID = new AgentId("tenantA", "researcher-1");

  private static final Declared DECLARED =
      new Declared(Set.of("network", "gpu"), Set.of("tool.invoke", "model.generate", "memory.*"));

  @Override
  public Optional<AgentProcess> seen(AgentId agent) {
    // A new one each time, as the real table makes.
    return Optional.of(
        new AgentProcess(
            agent,
            "researcher",
            "1.0.0",
            AgentProcess.State.ALIVE,
            1,
            DECLARED,
            Map.of(),
            Map.of(),
            AgentProcess.Vitals.UNKNOWN,
            Instant.EPOCH,
            Instant.EPOCH,
            null));
  }

  @Override
  public Optional<AgentProcess> find(AgentId agent) {
    return seen(agent);
  }

  @Override
  public List<AgentProcess> list(@Nullable String tenant) {
    throw new UnsupportedOperationException();
  }

  @Override
  public AgentProcess register(Registration registration, Caller by) {
    throw new UnsupportedOperationException();
  }

  @Override
  public AgentProcess approve(AgentId agent, String digest, Caller by) {
    throw new UnsupportedOperationException();
  }

  @Override
  public AgentProcess heartbeat(AgentId agent, AgentProcess.Vitals vitals) {
    throw new UnsupportedOperationException();
  }

  @Override
  public AgentProcess setStopped(AgentId agent, boolean stopped, Caller by) {
    throw new UnsupportedOperationException();
  }
}
