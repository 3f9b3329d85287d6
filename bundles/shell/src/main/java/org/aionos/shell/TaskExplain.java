package org.aionos.shell;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.aionos.kernel.task.Scheduler;
import org.aionos.kernel.task.TaskStore.Key;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** Say why a task stands where it stands, and what would change it. */
@Service
@Command(
    scope = "aion",
    name = "task-explain",
    description = "Say why a task stands where it stands, and what would change it")
public final class TaskExplain implements Action {

  @Reference(optional = true)
  @Nullable Scheduler scheduler;

  @Argument(name = "task", description = TaskName.FORM, required = true)
  @Completion(TaskNames.class)
  String task = "";

  @Option(name = "--json", description = "All of it as JSON")
  boolean json;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() {
    Scheduler.Explanation explained = Present.scheduler(scheduler).explain(TaskName.parse(task));
    Map<String, @Nullable Object> values = explained.values();
    if (json) {
      System.out.println(Words.json(values));
      return null;
    }
    System.out.println(explained.key() + " " + Words.line(explained.summary()));
    for (String name :
        List.of(
            "agent_id",
            "state",
            "queue",
            "queue_now",
            "position",
            "preemptions",
            "preempted_by",
            "evictions",
            "sla",
            "budget")) {
      show(name, values.get(name));
    }
    show("admit", admit(explained.key()));
    table(List.of("WAITS FOR", "ENDS WHEN"), rows(values, "waits_for", "detail", "admit"));
    table(List.of("TIME", "WHAT", "WHY"), rows(values, "history", "at", "what", "why"));
    return null;
  }

  private static void show(String name, @Nullable Object value) {
    if (value != null) {
      System.out.printf(Locale.ROOT, "%-12s %s%n", name, Words.line(value));
    }
  }

  /** What would have admitted a task that failed. */
  private @Nullable Object admit(Key key) {
    return Present.scheduler(scheduler)
        .find(key)
        .map(found -> found.values().get("error") instanceof Map<?, ?> error ? error : null)
        .map(error -> error.get("admit"))
        .orElse(null);
  }

  private void table(List<String> columns, List<List<Object>> rows) {
    if (rows.isEmpty()) {
      return;
    }
    ShellTable table = new ShellTable();
    columns.forEach(table::column);
    rows.forEach(row -> table.addRow().addContent(row));
    table.print(System.out, !plain);
  }

  private static List<List<Object>> rows(
      Map<String, @Nullable Object> values, String list, String... names) {
    List<List<Object>> rows = new ArrayList<>();
    if (values.get(list) instanceof List<?> items) {
      for (Object item : items) {
        Map<?, ?> each = (Map<?, ?>) item;
        List<Object> row = new ArrayList<>();
        for (String name : names) {
          row.add(Words.line(each.get(name)));
        }
        rows.add(row);
      }
    }
    return rows;
  }
}
