package org.aionos.journal;

import static org.aionos.journal.Fixture.AGENT;
import static org.aionos.journal.Fixture.ALLOWED;
import static org.aionos.journal.Fixture.START;
import static org.aionos.journal.Fixture.failed;
import static org.aionos.journal.Fixture.ok;
import static org.aionos.journal.Fixture.query;
import static org.aionos.journal.Fixture.syscall;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.journal.Fixture.FakeClock;
import org.aionos.journal.Fixture.FakeMeters;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Journal.Event;
import org.aionos.kernel.JournalReader.CallRecord;
import org.aionos.kernel.JournalReader.Entry;
import org.aionos.kernel.JournalReader.Page;
import org.aionos.kernel.JournalReader.Query;
import org.aionos.kernel.JournalReader.Tail;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class JournalComponentTest {

  private static final Duration TOOK = Duration.ofNanos(412_345_678);

  @TempDir Path folder;
  private final FakeClock clock = new FakeClock();
  private final FakeMeters meters = new FakeMeters();
  private JournalComponent journal;

  @BeforeEach
  void open() throws IOException {
    journal =
        new JournalComponent(
            folder, Fixture.SETTINGS, clock, System::nanoTime, new LocalDisk(), meters);
  }

  @AfterEach
  void close() throws InterruptedException {
    journal.close();
  }

  @Test
  void records_who_asked_for_what() {
    Asked asked = journal.asked(syscall("tool.invoke", Map.of("tool", "web_search")));

    assertThat(asked.auditId()).isEqualTo("sc-000000000001");
    Entry entry = journal.query(Query.ALL).entries().get(0);
    assertThat(entry)
        .extracting(Entry::sequence, Entry::time, Entry::topic, Entry::kind, Entry::auditId)
        .containsExactly(1L, START, "kernel.syscalls", "syscall.asked", "sc-000000000001");
    assertThat(entry.tenant()).isEqualTo("tenantA");
    assertThat(entry.facts())
        .isEqualTo(
            Map.of(
                "syscall", "tool.invoke",
                "agent", "agent://tenantA/researcher-1",
                "caller", "agent_key/k-1",
                "tool", "web_search",
                "task_id", "t-123",
                "trace_id", "trace-9",
                "caps_required", List.of("network"),
                "idempotency_key", "idem-4",
                "body_sha256", "ab".repeat(32)));
  }

  @Test
  void records_how_a_call_ended_and_which_rule_spoke() {
    Asked asked = journal.asked(syscall("tool.invoke", Map.of("tool", "web_search")));

    journal.ended(asked, ALLOWED, ok(), TOOK);

    Entry entry = journal.query(query(1)).entries().get(0);
    assertThat(entry.kind()).isEqualTo("syscall.ended");
    assertThat(entry.auditId()).isEqualTo(asked.auditId());
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("asked", asked.auditId());
    facts.put("agent", AGENT.toString());
    facts.put("syscall", "tool.invoke");
    facts.put("tool", "web_search");
    facts.put("code", "OK");
    facts.put("number", 0L);
    facts.put("rule", "allow-tools");
    facts.put("policy_version", "v7");
    facts.put("engine", "tooling/web_search@1.2.0");
    facts.put("latency_ms", new BigDecimal("412.346"));
    facts.put("cost_usd", new BigDecimal("0.002"));
    facts.put("tokens_in", 12L);
    facts.put("tokens_out", 34L);
    assertThat(entry.facts()).isEqualTo(facts);
  }

  @Test
  void records_the_message_of_a_failure_and_the_rule_of_a_denial() {
    Problem denial =
        new Problem(Code.TOOL_DENIED, "not for you", null, "no-tools", "v7", null, null);

    journal.ended(
        journal.asked(syscall("tool.invoke", Map.of())),
        new Decision.Deny(denial),
        failed(Code.TOOL_DENIED, "not for you"),
        TOOK);
    journal.ended(
        journal.asked(syscall("fs.read", Map.of())),
        null,
        failed(Code.KERNEL_BUSY, "too many calls"),
        TOOK);

    List<Entry> entries = journal.query(Query.ALL).entries();
    assertThat(entries.get(2).facts())
        .containsEntry("code", "TOOL_DENIED")
        .containsEntry("number", 302L)
        .containsEntry("rule", "no-tools")
        .containsEntry("message", "not for you");
    assertThat(entries.get(0).facts())
        .containsEntry("message", "too many calls")
        .doesNotContainKeys("rule", "cost_usd");
  }

  @Test
  void never_writes_params_or_results_to_disk() throws Exception {
    Syscall syscall =
        syscall(
            "tool.invoke",
            Map.of("tool", "web_search", "query", "MARKER-1", "deep", Map.of("x", "MARKER-2")));

    journal.ended(journal.asked(syscall), ALLOWED, ok(), TOOK);
    journal.asked(syscall("tool.invoke", Map.of("tool", Map.of("x", "MARKER-3"))));
    journal.close();

    for (byte[] bytes : Fixture.bytesOf(folder).values()) {
      assertThat(new String(bytes, StandardCharsets.ISO_8859_1))
          .doesNotContain("MARKER")
          .doesNotContain("secret result");
    }
  }

  @Test
  void cuts_what_a_caller_made_too_long_and_mends_what_is_no_text() {
    Syscall syscall =
        new Syscall(
            "tool.invoke",
            AGENT,
            Caller.agentKey("k", AGENT),
            new Syscall.Context("broken \ud800 pair", "x".repeat(100_000), "\ud83d\ude00 \u0000"),
            java.util.Set.of(),
            Map.of("tool", "t".repeat(1_000)),
            Syscall.Budget.NONE,
            "");

    journal.asked(syscall);

    assertThat(journal.query(Query.ALL).entries().get(0).facts())
        .containsEntry("task_id", "broken \ufffd pair")
        .containsEntry("trace_id", "x".repeat(256))
        .containsEntry("tool", "t".repeat(128))
        .containsEntry("idempotency_key", "\ud83d\ude00 \u0000");
  }

  @Test
  void records_events_with_any_plain_values() {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("none", null);
    facts.put("list", List.of(1, 2.5, true, "x", Map.of("deep", "\"quoted\"")));
    facts.put("big", new java.math.BigInteger("123456789012345678901234567890"));
    facts.put("not a number", Double.NaN);

    String id = journal.record(new Event("kernel.agents", "agent.registered", null, facts));

    assertThat(id).isEqualTo("ev-000000000001");
    Entry entry = journal.query(Query.ALL).entries().get(0);
    assertThat(entry.auditId()).isEqualTo(id);
    assertThat(entry.tenant()).isNull();
    assertThat(entry.facts())
        .containsEntry("none", null)
        .containsEntry(
            "list", List.of(1L, new BigDecimal("2.5"), true, "x", Map.of("deep", "\"quoted\"")))
        .containsEntry("big", new java.math.BigInteger("123456789012345678901234567890"))
        .containsEntry("not a number", "NaN");
  }

  @Test
  void an_event_too_large_or_too_deep_is_refused_and_does_no_harm() {
    Object deep = "x";
    for (int level = 0; level < 40; level++) {
      deep = List.of(deep);
    }
    Event tooDeep = new Event("t", "k", null, Map.of("deep", deep));
    Event tooLarge = new Event("t", "k", null, Map.of("text", "x".repeat(2 << 20)));

    assertThatThrownBy(() -> journal.record(tooDeep)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> journal.record(tooLarge)).isInstanceOf(IllegalArgumentException.class);

    assertThat(journal.record(new Event("t", "k", null, Map.of()))).isEqualTo("ev-000000000001");
    assertThat(journal.verify().whole()).isTrue();
  }

  @Test
  void finds_entries_newest_first_by_every_filter() {
    AgentId other = new AgentId("tenantB", "writer");
    Asked first = journal.asked(syscall("tool.invoke", Map.of()));
    clock.advance(Duration.ofSeconds(1));
    journal.ended(first, ALLOWED, ok(), TOOK);
    clock.advance(Duration.ofSeconds(1));
    Asked second = journal.asked(syscall(other, "fs.read", Map.of()));
    journal.ended(second, null, failed(Code.RATE_LIMITED, "slow down"), TOOK);
    journal.record(new Event("kernel.policy", "policy.activated", null, Map.of("version", "v8")));

    assertThat(sequences(Query.ALL)).containsExactly(5L, 4L, 3L, 2L, 1L);
    assertThat(sequences(matching("tenantA", null, null, null, null))).containsExactly(2L, 1L);
    assertThat(sequences(matching(null, other.toString(), null, null, null)))
        .containsExactly(4L, 3L);
    assertThat(sequences(matching(null, null, "kernel.policy", null, null))).containsExactly(5L);
    assertThat(sequences(matching(null, null, null, "fs.read", null))).containsExactly(4L, 3L);
    assertThat(sequences(matching(null, null, null, null, "RATE_LIMITED"))).containsExactly(4L);
    assertThat(sequences(matching("tenantA", null, null, null, "RATE_LIMITED"))).isEmpty();
    Query between =
        new Query(
            null, null, null, null, null, START.plusSeconds(1), START.plusSeconds(2), null, 9);
    assertThat(sequences(between)).containsExactly(2L);
  }

  @Test
  void pages_through_everything_once() {
    for (int at = 0; at < 25; at++) {
      journal.record(new Event("t", "k", at % 2 == 0 ? "even" : "odd", Map.of("n", at)));
    }

    List<Long> seen = new ArrayList<>();
    Long before = null;
    do {
      Page page = journal.query(new Query("even", null, null, null, null, null, null, before, 4));
      page.entries().forEach(entry -> seen.add(entry.sequence()));
      before = page.next();
    } while (before != null);

    assertThat(seen).containsExactly(25L, 23L, 21L, 19L, 17L, 15L, 13L, 11L, 9L, 7L, 5L, 3L, 1L);
  }

  @Test
  void finds_a_call_by_its_id_with_its_outcome_once_there_is_one() {
    journal.record(new Event("t", "k", null, Map.of()));
    Asked running = journal.asked(syscall("tool.invoke", Map.of()));
    Asked done = journal.asked(syscall("fs.read", Map.of()));
    journal.ended(done, ALLOWED, ok(), TOOK);

    CallRecord found = journal.find(done.auditId()).orElseThrow();
    assertThat(found.asked().sequence()).isEqualTo(3);
    assertThat(found.ended()).isNotNull().extracting(Entry::sequence).isEqualTo(4L);
    assertThat(journal.find(running.auditId()).orElseThrow().ended()).isNull();
  }

  @Test
  void finds_nothing_under_an_id_that_names_no_call() {
    journal.record(new Event("t", "k", null, Map.of()));

    for (String id :
        List.of(
            "",
            "ev-000000000001",
            "sc-000000000001",
            "sc-000000000000",
            "sc-00000000000A",
            "sc-ffffffffffff",
            "sc-1",
            "sc-00000000000\u0661",
            "../../etc/passwd")) {
      assertThat(journal.find(id)).as(id).isEmpty();
    }
  }

  @Test
  void a_tail_shows_what_matches_from_now_on_in_order() throws Exception {
    journal.record(new Event("t", "before", "a", Map.of()));
    try (Tail tail = journal.tail(matching("a", null, null, null, null))) {
      journal.record(new Event("t", "one", "a", Map.of()));
      journal.record(new Event("t", "not mine", "b", Map.of("tenant", "a")));
      journal.record(new Event("t", "two", "a", Map.of()));

      assertThat(tail.next(Duration.ZERO)).extracting(Entry::kind).isEqualTo("one");
      assertThat(tail.next(Duration.ZERO)).extracting(Entry::kind).isEqualTo("two");
      assertThat(tail.next(Duration.ZERO)).isNull();
      assertThat(tail.lostSinceLastAsked()).isZero();
    }
  }

  @Test
  void a_slow_watcher_loses_the_newest_and_is_told_how_many() throws Exception {
    try (Tail tail = journal.tail(Query.ALL)) {
      for (int at = 0; at < Tails.WAITING_MAX + 7; at++) {
        journal.record(new Event("t", "k", null, Map.of()));
      }

      assertThat(tail.lostSinceLastAsked()).isEqualTo(7);
      assertThat(tail.lostSinceLastAsked()).isZero();
      assertThat(tail.next(Duration.ZERO)).extracting(Entry::sequence).isEqualTo(1L);
    }
  }

  @Test
  void a_closed_tail_costs_nothing_and_too_many_are_refused() {
    List<Tail> tails = new ArrayList<>();
    for (int at = 0; at < Tails.WATCHERS_MAX; at++) {
      tails.add(journal.tail(Query.ALL));
    }

    assertRefused(Code.KERNEL_BUSY, () -> journal.tail(Query.ALL));

    tails.forEach(Tail::close);
    journal.tail(Query.ALL).close();
  }

  @Test
  void a_closed_journal_refuses_everything_and_another_can_open_it_at_once() throws Exception {
    Asked asked = journal.asked(syscall("tool.invoke", Map.of()));
    JournalComponent old = journal;
    old.close();
    open();

    assertRefused(Code.RESTARTING, () -> old.asked(syscall("tool.invoke", Map.of())));
    assertRefused(Code.RESTARTING, () -> old.ended(asked, null, ok(), TOOK));
    assertRefused(Code.RESTARTING, () -> old.query(Query.ALL));
    assertRefused(Code.RESTARTING, () -> old.tail(Query.ALL));
    assertThat(journal.find(asked.auditId())).isPresent();
  }

  @Test
  void two_kernels_cannot_write_one_journal() {
    assertThatThrownBy(this::open).hasMessageContaining("another kernel");
  }

  @Test
  void the_private_key_is_for_its_owner_alone() throws IOException {
    Path key = folder.resolve("checkpoint-key.pk8");

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(key)))
        .isEqualTo("rw-------");
  }

  @Test
  void hides_a_small_step_back_of_the_clock_but_not_a_correction() {
    journal.record(new Event("t", "k", null, Map.of()));
    clock.advance(Duration.ofSeconds(-2));
    journal.record(new Event("t", "k", null, Map.of()));
    clock.advance(Duration.ofHours(-1));
    journal.record(new Event("t", "k", null, Map.of()));

    assertThat(journal.query(Query.ALL).entries())
        .extracting(Entry::time)
        .containsExactly(START.minusSeconds(3_602), START, START);
  }

  @Test
  void counts_records_and_bytes() throws InterruptedException, IOException {
    journal.record(new Event("t", "k", null, Map.of()));

    assertThat(meters.counts.get("aion_journal_records_total")).hasValue(1);
    assertThat(meters.counts.get("aion_journal_write_ms")).hasValue(1);
    double bytes = meters.gauges.get("aion_journal_bytes").getAsDouble();
    journal.close();
    // Closed, for while it is open the file has room for more records behind the last.
    assertThat(bytes).isEqualTo(Files.size(folder.resolve("journal-0000000000000001.log")));
    assertThat(meters.gauges).isEmpty();
  }

  private List<Long> sequences(Query query) {
    return journal.query(query).entries().stream().map(Entry::sequence).toList();
  }

  private static Query matching(
      String tenant, String agent, String topic, String syscall, String code) {
    return new Query(tenant, agent, topic, syscall, code, null, null, null, 100);
  }

  private static void assertRefused(Code code, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            Refused.class, refused -> assertThat(refused.problem().code()).isEqualTo(code));
  }
}
