package org.aionos.scheduler;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.aionos.kernel.task.Scheduler.Submission;
import org.aionos.kernel.task.Tier;
import org.aionos.scheduler.Order.TaskQuota;
import org.jspecify.annotations.Nullable;

/** Reads what is asked for, and says what is wrong with it. Has no effects. */
final class Submissions {

  private static final String ID = "[A-Za-z0-9][A-Za-z0-9._:-]{0,127}";
  private static final int PRIORITY = 5;

  /** An agent finds its params in its environment, and Linux takes 131,072 bytes for one. */
  private static final int ENVIRONMENT_BYTES_MAX = 130_000;

  private Submissions() {}

  /**
   * Whether a caller may have a task done on behalf of an agent.
   *
   * @throws Refused {@code NOT_YOUR_AGENT}, {@code ROLE_REQUIRED}
   */
  static void requireRight(Caller by, AgentId agent) {
    boolean own = agent.equals(by.agent());
    boolean administers =
        by.kind() == Caller.Kind.PERSON
            ? by.has(Role.OPERATOR) && by.maySee(agent.tenant())
            : by.administers(agent.tenant());
    if (!own && !administers) {
      throw new Refused(
          Problem.at(
                  "/agent_id",
                  Code.NOT_YOUR_AGENT,
                  "this credential may not have work done on behalf of " + agent)
              .admittedBy("the agent's own key, its tenant's secret, or an operator's token"));
    }
  }

  static void requireId(Submission asked) {
    if (!asked.id().matches(ID)) {
      throw invalid("/task_id", "must match " + ID);
    }
  }

  /**
   * The order of a submission.
   *
   * @param row of the agent
   * @throws Refused {@code INVALID_FIELD} or {@code MISSING_FIELD} with the pointer
   */
  static Order order(
      Submission asked, AgentProcess row, SchedulerSettings settings, String by, long nowMillis) {
    try {
      Intent intent = Intent.read(asked.intent());
      if (intent == null) {
        throw invalid("/intent", "must be syscall:<name>, agent:<name> or workflow");
      }
      Fields params = Fields.of(asked.params(), "/params");
      if (Documents.write(asked.params()).length > settings.limits().paramsBytesMax()) {
        throw invalid(
            "/params", "are more than " + settings.limits().paramsBytesMax() + " bytes as JSON");
      }
      check(intent, asked, params, row);
      Long deadline = asked.deadlineMillis();
      if (deadline != null && deadline <= nowMillis) {
        throw invalid("/deadline", "has passed");
      }
      int priority = priority(asked.priority(), row);
      TaskQuota quota = TaskQuota.read(Fields.of(asked.quota(), "/quota"));
      return new Order(
          asked.intent(),
          priority,
          asked.params(),
          quota,
          SchedulerSettings.retries(Fields.of(asked.retry(), "/retry"), settings.retry()),
          deadline,
          nowMillis,
          by,
          digest(asked));
    } catch (InvalidDocument invalid) {
      throw new Refused(Problem.at(invalid.pointer(), code(invalid), invalid.why()));
    }
  }

  private static Code code(InvalidDocument invalid) {
    return invalid.fault() == InvalidDocument.Fault.MISSING
        ? Code.MISSING_FIELD
        : Code.INVALID_FIELD;
  }

  private static Refused invalid(String pointer, String why) {
    return new Refused(Problem.at(pointer, Code.INVALID_FIELD, why));
  }

  private static void check(Intent intent, Submission asked, Fields params, AgentProcess row)
      throws InvalidDocument {
    AgentId agent = asked.agent();
    if (intent instanceof Intent.Agent launched) {
      if (Documents.write(asked.params()).length > ENVIRONMENT_BYTES_MAX) {
        throw invalid("/params", "are more than " + ENVIRONMENT_BYTES_MAX + " bytes as JSON");
      }
      if (!launched.name().equals(agent.name())) {
        throw invalid("/intent", "launches another agent than agent_id names");
      }
      if (Manifest.of(row).entry() == null) {
        throw invalid(
            "/intent", "the manifest of " + agent + " names no entry that could be launched");
      }
    } else {
      Steps.of(intent, params);
    }
  }

  private static int priority(@Nullable Integer asked, AgentProcess row) {
    if (asked != null) {
      return asked;
    }
    Integer ofAgent = Manifest.of(row).priority();
    return ofAgent == null ? PRIORITY : ofAgent;
  }

  /**
   * Reads a priority: 0 to 9, or the name of a queue.
   *
   * @return null where none is written
   */
  static @Nullable Integer priority(Fields fields, String name) throws InvalidDocument {
    if (fields.value(name) instanceof String named) {
      for (Tier tier : Tier.values()) {
        if (tier.written().equals(named)) {
          return tier.priority();
        }
      }
      throw fields.invalid(name, "must be high, normal, low, or a number from 0 to 9");
    }
    Long number = fields.wholeNumberOrNull(name, 0, 9);
    return number == null ? null : number.intValue();
  }

  /** Names what is asked for. */
  static String digest(Submission asked) {
    Map<String, @Nullable Object> all = new LinkedHashMap<>();
    all.put("agent", asked.agent().toString());
    all.put("priority", Objects.requireNonNullElse(asked.priority(), -1));
    all.put("quota", asked.quota());
    all.put("retry", asked.retry());
    all.put("params", asked.params());
    all.put("deadline", asked.deadlineMillis());
    return CallLog.digest(asked.intent(), all);
  }
}
