package org.aionos.shell;

import java.util.List;
import org.aionos.kernel.Identity;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** Show the agent keys of a tenant. */
@Service
@Command(scope = "aion", name = "keys", description = "Show the agent keys of a tenant")
public final class Keys implements Action {

  @Reference Identity identity;

  @Argument(name = "tenant", description = "Whose keys", required = true)
  @Completion(TenantNames.class)
  String tenant = "";

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() {
    ShellTable table = new ShellTable();
    for (String column : List.of("KEY", "AGENT", "SINCE", "EXPIRES", "REVOKED")) {
      table.column(column);
    }
    for (Identity.AgentKey key : identity.keys(tenant)) {
      table
          .addRow()
          .addContent(
              key.id(),
              key.agent(),
              key.createdAt(),
              key.expiresAt() == null ? "never" : key.expiresAt(),
              key.revokedAt() == null ? "no" : key.revokedAt());
    }
    table.print(System.out, !plain);
    return null;
  }
}
