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

/** List the versions of the policy, the newest first. */
@Service
@Command(
    scope = "aion",
    name = "policy-versions",
    description = "List the versions of the policy, the newest first")
public final class PolicyVersionTable implements Action {

  @Reference PolicyVersions versions;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Option(name = "--limit", description = "So many at most")
  int limit = 50;

  @Override
  public @Nullable Object execute() {
    ShellTable table = new ShellTable();
    for (String column : List.of("VERSION", "STATE", "ORIGIN", "CREATED", "BY", "SHA-256", "WHY")) {
      table.column(column);
    }
    for (PolicyVersions.Version version : versions.list(null, limit)) {
      table
          .addRow()
          .addContent(
              version.name(),
              version.state().written(),
              version.origin().written(),
              version.created(),
              Words.line(version.by()),
              version.sha256().isEmpty() ? "-" : version.sha256().substring(0, 12),
              Words.line(version.rationale(), 60));
    }
    table.print(System.out, !plain);
    return null;
  }
}
