package org.aionos.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Caller;
import org.aionos.kernel.JournalReader;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.policy.PolicyVersions.DryRun;
import org.aionos.policies.PolicyDocument;
import org.aionos.policies.RuleBook;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class RehearsalTest {

  private static final String RULES =
      """
      apiVersion: aion.os/v1
      kind: CapabilityPolicy
      version: "1"
      global:
        allow: [network]
        syscalls: { allow: ["tool.*", "memory.*"] }
        tools: { allow: [echo, pay] }
      tenants: { acme: { allow: [network] } }
      """;

  /** Records in memory, served in pages of two. */
  private static final class Records implements JournalReader {
    final List<Entry> entries = new ArrayList<>();

    void call(String agent, String syscall, @Nullable String tool, String... capsRequired) {
      String id = "sc-" + entries.size();
      Map<String, @Nullable Object> facts = new LinkedHashMap<>();
      facts.put("agent", agent);
      facts.put("syscall", syscall);
      facts.put("tool", tool);
      facts.put("caps_required", List.of(capsRequired));
      add("syscall.asked", id, facts);
      add("policy.stored", "ev-1", Map.of());
      add("syscall.ended", "ev-2", Map.of("asked", id));
    }

    void add(String kind, String id, Map<String, @Nullable Object> facts) {
      entries.add(
          new Entry(entries.size() + 1, Instant.EPOCH, "kernel.syscalls", kind, id, null, facts));
    }

    @Override
    public Page query(Query query) {
      List<Entry> newest = new ArrayList<>(entries);
      Collections.reverse(newest);
      Long before = query.before();
      List<Entry> page =
          newest.stream()
              .filter(entry -> before == null || entry.sequence() < before)
              .limit(2)
              .toList();
      long last = page.isEmpty() ? 1 : page.get(page.size() - 1).sequence();
      return new Page(page, last == 1 ? null : last);
    }

    @Override
    public Optional<CallRecord> find(String auditId) {
      throw new AssertionError();
    }

    @Override
    public Tail tail(Query filter) {
      throw new AssertionError();
    }

    @Override
    public Verification verify() {
      throw new AssertionError();
    }
  }

  /** Knows the agent worker-1 of acme. */
  private static final class OneAgent implements ProcessTable {
    @Override
    public Optional<AgentProcess> find(AgentId agent) {
      return agent.name().equals("worker-1")
          ? Optional.of(Calls.agent(agent, Set.of("network"), Set.of("*")))
          : Optional.empty();
    }

    @Override
    public AgentProcess register(Registration registration, Caller by) {
      throw new AssertionError();
    }

    @Override
    public AgentProcess approve(AgentId agent, String digest, Caller by) {
      throw new AssertionError();
    }

    @Override
    public AgentProcess heartbeat(AgentId agent, AgentProcess.Vitals vitals) {
      throw new AssertionError();
    }

    @Override
    public AgentProcess setStopped(AgentId agent, boolean stopped, Caller by) {
      throw new AssertionError();
    }

    @Override
    public Optional<AgentProcess> seen(AgentId agent) {
      throw new AssertionError("a dry run is no sign of life");
    }

    @Override
    public List<AgentProcess> list(@Nullable String tenant) {
      throw new AssertionError();
    }
  }

  private static RuleBook book(String rules) throws Exception {
    return PolicyDocument.ofTexts(Map.of(PolicyDocument.CAPABILITIES, rules)).rules("v");
  }

  @Test
  void counts_what_would_be_otherwise_and_shows_some_of_it() throws Exception {
    Records journal = new Records();
    String worker = "agent://acme/worker-1";
    for (int i = 0; i < 30; i++) {
      journal.call(worker, "tool.invoke", "echo");
    }
    journal.call(worker, "tool.invoke", "pay");
    journal.call(worker, "memory.put", null);
    journal.call(worker, "fs.read", null);
    journal.call(worker, "memory.query", null, "network");
    journal.call("agent://acme/gone", "tool.invoke", "echo");
    journal.add("syscall.asked", "sc-running", Map.of("agent", worker, "syscall", "memory.put"));
    String then =
        RULES
            .replace("allow: [echo, pay]", "allow: [pay], approve: [pay]")
            .replace("\"memory.*\"]", "\"memory.*\", \"fs.*\"]")
            .replace("acme: { allow: [network] }", "acme: { allow: [] }");

    DryRun run =
        new Rehearsal(journal, new OneAgent(), null, book(RULES), book(then)).run("then", "now");

    assertThat(run.decided()).isEqualTo(34);
    assertThat(run.skipped()).isEqualTo(1);
    assertThat(run.refused()).isEqualTo(31);
    assertThat(run.allowed()).isEqualTo(1);
    assertThat(run.approvals()).isEqualTo(1);
    assertThat(run.examples()).hasSize(20);
    assertThat(run.examples().get(0).rule()).isEqualTo("tenants/acme/allow");
    assertThat(run.examples().get(2).then()).isEqualTo("approve");
  }
}
