package org.aionos.policies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.aionos.document.Documents;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Declared;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.memory.Trust;

final class RuleBookTest {

  private static final AgentId WORKER = new AgentId("acme", "worker-1");
  private static final String BOOK =
      """
      apiVersion: aion.os/v1
      kind: CapabilityPolicy
      version: "7"
      global:
        allow: [network, filesystem, gpu]
        deny: [subprocess]
        syscalls: { allow: ["tool.*", "memory.*", "fs.*"], deny: ["memory.wipe"] }
        tools: { allow: ["*"], deny: ["rogue*"] }
      tenants:
        acme:
          allow: [network, filesystem, subprocess]
          agents:
            quiet-1: { deny: [network] }
            narrow-1: { syscalls: { allow: ["tool.invoke"] }, tools: { allow: [echo] } }
      """;

  private static RuleBook book(String text) throws InvalidDocument {
    return RuleBook.read(Documents.yaml(text), "7-test");
  }

  static AgentProcess agent(AgentId id, Set<String> capabilities, Set<String> syscalls) {
    return new AgentProcess(
        id,
        "worker",
        "1",
        AgentProcess.State.ALIVE,
        1,
        new Declared(capabilities, syscalls),
        Map.of(),
        Map.of(),
        AgentProcess.Vitals.UNKNOWN,
        Instant.EPOCH,
        Instant.EPOCH,
        null);
  }

  static Syscall syscall(AgentId agent, String name, Set<String> capsRequired) {
    return new Syscall(
        name,
        agent,
        Caller.agentKey("ak_1", agent),
        Syscall.Context.NONE,
        capsRequired,
        Map.of(),
        Syscall.Budget.NONE,
        "0");
  }

  private static Decision decide(String agent, String syscall, String... capsRequired)
      throws InvalidDocument {
    AgentId id = new AgentId("acme", agent);
    return book(BOOK)
        .decide(
            syscall(id, syscall, Set.of(capsRequired)),
            agent(id, Set.of("network", "filesystem", "subprocess"), Set.of("*")),
            Set.of());
  }

  private static Decision.Deny denied(Decision decision) {
    assertThat(decision).isInstanceOf(Decision.Deny.class);
    return (Decision.Deny) decision;
  }

  @Example
  void an_empty_book_denies_everything_and_names_the_rule() {
    Decision decision =
        RuleBook.EMPTY.decide(
            syscall(WORKER, "tool.invoke", Set.of()),
            agent(WORKER, Set.of("network"), Set.of("*")),
            Set.of());

    assertThat(denied(decision).rule()).isEqualTo("no-rule/syscalls/allow");
    assertThat(decision.policyVersion()).isEqualTo("none");
  }

  @Example
  void grants_are_what_global_tenant_and_manifest_all_allow() throws Exception {
    Decision decision = decide("worker-1", "tool.invoke");

    assertThat(decision).isInstanceOf(Decision.Allow.class);
    Decision.Allow permit = (Decision.Allow) decision;
    assertThat(permit.grants()).containsExactlyInAnyOrder("network", "filesystem");
    assertThat(permit.withheld())
        .containsEntry("subprocess", "global/deny")
        .containsEntry("gpu", "tenants/acme/allow");
    assertThat(permit.policyVersion()).isEqualTo("7-test");
    assertThat(permit.rule()).isEqualTo("tenants/acme");
  }

  @Example
  void a_tenant_that_no_rule_names_has_nothing() throws Exception {
    AgentId stranger = new AgentId("other", "worker-1");

    Decision decision =
        book(BOOK)
            .decide(
                syscall(stranger, "tool.invoke", Set.of()),
                agent(stranger, Set.of("network"), Set.of("*")),
                Set.of());

    assertThat(denied(decision).problem().code()).isEqualTo(Code.SYSCALL_DENIED);
  }

  @Example
  void caps_required_is_cross_checked_and_the_refusal_says_what_would_admit_it() throws Exception {
    Decision.Deny deny = denied(decide("quiet-1", "tool.invoke", "network"));

    assertThat(deny.problem().code()).isEqualTo(Code.CAPABILITY_DENIED);
    assertThat(deny.rule()).isEqualTo("tenants/acme/agents/quiet-1/deny");
    assertThat(deny.problem().admit()).contains("network").contains("quiet-1");
  }

  @Example
  void what_a_handler_or_a_tool_needs_must_be_granted() throws Exception {
    RuleBook book = book(BOOK);
    AgentProcess agent = agent(WORKER, Set.of("filesystem"), Set.of("*"));
    Decision.Allow permit =
        (Decision.Allow)
            book.decide(syscall(WORKER, "fs.read", Set.of()), agent, Set.of("filesystem"));

    Decision.Deny deny =
        denied(book.decideTool(permit, agent, "web_search", Set.of("network"), Trust.HIGH));

    assertThat(deny.rule()).isEqualTo("manifest/capabilities");
    assertThat(deny.problem().admit()).contains("register the agent");
    assertThat(book.decideTool(permit, agent, "echo", Set.of(), Trust.LOW)).isEqualTo(permit);
  }

  @Example
  void a_tool_can_want_a_task_that_has_read_nothing_of_little_trust() throws Exception {
    RuleBook book =
        book(BOOK.replace("tools: {", "tools: { trust: { \"pay*\": medium, pay_all: high },"));
    AgentProcess agent = agent(WORKER, Set.of(), Set.of("*"));
    Decision.Allow permit =
        (Decision.Allow) book.decide(syscall(WORKER, "tool.invoke", Set.of()), agent, Set.of());

    assertThat(book.decideTool(permit, agent, "pay", Set.of(), Trust.MEDIUM)).isEqualTo(permit);
    assertThat(book.decideTool(permit, agent, "echo", Set.of(), Trust.LOW)).isEqualTo(permit);
    Decision.Deny deny = denied(book.decideTool(permit, agent, "pay_all", Set.of(), Trust.MEDIUM));
    assertThat(deny.problem().code()).isEqualTo(Code.TRUST_TOO_LOW);
    assertThat(deny.rule()).isEqualTo("global/tools/trust");
    assertThat(denied(book.decideTool(permit, agent, "pay", Set.of(), Trust.LOW)).rule())
        .isEqualTo("global/tools/trust");
  }

  @Example
  void deny_wins_over_allow_in_syscalls_and_tools() throws Exception {
    assertThat(denied(decide("worker-1", "memory.wipe")).rule()).isEqualTo("global/syscalls/deny");
    assertThat(decide("worker-1", "memory.put")).isInstanceOf(Decision.Allow.class);
    Decision.Allow permit = (Decision.Allow) decide("worker-1", "tool.invoke");
    assertThat(
            denied(
                    book(BOOK)
                        .decideTool(
                            permit,
                            agent(WORKER, Set.of(), Set.of("*")),
                            "rogue_1",
                            Set.of(),
                            Trust.HIGH))
                .rule())
        .isEqualTo("global/tools/deny");
  }

  @Example
  void an_agent_is_held_to_its_own_manifest_and_its_own_rules() throws Exception {
    assertThat(denied(decide("narrow-1", "tool.list")).rule())
        .isEqualTo("tenants/acme/agents/narrow-1/syscalls/allow");
    Decision decision =
        book(BOOK)
            .decide(
                syscall(WORKER, "tool.invoke", Set.of()),
                agent(WORKER, Set.of(), Set.of("memory.*")),
                Set.of());
    assertThat(denied(decision).rule()).isEqualTo("manifest/syscalls");
  }

  @Example
  void what_a_task_asks_of_itself_no_manifest_has_to_name_but_policy_may_deny() throws Exception {
    AgentProcess agent = agent(WORKER, Set.of(), Set.of("memory.*"));
    assertThat(
            denied(book(BOOK).decide(syscall(WORKER, "task.checkpoint", Set.of()), agent, Set.of()))
                .rule())
        .isEqualTo("global/syscalls/allow");
    RuleBook admitting = book(BOOK.replace("\"tool.*\", ", "\"tool.*\", \"task.*\", "));

    assertThat(admitting.decide(syscall(WORKER, "task.checkpoint", Set.of()), agent, Set.of()))
        .isInstanceOf(Decision.Allow.class);
  }

  @Example
  void a_glob_is_not_a_regular_expression() {
    Globs globs = new Globs(List.of("memory.*", "a\\E.*\\Qb"));

    assertThat(globs.match("memory.put")).isTrue();
    assertThat(globs.match("memoryXput")).isFalse();
    assertThat(globs.match("a-anything-b")).isFalse();
    assertThat(new Globs(List.of("*a*b*")).match("xxaxxbxx")).isTrue();
    assertThat(new Globs(List.of("a*", "*b")).match("b")).isTrue();
    assertThat(new Globs(List.of("*a".repeat(30))).match("a".repeat(100_000) + "b")).isFalse();
  }

  @Example
  void a_misspelt_key_is_refused_with_its_pointer() {
    assertThatThrownBy(() -> book(BOOK.replace("deny: [subprocess]", "denny: [subprocess]")))
        .isInstanceOfSatisfying(
            InvalidDocument.class,
            invalid -> assertThat(invalid.describe()).contains("/global/denny"));
  }

  /** Whatever the rules are: nothing is granted that any level withholds. */
  @Property(tries = 500)
  void no_level_can_widen_another(
      @ForAll("capabilities") Set<String> global,
      @ForAll("capabilities") Set<String> globalDeny,
      @ForAll("capabilities") Set<String> tenant,
      @ForAll("capabilities") Set<String> agentDeny,
      @ForAll("capabilities") Set<String> declared)
      throws Exception {
    String text =
        """
        apiVersion: aion.os/v1
        kind: CapabilityPolicy
        version: "1"
        global: { allow: %s, deny: %s }
        tenants: { acme: { allow: %s, agents: { worker-1: { deny: %s } } } }
        """
            .formatted(global, globalDeny, tenant, agentDeny);

    Decision.Allow permit =
        (Decision.Allow)
            book(text)
                .decide(
                    syscall(WORKER, "tool.invoke", Set.of()),
                    agent(WORKER, declared, Set.of("*")),
                    Set.of());

    Set<String> expected = new HashSet<>(global);
    expected.retainAll(tenant);
    expected.retainAll(declared);
    expected.removeAll(globalDeny);
    expected.removeAll(agentDeny);
    assertThat(permit.grants()).isEqualTo(expected);
    assertThat(Collections.disjoint(permit.withheld().keySet(), permit.grants())).isTrue();
  }

  @Provide
  Arbitrary<Set<String>> capabilities() {
    return Combinators.combine(
            Arbitraries.of("network", "gpu", "filesystem", "subprocess").set(),
            Arbitraries.of("network", "camera").set())
        .as(
            (a, b) -> {
              Set<String> all = new HashSet<>(a);
              all.addAll(b);
              return all;
            });
  }
}
