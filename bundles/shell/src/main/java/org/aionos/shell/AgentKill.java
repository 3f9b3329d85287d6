package org.aionos.shell;

import java.util.ArrayList;
import java.util.List;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.Scheduler;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.TaskStore.Key;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** End at once what runs of an agent. */
@Service
@Command(
    scope = "aion",
    name = "agent-kill",
    description = "End at once what runs of an agent; it may be started again")
public final class AgentKill implements Action {

  private static final int PAGE = 1_000;

  @Reference(optional = true)
  @Nullable Scheduler scheduler;

  @Reference Session session;

  @Argument(name = "agent", description = "agent://<tenant>/<agent>", required = true)
  @Completion(AgentNames.class)
  String agent = "";

  @Override
  public @Nullable Object execute() {
    List<Key> tasks = new ArrayList<>();
    for (TaskState state : List.of(TaskState.RUNNING, TaskState.PREEMPTED)) {
      tasks.addAll(tasks(AgentId.parse(agent), state));
    }
    if (tasks.isEmpty()) {
      System.out.println("Nothing of " + agent + " runs.");
    }
    tasks.forEach(this::kill);
    return null;
  }

  private List<Key> tasks(AgentId id, TaskState state) {
    TaskStore.Filter filter = new TaskStore.Filter(id.tenant(), id.name(), state, null);
    List<Key> tasks = new ArrayList<>();
    String after = null;
    do {
      Scheduler.Page page = Present.scheduler(scheduler).list(filter, after, PAGE);
      page.tasks().forEach(task -> tasks.add(task.key()));
      after = page.next();
    } while (after != null);
    return tasks;
  }

  /** One that cannot be ended from here must not save the others. */
  private void kill(Key task) {
    try {
      Present.scheduler(scheduler).cancel(task, true, Operator.name(session));
      System.out.println(task + " is killed");
    } catch (Refused refused) {
      System.out.println(task + " goes on: " + refused.getMessage());
    }
  }
}
