package org.aionos.shell;

import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Policy;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.task.Scheduler;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** Show the process table. */
@Service
@Command(scope = "aion", name = "agents", description = "Show the process table")
public final class Agents implements Action {

  @Reference ProcessTable processes;

  @Reference Policy policy;

  /** Who is there without a scheduler has no processes. */
  @Reference(optional = true)
  @Nullable Scheduler scheduler;

  @Option(name = "--tenant", description = "Only the agents of this tenant")
  @Completion(TenantNames.class)
  @Nullable String tenant;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() {
    ShellTable table = new ShellTable();
    for (String column :
        List.of(
            "AGENT",
            "STATE",
            "PROCESSES",
            "CPU",
            "MEM",
            "GPU",
            "QUEUE",
            "SEEN",
            "GRANTS",
            "WAITS FOR")) {
      table.column(column);
    }
    List<Scheduler.Process> all = scheduler == null ? List.of() : scheduler.processes(tenant);
    for (AgentProcess agent : processes.list(tenant)) {
      List<Scheduler.Process> own =
          all.stream().filter(process -> process.agent().equals(agent.id())).toList();
      AgentProcess.Vitals vitals = agent.vitals();
      AgentProcess.Pending pending = agent.pending();
      table
          .addRow()
          .addContent(
              agent.id(),
              agent.state().name().toLowerCase(Locale.ROOT),
              own.isEmpty() ? "-" : own.size(),
              own.isEmpty() ? shown(vitals.cpu()) : cores(own),
              own.isEmpty() ? shown(vitals.memBytes()) : memoryBytes(own),
              shown(vitals.gpu()),
              shown(vitals.queue()),
              agent.lastSeenAt().truncatedTo(ChronoUnit.SECONDS),
              String.join(
                  " ", new TreeSet<>(policy.grants(agent.id(), agent.declared()).capabilities())),
              pending == null ? "" : "approval of " + String.join(", ", pending.widening()));
    }
    table.print(System.out, !plain);
    return null;
  }

  /** Linux's word counts, where there are processes; an agent's own where there are none. */
  private static String cores(List<Scheduler.Process> processes) {
    return String.format(
        Locale.ROOT, "%.2f", processes.stream().mapToDouble(Scheduler.Process::cores).sum());
  }

  private static long memoryBytes(List<Scheduler.Process> processes) {
    return processes.stream().mapToLong(process -> process.usage().memoryBytes()).sum();
  }

  private static String shown(@Nullable Object value) {
    return value == null ? "-" : value.toString();
  }
}
