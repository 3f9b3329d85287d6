package org.aionos.shell;

import java.time.temporal.ChronoUnit;
import java.util.List;
import org.aionos.kernel.SyscallRouter;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** Show the calls in flight, the oldest first. */
@Service
@Command(scope = "aion", name = "calls", description = "Show the calls in flight, the oldest first")
public final class Calls implements Action {

  @Reference(optional = true)
  @Nullable SyscallRouter router;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() {
    ShellTable table = new ShellTable();
    for (String column : List.of("AUDIT ID", "AGENT", "SYSCALL", "TOOL", "BEGUN")) {
      table.column(column);
    }
    for (SyscallRouter.Running call : Present.router(router).running()) {
      table
          .addRow()
          .addContent(
              call.auditId(),
              call.agent(),
              call.syscall(),
              call.tool() == null ? "-" : call.tool(),
              call.begun().truncatedTo(ChronoUnit.MILLIS));
    }
    table.print(System.out, !plain);
    return null;
  }
}
