package org.aionos.shell;

import java.util.List;
import org.aionos.kernel.policy.PolicyVersions;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** List what is taken away besides all versions of the policy. */
@Service
@Command(
    scope = "aion",
    name = "policy-revocations",
    description = "List what is taken away besides all versions of the policy")
public final class PolicyRevocations implements Action {

  @Reference PolicyVersions versions;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() {
    ShellTable table = new ShellTable();
    for (String column :
        List.of("ID", "TENANT", "AGENT", "CAPABILITY", "TOOL", "SYSCALL", "BY", "AT", "WHY")) {
      table.column(column);
    }
    for (PolicyVersions.Revocation each : versions.revocations()) {
      PolicyVersions.Revoking what = each.what();
      table
          .addRow()
          .addContent(
              each.id(),
              Words.line(what.tenant()),
              Words.line(what.agent()),
              Words.line(what.capability()),
              Words.line(what.tool()),
              Words.line(what.syscall()),
              Words.line(each.by()),
              each.at(),
              Words.line(what.reason(), 60));
    }
    table.print(System.out, !plain);
    return null;
  }
}
