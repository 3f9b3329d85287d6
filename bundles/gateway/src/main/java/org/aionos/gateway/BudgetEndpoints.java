package org.aionos.gateway;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.task.Budgets;
import org.aionos.kernel.task.Budgets.Spending;
import org.aionos.kernel.task.Budgets.Standing;
import org.jspecify.annotations.Nullable;

/** {@code GET /v1/budgets}: what limits hold, what of them is used, and on what. */
final class BudgetEndpoints {

  private final Kernel kernel;

  BudgetEndpoints(Kernel kernel) {
    this.kernel = kernel;
  }

  void show(Exchange exchange) {
    String tenant = exchange.tenantAsked();
    AgentId own = exchange.caller().agent();
    Budgets budgets = kernel.budgets();
    Map<String, @Nullable Object> answer = new LinkedHashMap<>();
    answer.put(
        "limits",
        budgets.standings(tenant).stream()
            .filter(standing -> own == null || concerns(standing, own))
            .map(BudgetEndpoints::shown)
            .toList());
    // What other agents of the tenant use is not an agent's to know.
    answer.put(
        "spent_this_hour",
        own != null
            ? List.of()
            : budgets.spendings(tenant).stream().map(BudgetEndpoints::shown).toList());
    exchange.answer(200, Answers.of(answer));
  }

  private static boolean concerns(Standing standing, AgentId agent) {
    return standing.level().equals("tenant") || standing.holder().equals(agent.toString());
  }

  private static Map<String, @Nullable Object> shown(Standing standing) {
    Map<String, @Nullable Object> row = new LinkedHashMap<>();
    row.put("level", standing.level());
    row.put("holder", standing.holder());
    row.put("tenant", standing.tenant());
    row.put("kind", standing.kind());
    row.put("window", standing.window());
    row.put("max", standing.max());
    row.put("used", standing.used());
    row.put("reserved", standing.reserved());
    return row;
  }

  private static Map<String, @Nullable Object> shown(Spending spending) {
    Map<String, @Nullable Object> row = new LinkedHashMap<>();
    row.put("tenant", spending.tenant());
    row.put("engine", spending.engine());
    row.put("calls", spending.calls());
    row.put("cost_usd", spending.spent().costUsd());
    row.put("tokens_in", spending.spent().tokensIn());
    row.put("tokens_out", spending.spent().tokensOut());
    return row;
  }
}
