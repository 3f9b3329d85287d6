package org.aionos.scheduler;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.Budgets.Standing;
import org.aionos.kernel.task.Cluster;
import org.aionos.kernel.task.Cluster.Draw;
import org.aionos.scheduler.SchedulerSettings.Quota;
import org.aionos.scheduling.Ledger.Amounts;
import org.aionos.scheduling.Ledger.Level;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one call has drawn from the accounts of its tenant and its agent that all nodes share. An
 * account is of one window: an hour, and for tokens ten seconds.
 */
final class SharedBudget {

  private static final Logger log = LoggerFactory.getLogger(SharedBudget.class);

  private static final long HOUR_MILLIS = 3_600_000;
  private static final long TOKENS_MILLIS = 10_000;

  private enum Unit {
    CALLS,
    TOKENS,
    USD_MICROS
  }

  private record Account(Draw draw, Unit unit, long endsMillis) {}

  private final Cluster cluster;
  private final List<Account> accounts;

  private SharedBudget(Cluster cluster, List<Account> accounts) {
    this.cluster = cluster;
    this.accounts = accounts;
  }

  /**
   * @throws Refused {@code BUDGET_EXHAUSTED}, {@code RATE_LIMITED}; {@code BACKEND_UNAVAILABLE} if
   *     nobody knows what is left
   */
  static SharedBudget draw(
      Cluster cluster,
      AgentId agent,
      Quota ofTenant,
      Quota ofAgent,
      Amounts amounts,
      long nowMillis) {
    List<Account> accounts = new ArrayList<>();
    add(accounts, nameOf(agent.tenant()), ofTenant, amounts, nowMillis);
    add(accounts, nameOf(agent), ofAgent, amounts, nowMillis);
    SharedBudget budget = new SharedBudget(cluster, accounts);
    if (accounts.isEmpty()) {
      return budget;
    }
    OptionalInt lacking;
    try {
      lacking = cluster.draw(accounts.stream().map(Account::draw).toList());
    } catch (StoreUnavailable away) {
      throw new Refused(
          Code.BACKEND_UNAVAILABLE, "the budgets that all nodes share do not answer; retry");
    }
    if (lacking.isPresent()) {
      Account account = accounts.get(lacking.getAsInt());
      if (account.unit() == Unit.TOKENS && amounts.tokens() > 1) {
        // Its window passes soon: what it uses beyond keeps the next one waiting.
        return draw(cluster, agent, ofTenant, ofAgent, amounts.withTokens(1), nowMillis);
      }
      throw refused(account, nowMillis);
    }
    return budget;
  }

  private static String nameOf(String tenant) {
    return "tenant/" + tenant;
  }

  private static String nameOf(AgentId agent) {
    return "agent/" + agent.tenant() + "/" + agent.name();
  }

  /** How the accounts of a tenant, or of an agent, stand; what runs is among what is used. */
  static List<Standing> standings(
      Cluster cluster, Level level, String holder, String tenant, Quota quota, long nowMillis) {
    List<Account> accounts = new ArrayList<>();
    String name = level == Level.TENANT ? nameOf(holder) : nameOf(AgentId.parse(holder));
    add(accounts, name, quota, Amounts.NOTHING, nowMillis);
    return accounts.stream()
        .map(account -> standing(cluster, account, level, holder, tenant))
        .toList();
  }

  private static Standing standing(
      Cluster cluster, Account account, Level level, String holder, String tenant) {
    int scale = account.unit() == Unit.USD_MICROS ? 6 : 0;
    try {
      return new Standing(
          level.name().toLowerCase(Locale.ROOT),
          holder,
          tenant,
          account.unit() == Unit.USD_MICROS
              ? "usd"
              : account.unit().name().toLowerCase(Locale.ROOT),
          account.unit() == Unit.TOKENS ? TOKENS_MILLIS / 1_000 + " seconds" : "hour",
          BigDecimal.valueOf(account.draw().limit(), scale),
          BigDecimal.valueOf(cluster.drawn(account.draw().account()), scale),
          BigDecimal.valueOf(0, scale));
    } catch (StoreUnavailable away) {
      throw new Refused(
          Code.BACKEND_UNAVAILABLE, "the budgets that all nodes share do not answer; retry");
    }
  }

  private static void add(
      List<Account> accounts, String whose, Quota quota, Amounts amounts, long nowMillis) {
    Long calls = quota.callsPerHour();
    if (calls != null) {
      accounts.add(account(whose, Unit.CALLS, amounts.calls(), calls, HOUR_MILLIS, nowMillis));
    }
    BigDecimal usd = quota.usdPerHour();
    if (usd != null) {
      accounts.add(
          account(
              whose,
              Unit.USD_MICROS,
              amounts.usdMicros(),
              BudgetLedger.micros(usd),
              HOUR_MILLIS,
              nowMillis));
    }
    Long tokens = quota.tokenRate();
    if (tokens != null) {
      accounts.add(
          account(
              whose,
              Unit.TOKENS,
              amounts.tokens(),
              tokens * TOKENS_MILLIS / 1_000,
              TOKENS_MILLIS,
              nowMillis));
    }
  }

  private static Account account(
      String whose, Unit unit, long amount, long limit, long windowMillis, long nowMillis) {
    long window = Math.floorDiv(nowMillis, windowMillis);
    String name = whose + "/" + unit + "/" + windowMillis + "/" + window;
    // Kept for two windows: calls that began in one may end in the next.
    return new Account(
        new Draw(name, amount, limit, Duration.ofMillis(2 * windowMillis)),
        unit,
        (window + 1) * windowMillis);
  }

  private static Refused refused(Account account, long nowMillis) {
    String name = account.draw().account();
    return new Refused(
        Problem.later(
                account.unit() == Unit.TOKENS ? Code.RATE_LIMITED : Code.BUDGET_EXHAUSTED,
                "the budget of all nodes together is used up: "
                    + account.draw().limit()
                    + " of "
                    + name.substring(0, name.lastIndexOf('/')),
                Duration.ofMillis(Math.max(1, account.endsMillis() - nowMillis)))
            .ruledBy("quotas/" + name)
            .admittedBy("an operator raises it in scheduler.yaml, or its window passes"));
  }

  /** Charges what was used. What cannot be given back stays charged: no limit is exceeded by it. */
  void settle(Amounts used) {
    List<Draw> back = new ArrayList<>();
    for (Account account : accounts) {
      long unused = account.draw().amount() - of(account.unit(), used);
      if (unused != 0) {
        Draw drawn = account.draw();
        back.add(new Draw(drawn.account(), unused, drawn.limit(), drawn.kept()));
      }
    }
    if (back.isEmpty()) {
      return;
    }
    try {
      cluster.giveBack(back);
    } catch (StoreUnavailable away) {
      log.warn("what a call did not use of the shared budgets stays charged: {}", back);
    }
  }

  private static long of(Unit unit, Amounts amounts) {
    return switch (unit) {
      case CALLS -> amounts.calls();
      case TOKENS -> amounts.tokens();
      case USD_MICROS -> amounts.usdMicros();
    };
  }
}
