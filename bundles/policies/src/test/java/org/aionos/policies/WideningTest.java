package org.aionos.policies;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.statistics.Statistics;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Decision;
import org.aionos.kernel.memory.Trust;
import org.aionos.kernel.policy.Tuning;

final class WideningTest {

  private static final String BASE =
      """
      apiVersion: aion.os/v1
      kind: CapabilityPolicy
      version: "1"
      global:
        allow: [network, gpu]
        deny: [subprocess]
        syscalls: { allow: ["tool.*", "memory.*"], deny: ["memory.wipe"], approve: ["tool.pay*"] }
        tools: { allow: ["*"], deny: ["rogue*"], approve: ["pay*"], trust: { "pay*": high } }
      tenants:
        acme:
          allow: [network]
          agents: { one: { deny: [network] } }
      """;

  private static List<String> says(String from, String to) throws InvalidPolicy {
    return Widening.between(Drawn.document(from), Drawn.document(to)).stream()
        .map(wider -> wider.pointer() + " " + wider.says())
        .toList();
  }

  private static List<String> change(String before, String after) throws InvalidPolicy {
    assertThat(BASE).contains(before);
    return says(BASE, BASE.replace(before, after));
  }

  @Example
  void the_same_and_the_narrower_are_not_wider() throws Exception {
    assertThat(says(BASE, BASE)).isEmpty();
    assertThat(change("\"tool.*\", \"memory.*\"", "tool.invoke, memory.put")).isEmpty();
    assertThat(change("deny: [subprocess]", "deny: [subprocess, gpu]")).isEmpty();
    assertThat(change("agents: { one: ", "agents: { two: { deny: [gpu] }, one: ")).isEmpty();
    assertThat(change("approve: [\"tool.pay*\"]", "approve: [\"tool.*\"]")).isEmpty();
    assertThat(change("deny: [\"rogue*\"]", "deny: [\"rogue*\", \"r*\"]")).isEmpty();
  }

  @Example
  void each_way_to_get_more_is_named_with_its_place() throws Exception {
    assertThat(change("allow: [network, gpu]", "allow: [network, gpu, camera]"))
        .containsExactly("/global/allow the capability camera is allowed");
    assertThat(change("deny: [subprocess]", "deny: [other]")).isEmpty();
    String wanting = BASE.replace("allow: [network, gpu]", "allow: [network, subprocess]");
    assertThat(says(wanting, wanting.replace("deny: [subprocess]", "deny: []")))
        .containsExactly("/global/deny the capability subprocess is denied no more");
    assertThat(change("\"memory.*\"]", "\"mem*\"]"))
        .containsExactly("/global/syscalls/allow syscalls allowed: mem*");
    assertThat(change(", deny: [\"memory.wipe\"]", ""))
        .containsExactly("/global/syscalls/deny syscalls denied no more: memory.wipe");
    assertThat(change(", approve: [\"pay*\"]", ""))
        .containsExactly("/global/tools/approve nobody is asked any more: pay*");
    assertThat(change("\"pay*\": high", "\"pay*\": medium"))
        .containsExactly("/global/tools/trust trust below high is enough for pay*");
    assertThat(change("{ one: { deny: [network] } }", "{}"))
        .containsExactly("/tenants/acme/agents/one the rules of agent://acme/one are gone");
    assertThat(change("tenants:\n", "tenants:\n  beta: {}\n"))
        .containsExactly("/tenants/beta the tenant beta is new");
  }

  @Example
  void a_star_of_the_new_is_swallowed_by_none_but_a_star_of_the_old() {
    assertThat(new Globs(List.of("memory.*")).cover("mem*")).isFalse();
    assertThat(new Globs(List.of("*")).cover("mem*")).isTrue();
    assertThat(new Globs(List.of("m*")).cover("m*y*")).isTrue();
    assertThat(new Globs(List.of("a*b")).cover("a*bc")).isFalse();
    assertThat(new Globs(List.of("abc")).cover("*")).isFalse();
  }

  private static Map<String, Map<String, Object>> files(String name, Map<String, Object> values) {
    return Map.of(
        PolicyDocument.CAPABILITIES,
        Map.of(
            "apiVersion", "aion.os/v1",
            "kind", "CapabilityPolicy",
            "version", "1",
            "global", Map.of()),
        name,
        values);
  }

  private static List<String> limits(
      String file, Map<String, Object> before, Map<String, Object> after) throws InvalidPolicy {
    return Widening.between(Drawn.document(files(file, before)), Drawn.document(files(file, after)))
        .stream()
        .map(Widening.Wider::pointer)
        .toList();
  }

  private static Map<String, Object> of(String kind, String name, Object value) {
    return Map.of("apiVersion", "aion.os/v1", "kind", kind, name, value);
  }

  @Example
  void limits_that_rise_or_go_are_wider_and_gates_that_let_more_pass() throws Exception {
    assertThat(
            limits(
                PolicyDocument.QUOTAS,
                of("QuotaPolicy", "default", Map.of("usd_per_hour", 5)),
                of("QuotaPolicy", "tenants", Map.of("acme", Map.of("usd_per_hour", 5)))))
        .containsExactly("/default/usd_per_hour");
    assertThat(
            limits(
                PolicyDocument.MEMORY,
                of("MemoryPolicy", "tenant_bytes_max", 10),
                of("MemoryPolicy", "tenants", Map.of())))
        .containsExactly("/tenant_bytes_max");
    assertThat(
            limits(
                PolicyDocument.MODELS,
                of("ModelPolicy", "allow_cloud", false),
                of("ModelPolicy", "allow_cloud", true)))
        .containsExactly("/allow_cloud");
    assertThat(
            limits(
                PolicyDocument.MODELS,
                of("ModelPolicy", "routes", Map.of("fast", List.of("a/x", "b/y"))),
                of("ModelPolicy", "routes", Map.of("fast", List.of("b/y", "a/x")))))
        .isEmpty();
    assertThat(
            limits(
                PolicyDocument.MODELS,
                of("ModelPolicy", "routes", Map.of("fast", List.of("a/x"))),
                of("ModelPolicy", "routes", Map.of("fast", List.of("a/x", "c/z")))))
        .containsExactly("/routes/fast");
    Map<String, Object> gate = Map.of("name", "e", "metric", "error_rate", "max", 0.1);
    Map<String, Object> looser = Map.of("name", "e", "metric", "error_rate", "max", 0.2);
    assertThat(
            limits(
                PolicyDocument.GATES,
                of("GatePolicy", "gates", List.of(gate)),
                of("GatePolicy", "gates", List.of(looser))))
        .containsExactly("/gates");
  }

  /** Whoever is told that nothing is wider may rely on it. */
  @Property(tries = 3_000)
  void where_nothing_is_wider_nobody_gets_more(@ForAll long seed) throws Exception {
    Random random = new Random(seed);
    Drawn drawn = new Drawn(random);
    Map<String, Map<String, Object>> first = drawn.policy();
    PolicyDocument before = Drawn.document(first);
    PolicyDocument after = Drawn.document(drawn.near(first));
    boolean silent = Widening.between(before, after).isEmpty();
    Statistics.label("nothing wider, of what differs")
        .collect(silent && !before.sha256().equals(after.sha256()))
        .coverage(coverage -> coverage.check(true).percentage(share -> share > 5));
    if (silent) {
      noMore(drawn, before, after);
    }
    assertThat(Widening.between(before, before)).isEmpty();
    assertThat(Widening.between(before, Composed.of(before, after))).isEmpty();
    assertThat(Widening.between(Composed.of(before, after), before)).isEmpty();
  }

  private static void noMore(Drawn drawn, PolicyDocument before, PolicyDocument after) {
    for (String tenant : List.of("acme", "beta", "gone", "other")) {
      for (String name : List.of("one", "two", "three")) {
        AgentId id = new AgentId(tenant, name);
        AgentProcess agent =
            RuleBookTest.agent(id, new HashSet<>(drawn.some(Drawn.CAPABILITIES)), Set.of("*"));
        for (String syscall : Drawn.SYSCALLS) {
          Set<String> asked = new HashSet<>(drawn.some(Drawn.CAPABILITIES));
          noMore(before, after, agent, syscall, asked);
        }
        noMore(before.quota(id), after.quota(id));
      }
      noMore(before.quota(tenant), after.quota(tenant));
      assertThat(
              Quotas.higher(
                  after.memory(tenant).tenantBytesMax(), before.memory(tenant).tenantBytesMax()))
          .isFalse();
      assertThat(after.models(tenant).allowCloud() && !before.models(tenant).allowCloud())
          .isFalse();
      before
          .models(tenant)
          .routes()
          .forEach(
              (alias, entries) ->
                  assertThat(entries).containsAll(after.models(tenant).routes().get(alias)));
    }
  }

  private static void noMore(Tuning.Quota before, Tuning.Quota after) {
    assertThat(Quotas.higher(after.maxConcurrency(), before.maxConcurrency())).isFalse();
    assertThat(Quotas.higher(after.tokenRate(), before.tokenRate())).isFalse();
    assertThat(Quotas.higher(after.usdPerHour(), before.usdPerHour())).isFalse();
    assertThat(Quotas.higher(after.callsPerHour(), before.callsPerHour())).isFalse();
  }

  /** Asks of an allowed call: 2, of one after an approval: 1, of a refused one: 0. */
  private static int freedom(Decision decision) {
    return decision instanceof Decision.Allow
        ? 2
        : decision instanceof Decision.AfterApproval ? 1 : 0;
  }

  private static Decision.Allow permit(Decision decision) {
    return decision instanceof Decision.AfterApproval asking
        ? asking.allow()
        : (Decision.Allow) decision;
  }

  private static void noMore(
      PolicyDocument before,
      PolicyDocument after,
      AgentProcess agent,
      String syscall,
      Set<String> asked) {
    RuleBook old = before.rules("before");
    RuleBook young = after.rules("after");
    var call = RuleBookTest.syscall(agent.id(), syscall, asked);
    Decision then = young.decide(call, agent, Set.of());
    Decision now = old.decide(call, agent, Set.of());
    assertThat(freedom(then)).as("%s: %s", then, now).isLessThanOrEqualTo(freedom(now));
    if (then instanceof Decision.Deny) {
      return;
    }
    assertThat(permit(now).grants()).containsAll(permit(then).grants());
    for (String tool : Drawn.TOOLS) {
      for (Trust trust : Trust.values()) {
        Decision toolThen = young.decideTool(permit(then), agent, tool, asked, trust);
        Decision toolNow = old.decideTool(permit(now), agent, tool, asked, trust);
        assertThat(freedom(toolThen)).isLessThanOrEqualTo(freedom(toolNow));
      }
    }
  }
}
