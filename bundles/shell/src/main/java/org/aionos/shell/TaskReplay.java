package org.aionos.shell;

import org.aionos.kernel.task.Scheduler;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/**
 * Queue a task anew that has failed or was cancelled; its calls that ended well are not made again.
 */
@Service
@Command(
    scope = "aion",
    name = "task-replay",
    description =
        "Queue a task anew that has failed or was cancelled; its calls that ended well are not made"
            + " again")
public final class TaskReplay implements Action {

  @Reference(optional = true)
  @Nullable Scheduler scheduler;

  @Reference Session session;

  @Argument(name = "task", description = TaskName.FORM, required = true)
  @Completion(TaskNames.class)
  String task = "";

  @Override
  public @Nullable Object execute() {
    Scheduler.Task queued =
        Present.scheduler(scheduler).replay(TaskName.parse(task), Operator.name(session));
    System.out.println(queued.key() + " is " + queued.state().written());
    return null;
  }
}
