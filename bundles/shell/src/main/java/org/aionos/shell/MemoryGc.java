package org.aionos.shell;

import java.util.List;
import org.aionos.kernel.memory.MemoryControl;
import org.aionos.kernel.memory.Place;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** Make room in memory now, down to the low watermark; what is worth least goes first. */
@Service
@Command(
    scope = "aion",
    name = "memory-gc",
    description = "Make room in memory now, down to the low watermark; the least worth goes first")
public final class MemoryGc implements Action {

  @Reference MemoryControl memory;

  @Argument(name = "tenant", description = "Of this tenant alone")
  @Completion(TenantNames.class)
  @Nullable String tenant;

  @Option(name = "--dry-run", description = "Only say what would go")
  boolean dry;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() {
    ShellTable table = new ShellTable();
    List.of("TENANT", "TYPE", "BYTES", dry ? "WOULD GO" : "GONE", "THEIR BYTES", "FIRST")
        .forEach(table::column);
    for (MemoryControl.Collected each : memory.collect(tenant, dry)) {
      table
          .addRow()
          .addContent(
              each.tenant(),
              each.type(),
              each.bytesBefore(),
              each.items(),
              each.bytes(),
              String.join(" ", each.first().stream().limit(3).map(MemoryGc::named).toList()));
    }
    table.print(System.out, !plain);
    return null;
  }

  private static String named(Place place) {
    return place.agent().name() + ":" + place.key();
  }
}
