package org.aionos.shell;

import java.util.List;
import java.util.TreeSet;
import org.aionos.kernel.ToolCatalog;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** Show the tools that agents can call. */
@Service
@Command(scope = "aion", name = "tools", description = "Show the tools that agents can call")
public final class Tools implements Action {

  @Reference ToolCatalog catalog;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() {
    ShellTable table = new ShellTable();
    for (String column : List.of("TOOL", "VERSION", "TIER", "NEEDS", "TIMEOUT MS", "IN FLIGHT")) {
      table.column(column);
    }
    for (ToolCatalog.Installed tool : catalog.tools()) {
      ToolCatalog.ToolManifest manifest = tool.manifest();
      table
          .addRow()
          .addContent(
              manifest.name(),
              manifest.version(),
              manifest.tier(),
              String.join(" ", new TreeSet<>(manifest.needs())),
              manifest.timeoutMillisMax(),
              tool.callsInFlight());
    }
    table.print(System.out, !plain);
    return null;
  }
}
