package org.aionos.shell;

import java.util.List;
import org.aionos.kernel.task.Scheduler;
import org.aionos.kernel.task.TaskStore;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.CommandLine;
import org.apache.karaf.shell.api.console.Completer;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.completers.StringsCompleter;
import org.jspecify.annotations.Nullable;

/** Completes the names of tasks, of the newest ones. */
@Service
public final class TaskNames implements Completer {

  private static final int NAMES_MAX = 200;

  @Reference(optional = true)
  @Nullable Scheduler scheduler;

  @Override
  public int complete(Session session, CommandLine line, List<String> candidates) {
    StringsCompleter names = new StringsCompleter();
    Present.scheduler(scheduler)
        .list(new TaskStore.Filter(null, null, null, null), null, NAMES_MAX)
        .tasks()
        .forEach(task -> names.getStrings().add(task.key().toString()));
    return names.complete(session, line, candidates);
  }
}
