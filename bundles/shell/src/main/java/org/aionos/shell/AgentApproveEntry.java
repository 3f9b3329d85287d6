package org.aionos.shell;

import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.task.Scheduler;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** Let the program of an agent, as it is now, be run by the kernel. */
@Service
@Command(
    scope = "aion",
    name = "agent-approve-entry",
    description = "Let the program of an agent, as it is now, be run by the kernel")
public final class AgentApproveEntry implements Action {

  @Reference(optional = true)
  @Nullable Scheduler scheduler;

  @Reference ProcessTable processes;

  @Reference Session session;

  @Argument(name = "agent", description = "agent://<tenant>/<agent>", required = true)
  @Completion(AgentNames.class)
  String agent = "";

  @Argument(
      index = 1,
      name = "digest",
      description = "Of manifest and code, as the refusal names it after entry:",
      required = true)
  String digest = "";

  @Override
  public @Nullable Object execute() {
    AgentId id = AgentId.parse(agent);
    AgentProcess row =
        processes
            .find(id)
            .orElseThrow(() -> new IllegalArgumentException(agent + " is not registered"));
    Present.scheduler(scheduler).approveEntry(id, digest, Operator.of(session));
    Map<?, ?> spec = row.manifest().get("spec") instanceof Map<?, ?> said ? said : Map.of();
    System.out.println("Approved for " + agent + ", as it is now:");
    show("entry", spec.get("entry"));
    show("code", "config/agents/" + id.tenant() + "/" + id.name() + "/");
    show("resources", spec.get("resources"));
    show("capabilities", String.join(", ", new TreeSet<>(row.declared().capabilities())));
    show("digest", digest);
    return null;
  }

  private static void show(String name, @Nullable Object value) {
    System.out.printf(Locale.ROOT, "%-12s %s%n", name, Words.line(value));
  }
}
