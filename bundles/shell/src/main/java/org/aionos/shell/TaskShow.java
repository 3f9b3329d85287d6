package org.aionos.shell;

import org.aionos.kernel.task.Scheduler;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.jspecify.annotations.Nullable;

/** Show all that is known of a task, as JSON. */
@Service
@Command(
    scope = "aion",
    name = "task-show",
    description = "Show all that is known of a task, as JSON: its params, result and output too")
public final class TaskShow implements Action {

  @Reference(optional = true)
  @Nullable Scheduler scheduler;

  @Argument(name = "task", description = TaskName.FORM, required = true)
  @Completion(TaskNames.class)
  String task = "";

  @Override
  public @Nullable Object execute() {
    Scheduler.Task found =
        Present.scheduler(scheduler)
            .find(TaskName.parse(task))
            .orElseThrow(() -> new IllegalArgumentException("there is no task " + task));
    System.out.println(Words.json(found.values()));
    return null;
  }
}
