package org.aionos.shell;

import java.util.List;
import java.util.Locale;
import org.aionos.kernel.ToolCanaries;
import org.aionos.kernel.ToolCanaries.Figures;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** Show new versions of tools that run beside the old ones, and how both do. */
@Service
@Command(
    scope = "aion",
    name = "canaries",
    description = "Show new versions of tools that run beside the old ones, and how both do")
public final class CanaryTable implements Action {

  @Reference ToolCanaries canaries;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() {
    ShellTable table = new ShellTable();
    for (String column : List.of("TOOL", "VERSION", "SHARE", "CALLS", "FAILED", "P95 MS")) {
      table.column(column);
    }
    for (ToolCanaries.Canary canary : canaries.canaries()) {
      row(table, canary.tool(), canary.version(), canary.percent(), canary.figures());
      row(table, "", canary.beside(), 100 - canary.percent(), canary.figuresBeside());
    }
    table.print(System.out, !plain);
    return null;
  }

  private static void row(
      ShellTable table, String tool, String version, int percent, Figures figures) {
    table
        .addRow()
        .addContent(
            tool,
            version,
            percent + " %",
            figures.calls(),
            String.format(Locale.ROOT, "%.1f %%", figures.failedPercent()),
            String.format(Locale.ROOT, "%.1f", figures.latencyMillisP95()));
  }
}
