package org.aionos.shell;

import java.util.List;
import org.aionos.kernel.task.Budgets;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** Show what limits hold, what of them is used, and on what it was spent. */
@Service
@Command(
    scope = "aion",
    name = "budgets",
    description = "Show what limits hold, what of them is used, and on what it was spent")
public final class BudgetsShow implements Action {

  @Reference(optional = true)
  @Nullable Budgets budgets;

  @Option(name = "--tenant", description = "Only this tenant", valueToShowInHelp = "all")
  @Completion(TenantNames.class)
  @Nullable String tenant;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() {
    Budgets there = Present.budgets(budgets);
    ShellTable limits = new ShellTable();
    List.of("LEVEL", "HOLDER", "KIND", "WINDOW", "MAX", "USED", "SET ASIDE")
        .forEach(limits::column);
    for (Budgets.Standing standing : there.standings(tenant)) {
      limits
          .addRow()
          .addContent(
              standing.level(),
              standing.holder(),
              standing.kind(),
              standing.window(),
              standing.max().toPlainString(),
              standing.used().toPlainString(),
              standing.reserved().toPlainString());
    }
    limits.emptyTableText("no limits: scheduler.yaml sets none, and neither does the policy");
    limits.print(System.out, !plain);
    ShellTable spent = new ShellTable();
    List.of("TENANT", "ENGINE", "CALLS THIS HOUR", "USD", "TOKENS IN", "TOKENS OUT")
        .forEach(spent::column);
    for (Budgets.Spending spending : there.spendings(tenant)) {
      spent
          .addRow()
          .addContent(
              spending.tenant(),
              spending.engine(),
              spending.calls(),
              spending.spent().costUsd().toPlainString(),
              spending.spent().tokensIn(),
              spending.spent().tokensOut());
    }
    spent.emptyTableText("nothing was called in this hour");
    spent.print(System.out, !plain);
    return null;
  }
}
