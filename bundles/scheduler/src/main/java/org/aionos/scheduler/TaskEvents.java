package org.aionos.scheduler;

import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts on record what becomes of tasks: {@code kernel.scheduler}. Params and results never are. */
final class TaskEvents {

  private static final Logger log = LoggerFactory.getLogger(TaskEvents.class);
  private static final String TOPIC = "kernel.scheduler";

  private final Journal journal;

  TaskEvents(Journal journal) {
    this.journal = journal;
  }

  /**
   * What somebody asked for.
   *
   * @throws Refused {@code JOURNAL_UNAVAILABLE}: then it must not be done
   */
  void asked(String kind, Work work, String by) {
    Map<String, @Nullable Object> facts = facts(work);
    facts.put("by", by);
    journal.record(new Journal.Event(TOPIC, kind, work.key().tenant(), facts));
  }

  /** An operator vouches for an agent's program. */
  void approved(AgentId agent, String digest, String by) {
    journal.record(
        new Journal.Event(
            TOPIC,
            "agent.entry_approved",
            agent.tenant(),
            Map.of("agent", agent.toString(), "digest", digest, "by", by)));
  }

  /** What came about. The task's own record has it too, so a journal that is away stops nothing. */
  void came(String kind, Work work, String why) {
    Map<String, @Nullable Object> facts = facts(work);
    facts.put("why", why);
    try {
      journal.record(new Journal.Event(TOPIC, kind, work.key().tenant(), facts));
    } catch (Refused away) {
      log.warn("not on record in the journal: kind={} task={} why={}", kind, work.key(), why);
    }
  }

  private static Map<String, @Nullable Object> facts(Work work) {
    Map<String, @Nullable Object> facts = new LinkedHashMap<>();
    facts.put("task_id", work.key().id());
    facts.put("agent", work.agent().toString());
    facts.put("intent", work.order().intent());
    facts.put("queue", work.order().tier().written());
    facts.put("state", work.state().written());
    facts.put("attempt", work.progress().attempt);
    return facts;
  }
}
