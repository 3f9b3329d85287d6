package org.aionos.kernel;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One row of the process table.
 *
 * @param revision grows by one with each change of the declaration
 * @param limits what the registration asked for, as sent
 * @param manifest the agent.yml, as read
 * @param vitals what the last heartbeat said of cpu, mem, gpu, queue
 * @param pending a widening that waits for an operator; null if none does
 */
public record AgentProcess(
    AgentId id,
    String name,
    String version,
    State state,
    long revision,
    Declared declared,
    Map<String, @Nullable Object> limits,
    Map<String, @Nullable Object> manifest,
    Vitals vitals,
    Instant registeredAt,
    Instant lastSeenAt,
    @Nullable Pending pending) {

  public AgentProcess {
    requireNonNull(id, "id");
    requireNonNull(state, "state");
    requireNonNull(declared, "declared");
  }

  /**
   * Where an agent stands; each sign of life leads back to {@code ALIVE}, except from {@code
   * STOPPED}.
   */
  public enum State {
    REGISTERED,
    ALIVE,
    SUSPECT,
    LOST,
    STOPPED
  }

  /**
   * @param cpu cores in use; null where the agent did not say, as for the others
   */
  public record Vitals(
      @Nullable Double cpu,
      @Nullable Long memBytes,
      @Nullable Double gpu,
      @Nullable Integer queue) {

    public static final Vitals UNKNOWN = new Vitals(null, null, null, null);
  }

  /**
   * A registration that asks for more than the one in force.
   *
   * @param digest SHA-256 of the registration; an approval names it, so that nothing else is
   *     approved
   * @param widening what would be added, in words
   */
  public record Pending(String digest, List<String> widening, String askedBy) {}
}
