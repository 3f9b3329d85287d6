package org.aionos.shell;

import java.util.List;
import java.util.Locale;
import org.aionos.kernel.policy.Approvals;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** List calls that wait for a person, the newest first. */
@Service
@Command(
    scope = "aion",
    name = "approvals",
    description = "List calls that wait for a person, the newest first")
public final class ApprovalTable implements Action {

  @Reference Approvals approvals;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Option(name = "--tenant", description = "Of this tenant alone", valueToShowInHelp = "all")
  @Nullable String tenant;

  @Override
  public @Nullable Object execute() {
    ShellTable table = new ShellTable();
    for (String column :
        List.of("ID", "STATE", "AGENT", "SYSCALL", "SUBJECT", "EXPIRES", "BY", "PARAMS")) {
      table.column(column);
    }
    for (Approvals.Approval each : approvals.list(tenant)) {
      table
          .addRow()
          .addContent(
              each.id(),
              each.state().name().toLowerCase(Locale.ROOT),
              each.agent(),
              Words.line(each.syscall()),
              Words.line(each.subject()),
              each.expires(),
              Words.line(each.by()),
              Words.line(each.shown(), 120));
    }
    table.print(System.out, !plain);
    return null;
  }
}
