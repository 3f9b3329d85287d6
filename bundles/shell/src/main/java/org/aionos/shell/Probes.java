package org.aionos.shell;

import java.util.List;
import java.util.Locale;
import org.aionos.kernel.ToolProbes;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** Show what watched tools ask of Linux. */
@Service
@Command(scope = "aion", name = "probes", description = "Show what watched tools ask of Linux")
public final class Probes implements Action {

  @Reference ToolProbes probes;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() {
    ToolProbes.Status status = probes.status();
    System.out.println(
        "probes: "
            + status.state().name().toLowerCase(Locale.ROOT)
            + (status.reason().isEmpty() ? "" : " (" + status.reason() + ")"));
    ShellTable table = new ShellTable();
    for (String column :
        List.of("TOOL", "SYSTEM CALLS", "DENIED", "READ", "WRITTEN", "SLOW", "P99 US")) {
      table.column(column);
    }
    for (ToolProbes.Reading reading : probes.readings()) {
      table
          .addRow()
          .addContent(
              reading.tool(),
              reading.calls(),
              reading.denied(),
              reading.fileBytesRead(),
              reading.fileBytesWritten(),
              reading.slowCalls(),
              reading.latencyMicrosP99());
    }
    table.print(System.out, !plain);
    return null;
  }
}
