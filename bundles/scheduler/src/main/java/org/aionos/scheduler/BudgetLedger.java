package org.aionos.scheduler;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.task.Budgets;
import org.aionos.kernel.task.Cluster;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.scheduler.Order.TaskQuota;
import org.aionos.scheduler.SchedulerSettings.Quota;
import org.aionos.scheduling.Ledger;
import org.aionos.scheduling.Ledger.Amounts;
import org.aionos.scheduling.Ledger.Kind;
import org.aionos.scheduling.Ledger.Level;
import org.aionos.scheduling.Ledger.Limit;
import org.aionos.scheduling.Ledger.Refusal;
import org.aionos.scheduling.Ledger.Scope;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What tenants, agents and tasks may use, by {@code scheduler.yaml}, agent.yml and the tasks' own
 * quotas. The limits of tenants and agents survive a crash, and hold for all nodes of a cluster
 * together; those of a task are counted anew from its log.
 *
 * <p>A call reserves one call, and what its handler says that it may use at most of money and
 * tokens; where that says nothing, the money that its {@code budget.usd_max} names, and one token.
 * What it uses beyond that is charged when it has ended, and the next one is refused.
 */
@Component(service = {Budgets.class, BudgetLedger.class})
public final class BudgetLedger implements Budgets {

  private static final Logger log = LoggerFactory.getLogger(BudgetLedger.class);

  private static final long HOUR_MILLIS = 3_600_000;

  /** What a tenant has not used of its tokens for so long, it may use at once. */
  private static final long BURST_SECONDS = 10;

  private static final String MARKS = "budgets.jsonl";

  /** Told that nothing of a tenant, or an agent, should be begun before a time. */
  interface Holder {
    void hold(String tenant, @Nullable String agent, long untilMillis);
  }

  private final SettingsFile settings;
  private final InstantSource clock;
  private final BudgetFile file;
  private final Ledger ledger;
  private final AutoCloseable listening;

  /** Scopes whose limits the ledger knows, with the settings that these come from. */
  private final ConcurrentMap<Scope, SchedulerSettings> known = new ConcurrentHashMap<>();

  /** Tasks with limits of their own. */
  private final ConcurrentMap<Key, Scope> tasks = new ConcurrentHashMap<>();

  private record Held(String tenant, @Nullable String agent) {}

  /** Who was said to be held, and may be no more. */
  private final Set<Held> holding = ConcurrentHashMap.newKeySet();

  private final Spendings spendings;

  private volatile @Nullable Holder holder;

  @Reference(
      name = "cluster",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable Cluster cluster;

  @Activate
  public BudgetLedger(BundleContext context, @Reference(name = "settings") SettingsFile settings) {
    this(state(context), settings, InstantSource.system());
  }

  private static Path state(BundleContext context) {
    return Path.of(String.valueOf(context.getProperty("aion.state")), "scheduler");
  }

  BudgetLedger(Path state, SettingsFile settings, InstantSource clock) {
    this.settings = settings;
    this.clock = clock;
    try {
      Files.createDirectories(state);
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
    Path marks = state.resolve(MARKS);
    this.file = new BudgetFile(marks, this::leased);
    this.spendings = new Spendings(clock);
    this.ledger = new Ledger(file);
    ledger.restore(BudgetFile.read(marks), clock.millis());
    this.listening = settings.listen(this::settingsChanged);
  }

  /** Who was held for a limit may have another one now. */
  private void settingsChanged() {
    known.clear();
    Holder told = holder;
    for (Held held : holding) {
      holding.remove(held);
      if (told != null) {
        told.hold(held.tenant(), held.agent(), 0);
      }
    }
  }

  private List<Ledger.Mark> leased() {
    return ledger.leased(clock.millis());
  }

  @Deactivate
  void close() throws Exception {
    listening.close();
    file.writeAnew(ledger.snapshot(clock.millis()));
  }

  /** Who is to be told; null for nobody. */
  void tell(@Nullable Holder told) {
    holder = told;
  }

  // --- tasks ----------------------------------------------------------------------------------

  /**
   * A task runs from now on.
   *
   * @param usdMax of its quota and its agent's manifest
   * @param used by it so far
   */
  void open(Key key, TaskQuota quota, @Nullable BigDecimal usdMax, Progress used) {
    List<Limit> limits = new ArrayList<>();
    add(limits, Kind.CALLS, quota.calls(), used.calls);
    add(limits, Kind.TOKENS, quota.tokens(), used.tokensIn + used.tokensOut);
    add(limits, Kind.USD_MICROS, usdMax == null ? null : micros(usdMax), micros(used.costUsd));
    if (!limits.isEmpty()) {
      Scope scope = new Scope(Level.TASK, key.toString());
      ledger.forget(scope);
      ledger.limit(scope, limits, clock.millis());
      tasks.put(key, scope);
    }
  }

  private static void add(List<Limit> limits, Kind kind, @Nullable Long max, long used) {
    if (max != null) {
      limits.add(new Limit.Total(kind, Math.min(Limit.AMOUNT_MAX, Math.max(0, max - used))));
    }
  }

  /** A task runs no more. */
  void forget(Key key) {
    Scope scope = tasks.remove(key);
    if (scope != null) {
      ledger.forget(scope);
    }
  }

  // --- calls ----------------------------------------------------------------------------------

  @Override
  public Reservation reserve(Syscall syscall, AgentProcess agent) {
    return reserve(syscall, agent, Outcome.Spent.NOTHING);
  }

  @Override
  public Reservation reserve(Syscall syscall, AgentProcess agent, Outcome.Spent atMost) {
    Reservation limits = reserveLimits(syscall, agent, atMost);
    return (outcome, took) -> {
      limits.settle(outcome, took);
      spendings.add(syscall.agent().tenant(), outcome);
    };
  }

  private Reservation reserveLimits(Syscall syscall, AgentProcess agent, Outcome.Spent atMost) {
    AgentId id = syscall.agent();
    SchedulerSettings now = settings.now();
    Quota ofTenant = now.quotas().of(id.tenant());
    Quota ofAgent = now.quotas().of(id);
    String task = syscall.caller().task();
    Scope ofTask = task == null ? null : tasks.get(new Key(id.tenant(), task));
    requireManifestBudget(syscall, agent, task);
    if (ofTask == null && !ofTenant.isLimited() && !ofAgent.isLimited()) {
      return Reservation.NONE;
    }
    Amounts amounts = amounts(syscall, atMost);
    Cluster shared = cluster;
    List<Scope> scopes = new ArrayList<>(3);
    if (shared == null) {
      addLimited(scopes, new Scope(Level.TENANT, id.tenant()), ofTenant, now);
      addLimited(scopes, new Scope(Level.AGENT, id.toString()), ofAgent, now);
    }
    if (ofTask != null) {
      scopes.add(ofTask);
    }
    Ledger.Reservation own = own(scopes, amounts, id);
    if (shared == null) {
      return (outcome, took) -> own.settle(used(outcome, took), clock.millis());
    }
    SharedBudget sharedBudget;
    try {
      sharedBudget = SharedBudget.draw(shared, id, ofTenant, ofAgent, amounts, clock.millis());
    } catch (Refused refused) {
      own.settle(Amounts.NOTHING, clock.millis());
      throw refused;
    }
    return (outcome, took) -> {
      Amounts used = used(outcome, took);
      own.settle(used, clock.millis());
      sharedBudget.settle(used);
    };
  }

  private Ledger.Reservation own(List<Scope> scopes, Amounts amounts, AgentId id) {
    Ledger.Answer answer;
    try {
      answer = reserve(scopes, amounts);
    } catch (UncheckedIOException unwritten) {
      log.error("what budgets are used cannot be written", unwritten);
      throw new Refused(
          Code.BACKEND_UNAVAILABLE, "what budgets are used cannot be written to disk; retry");
    }
    if (answer instanceof Refusal refusal) {
      throw refused(refusal, id);
    }
    return (Ledger.Reservation) answer;
  }

  /**
   * A rate heals by itself, so a call that may use more tokens than are there now takes those that
   * are, and what it uses beyond keeps the next one waiting.
   */
  private Ledger.Answer reserve(List<Scope> scopes, Amounts amounts) {
    Ledger.Answer answer = ledger.reserve(scopes, amounts, clock.millis());
    // A tenant's rate, and then its agent's, may have less.
    for (int rates = 0; rates < 2; rates++) {
      if (!(answer instanceof Refusal refusal)
          || !(refusal.limit() instanceof Limit.Rate rate)
          || amounts.tokens() == 1) {
        break;
      }
      long there = Math.max(1, rate.burst() - refusal.used());
      amounts = amounts.withTokens(Math.min(there, amounts.tokens()));
      answer = ledger.reserve(scopes, amounts, clock.millis());
    }
    return answer;
  }

  /** Outside of a task, what an agent's manifest allows for one is what it allows for one call. */
  private static void requireManifestBudget(
      Syscall syscall, AgentProcess agent, @Nullable String task) {
    BigDecimal asked = syscall.budget().usdMax();
    if (task != null || asked == null || agent.manifest().isEmpty()) {
      return;
    }
    BigDecimal max = Manifest.of(agent).usdMax();
    if (max != null && asked.compareTo(max) > 0) {
      throw new Refused(
          Problem.at(
                  "/budget/usd_max",
                  Code.BUDGET_EXHAUSTED,
                  "is more than the manifest of the agent allows: " + max + " USD")
              .ruledBy("manifest/policy_overrides/budget/usd_max"));
    }
  }

  private void addLimited(List<Scope> scopes, Scope scope, Quota quota, SchedulerSettings now) {
    if (quota.isLimited()) {
      limit(scope, quota, now);
      scopes.add(scope);
    }
  }

  private void limit(Scope scope, Quota quota, SchedulerSettings now) {
    if (known.get(scope) != now) {
      ledger.limit(scope, limits(quota), clock.millis());
      known.put(scope, now);
    }
  }

  private static List<Limit> limits(Quota quota) {
    List<Limit> limits = new ArrayList<>();
    Long tokens = quota.tokenRate();
    if (tokens != null) {
      limits.add(new Limit.Rate(Kind.TOKENS, tokens, tokens * BURST_SECONDS));
    }
    BigDecimal usd = quota.usdPerHour();
    if (usd != null) {
      limits.add(new Limit.PerWindow(Kind.USD_MICROS, micros(usd), HOUR_MILLIS));
    }
    Long calls = quota.callsPerHour();
    if (calls != null) {
      limits.add(new Limit.PerWindow(Kind.CALLS, calls, HOUR_MILLIS));
    }
    return limits;
  }

  /** At least one of each, so that nothing more is begun once all is used up. */
  private static Amounts amounts(Syscall syscall, Outcome.Spent atMost) {
    BigDecimal named = syscall.budget().usdMax();
    boolean isPriced = atMost.costUsd().signum() > 0;
    BigDecimal usd =
        named == null ? atMost.costUsd() : isPriced ? named.min(atMost.costUsd()) : named;
    long tokens = Math.max(1, atMost.tokensIn() + atMost.tokensOut());
    return new Amounts(1, tokens, Math.max(1, micros(usd)), 0);
  }

  /** A call that was refused has used nothing, not even itself; one that failed was a call. */
  private static Amounts used(Outcome outcome, Duration took) {
    Outcome.Spent spent = outcome.spent();
    return new Amounts(
        isRefusal(outcome.code()) ? 0 : 1,
        spent.tokensIn() + spent.tokensOut(),
        micros(spent.costUsd()),
        took.toMillis());
  }

  private static boolean isRefusal(Code code) {
    return switch (code.blame()) {
      case POLICY, BUDGET -> true;
      case CALLER -> code != Code.CANCELLED && code != Code.TOOL_FAILED;
      case OPERATOR -> code != Code.JOURNAL_UNAVAILABLE;
      default -> false;
    };
  }

  // --- looking at them ------------------------------------------------------------------------

  @Override
  public List<Spending> spendings(@Nullable String tenant) {
    return spendings.list(tenant);
  }

  @Override
  public List<Standing> standings(@Nullable String tenant) {
    SchedulerSettings now = settings.now();
    List<Standing> standings = new ArrayList<>();
    for (Scope scope : scopes(now, tenant)) {
      standings.addAll(standings(scope, now));
    }
    return standings;
  }

  /** Of those that are named in the settings, and of those that have called. */
  private Set<Scope> scopes(SchedulerSettings now, @Nullable String tenant) {
    Set<Scope> scopes = new LinkedHashSet<>();
    now.quotas()
        .tenants()
        .forEach(
            (name, quotas) -> {
              scopes.add(new Scope(Level.TENANT, name));
              quotas
                  .agents()
                  .keySet()
                  .forEach(
                      agent ->
                          scopes.add(new Scope(Level.AGENT, new AgentId(name, agent).toString())));
            });
    scopes.addAll(known.keySet());
    scopes.addAll(tasks.values());
    scopes.removeIf(scope -> tenant != null && !tenant.equals(tenantOf(scope)));
    return scopes;
  }

  private static String tenantOf(Scope scope) {
    return switch (scope.level()) {
      case TENANT -> scope.name();
      case AGENT -> AgentId.parse(scope.name()).tenant();
      case TASK -> scope.name().substring(0, scope.name().indexOf('/'));
    };
  }

  private List<Standing> standings(Scope scope, SchedulerSettings now) {
    if (scope.level() != Level.TASK) {
      Quota quota = quota(scope, now);
      Cluster shared = cluster;
      if (shared != null) {
        return SharedBudget.standings(
            shared, scope.level(), scope.name(), tenantOf(scope), quota, clock.millis());
      }
      limit(scope, quota, now);
    }
    return ledger.standings(scope, clock.millis()).stream()
        .map(standing -> shown(scope, standing))
        .toList();
  }

  private static Quota quota(Scope scope, SchedulerSettings now) {
    return scope.level() == Level.TENANT
        ? now.quotas().of(scope.name())
        : now.quotas().of(AgentId.parse(scope.name()));
  }

  private static Standing shown(Scope scope, Ledger.Standing standing) {
    Limit limit = standing.limit();
    boolean isMoney = limit.kind() == Kind.USD_MICROS;
    int scale = isMoney ? 6 : 0;
    long max =
        limit instanceof Limit.Rate rate
            ? rate.burst()
            : limit instanceof Limit.PerWindow window
                ? window.amountMax()
                : ((Limit.Total) limit).amountMax();
    return new Standing(
        scope.level().name().toLowerCase(Locale.ROOT),
        scope.name(),
        tenantOf(scope),
        isMoney ? "usd" : limit.kind().name().toLowerCase(Locale.ROOT),
        limit instanceof Limit.Rate
            ? BURST_SECONDS + " seconds"
            : limit instanceof Limit.PerWindow ? "hour" : "task",
        BigDecimal.valueOf(max, scale),
        BigDecimal.valueOf(standing.used(), scale),
        BigDecimal.valueOf(standing.reserved(), scale));
  }

  static long micros(BigDecimal usd) {
    return usd.movePointRight(6)
        .setScale(0, RoundingMode.CEILING)
        .max(BigDecimal.ZERO)
        .min(BigDecimal.valueOf(Limit.AMOUNT_MAX))
        .longValue();
  }

  private Refused refused(Refusal refusal, AgentId agent) {
    long now = clock.millis();
    long until = refusal.freeAgainAtMillis();
    String whose = refusal.scope().level().name().toLowerCase(Locale.ROOT);
    String limit = words(refusal.limit());
    Code code = refusal.limit() instanceof Limit.Rate ? Code.RATE_LIMITED : Code.BUDGET_EXHAUSTED;
    String message = "the budget of the " + whose + " is used up: " + limit;
    Holder told = holder;
    if (told != null && until != Long.MAX_VALUE && refusal.scope().level() != Level.TASK) {
      Held held =
          new Held(agent.tenant(), refusal.scope().level() == Level.AGENT ? agent.name() : null);
      holding.add(held);
      told.hold(held.tenant(), held.agent(), until);
    }
    Problem problem =
        until == Long.MAX_VALUE
            ? Problem.of(code, message)
            : Problem.later(code, message, Duration.ofMillis(Math.max(1, until - now)));
    return new Refused(
        problem
            .ruledBy("quotas/" + whose + "/" + limit)
            .admittedBy(
                refusal.scope().level() == Level.TASK
                    ? "another task with a larger quota"
                    : "an operator raises it in scheduler.yaml, or its window passes"));
  }

  private static String words(Limit limit) {
    String kind =
        switch (limit.kind()) {
          case CALLS -> "calls";
          case TOKENS -> "tokens";
          case USD_MICROS -> "millionths of a dollar";
          case TIME_MILLIS -> "milliseconds";
        };
    if (limit instanceof Limit.Rate rate) {
      return rate.perSecond() + " " + kind + " a second";
    } else if (limit instanceof Limit.PerWindow window) {
      return window.amountMax() + " " + kind + " an hour";
    } else {
      return ((Limit.Total) limit).amountMax() + " " + kind + " left of its quota";
    }
  }
}
