package org.aionos.shell;

import java.util.List;
import org.aionos.kernel.memory.MemoryControl;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** Show where memory is kept and what each tenant uses, the fullest first. */
@Service
@Command(
    scope = "aion",
    name = "memory-top",
    description = "Show where memory is kept and what each tenant uses, the fullest first")
public final class MemoryTop implements Action {

  @Reference MemoryControl memory;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() {
    ShellTable kept = new ShellTable();
    List.of("TYPE", "DRIVER", "FAULT").forEach(kept::column);
    for (MemoryControl.Kept each : memory.kept()) {
      kept.addRow()
          .addContent(each.type(), each.driver(), each.fault().isEmpty() ? "-" : each.fault());
    }
    kept.print(System.out, !plain);
    ShellTable usage = new ShellTable();
    List.of("TENANT", "TYPE", "BYTES", "OF", "PERCENT", "ROOM IS MADE AT").forEach(usage::column);
    for (MemoryControl.Usage each : memory.usage()) {
      usage
          .addRow()
          .addContent(
              each.tenant(),
              each.type(),
              each.bytes(),
              each.bytesMax(),
              each.bytes() * 100 / each.bytesMax(),
              each.collectedAt() == 0 ? "-" : each.collectedAt());
    }
    usage.print(System.out, !plain);
    return null;
  }
}
