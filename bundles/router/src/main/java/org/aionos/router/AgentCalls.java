package org.aionos.router;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.aionos.kernel.Admitted;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.SyscallHandler;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Serves {@code agent.info} (the caller itself) and {@code agent.list} (the agents of its tenant).
 */
@Component(
    service = SyscallHandler.class,
    property = {
      SyscallHandler.NAMES + "=" + AgentCalls.INFO,
      SyscallHandler.NAMES + "=" + AgentCalls.LIST
    })
public final class AgentCalls implements SyscallHandler {

  static final String INFO = "agent.info";
  static final String LIST = "agent.list";

  private final ProcessTable processes;

  @Activate
  public AgentCalls(@Reference(name = "processes") ProcessTable processes) {
    this.processes = processes;
  }

  @Override
  public Outcome.Ok run(Admitted call) {
    if (call.syscall().name().equals(INFO)) {
      Map<String, @Nullable Object> info = row(call.agent());
      info.put("grants", List.copyOf(new TreeSet<>(call.permit().grants())));
      info.put("withheld", call.permit().withheld());
      return Outcome.Ok.ofKernel(INFO, info);
    }
    List<Map<String, @Nullable Object>> rows =
        processes.list(call.syscall().agent().tenant()).stream().map(AgentCalls::row).toList();
    return Outcome.Ok.ofKernel(LIST, Map.of("items", rows));
  }

  private static Map<String, @Nullable Object> row(AgentProcess agent) {
    Map<String, @Nullable Object> row = new LinkedHashMap<>();
    row.put("agent_id", agent.id().toString());
    row.put("name", agent.name());
    row.put("version", agent.version());
    row.put("state", agent.state().name().toLowerCase(java.util.Locale.ROOT));
    return row;
  }
}
