package org.aionos.shell;

import java.time.DateTimeException;
import java.time.Instant;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.task.Scheduler;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** Have the kernel carry out a task on behalf of an agent. */
@Service
@Command(
    scope = "aion",
    name = "task-submit",
    description = "Have the kernel carry out a task on behalf of an agent; prints its name")
public final class TaskSubmit implements Action {

  @Reference(optional = true)
  @Nullable Scheduler scheduler;

  @Reference Session session;

  @Option(
      name = "--task",
      description = "Its id: the same submission twice is one task",
      valueToShowInHelp = "a new one")
  @Nullable String id;

  @Option(
      name = "--priority",
      description = "high, normal, low, or 0 to 9",
      valueToShowInHelp = "of the agent's manifest, or 5")
  @Nullable String priority;

  @Option(
      name = "--params",
      description = "JSON, in single quotes: of the call, of the agent, or {\"steps\": [...]}",
      valueToShowInHelp = "none")
  @Nullable String params;

  @Option(
      name = "--quota",
      description = "JSON: usd_max, tokens_max, calls_max, time_ms_max",
      valueToShowInHelp = "none")
  @Nullable String quota;

  @Option(
      name = "--retry",
      description = "JSON: attempts_max, backoff_ms, backoff_max_ms",
      valueToShowInHelp = "of scheduler.yaml")
  @Nullable String retry;

  @Option(
      name = "--deadline",
      description = "When it must have ended, as 2026-12-31T23:59:59Z",
      valueToShowInHelp = "none")
  @Nullable String deadline;

  @Argument(name = "agent", description = "agent://<tenant>/<agent>", required = true)
  @Completion(AgentNames.class)
  String agent = "";

  @Argument(
      index = 1,
      name = "intent",
      description = "syscall:<name>, agent:<name> or workflow",
      required = true)
  String intent = "";

  @Override
  public @Nullable Object execute() {
    AgentId named = AgentId.parse(agent);
    Submitted.to(
        Present.scheduler(scheduler),
        new Scheduler.Submission(
            id == null ? Submitted.newId(named) : id,
            named,
            intent,
            Submitted.priority(priority),
            Words.object("--quota", quota),
            Words.object("--retry", retry),
            Words.object("--params", params),
            deadlineMillis()),
        session);
    return null;
  }

  private @Nullable Long deadlineMillis() {
    if (deadline == null) {
      return null;
    }
    try {
      return Instant.parse(deadline).toEpochMilli();
    } catch (DateTimeException | ArithmeticException notATime) {
      throw new IllegalArgumentException(
          "--deadline is a time in UTC, as 2026-12-31T23:59:59Z", notATime);
    }
  }
}
