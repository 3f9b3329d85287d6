package org.aionos.shell;

import java.util.Map;
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

/** Have the kernel run an agent as a process; prints the name of its task. */
@Service
@Command(
    scope = "aion",
    name = "agent-start",
    description = "Have the kernel run an agent as a process; prints the name of its task")
public final class AgentStart implements Action {

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
      description = "JSON, in single quotes: what the agent is given",
      valueToShowInHelp = "none")
  @Nullable String params;

  @Argument(name = "agent", description = "agent://<tenant>/<agent>", required = true)
  @Completion(AgentNames.class)
  String agent = "";

  @Override
  public @Nullable Object execute() {
    AgentId named = AgentId.parse(agent);
    Submitted.to(
        Present.scheduler(scheduler),
        new Scheduler.Submission(
            id == null ? Submitted.newId(named) : id,
            named,
            Submitted.intentOf(named),
            Submitted.priority(priority),
            Map.of(),
            Map.of(),
            Words.object("--params", params),
            null),
        session);
    return null;
  }
}
