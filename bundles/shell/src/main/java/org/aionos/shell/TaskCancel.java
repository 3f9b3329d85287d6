package org.aionos.shell;

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

/** End a task that waits or runs. */
@Service
@Command(
    scope = "aion",
    name = "task-cancel",
    description = "End a task that waits or runs; an agent gets a moment to end by itself")
public final class TaskCancel implements Action {

  @Reference(optional = true)
  @Nullable Scheduler scheduler;

  @Reference Session session;

  @Option(name = "--now", description = "At once: an agent gets no moment")
  boolean now;

  @Argument(name = "task", description = TaskName.FORM, required = true)
  @Completion(TaskNames.class)
  String task = "";

  @Override
  public @Nullable Object execute() {
    Scheduler.Task ended =
        Present.scheduler(scheduler).cancel(TaskName.parse(task), now, Operator.name(session));
    System.out.println(
        ended.key()
            + (ended.state().isEnded() ? " is " + ended.state().written() : " is being cancelled"));
    return null;
  }
}
