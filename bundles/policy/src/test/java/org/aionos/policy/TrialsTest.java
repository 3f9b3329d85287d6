package org.aionos.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.policy.PolicyVersions.Activation;
import org.aionos.kernel.policy.PolicyVersions.Origin;
import org.aionos.kernel.policy.PolicyVersions.Proposal;
import org.aionos.kernel.policy.PolicyVersions.Version;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Versions in use, by a clock that the test turns: what becomes of those that do not do well. */
final class TrialsTest {

  private static final String GATES =
      """
      apiVersion: aion.os/v1
      kind: GatePolicy
      interval_s: 10
      samples_min: 20
      failures_max: 2
      inconclusive_max: 3
      watch_s: 100
      gates:
        - { name: errors, metric: error_rate, max: 0.5, max_ratio: 3 }
      """;

  private static final String SLICE =
      "apiVersion: aion.os/v1\nkind: SchedulerPolicy\nslice_ms: %d\n";

  @TempDir Path folder;
  private final EventList journal = new EventList();
  private final CountedMeters meters = new CountedMeters();
  private volatile long nanos;
  private VersionedPolicy policy;

  private void open() {
    policy =
        Opened.policy(
            folder.resolve("policies"),
            folder.resolve("state"),
            Duration.ofHours(1),
            new Disk(step -> {}),
            journal,
            meters,
            new Opened.Away(),
            () -> nanos);
    policy.look();
  }

  private void openWith(String capabilities) throws IOException {
    Files.createDirectories(folder.resolve("policies"));
    Files.writeString(folder.resolve("policies").resolve(VersionedPolicy.FILE_NAME), capabilities);
    open();
    Version first = add("first", capabilities, 10);
    policy.activate("first", new Activation(first.sha256(), null, Set.of()), Opened.OPERATOR);
    policy.end("", Opened.OPERATOR);
    policy.look();
  }

  private Version add(String name, String capabilities, int slice) {
    return policy.add(
        new Proposal(
            name,
            Map.of(
                VersionedPolicy.FILE_NAME,
                capabilities,
                "gates.yaml",
                GATES,
                "scheduler.yaml",
                SLICE.formatted(slice)),
            null,
            Origin.BRAIN,
            "",
            Map.of()),
        null);
  }

  @AfterEach
  void close() {
    policy.close();
  }

  /** So many calls of a tenant, of which so many end by a fault of a tool. */
  private void calls(String tenant, int count, int failed) {
    AgentId agent = new AgentId(tenant, "worker-1");
    Syscall syscall = Calls.syscall(agent, "tool.invoke", Set.of());
    for (int i = 0; i < count; i++) {
      Decision decision =
          policy.decide(Calls.asked(syscall), Calls.agent(agent, Set.of(), Set.of("*")), Set.of());
      policy.observe(
          syscall,
          (Decision.Allow) decision,
          i < failed
              ? Outcome.failed(Problem.of(Code.TOOL_FAULT, "broken"))
              : new Outcome.Ok(
                  Map.of(),
                  new Outcome.Spent(new BigDecimal("0.001"), 1, 1),
                  new Outcome.Engine("kernel", "kernel/test")),
          Duration.ofMillis(7));
    }
  }

  private void interval(int failedOfAcme) {
    calls("acme", 40, failedOfAcme);
    calls("beta", 40, 1);
    pass(10);
  }

  private void pass(int seconds) {
    nanos += Duration.ofSeconds(seconds).toNanos();
    policy.look();
  }

  @Test
  void a_canary_that_fails_goes_within_the_intervals_that_are_promised() throws Exception {
    openWith(PolicyVersionsTest.WIDE);
    add("second", PolicyVersionsTest.WIDE, 20);
    policy.activate("second", new Activation(null, null, Set.of("acme")), null);
    policy.look();
    interval(1);
    assertThat(policy.canary()).get().extracting("failures").isEqualTo(0);
    assertThat(policy.canary()).get().extracting("figures.calls").isEqualTo(40L);
    // 39 calls of a thousandth of a dollar in ten seconds.
    assertThat(policy.canary().orElseThrow().figuresBeside().usdPerHour()).isBetween(14.03, 14.05);
    interval(30);
    assertThat(policy.canary()).get().extracting("failures").isEqualTo(1);
    interval(30);

    assertThat(policy.canary()).isEmpty();
    assertThat(policy.version().id()).isEqualTo("first");
    assertThat(journal.kinds).endsWith("policy.rolled_back", "policy.canary_ended");
    assertThat(String.valueOf(journal.facts.get(journal.facts.size() - 1).get("reason")))
        .contains("errors: 0.75");
    assertThat(meters.counters).containsEntry("aion_policy_rollbacks_total", 1L);
  }

  @Test
  void a_version_that_all_have_goes_back_if_that_grants_nobody_more() throws Exception {
    openWith(PolicyVersionsTest.WIDE);
    interval(1);
    add("second", PolicyVersionsTest.WIDE, 20);
    policy.activate("second", Activation.FOR_ALL, null);
    policy.look();
    // Sixteen of eighty: less than half, more than three times what was.
    interval(15);
    interval(15);

    assertThat(policy.version().id()).isEqualTo("first");
    assertThat(policy.scheduling().sliceMillis()).isEqualTo(10);
    assertThat(policy.operatorCalled()).isEmpty();
    assertThat(journal.kinds).endsWith("policy.rolled_back");
  }

  @Test
  void a_version_that_tightened_goes_back_in_performance_alone_and_an_operator_is_called()
      throws Exception {
    openWith(PolicyVersionsTest.WIDE);
    interval(1);
    add("second", PolicyVersionsTest.NARROW, 20);
    policy.activate("second", Activation.FOR_ALL, null);
    policy.look();
    interval(30);
    interval(30);

    Version current = policy.current().orElseThrow();
    assertThat(current.origin()).isEqualTo(Origin.ROLLBACK);
    assertThat(current.parent()).isEqualTo("second");
    assertThat(policy.scheduling().sliceMillis()).isEqualTo(10);
    assertThat(policy.find(current.name()).files())
        .containsEntry(VersionedPolicy.FILE_NAME, PolicyVersionsTest.NARROW);
    assertThat(policy.operatorCalled()).contains("would grant more");
    assertThat(journal.kinds).endsWith("policy.operator_called", "policy.rolled_back");
    policy.close();
    open();
    assertThat(policy.operatorCalled()).contains("would grant more");
    policy.rollback("first", "a person has looked", Opened.OPERATOR);
    assertThat(policy.operatorCalled()).isEmpty();
    assertThat(policy.version().id()).isEqualTo("first");
  }

  @Test
  void nothing_is_concluded_of_few_calls_and_an_operator_is_called() throws Exception {
    openWith(PolicyVersionsTest.WIDE);
    add("second", PolicyVersionsTest.WIDE, 20);
    policy.activate("second", new Activation(null, null, Set.of("acme")), null);
    policy.look();
    for (int i = 0; i < 3; i++) {
      calls("acme", 19, 19);
      pass(10);
    }

    assertThat(policy.canary()).get().extracting("paused").isEqualTo(true);
    assertThat(policy.operatorCalled()).contains("second").contains("3 intervals");
    assertThat(journal.kinds).endsWith("policy.operator_called");
    // Paused is not blind.
    interval(30);
    interval(30);
    assertThat(policy.canary()).isEmpty();
  }

  @Test
  void a_watch_ends_and_a_promotion_is_watched_by_the_figures_of_before() throws Exception {
    openWith(PolicyVersionsTest.WIDE);
    add("second", PolicyVersionsTest.WIDE, 20);
    policy.activate("second", new Activation(null, null, Set.of("acme")), null);
    policy.look();
    interval(1);
    policy.promote(Opened.OPERATOR);
    policy.look();
    for (int i = 0; i < 9; i++) {
      interval(1);
      assertThat(policy.canary()).get().extracting("watched").isEqualTo(true);
    }
    assertThat(policy.canary()).get().extracting("figuresBeside.calls").isEqualTo(40L);
    interval(1);

    assertThat(policy.canary()).isEmpty();
    assertThat(policy.version().id()).isEqualTo("second");
    assertThat(journal.kinds).endsWith("policy.watch_ended");
  }

  @Test
  void what_cannot_be_put_on_record_is_done_once_it_can() throws Exception {
    openWith(PolicyVersionsTest.WIDE);
    add("second", PolicyVersionsTest.WIDE, 20);
    policy.activate("second", new Activation(null, null, Set.of("acme")), null);
    policy.look();
    journal.away = true;
    interval(30);
    interval(30);
    assertThat(policy.canary()).isPresent();
    journal.away = false;
    interval(30);

    assertThat(policy.canary()).isEmpty();
  }

  @Test
  void a_gate_can_ask_for_a_meter_of_the_kernel() throws Exception {
    openWith(PolicyVersionsTest.WIDE);
    String gates =
        GATES
            + "  - { name: queue, metric: query, max: 5, query: { metric: aion_q, as: rate_per_s } }\n";
    policy.add(
        new Proposal(
            "gated",
            Map.of(VersionedPolicy.FILE_NAME, PolicyVersionsTest.WIDE, "gates.yaml", gates),
            null,
            Origin.OPERATOR,
            "",
            Map.of()),
        Opened.OPERATOR);
    policy.activate("gated", Activation.FOR_ALL, Opened.OPERATOR);
    policy.end("", Opened.OPERATOR);
    add("second", PolicyVersionsTest.WIDE, 20);
    String sha = policy.find("second").version().sha256();
    policy.activate("second", new Activation(sha, null, Set.of("acme")), Opened.OPERATOR);
    policy.look();
    for (int i = 0; i < 3; i++) {
      meters.text = "aion_q " + 100 * i + "\n";
      interval(1);
    }

    assertThat(policy.canary()).isEmpty();
    assertThat(String.valueOf(journal.facts.get(journal.facts.size() - 1).get("reason")))
        .contains("queue");
  }
}
