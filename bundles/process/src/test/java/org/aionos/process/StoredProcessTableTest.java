package org.aionos.process;

import static org.aionos.process.Tables.AGENT;
import static org.aionos.process.Tables.OPERATOR;
import static org.aionos.process.Tables.TENANT;
import static org.aionos.process.Tables.asks;
import static org.aionos.process.Tables.manifest;
import static org.aionos.process.Tables.refusal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.AgentProcess.State;
import org.aionos.kernel.AgentProcess.Vitals;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.ProcessTable.Registration;
import org.aionos.kernel.Role;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StoredProcessTableTest {

  private static final Duration NANO = Duration.ofNanos(1);
  private static final Vitals BUSY = new Vitals(0.5, 1L << 30, null, 3);

  @TempDir private Path folder;
  private final FakeClock clock = new FakeClock();
  private final FakeJournal journal = new FakeJournal();
  private StoredProcessTable table;

  @BeforeEach
  void open() {
    table = Tables.open(folder, journal, clock);
  }

  @AfterEach
  void close() {
    table.close();
  }

  private void reopen() {
    table.close();
    open();
  }

  @Test
  void a_new_agent_is_registered_and_on_record() {
    AgentProcess row = table.register(asks(AGENT, "network"), TENANT);

    assertThat(row.state()).isEqualTo(State.REGISTERED);
    assertThat(row.revision()).isEqualTo(1);
    assertThat(row.declared().capabilities()).containsOnly("network");
    assertThat(row.registeredAt()).isEqualTo(clock.instant());
    assertThat(row.pending()).isNull();
    assertThat(journal.last().kind()).isEqualTo("agent.registered");
    assertThat(journal.last().topic()).isEqualTo("kernel.agents");
    assertThat(journal.last().tenant()).isEqualTo("tenantA");
    assertThat(journal.last().facts())
        .containsEntry("agent", AGENT.toString())
        .containsEntry("revision", 1L)
        .containsEntry("by", "tenant-secret")
        .containsEntry("state", "registered")
        .containsEntry("capabilities", List.of("network"));
  }

  @Test
  void only_who_administers_the_tenant_registers() {
    Caller stranger = Caller.tenantSecret("tenantB", true);
    Caller viewer = Caller.person("vera", Role.VIEWER, null);
    Caller itself = Caller.agentKey("k1", AGENT);

    assertThat(refusal(() -> table.register(asks(AGENT), stranger)).code())
        .isEqualTo(Code.NOT_YOUR_AGENT);
    assertThat(refusal(() -> table.register(asks(AGENT), viewer)).code())
        .isEqualTo(Code.ROLE_REQUIRED);
    assertThat(refusal(() -> table.register(asks(AGENT), itself)).code())
        .isEqualTo(Code.ROLE_REQUIRED);
    assertThat(table.list(null)).isEmpty();
    assertThat(journal.events).isEmpty();
  }

  @Test
  void the_same_registration_again_changes_nothing() {
    AgentProcess first = table.register(asks(AGENT, "network"), TENANT);

    AgentProcess again = table.register(asks(AGENT, "network"), TENANT);

    assertThat(again).isEqualTo(first);
    assertThat(journal.kinds()).containsExactly("agent.registered");
  }

  @Test
  void asking_for_less_takes_force_at_once() {
    table.register(asks(AGENT, "network", "gpu"), TENANT);

    AgentProcess row = table.register(asks(AGENT, "gpu"), TENANT);

    assertThat(row.declared().capabilities()).containsOnly("gpu");
    assertThat(row.revision()).isEqualTo(2);
    assertThat(journal.last().kind()).isEqualTo("agent.changed");
  }

  @Test
  void asking_for_more_waits_for_an_operator() {
    table.register(asks(AGENT, "network"), TENANT);

    AgentProcess row = table.register(asks(AGENT, "network", "gpu"), TENANT);

    assertThat(row.declared().capabilities()).containsOnly("network");
    assertThat(row.revision()).isEqualTo(1);
    assertThat(row.pending().digest()).matches("[0-9a-f]{64}");
    assertThat(row.pending().widening()).containsExactly("capability gpu");
    assertThat(row.pending().askedBy()).isEqualTo("tenant-secret");
    assertThat(table.register(asks(AGENT, "network", "gpu"), TENANT)).isEqualTo(row);
    assertThat(journal.kinds()).containsExactly("agent.registered", "agent.widening_asked");
  }

  @Test
  void an_operator_widens_at_once() {
    table.register(asks(AGENT, "network"), TENANT);
    table.register(asks(AGENT, "network", "gpu"), TENANT);

    AgentProcess row = table.register(asks(AGENT, "subprocess"), OPERATOR);

    assertThat(row.declared().capabilities()).containsOnly("subprocess");
    assertThat(row.pending()).isNull();
    assertThat(row.revision()).isEqualTo(2);
  }

  @Test
  void a_syscall_pattern_widens_unless_an_old_one_covers_it() {
    table.register(manifest("network", "memory.*", "tool.invoke"), TENANT);

    assertThat(table.register(manifest("network", "memory.p*", "tool.invoke"), TENANT).pending())
        .isNull();
    assertThat(table.register(manifest("network", "memory.*"), TENANT).pending().widening())
        .containsExactly("syscall memory.*");
    assertThat(table.find(AGENT).orElseThrow().declared().syscalls())
        .containsOnly("memory.p*", "tool.invoke");
  }

  @Test
  void a_narrower_registration_takes_a_wish_back() {
    table.register(asks(AGENT, "network"), TENANT);
    table.register(asks(AGENT, "network", "gpu"), TENANT);

    assertThat(table.register(asks(AGENT), TENANT).pending()).isNull();
  }

  @Test
  void the_registration_in_force_takes_a_wish_back() {
    table.register(asks(AGENT, "network"), TENANT);
    table.register(asks(AGENT, "network", "gpu"), TENANT);

    AgentProcess row = table.register(asks(AGENT, "network"), TENANT);

    assertThat(row.pending()).isNull();
    assertThat(row.revision()).isEqualTo(1);
    assertThat(journal.last().facts()).containsKey("withdrawn");
  }

  @Test
  void an_approved_registration_takes_force() {
    table.register(asks(AGENT, "network"), TENANT);
    String digest = table.register(asks(AGENT, "network", "gpu"), TENANT).pending().digest();

    AgentProcess row = table.approve(AGENT, digest, OPERATOR);

    assertThat(row.declared().capabilities()).containsOnly("network", "gpu");
    assertThat(row.revision()).isEqualTo(2);
    assertThat(row.pending()).isNull();
    assertThat(journal.last().kind()).isEqualTo("agent.approved");
    assertThat(journal.last().facts())
        .containsEntry("by", "olga")
        .containsEntry("asked_by", "tenant-secret")
        .containsEntry("digest", digest)
        .containsEntry("revision", 2L);
    assertThat(table.register(asks(AGENT, "network", "gpu"), TENANT)).isEqualTo(row);
  }

  @Test
  void an_approval_names_what_waits() {
    table.register(asks(AGENT), TENANT);
    String looked = table.register(asks(AGENT, "gpu"), TENANT).pending().digest();
    String waits = table.register(asks(AGENT, "subprocess"), TENANT).pending().digest();

    var problem = refusal(() -> table.approve(AGENT, looked, OPERATOR));

    assertThat(problem.code()).isEqualTo(Code.CONFLICT);
    assertThat(problem.message()).contains(waits);
    assertThat(table.find(AGENT).orElseThrow().declared().capabilities()).isEmpty();
  }

  @Test
  void only_an_operator_of_the_tenant_approves_and_only_what_waits() {
    Caller elsewhere = Caller.person("omar", Role.OPERATOR, "tenantB");
    table.register(asks(AGENT), TENANT);

    assertThat(refusal(() -> table.approve(AGENT, "x", TENANT)).code())
        .isEqualTo(Code.ROLE_REQUIRED);
    assertThat(refusal(() -> table.approve(AGENT, "x", elsewhere)).code())
        .isEqualTo(Code.NOT_YOUR_AGENT);
    assertThat(refusal(() -> table.approve(AGENT, "x", OPERATOR)).code()).isEqualTo(Code.NOT_FOUND);
    assertThat(refusal(() -> table.approve(new AgentId("tenantA", "no"), "x", OPERATOR)).code())
        .isEqualTo(Code.NOT_FOUND);
  }

  @Test
  void a_tenant_has_only_so_many_agents() {
    IntStream.range(0, 5)
        .forEach(i -> table.register(asks(new AgentId("tenantA", "a" + i)), TENANT));

    assertThat(refusal(() -> table.register(asks(AGENT), TENANT)).code())
        .isEqualTo(Code.BUDGET_EXHAUSTED);
    table.register(asks(new AgentId("tenantB", "b")), OPERATOR);
    table.register(asks(new AgentId("tenantA", "a0"), "gpu"), OPERATOR);
    assertThat(table.list("tenantA")).hasSize(5);
  }

  @Test
  void a_sign_of_life_makes_it_alive_with_one_event() {
    table.register(asks(AGENT), TENANT);
    clock.advance(Duration.ofHours(1));

    AgentProcess row = table.seen(AGENT).orElseThrow();
    table.seen(AGENT);
    table.heartbeat(AGENT, BUSY);

    assertThat(row.state()).isEqualTo(State.ALIVE);
    assertThat(row.lastSeenAt()).isEqualTo(clock.instant());
    assertThat(journal.kinds()).containsExactly("agent.registered", "agent.alive");
  }

  @Test
  void it_is_suspect_and_lost_at_the_instant_not_before() {
    table.register(asks(AGENT), TENANT);
    table.seen(AGENT);

    clock.advance(Duration.ofSeconds(30).minus(NANO));
    assertThat(state()).isEqualTo(State.ALIVE);
    clock.advance(NANO);
    assertThat(state()).isEqualTo(State.SUSPECT);
    clock.advance(Duration.ofSeconds(90).minus(NANO));
    assertThat(state()).isEqualTo(State.SUSPECT);
    clock.advance(NANO);
    assertThat(state()).isEqualTo(State.LOST);
    table.look();
    table.look();

    assertThat(state()).isEqualTo(State.LOST);
    assertThat(journal.kinds())
        .containsExactly("agent.registered", "agent.alive", "agent.suspect", "agent.lost");
  }

  @Test
  void a_late_sign_of_life_leaves_no_step_unrecorded() {
    table.register(asks(AGENT), TENANT);
    table.seen(AGENT);
    clock.advance(Duration.ofSeconds(30));

    assertThat(table.heartbeat(AGENT, BUSY).state()).isEqualTo(State.ALIVE);
    clock.advance(Duration.ofSeconds(120));
    assertThat(table.seen(AGENT).orElseThrow().state()).isEqualTo(State.ALIVE);

    assertThat(journal.kinds())
        .containsExactly(
            "agent.registered",
            "agent.alive",
            "agent.suspect",
            "agent.alive",
            "agent.suspect",
            "agent.lost",
            "agent.alive");
  }

  @Test
  void a_registered_agent_is_never_lost() {
    table.register(asks(AGENT), TENANT);
    clock.advance(Duration.ofDays(1));
    table.look();

    assertThat(state()).isEqualTo(State.REGISTERED);
  }

  @Test
  void a_stopped_agent_stays_so_until_it_is_resumed() {
    table.register(asks(AGENT), TENANT);
    table.seen(AGENT);

    table.setStopped(AGENT, true, OPERATOR);
    clock.advance(Duration.ofDays(1));
    table.look();

    assertThat(table.seen(AGENT).orElseThrow().state()).isEqualTo(State.STOPPED);
    assertThat(refusal(() -> table.heartbeat(AGENT, BUSY)).code()).isEqualTo(Code.AGENT_STOPPED);
    assertThat(table.register(asks(AGENT, "gpu"), OPERATOR).state()).isEqualTo(State.STOPPED);
    assertThat(table.setStopped(AGENT, true, OPERATOR).state()).isEqualTo(State.STOPPED);
    assertThat(table.setStopped(AGENT, false, OPERATOR).state()).isEqualTo(State.REGISTERED);
    assertThat(table.setStopped(AGENT, false, OPERATOR).state()).isEqualTo(State.REGISTERED);
    assertThat(journal.kinds())
        .containsExactly(
            "agent.registered", "agent.alive", "agent.stopped", "agent.changed", "agent.resumed");
  }

  @Test
  void only_an_operator_stops() {
    table.register(asks(AGENT), TENANT);

    assertThat(refusal(() -> table.setStopped(AGENT, true, TENANT)).code())
        .isEqualTo(Code.ROLE_REQUIRED);
    assertThat(refusal(() -> table.setStopped(new AgentId("a", "b"), true, OPERATOR)).code())
        .isEqualTo(Code.NOT_FOUND);
  }

  @Test
  void strangers_have_no_row() {
    assertThat(table.seen(AGENT)).isEmpty();
    assertThat(table.find(AGENT)).isEmpty();
    assertThat(refusal(() -> table.heartbeat(AGENT, BUSY)).code()).isEqualTo(Code.UNKNOWN_AGENT);
  }

  @Test
  void a_heartbeat_brings_vitals() {
    table.register(asks(AGENT), TENANT);

    table.heartbeat(AGENT, BUSY);

    assertThat(table.find(AGENT).orElseThrow().vitals()).isEqualTo(BUSY);
  }

  @Test
  void lists_by_id() {
    table.register(asks(new AgentId("tenantA", "b")), TENANT);
    table.register(asks(new AgentId("tenantA", "a")), TENANT);
    table.register(asks(new AgentId("tenant", "z")), OPERATOR);

    assertThat(table.list("tenantA")).extracting(row -> row.id().name()).containsExactly("a", "b");
    assertThat(table.list(null)).extracting(row -> row.id().name()).containsExactly("z", "a", "b");
  }

  @Test
  void everything_is_there_again_after_a_restart() {
    table.register(
        new Registration(
            AGENT, "پژوهشگر 🔬", "۱.۰", Set.of("network"), Map.of("cpu", 2, "نام", "x"), null),
        TENANT);
    table.seen(AGENT);
    table.register(asks(AGENT, "network", "gpu"), TENANT);
    clock.advance(Duration.ofSeconds(7));
    AgentProcess before = table.seen(AGENT).orElseThrow();

    reopen();

    assertThat(table.find(AGENT)).contains(before);
    assertThat(before.name()).isEqualTo("پژوهشگر 🔬");
    assertThat(before.pending()).isNotNull();
  }

  @Test
  void an_outage_of_the_kernel_loses_no_agent() {
    table.register(asks(AGENT), TENANT);
    table.seen(AGENT);
    table.close();
    clock.advance(Duration.ofDays(1));

    open();
    table.look();

    assertThat(state()).isEqualTo(State.ALIVE);
    clock.advance(Duration.ofSeconds(30));
    assertThat(state()).isEqualTo(State.SUSPECT);
  }

  @Test
  void a_suspect_is_no_less_suspect_after_a_restart() {
    table.register(asks(AGENT), TENANT);
    table.seen(AGENT);
    clock.advance(Duration.ofSeconds(30));
    table.look();

    reopen();

    assertThat(state()).isEqualTo(State.SUSPECT);
    assertThat(table.seen(AGENT).orElseThrow().state()).isEqualTo(State.ALIVE);
  }

  @Test
  void nothing_takes_force_that_is_not_on_record() {
    table.register(asks(AGENT), TENANT);
    table.seen(AGENT);
    journal.broken = true;

    assertThat(refusal(() -> table.register(asks(AGENT, "gpu"), OPERATOR)).code())
        .isEqualTo(Code.JOURNAL_UNAVAILABLE);
    assertThat(refusal(() -> table.setStopped(AGENT, true, OPERATOR)).code())
        .isEqualTo(Code.JOURNAL_UNAVAILABLE);
    clock.advance(Duration.ofSeconds(30));
    table.look();
    table.close();
    journal.broken = false;
    open();

    AgentProcess row = table.find(AGENT).orElseThrow();
    assertThat(row.declared().capabilities()).isEmpty();
    assertThat(row.state()).isEqualTo(State.ALIVE);
  }

  @Test
  void a_closed_table_asks_to_come_again() {
    table.register(asks(AGENT), TENANT);
    table.close();

    assertThat(
            List.of(
                refusal(() -> table.register(asks(AGENT), TENANT)),
                refusal(() -> table.approve(AGENT, "x", OPERATOR)),
                refusal(() -> table.heartbeat(AGENT, BUSY)),
                refusal(() -> table.setStopped(AGENT, true, OPERATOR)),
                refusal(() -> table.seen(AGENT)),
                refusal(() -> table.find(AGENT)),
                refusal(() -> table.list(null))))
        .allMatch(problem -> problem.code() == Code.RESTARTING);
    table.look();
    table.close();
  }

  @Test
  void an_interrupted_caller_does_no_harm() {
    Thread.currentThread().interrupt();
    table.register(asks(AGENT), TENANT);

    assertThat(Thread.interrupted()).isTrue();
    assertThat(table.register(asks(AGENT, "gpu"), OPERATOR).revision()).isEqualTo(2);
    Thread.currentThread().interrupt();
    reopen();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(table.find(AGENT).orElseThrow().revision()).isEqualTo(2);
  }

  @Test
  void a_damaged_row_stops_the_table_and_unlocks_the_file() {
    table.register(asks(AGENT), TENANT);
    table.close();
    damage();

    assertThatThrownBy(this::open).hasMessageContaining("damaged");
    assertThatThrownBy(this::open).hasMessageContaining("damaged");
  }

  private void damage() {
    try (var store = org.h2.mvstore.MVStore.open(folder.resolve("agents.mv").toString())) {
      store.openMap("agents").put(AGENT.toString(), new byte[] {'{', '}'});
    }
  }

  @Test
  void only_the_first_thousand_agents_have_a_series_of_their_own() {
    FakeMeters meters = new FakeMeters();
    StoredProcessTable many =
        new StoredProcessTable(
            Tables.LEASE, 2_000, folder.resolve("many"), journal, meters, clock, clock);
    for (int i = 0; i < 1_002; i++) {
      AgentId agent = new AgentId("tenantA", "a" + i);
      many.register(asks(agent), TENANT);
      many.heartbeat(agent, BUSY);
    }

    assertThat(meters.gauges.get("aion_agents").getAsDouble()).isEqualTo(1_002);
    many.close();
    assertThat(meters.gauges).isEmpty();
    assertThat(meters.counts)
        .hasSize(1_001)
        .containsEntry("aion_agent_heartbeats[tenantA, a999]", 1L)
        .containsEntry("aion_agent_heartbeats[other, other]", 2L);
  }

  @Test
  void agents_are_seen_while_others_are_stopped_and_the_lease_runs() throws Exception {
    table.register(asks(AGENT), TENANT);
    AgentId other = new AgentId("tenantA", "other");
    table.register(asks(other), TENANT);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    List<Future<?>> ends =
        List.of(
            threads.submit(() -> repeat(() -> table.seen(AGENT))),
            threads.submit(() -> repeat(() -> table.seen(AGENT))),
            threads.submit(
                () ->
                    repeat(
                        () -> {
                          clock.advance(Duration.ofSeconds(31));
                          table.look();
                        })),
            threads.submit(
                () ->
                    repeat(
                        () -> {
                          table.setStopped(other, true, OPERATOR);
                          table.setStopped(other, false, OPERATOR);
                        })));
    for (Future<?> end : ends) {
      end.get();
    }
    threads.shutdown();

    assertThat(table.seen(AGENT).orElseThrow().state()).isEqualTo(State.ALIVE);
    assertThat(journal.events)
        .filteredOn(event -> AGENT.toString().equals(event.facts().get("agent")))
        .extracting(event -> event.kind())
        .satisfies(StoredProcessTableTest::isOneLife);
  }

  private static void isOneLife(List<? extends String> kinds) {
    for (int i = 1; i < kinds.size(); i++) {
      String before = kinds.get(i - 1);
      assertThat(kinds.get(i))
          .isIn(
              switch (before) {
                case "agent.alive" -> List.of("agent.suspect");
                case "agent.suspect" -> List.of("agent.alive", "agent.lost");
                default -> List.of("agent.alive");
              });
    }
  }

  private static void repeat(Runnable step) {
    for (int i = 0; i < 200; i++) {
      step.run();
    }
  }

  private State state() {
    return table.find(AGENT).orElseThrow().state();
  }
}
