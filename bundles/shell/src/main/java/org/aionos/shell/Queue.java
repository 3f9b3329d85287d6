package org.aionos.shell;

import java.util.List;
import java.util.Locale;
import org.aionos.kernel.task.Scheduler;
import org.aionos.kernel.task.Tier;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** Show the queues: what waits, what runs, and who has had what of the slots. */
@Service
@Command(
    scope = "aion",
    name = "queue",
    description = "Show the queues: what waits, what runs, and who has had what of the slots")
public final class Queue implements Action {

  @Reference(optional = true)
  @Nullable Scheduler scheduler;

  @Option(
      name = "--tenant",
      description = "Only the shares of this tenant",
      valueToShowInHelp = "all")
  @Completion(TenantNames.class)
  @Nullable String tenant;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() {
    Scheduler.Queues queues = Present.scheduler(scheduler).queues();
    System.out.println("slots        " + queues.slots() + " on this node");
    System.out.println("frozen       " + queues.frozen());
    System.out.println("preemptions  " + queues.preemptions() + " since the scheduler began");
    System.out.println(
        "settings     " + (queues.settings().isEmpty() ? "none: the defaults" : queues.settings()));
    if (queues.draining()) {
      System.out.println("DRAINING: nothing is begun any more, the kernel is about to stop");
    }
    if (!queues.rejected().isEmpty()) {
      System.out.println(
          "NOT in force is the scheduler.yaml that is there now: " + Words.line(queues.rejected()));
    }
    waiting(queues).print(System.out, !plain);
    shares(queues).print(System.out, !plain);
    return null;
  }

  private static ShellTable waiting(Scheduler.Queues queues) {
    ShellTable table = new ShellTable();
    List.of("QUEUE", "WAITING, ALL NODES", "RUNNING").forEach(table::column);
    for (Tier tier : Tier.values()) {
      table
          .addRow()
          .addContent(
              tier.written(),
              queues.waiting().getOrDefault(tier, 0L),
              queues.running().getOrDefault(tier, 0L));
    }
    return table;
  }

  private ShellTable shares(Scheduler.Queues queues) {
    ShellTable table = new ShellTable();
    List.of("QUEUE", "TENANT", "AGENT", "WEIGHT", "SLOT SECONDS", "WAITING", "RUNNING")
        .forEach(table::column);
    for (Scheduler.Share share : queues.shares()) {
      if (tenant == null || share.tenant() == null || tenant.equals(share.tenant())) {
        table
            .addRow()
            .addContent(
                share.tier().written(),
                share.tenant() == null ? "all" : share.tenant(),
                share.agent() == null ? "all" : share.agent(),
                share.weight(),
                String.format(Locale.ROOT, "%.1f", share.slotMillis() / 1_000.0),
                share.waiting(),
                share.running());
      }
    }
    return table;
  }
}
