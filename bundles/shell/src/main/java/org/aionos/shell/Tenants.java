package org.aionos.shell;

import java.time.temporal.ChronoUnit;
import java.util.List;
import org.aionos.kernel.Identity;
import org.aionos.kernel.ProcessTable;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** Show the tenants. */
@Service
@Command(scope = "aion", name = "tenants", description = "Show the tenants")
public final class Tenants implements Action {

  @Reference Identity identity;

  @Reference ProcessTable processes;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() {
    ShellTable table = new ShellTable();
    for (String column : List.of("TENANT", "COMPATIBILITY", "SINCE", "AGENTS", "KEYS")) {
      table.column(column);
    }
    for (Identity.Tenant tenant : identity.tenants()) {
      table
          .addRow()
          .addContent(
              tenant.name(),
              tenant.compatibility() ? "yes: v1 signatures" : "no",
              tenant.createdAt().truncatedTo(ChronoUnit.SECONDS),
              processes.list(tenant.name()).size(),
              identity.keys(tenant.name()).size());
    }
    table.print(System.out, !plain);
    return null;
  }
}
