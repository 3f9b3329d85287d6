package org.aionos.shell;

import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Hidden;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.MemoryControl;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** Show an agent's items, also those that are hidden from it. */
@Service
@Command(
    scope = "aion",
    name = "memory-query",
    description = "Show an agent's items, also those that are hidden from it")
public final class MemoryQuery implements Action {

  private static final int VALUE_LENGTH_MAX = 60;

  @Reference MemoryControl memory;

  @Argument(name = "type", description = "short, long or episodic", required = true)
  String type = "";

  @Argument(index = 1, name = "agent", description = "agent://<tenant>/<agent>", required = true)
  @Completion(AgentNames.class)
  String agent = "";

  @Option(name = "--text", description = "Find by what it says (long)", valueToShowInHelp = "none")
  @Nullable String text;

  @Option(name = "--filter", description = "As in memory.query, JSON", valueToShowInHelp = "none")
  String filter = "";

  @Option(name = "--limit", description = "At most so many")
  int limit = 20;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() {
    ShellTable table = new ShellTable();
    List.of("TASK", "KEY", "VERSION", "TRUST", "STATE", "UPDATED", "EXPIRES", "WRITTEN BY", "VALUE")
        .forEach(table::column);
    for (Item item : memory.look(type, AgentId.parse(agent), text, filter, limit)) {
      table
          .addRow()
          .addContent(
              item.place().task(),
              item.place().key(),
              item.version(),
              item.provenance().trust().word(),
              state(item),
              item.updatedAt().truncatedTo(ChronoUnit.SECONDS),
              item.expiresAt() == null ? "-" : item.expiresAt().truncatedTo(ChronoUnit.SECONDS),
              item.provenance().writtenBy(),
              value(item));
    }
    table.print(System.out, !plain);
    return null;
  }

  private static String state(Item item) {
    Hidden hidden = item.hidden();
    String state = hidden == null ? "there" : hidden.reason().name().toLowerCase(Locale.ROOT);
    return item.pinned() ? state + ", pinned" : state;
  }

  /** On one line, and without what would move the cursor of a terminal. */
  private static String value(Item item) {
    String value = String.valueOf(item.content().value()).replaceAll("\\p{Cntrl}", " ");
    return value.length() > VALUE_LENGTH_MAX ? value.substring(0, VALUE_LENGTH_MAX) + "…" : value;
  }
}
