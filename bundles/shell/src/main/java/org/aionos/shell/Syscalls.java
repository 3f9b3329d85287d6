package org.aionos.shell;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.aionos.kernel.JournalReader;
import org.aionos.kernel.JournalReader.Entry;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** Show syscalls from the journal, or follow them live. */
@Service
@Command(
    scope = "aion",
    name = "syscalls",
    description = "Show syscalls from the journal, or follow them live")
public final class Syscalls implements Action {

  private static final Duration WAIT = Duration.ofMillis(250);

  @Reference JournalReader reader;

  @Option(name = "--follow", description = "Show calls as they end, until Ctrl-C")
  boolean follow;

  @Option(name = "--tenant", description = "Only calls of this tenant")
  @Completion(TenantNames.class)
  @Nullable String tenant;

  @Option(name = "--agent", description = "Only calls of agent://<tenant>/<agent>")
  @Completion(AgentNames.class)
  @Nullable String agent;

  @Option(name = "--syscall", description = "Only calls of this name")
  @Nullable String syscall;

  @Option(name = "--code", description = "Only calls that ended so, as OK or CAPABILITY_DENIED")
  @Nullable String code;

  @Option(name = "--limit", description = "How many, newest first")
  int limit = 20;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() throws InterruptedException {
    JournalReader.Query query =
        new JournalReader.Query(
            tenant, agent, "kernel.syscalls", syscall, code, null, null, null, limit);
    if (follow) {
      follow(query);
      return null;
    }
    ShellTable table = new ShellTable();
    for (String column :
        List.of("TIME", "AUDIT ID", "KIND", "AGENT", "SYSCALL", "TOOL", "CODE", "MS", "RULE")) {
      table.column(column);
    }
    for (Entry entry : reader.query(query).entries()) {
      table.addRow().addContent(cells(entry));
    }
    table.print(System.out, !plain);
    return null;
  }

  private void follow(JournalReader.Query query) throws InterruptedException {
    try (JournalReader.Tail tail = reader.tail(query)) {
      while (!Thread.currentThread().isInterrupted()) {
        Entry entry = tail.next(WAIT);
        if (entry != null && entry.kind().equals("syscall.ended")) {
          System.out.println(
              String.join("  ", cells(entry).stream().map(String::valueOf).toList()));
        }
        long lost = tail.lostSinceLastAsked();
        if (lost > 0) {
          System.out.println("(" + lost + " records were too fast for this terminal)");
        }
      }
    }
  }

  private static List<Object> cells(Entry entry) {
    return List.of(
        entry.time().truncatedTo(ChronoUnit.MILLIS),
        entry.auditId(),
        entry.kind().replace("syscall.", ""),
        fact(entry, "agent"),
        fact(entry, "syscall"),
        fact(entry, "tool"),
        fact(entry, "code"),
        fact(entry, "latency_ms"),
        fact(entry, "rule"));
  }

  private static Object fact(Entry entry, String name) {
    Object value = entry.facts().get(name);
    return value == null ? "" : value;
  }
}
