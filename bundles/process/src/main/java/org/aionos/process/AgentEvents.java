package org.aionos.process;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.aionos.kernel.AgentProcess.State;
import org.aionos.kernel.Journal;
import org.jspecify.annotations.Nullable;

/**
 * Puts on record what becomes of agents, before it comes into force: what nobody could prove later
 * must not be.
 */
final class AgentEvents {

  private static final String TOPIC = "kernel.agents";

  private final Journal journal;

  AgentEvents(Journal journal) {
    this.journal = journal;
  }

  /** A change that time or the agent itself brought about. */
  void moved(Row before, State to) {
    String kind =
        switch (to) {
          case REGISTERED -> "agent.resumed";
          case ALIVE -> "agent.alive";
          case SUSPECT -> "agent.suspect";
          case LOST -> "agent.lost";
          case STOPPED -> "agent.stopped";
        };
    record(kind, before, to, Map.of("before", lower(before.state())));
  }

  /** A change that somebody asked for. */
  void asked(String kind, Row after, String by, Map<String, @Nullable Object> more) {
    Map<String, @Nullable Object> facts = new LinkedHashMap<>(more);
    facts.put("by", by);
    record(kind, after, after.state(), facts);
  }

  /** An agent's file that could not be registered. */
  void fileRefused(@Nullable String tenant, String file, String why) {
    journal.record(
        new Journal.Event(TOPIC, "agent.refused", tenant, Map.of("file", file, "why", why)));
  }

  private void record(String kind, Row row, State state, Map<String, @Nullable Object> more) {
    Map<String, @Nullable Object> facts = new LinkedHashMap<>();
    facts.put("agent", row.id().toString());
    facts.put("revision", row.revision());
    facts.put("state", lower(state));
    facts.putAll(more);
    journal.record(new Journal.Event(TOPIC, kind, row.id().tenant(), facts));
  }

  private static String lower(State state) {
    return state.name().toLowerCase(Locale.ROOT);
  }
}
