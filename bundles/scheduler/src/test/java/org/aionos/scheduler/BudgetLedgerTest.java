package org.aionos.scheduler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.task.Budgets.Reservation;
import org.aionos.kernel.task.Budgets.Spending;
import org.aionos.kernel.task.Budgets.Standing;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.scheduler.Order.TaskQuota;
import org.aionos.tasks.MapCluster;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BudgetLedgerTest {

  private static final AgentId AGENT = new AgentId("acme", "worker");
  private static final Duration TOOK = Duration.ofMillis(1);

  @TempDir Path folder;
  private final FakeClock clock = new FakeClock();
  private final AgentProcess row =
      new World.FakeProcesses().put(AGENT, AgentProcess.State.ALIVE, Map.of());
  private SettingsFile settings;
  private BudgetLedger ledger;

  @BeforeEach
  void begin() throws IOException {
    settings("{}");
    settings = new SettingsFile(folder);
    ledger = open();
  }

  @AfterEach
  void end() {
    settings.close();
  }

  private void settings(String quotas) throws IOException {
    Files.writeString(folder.resolve("scheduler.yaml"), "quotas: " + quotas);
    if (settings != null) {
      settings.reload();
    }
  }

  /** As after a crash: nothing was closed. */
  private BudgetLedger open() {
    return new BudgetLedger(folder.resolve("state"), settings, clock);
  }

  private Path file() {
    return folder.resolve("state").resolve("budgets.jsonl");
  }

  private static Syscall call(@Nullable String task, @Nullable String usdMax) {
    return new Syscall(
        "tool.invoke",
        AGENT,
        task == null ? Caller.agentKey("k", AGENT) : Caller.agentTask(AGENT, task),
        Syscall.Context.NONE,
        Set.of(),
        Map.of(),
        new Syscall.Budget(usdMax == null ? null : new BigDecimal(usdMax), null),
        "");
  }

  private static Outcome spent(String usd, long tokens) {
    return new Outcome.Ok(
        Map.of(),
        new Outcome.Spent(new BigDecimal(usd), tokens, 0),
        new Outcome.Engine("module", "m"));
  }

  private @Nullable Problem refusal(@Nullable String task, @Nullable String usdMax) {
    try {
      ledger.reserve(call(task, usdMax), row).settle(spent("0", 0), TOOK);
      return null;
    } catch (Refused refused) {
      return refused.problem();
    }
  }

  private int admitted() {
    int admitted = 0;
    while (admitted < 10_000 && refusal(null, null) == null) {
      admitted++;
    }
    return admitted;
  }

  @Test
  void of_a_thousand_calls_at_once_exactly_a_hundred_are_admitted() throws Exception {
    settings("{default: {calls_per_hour: 100}}");
    AtomicInteger admitted = new AtomicInteger();
    CountDownLatch go = new CountDownLatch(1);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      Thread thread =
          new Thread(
              () -> {
                try {
                  go.await();
                  ledger.reserve(call(null, null), row).settle(spent("0", 0), TOOK);
                  admitted.incrementAndGet();
                } catch (Refused | InterruptedException refused) {
                  // As most are.
                }
              });
      thread.start();
      threads.add(thread);
    }
    go.countDown();
    for (Thread thread : threads) {
      thread.join(20_000);
    }

    assertThat(admitted).hasValue(100);
    assertThat(refusal(null, null).code()).isEqualTo(Code.BUDGET_EXHAUSTED);
    clock.advance(Duration.ofHours(1));
    assertThat(refusal(null, null)).isNull();
  }

  @Test
  void what_a_call_did_not_use_is_given_back_and_what_it_used_beyond_is_charged() throws Exception {
    settings("{tenants: {acme: {usd_per_hour: 1}}}");
    Reservation held = ledger.reserve(call(null, "0.9"), row);
    assertThat(refusal(null, "0.2").code()).isEqualTo(Code.BUDGET_EXHAUSTED);

    held.settle(spent("0.1", 0), TOOK);

    assertThat(refusal(null, "0.9")).isNull();
    assertThat(refusal(null, "0.91")).isNotNull();
    ledger.reserve(call(null, null), row).settle(spent("5", 0), TOOK);
    assertThat(refusal(null, null)).isNotNull();
  }

  @Test
  void a_refusal_names_who_what_when_and_what_would_help() throws Exception {
    settings("{tenants: {acme: {agents: {worker: {calls_per_hour: 1}}}}}");
    assertThat(refusal(null, null)).isNull();

    Problem problem = refusal(null, null);

    assertThat(problem.message()).contains("agent", "1 calls an hour");
    assertThat(problem.rule()).startsWith("quotas/agent/");
    assertThat(problem.admit()).contains("scheduler.yaml");
    assertThat(problem.retryAfter()).isPositive();
  }

  @Test
  void tokens_flow_at_their_rate() throws Exception {
    settings("{default: {token_rate: 10}}");
    // A ledger that begins does not know what was used just before.
    clock.advance(Duration.ofSeconds(60));
    ledger.reserve(call(null, null), row).settle(spent("0", 150), TOOK);

    assertThat(refusal(null, null).code()).isEqualTo(Code.RATE_LIMITED);
    clock.advance(Duration.ofSeconds(6));

    assertThat(refusal(null, null)).isNull();
  }

  @Test
  void absurd_costs_break_nothing() throws Exception {
    settings("{default: {usd_per_hour: 1}}");
    ledger.reserve(call(null, null), row).settle(spent("1e40", 0), TOOK);
    assertThat(refusal(null, null)).isNotNull();
    assertThat(BudgetLedger.micros(new BigDecimal("-3"))).isZero();
    assertThat(BudgetLedger.micros(new BigDecimal("0.0000001"))).isEqualTo(1);
  }

  // --- tasks and manifests --------------------------------------------------------------------

  @Test
  void a_task_has_its_quota_less_what_it_has_used_and_none_once_it_is_forgotten() {
    Key key = new Key("acme", "t");
    Progress used = new Progress();
    used.calls = 8;
    ledger.open(key, new TaskQuota(10L, null, null, null), null, used);

    assertThat(refusal("t", null)).isNull();
    assertThat(refusal("t", null)).isNull();
    assertThat(refusal("t", null).code()).isEqualTo(Code.BUDGET_EXHAUSTED);
    assertThat(refusal("other", null)).isNull();
    ledger.forget(key);
    assertThat(refusal("t", null)).isNull();
  }

  @Test
  void a_task_spends_no_more_money_than_its_quota_and_its_agents_manifest_allow() {
    Progress used = new Progress();
    used.costUsd = new BigDecimal("0.05");
    ledger.open(
        new Key("acme", "t"),
        new TaskQuota(null, null, null, null),
        Money.least(new BigDecimal("0.10"), null),
        used);

    assertThat(refusal("t", "0.06").code()).isEqualTo(Code.BUDGET_EXHAUSTED);
    assertThat(refusal("t", "0.05")).isNull();
    assertThat(Money.least(BigDecimal.ONE, BigDecimal.TEN)).isEqualTo(BigDecimal.ONE);
    assertThat(Money.least(null, null)).isNull();
  }

  @Test
  void outside_of_a_task_no_call_asks_for_more_than_the_manifest_allows() {
    AgentProcess thrifty =
        new World.FakeProcesses()
            .put(
                AGENT,
                AgentProcess.State.ALIVE,
                Map.of("policy_overrides", Map.of("budget", Map.of("usd_max", 0.1))));

    assertThatThrownBy(() -> ledger.reserve(call(null, "0.2"), thrifty))
        .hasMessageContaining("0.1 USD");
    assertThat(ledger.reserve(call(null, "0.1"), thrifty)).isNotNull();
    assertThat(ledger.reserve(call("t", "0.2"), thrifty)).isNotNull();
  }

  // --- holding --------------------------------------------------------------------------------

  @Test
  void who_has_used_up_its_budget_is_held_until_the_window_passes_or_the_limit_changes()
      throws Exception {
    settings("{default: {calls_per_hour: 1}}");
    List<String> told = new ArrayList<>();
    ledger.tell((tenant, agent, until) -> told.add(tenant + "/" + agent + "/" + until));
    refusal(null, null);
    assertThat(told).isEmpty();

    refusal(null, null);
    long hour = (clock.millis() / 3_600_000 + 1) * 3_600_000;
    assertThat(told).containsExactly("acme/null/" + hour);

    settings("{default: {calls_per_hour: 5}}");
    assertThat(told).containsExactly("acme/null/" + hour, "acme/null/0");
    assertThat(admitted()).isEqualTo(4);
  }

  @Test
  void a_task_without_budget_holds_nobody() {
    List<String> told = new ArrayList<>();
    ledger.tell((tenant, agent, until) -> told.add(tenant));
    ledger.open(new Key("acme", "t"), new TaskQuota(0L, null, null, null), null, new Progress());

    assertThat(refusal("t", null)).isNotNull();

    assertThat(told).isEmpty();
  }

  // --- what survives --------------------------------------------------------------------------

  @Test
  void a_ledger_that_was_closed_goes_on_exactly_where_it_was() throws Exception {
    settings("{default: {calls_per_hour: 1000}}");
    for (int i = 0; i < 333; i++) {
      assertThat(refusal(null, null)).isNull();
    }
    ledger.close();
    ledger = open();

    assertThat(admitted()).isEqualTo(667);
  }

  @Test
  void a_ledger_that_died_again_and_again_never_admits_too_much_and_loses_little()
      throws Exception {
    settings("{default: {calls_per_hour: 640}}");
    int admitted = 0;
    for (int life = 0; life < 10; life++) {
      ledger = open();
      for (int i = 0; i < 25; i++) {
        admitted += refusal(null, null) == null ? 1 : 0;
      }
    }
    ledger = open();
    admitted += admitted();

    assertThat(admitted).isBetween(640 - 11 * 10, 640);
  }

  @Test
  void a_line_that_was_cut_short_is_passed_over_and_does_not_spoil_the_next() throws Exception {
    settings("{default: {calls_per_hour: 640}}");
    refusal(null, null);
    String whole = Files.readString(file());
    for (int cut = 1; cut < whole.length(); cut += 7) {
      Files.writeString(file(), whole + whole.substring(0, cut));
      ledger = open();
      assertThat(refusal(null, null)).isNull();
      ledger = open();
      assertThat(Files.readString(file())).startsWith(whole).endsWith("\n");
      Files.writeString(file(), whole);
    }
  }

  @Test
  void a_damaged_file_is_not_read_over() throws Exception {
    settings("{default: {calls_per_hour: 640}}");
    refusal(null, null);
    Files.writeString(file(), "nonsense\n", UTF_8, StandardOpenOption.APPEND);

    assertThatThrownBy(this::open).hasMessageContaining("is damaged");
  }

  @Test
  void the_file_does_not_grow_beyond_bounds_and_says_the_same_when_it_was_written_anew()
      throws Exception {
    settings("{default: {calls_per_hour: 640}, default_agent: {calls_per_hour: 640}}");
    for (int i = 0; i < 320; i++) {
      refusal(null, null);
    }
    // As if there had been many more.
    byte[] lines = Files.readAllBytes(file());
    while (Files.size(file()) < 4 << 20) {
      Files.write(file(), lines, StandardOpenOption.APPEND);
    }
    ledger = open();
    int admitted = admitted();

    assertThat(Files.size(file())).isLessThan(1 << 20);
    assertThat(admitted).isBetween(300, 320);
    ledger = open();
    assertThat(admitted()).isZero();
  }

  @Test
  void a_disk_that_is_away_refuses_and_half_a_line_on_it_does_no_harm() throws Exception {
    settings("{default: {calls_per_hour: 640}}");
    Files.delete(folder.resolve("state/budgets.jsonl").getParent());
    assertThat(refusal(null, null).code()).isEqualTo(Code.BACKEND_UNAVAILABLE);
    Files.createDirectories(folder.resolve("state"));

    assertThat(admitted()).isEqualTo(640);
  }

  // --- several nodes --------------------------------------------------------------------------

  @Test
  void all_nodes_together_have_what_one_would_have() throws Exception {
    settings("{default: {calls_per_hour: 100, usd_per_hour: 1, token_rate: 1000}}");
    MapCluster cluster = new MapCluster(clock::nanos);
    ledger.cluster = cluster;
    BudgetLedger other = new BudgetLedger(folder.resolve("other"), settings, clock);
    other.cluster = cluster;

    Reservation big = ledger.reserve(call(null, "0.9"), row);
    assertThatThrownBy(() -> other.reserve(call(null, "0.2"), row)).isInstanceOf(Refused.class);
    big.settle(spent("0", 0), TOOK);
    for (int i = 0; i < 49; i++) {
      ledger.reserve(call(null, null), row).settle(spent("0", 0), TOOK);
      other.reserve(call(null, null), row).settle(spent("0", 0), TOOK);
    }
    other.reserve(call(null, null), row).settle(spent("0", 0), TOOK);
    assertThatThrownBy(() -> other.reserve(call(null, null), row))
        .hasMessageContaining("all nodes together");
    clock.advance(Duration.ofHours(1));
    ledger.reserve(call(null, null), row).settle(spent("0", 0), TOOK);
  }

  @Test
  void tokens_beyond_what_was_set_aside_are_charged_to_all_nodes() throws Exception {
    settings("{default: {token_rate: 10}}");
    ledger.cluster = new MapCluster(clock::nanos);
    ledger.reserve(call(null, null), row).settle(spent("0", 150), TOOK);

    assertThat(refusal(null, null).code()).isEqualTo(Code.RATE_LIMITED);
    clock.advance(Duration.ofSeconds(10));
    assertThat(refusal(null, null)).isNull();
  }

  @Test
  void a_cluster_that_does_not_answer_admits_nothing_and_a_tasks_own_quota_is_given_back()
      throws Exception {
    settings("{default: {calls_per_hour: 100}}");
    MapCluster cluster = new MapCluster(clock::nanos);
    ledger.cluster = cluster;
    ledger.open(new Key("acme", "t"), new TaskQuota(1L, null, null, null), null, new Progress());
    cluster.fail("away");

    assertThat(refusal("t", null).code()).isEqualTo(Code.BACKEND_UNAVAILABLE);

    cluster.fail(null);
    assertThat(refusal("t", null)).isNull();
    assertThat(refusal("t", null).code()).isEqualTo(Code.BUDGET_EXHAUSTED);
  }

  // --- what a call may use at most ------------------------------------------------------------

  private static Outcome.Spent atMost(String usd, long tokens) {
    return new Outcome.Spent(new BigDecimal(usd), 0, tokens);
  }

  @Test
  void sets_aside_what_a_call_may_cost_so_that_calls_at_once_do_not_overspend() throws Exception {
    settings("{default: {usd_per_hour: 1}}");

    Reservation first = ledger.reserve(call(null, null), row, atMost("0.6", 100));
    Refused second =
        catchThrowableOfType(
            Refused.class, () -> ledger.reserve(call(null, null), row, atMost("0.6", 100)));
    first.settle(spent("0.1", 10), TOOK);

    assertThat(second.problem().code()).isEqualTo(Code.BUDGET_EXHAUSTED);
    ledger.reserve(call(null, null), row, atMost("0.9", 100)).settle(spent("0.9", 1), TOOK);
    assertThat(refusal(null, null).code()).isEqualTo(Code.BUDGET_EXHAUSTED);
  }

  @Test
  void what_a_call_names_itself_is_set_aside_where_it_is_less() throws Exception {
    settings("{default: {usd_per_hour: 1}}");

    ledger.reserve(call(null, "0.4"), row, atMost("0.9", 1));
    ledger.reserve(call(null, "0.4"), row, atMost("0.9", 1));

    assertThat(refusal(null, "0.4").code()).isEqualTo(Code.BUDGET_EXHAUSTED);
  }

  @Test
  void a_call_that_may_use_more_tokens_than_its_rate_admits_at_once_takes_all_and_then_waits()
      throws Exception {
    settings("{default: {token_rate: 10}}");
    assertThat(refusal(null, null).code()).as("begins empty").isEqualTo(Code.RATE_LIMITED);
    clock.advance(Duration.ofSeconds(60));

    Reservation first = ledger.reserve(call(null, null), row, atMost("0", 5_000));
    assertThat(refusal(null, null).code()).as("while it runs").isEqualTo(Code.RATE_LIMITED);
    first.settle(spent("0", 150), TOOK);

    assertThat(refusal(null, null).code()).as("50 beyond").isEqualTo(Code.RATE_LIMITED);
    clock.advance(Duration.ofMillis(5_000));
    assertThat(refusal(null, null).code()).as("none is there yet").isEqualTo(Code.RATE_LIMITED);
    clock.advance(Duration.ofMillis(200));
    assertThat(refusal(null, null)).isNull();
  }

  @Test
  void a_refused_call_is_charged_nothing_and_one_that_failed_is_charged_what_it_used()
      throws Exception {
    settings("{default: {calls_per_hour: 2, usd_per_hour: 1}}");
    Outcome refused = Outcome.failed(Problem.of(Code.INVALID_FIELD, "no"));
    Outcome brokenOff =
        new Outcome.Failed(Problem.of(Code.CANCELLED, "gone"), null, atMost("0.5", 9));

    ledger.reserve(call(null, null), row, atMost("0.9", 1)).settle(refused, TOOK);
    ledger.reserve(call(null, null), row, atMost("0.9", 1)).settle(brokenOff, TOOK);

    assertThat(ledger.standings(null))
        .extracting(Standing::kind, Standing::used, Standing::reserved)
        .containsExactlyInAnyOrder(
            tuple("calls", new BigDecimal("1"), new BigDecimal("0")),
            tuple("usd", new BigDecimal("0.500000"), new BigDecimal("0.000000")));
  }

  @Test
  void standings_tell_what_is_used_and_what_is_set_aside_by_tenant_agent_and_task()
      throws Exception {
    settings(
        "{tenants: {acme: {usd_per_hour: 2, agents: {worker: {calls_per_hour: 5}}},"
            + " other: {token_rate: 7}}}");
    ledger.reserve(call(null, null), row, atMost("0.25", 10)).settle(spent("0.125", 4), TOOK);
    Reservation running = ledger.reserve(call(null, null), row, atMost("0.5", 10));

    List<Standing> ofAcme = ledger.standings("acme");

    assertThat(ofAcme)
        .containsExactlyInAnyOrder(
            new Standing(
                "tenant",
                "acme",
                "acme",
                "usd",
                "hour",
                new BigDecimal("2.000000"),
                new BigDecimal("0.125000"),
                new BigDecimal("0.500000")),
            new Standing(
                "agent",
                AGENT.toString(),
                "acme",
                "calls",
                "hour",
                new BigDecimal("5"),
                new BigDecimal("1"),
                new BigDecimal("1")));
    assertThat(ledger.standings(null))
        .extracting(Standing::holder)
        .contains("acme", AGENT.toString(), "other");
    running.settle(spent("0.5", 1), TOOK);
    assertThat(ledger.standings("acme"))
        .extracting(Standing::reserved)
        .allMatch(reserved -> reserved.signum() == 0);
  }

  @Test
  void spendings_tell_what_each_engine_has_cost_in_this_hour() throws Exception {
    ledger.reserve(call(null, null), row).settle(spent("0.2", 10), TOOK);
    ledger.reserve(call(null, null), row).settle(spent("0.1", 5), TOOK);
    ledger
        .reserve(call(null, null), row)
        .settle(Outcome.failed(Problem.of(Code.TOOL_BUSY, "no")), TOOK);

    assertThat(ledger.spendings("acme"))
        .containsExactly(
            new Spending("acme", "m", 2, new Outcome.Spent(new BigDecimal("0.3"), 15, 0)));
    assertThat(ledger.spendings("other")).isEmpty();
    clock.advance(Duration.ofHours(1));
    assertThat(ledger.spendings(null)).isEmpty();
  }
}
