package org.aionos.process;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.AgentProcess.State;
import org.aionos.kernel.AgentProcess.Vitals;
import org.jspecify.annotations.Nullable;

/**
 * An agent as it stands on disk. What its last heartbeat said is not among it: after a restart that
 * would be news of another day.
 *
 * @param place how many agents were registered before it
 * @param revision grows by one with each change of the declaration in force
 */
record Row(
    AgentId id,
    int place,
    Declaration inForce,
    State state,
    long revision,
    Instant registeredAt,
    Instant lastSeenAt,
    @Nullable Waiting waiting) {

  private static final int WIDENING_MAX = 1_000;

  /** A declaration that asks for more, and waits for an operator. */
  record Waiting(Declaration declaration, List<String> widening, String askedBy) {

    private AgentProcess.Pending shown() {
      return new AgentProcess.Pending(declaration.digest(), widening, askedBy);
    }
  }

  Row {
    requireNonNull(state, "state");
  }

  static Row registered(AgentId id, int place, Declaration declaration, Instant now) {
    return new Row(id, place, declaration, State.REGISTERED, 1, now, now, null);
  }

  Row with(Declaration declaration) {
    return new Row(id, place, declaration, state, revision + 1, registeredAt, lastSeenAt, null);
  }

  Row with(@Nullable Waiting newlyWaiting) {
    return new Row(id, place, inForce, state, revision, registeredAt, lastSeenAt, newlyWaiting);
  }

  Row with(State newState, Instant seenAt) {
    return new Row(id, place, inForce, newState, revision, registeredAt, seenAt, waiting);
  }

  AgentProcess shown(State now, Instant seenAt, Vitals vitals) {
    return new AgentProcess(
        id,
        inForce.name(),
        inForce.version(),
        now,
        revision,
        inForce.declared(),
        inForce.limits(),
        inForce.manifest(),
        vitals,
        registeredAt,
        seenAt,
        waiting == null ? null : waiting.shown());
  }

  byte[] bytes() {
    Map<String, @Nullable Object> row = new LinkedHashMap<>();
    row.put("id", id.toString());
    row.put("place", place);
    row.put("in_force", inForce.values());
    row.put("state", state.name());
    row.put("revision", revision);
    row.put("registered_at", registeredAt.toString());
    row.put("last_seen_at", lastSeenAt.toString());
    if (waiting != null) {
      row.put("waiting", waiting.declaration.values());
      row.put("widening", waiting.widening);
      row.put("asked_by", waiting.askedBy);
    }
    return Documents.write(row);
  }

  static Row read(byte[] bytes) throws InvalidDocument {
    Fields row = Documents.json(bytes);
    return new Row(
        AgentId.parse(row.text("id")),
        (int) row.wholeNumber("place", 0, 0, Integer.MAX_VALUE),
        Declaration.read(row.object("in_force")),
        State.valueOf(row.text("state")),
        row.wholeNumber("revision", 1, 1, Long.MAX_VALUE),
        Instant.parse(row.text("registered_at")),
        Instant.parse(row.text("last_seen_at")),
        waiting(row));
  }

  private static @Nullable Waiting waiting(Fields row) throws InvalidDocument {
    if (!row.has("waiting")) {
      return null;
    }
    return new Waiting(
        Declaration.read(row.object("waiting")),
        List.copyOf(row.texts("widening", WIDENING_MAX)),
        row.text("asked_by"));
  }
}
