package org.aionos.shell;

import java.util.Locale;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.ProcessTable;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** Stop an agent: its processes are ended and its syscalls refused until it is resumed. */
@Service
@Command(
    scope = "aion",
    name = "agent-stop",
    description =
        "Stop an agent: its processes are ended and its syscalls refused until it is resumed")
public final class AgentStop implements Action {

  @Reference ProcessTable processes;

  @Reference Session session;

  @Argument(name = "agent", description = "agent://<tenant>/<agent>", required = true)
  @Completion(AgentNames.class)
  String agent = "";

  @Override
  public @Nullable Object execute() {
    System.out.println(
        agent
            + " is "
            + processes
                .setStopped(AgentId.parse(agent), true, Operator.of(session))
                .state()
                .name()
                .toLowerCase(Locale.ROOT));
    return null;
  }
}
