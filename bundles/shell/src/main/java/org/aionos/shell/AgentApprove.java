package org.aionos.shell;

import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.ProcessTable;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** Approve a registration that asks for more than the one in force. */
@Service
@Command(
    scope = "aion",
    name = "agent-approve",
    description = "Approve a registration that asks for more than the one in force")
public final class AgentApprove implements Action {

  @Reference ProcessTable processes;

  @Reference Session session;

  @Argument(name = "agent", description = "agent://<tenant>/<agent>", required = true)
  @Completion(AgentNames.class)
  String agent = "";

  @Override
  public @Nullable Object execute() {
    AgentProcess row =
        processes
            .find(AgentId.parse(agent))
            .orElseThrow(() -> new IllegalArgumentException(agent + " is not registered"));
    AgentProcess.Pending pending = row.pending();
    if (pending == null) {
      System.out.println("Nothing waits for approval of " + agent + ".");
      return null;
    }
    processes.approve(row.id(), pending.digest(), Operator.of(session));
    System.out.println("Approved for " + agent + ": " + String.join(", ", pending.widening()));
    return null;
  }
}
