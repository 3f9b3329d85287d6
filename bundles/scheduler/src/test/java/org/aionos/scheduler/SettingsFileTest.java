package org.aionos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.policy.Tuning;
import org.aionos.kernel.task.Scheduler;
import org.aionos.kernel.task.Tier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsFileTest {

  @TempDir Path folder;
  private SettingsFile file;

  @BeforeEach
  void begin() {
    file = new SettingsFile(folder);
  }

  @AfterEach
  void end() {
    file.close();
  }

  private void write(String yaml) throws IOException {
    Files.writeString(folder.resolve("scheduler.yaml"), yaml);
    file.reload();
  }

  @Test
  void without_a_file_the_defaults_hold() {
    assertThat(file.now().slots()).isEqualTo(8);
    assertThat(file.now().weights())
        .containsEntry(Tier.HIGH, 6)
        .containsEntry(Tier.NORMAL, 3)
        .containsEntry(Tier.LOW, 1);
    assertThat(file.version()).isEmpty();
    assertThat(file.rejected()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "slots: 0",
        "slots: many",
        "slotz: 3",
        "queues: {higher: {weight: 1}}",
        "queues: {high: {weight: 0}}",
        "limits: {kept_s: 1}",
        "quotas: {tenants: {'a b': {}}}",
        "quotas: {default: {agents: {}}}",
        "quotas: {default: {usd_per_hour: -1}}",
        "kind: Agent",
        "apiVersion: other",
        "- list",
        "{"
      })
  void an_invalid_file_is_not_taken_and_the_old_one_stays(String yaml) throws IOException {
    write("slots: 3");
    String version = file.version();
    AtomicInteger told = new AtomicInteger();
    file.listen(told::incrementAndGet);

    write(yaml);

    assertThat(file.now().slots()).isEqualTo(3);
    assertThat(file.version()).isEqualTo(version).hasSize(8);
    assertThat(file.rejected()).isNotEmpty();
    assertThat(told).hasValue(0);
    write("slots: 4");
    assertThat(file.rejected()).isEmpty();
    assertThat(file.now().slots()).isEqualTo(4);
    assertThat(told).hasValue(1);
  }

  @Test
  void a_file_that_is_taken_away_brings_the_defaults_back() throws IOException {
    write("slots: 3");
    Files.delete(folder.resolve("scheduler.yaml"));
    file.reload();

    assertThat(file.now().slots()).isEqualTo(8);
    assertThat(file.version()).isEmpty();
  }

  @Test
  void a_listener_that_is_closed_is_told_no_more() throws Exception {
    AtomicInteger told = new AtomicInteger();
    AutoCloseable listening = file.listen(told::incrementAndGet);
    write("slots: 3");
    listening.close();
    write("slots: 4");

    assertThat(told).hasValue(1);
  }

  @Test
  void the_nearest_quota_holds() throws IOException {
    write(
        "quotas: {default: {weight: 2}, default_agent: {max_concurrency: 1},"
            + " tenants: {acme: {weight: 5, agents: {boss: {max_concurrency: 9}}}}}");

    assertThat(file.now().quotas().of("other").weight()).isEqualTo(2);
    assertThat(file.now().quotas().of("acme").weight()).isEqualTo(5);
    assertThat(file.now().quotas().of(new AgentId("acme", "boss")).maxConcurrency()).isEqualTo(9);
    assertThat(file.now().quotas().of(new AgentId("acme", "x")).maxConcurrency()).isEqualTo(1);
  }

  // --- what the policy tunes ------------------------------------------------------------------

  @Test
  void the_policy_says_how_turns_are_taken_and_a_change_of_it_is_told() throws Exception {
    write("queues: {high: {weight: 9}}\nslice_ms: 500");
    AtomicInteger told = new AtomicInteger();
    file.listen(told::incrementAndGet);
    FakeTuning tuning = new FakeTuning();

    file.setTuning(tuning);
    assertThat(file.now().weights()).containsEntry(Tier.HIGH, 9);
    tuning.scheduling =
        new Tuning.Scheduling(
            Map.of(Tier.HIGH, 2, Tier.NORMAL, 3, Tier.LOW, 4), null, 7_000L, 250L);
    tuning.changed();

    assertThat(told).hasValue(2);
    assertThat(file.now().weights()).containsEntry(Tier.HIGH, 2).containsEntry(Tier.LOW, 4);
    assertThat(file.now().slice()).hasMillis(500);
    assertThat(file.now().ageing()).hasMillis(7_000);
    assertThat(file.now().minimumRuntime()).hasMillis(250);
    write("queues: {high: {weight: 8}}\nslots: 3");
    assertThat(file.now().weights()).as("the policy still holds").containsEntry(Tier.HIGH, 2);
    assertThat(file.now().slots()).isEqualTo(3);
    assertThat(file.configured().weights()).as("without it").containsEntry(Tier.HIGH, 8);
  }

  @Test
  void of_file_and_policy_the_lower_limit_counts_each_by_itself() throws Exception {
    write(
        "quotas: {default: {max_concurrency: 4}, tenants: {acme: {max_concurrency: 2,"
            + " usd_per_hour: 5, agents: {worker: {token_rate: 10}}}}}");
    FakeTuning tuning = new FakeTuning();
    tuning.tenants.put("acme", new Tuning.Quota(3, 100L, new BigDecimal("1.5"), null));
    tuning.tenants.put("other", FakeTuning.concurrency(1));
    tuning.agents.put(new AgentId("acme", "worker"), new Tuning.Quota(null, 20L, null, 7L));
    file.setTuning(tuning);

    SchedulerSettings.Quotas quotas = file.now().quotas();
    assertThat(quotas.of("acme"))
        .isEqualTo(new SchedulerSettings.Quota(1, 2, 100L, new BigDecimal("1.5"), null));
    assertThat(quotas.of("other").maxConcurrency()).isEqualTo(1);
    assertThat(quotas.of("third").maxConcurrency()).isEqualTo(4);
    assertThat(quotas.of(new AgentId("acme", "worker")))
        .isEqualTo(new SchedulerSettings.Quota(1, null, 10L, null, 7L));
  }

  @Test
  void while_the_policy_is_replaced_what_it_said_holds() throws Exception {
    FakeTuning tuning = new FakeTuning();
    tuning.tenants.put("acme", FakeTuning.concurrency(1));
    file.setTuning(tuning);

    file.unsetTuning(tuning);
    write("slots: 3");

    assertThat(file.now().slots()).isEqualTo(3);
    assertThat(file.now().quotas().of("acme").maxConcurrency()).isEqualTo(1);
    FakeTuning next = new FakeTuning();
    file.setTuning(next);
    file.unsetTuning(tuning);
    next.tenants.put("acme", FakeTuning.concurrency(2));
    next.changed();
    assertThat(file.now().quotas().of("acme").maxConcurrency()).isEqualTo(2);
  }

  @Test
  void others_see_how_turns_are_taken() throws IOException {
    write(
        "{slots: 3, queues: {high: {weight: 9}}, slice_ms: 500, ageing_ms: 700,"
            + " minimum_runtime_ms: 50, window_s: 30, quotas: {default: {max_concurrency: 2},"
            + " tenants: {acme: {weight: 5, agents: {boss: {max_concurrency: 1}}}}}}");

    Scheduler.Turns turns = file.now().turns();

    assertThat(turns.slots()).isEqualTo(3);
    assertThat(turns.weights()).isEqualTo(Map.of(Tier.HIGH, 9, Tier.NORMAL, 3, Tier.LOW, 1));
    assertThat(turns.sliceMillis()).isEqualTo(500);
    assertThat(turns.ageingMillis()).isEqualTo(700);
    assertThat(turns.minimumRuntimeMillis()).isEqualTo(50);
    assertThat(turns.windowMillis()).isEqualTo(30_000);
    assertThat(turns.otherTenants()).isEqualTo(new Scheduler.Place(1, 2));
    assertThat(turns.tenants()).isEqualTo(Map.of("acme", new Scheduler.Place(5, null)));
    assertThat(turns.agents())
        .isEqualTo(Map.of(new AgentId("acme", "boss"), new Scheduler.Place(1, 1)));
    assertThat(turns.otherAgents()).isEqualTo(new Scheduler.Place(1, null));
  }
}
