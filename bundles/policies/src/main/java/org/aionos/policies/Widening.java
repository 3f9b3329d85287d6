package org.aionos.policies;

import java.math.BigDecimal;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Trust;
import org.aionos.kernel.policy.Tuning;
import org.jspecify.annotations.Nullable;

/**
 * What a version grants more than another. Sound: where it finds nothing, nobody gets more of
 * anything. Careful: it compares level by level, so it may see more in what only moves a rule from
 * one level to another. What {@code scheduler.yaml} says gives nobody more, for it shares out what
 * there is.
 */
public final class Widening {

  /** Who looks at so many does not look at more. */
  private static final int WIDER_MAX = 500;

  private final PolicyDocument from;
  private final PolicyDocument to;
  private final Set<Wider> found = new LinkedHashSet<>();

  /**
   * One thing of which there is more.
   *
   * @param pointer JSON pointer within the file, of one version or the other
   * @param says what, in words
   */
  public record Wider(String file, String pointer, String says) {}

  private Widening(PolicyDocument from, PolicyDocument to) {
    this.from = from;
    this.to = to;
  }

  /** What {@code to} grants more than {@code from}; empty if nothing. */
  public static List<Wider> between(PolicyDocument from, PolicyDocument to) {
    Widening widening = new Widening(from, to);
    widening.capabilities();
    widening.quotas();
    widening.models();
    widening.memory();
    widening.gates();
    return List.copyOf(widening.found);
  }

  private void add(String file, String pointer, String says) {
    if (found.size() < WIDER_MAX) {
      found.add(new Wider(file, pointer, says));
    }
  }

  private void capabilities() {
    RuleBook old = from.rules();
    RuleBook young = to.rules();
    level("/global", old.global(), young.global());
    for (Map.Entry<String, Layer> named : new TreeMap<>(young.tenants()).entrySet()) {
      String tenant = named.getKey();
      Layer before = old.tenants().get(tenant);
      String at = "/tenants/" + tenant;
      if (before == null) {
        add(PolicyDocument.CAPABILITIES, at, "the tenant " + tenant + " is new");
      } else {
        level(at, before, named.getValue());
      }
    }
    for (Map.Entry<AgentId, Layer> agent : old.agents().entrySet()) {
      AgentId id = agent.getKey();
      if (!young.tenants().containsKey(id.tenant())) {
        continue;
      }
      String at = "/tenants/" + id.tenant() + "/agents/" + id.name();
      Layer after = young.agents().get(id);
      if (after == null) {
        add(PolicyDocument.CAPABILITIES, at, "the rules of " + id + " are gone");
      } else {
        level(at, agent.getValue(), after);
      }
    }
  }

  private void level(String at, Layer before, Layer after) {
    capabilities(at, before, after);
    globs(
        at + "/syscalls",
        "syscalls",
        before.syscallsAllow(),
        before.syscallsDeny(),
        after.syscallsAllow(),
        after.syscallsDeny());
    globs(
        at + "/tools",
        "tools",
        before.toolsAllow(),
        before.toolsDeny(),
        after.toolsAllow(),
        after.toolsDeny());
    approvals(
        at + "/syscalls/approve",
        before.syscallsApprove(),
        after.syscallsApprove(),
        after.syscallsDeny());
    approvals(
        at + "/tools/approve", before.toolsApprove(), after.toolsApprove(), after.toolsDeny());
    trust(at + "/tools/trust", before, after);
  }

  private void capabilities(String at, Layer before, Layer after) {
    Set<String> allowBefore = before.allow();
    Set<String> allowAfter = after.allow();
    if (allowAfter == null && allowBefore != null) {
      add(PolicyDocument.CAPABILITIES, at + "/allow", "the list of capabilities is gone");
    }
    Set<String> named = new TreeSet<>(before.deny());
    named.addAll(allowAfter == null ? Set.of() : allowAfter);
    for (String capability : named) {
      if (after.withholdsCapability(capability) == null
          && before.withholdsCapability(capability) != null) {
        boolean denied = before.deny().contains(capability);
        add(
            PolicyDocument.CAPABILITIES,
            at + (denied ? "/deny" : "/allow"),
            "the capability " + capability + (denied ? " is denied no more" : " is allowed"));
      }
    }
  }

  private void globs(
      String at, String what, Globs allow, Globs deny, Globs allowAfter, Globs denyAfter) {
    for (String glob : allowAfter.globs()) {
      if (!allow.cover(glob) && !denyAfter.cover(glob)) {
        add(PolicyDocument.CAPABILITIES, at + "/allow", what + " allowed: " + glob);
      }
    }
    if (allowAfter.globs().isEmpty()) {
      return;
    }
    for (String glob : deny.globs()) {
      if (!denyAfter.cover(glob)) {
        add(PolicyDocument.CAPABILITIES, at + "/deny", what + " denied no more: " + glob);
      }
    }
  }

  private void approvals(String at, Globs before, Globs after, Globs denyAfter) {
    for (String glob : before.globs()) {
      if (!after.cover(glob) && !denyAfter.cover(glob)) {
        add(PolicyDocument.CAPABILITIES, at, "nobody is asked any more: " + glob);
      }
    }
  }

  private void trust(String at, Layer before, Layer after) {
    before
        .toolsTrust()
        .forEach(
            (tools, wanted) -> {
              for (String glob : tools.globs()) {
                if (wanted != Trust.LOW && !asksFor(after, glob, wanted)) {
                  add(
                      PolicyDocument.CAPABILITIES,
                      at,
                      "trust below " + wanted.word() + " is enough for " + glob);
                }
              }
            });
  }

  private static boolean asksFor(Layer layer, String glob, Trust wanted) {
    return layer.toolsDeny().cover(glob)
        || layer.toolsTrust().entrySet().stream()
            .anyMatch(rule -> rule.getKey().cover(glob) && rule.getValue().compareTo(wanted) >= 0);
  }

  private void quotas() {
    Quotas old = from.quotas();
    Quotas young = to.quotas();
    quota("/default", "any other tenant", old.ofAnyTenant(), young.ofAnyTenant());
    quota("/default_agent", "any other agent", old.ofAnyAgent(), young.ofAnyAgent());
    for (String tenant : sorted(old.namedTenants(), young.namedTenants())) {
      quota("/tenants/" + tenant, "the tenant " + tenant, old.of(tenant), young.of(tenant));
    }
    Map<String, AgentId> agents = new TreeMap<>();
    old.namedAgents().forEach(agent -> agents.put(agent.toString(), agent));
    young.namedAgents().forEach(agent -> agents.put(agent.toString(), agent));
    for (AgentId agent : agents.values()) {
      quota(
          "/tenants/" + agent.tenant() + "/agents/" + agent.name(),
          agent.toString(),
          old.of(agent),
          young.of(agent));
    }
  }

  /** All that are named in one or the other. */
  private static Set<String> sorted(Set<String> one, Set<String> other) {
    Set<String> all = new TreeSet<>(one);
    all.addAll(other);
    return all;
  }

  private void quota(String at, String whose, Tuning.Quota before, Tuning.Quota after) {
    limit(at, "max_concurrency", whose, before.maxConcurrency(), after.maxConcurrency());
    limit(at, "token_rate", whose, before.tokenRate(), after.tokenRate());
    limit(at, "usd_per_hour", whose, before.usdPerHour(), after.usdPerHour());
    limit(at, "calls_per_hour", whose, before.callsPerHour(), after.callsPerHour());
  }

  private <T extends Comparable<T>> void limit(
      String at, String name, String whose, @Nullable T before, @Nullable T after) {
    if (Quotas.higher(after, before)) {
      add(PolicyDocument.QUOTAS, at + "/" + name, raised(name, whose, before, after));
    }
  }

  private static String raised(
      String name, String whose, @Nullable Object before, @Nullable Object after) {
    return name
        + " of "
        + whose
        + (after == null ? " is no limit any more; it was " : " rises to " + after + " from ")
        + before;
  }

  private void models() {
    ModelRules old = from.models();
    ModelRules young = to.models();
    models("", "all", old.ofAnyTenant(), young.ofAnyTenant());
    for (String tenant : sorted(old.namedTenants(), young.namedTenants())) {
      models("/tenants/" + tenant, "the tenant " + tenant, old.of(tenant), young.of(tenant));
    }
  }

  private void models(String at, String whose, Tuning.Models before, Tuning.Models after) {
    if (after.allowCloud() && !before.allowCloud()) {
      add(PolicyDocument.MODELS, at + "/allow_cloud", "models in the cloud, for " + whose);
    }
    before
        .routes()
        .forEach(
            (alias, entries) -> {
              List<String> now = after.routes().get(alias);
              String pointer = at + "/routes/" + alias.replace("~", "~0").replace("/", "~1");
              if (now == null) {
                add(PolicyDocument.MODELS, pointer, "the routes of " + alias + " are gone");
                return;
              }
              Set<String> more = new LinkedHashSet<>(now);
              entries.forEach(more::remove);
              more.forEach(
                  entry ->
                      add(PolicyDocument.MODELS, pointer, alias + " may be asked of " + entry));
            });
  }

  private void memory() {
    MemoryRules old = from.memory();
    MemoryRules young = to.memory();
    memory("", "any other tenant", old.ofAnyTenant(), young.ofAnyTenant());
    for (String tenant : sorted(old.namedTenants(), young.namedTenants())) {
      memory("/tenants/" + tenant, "the tenant " + tenant, old.of(tenant), young.of(tenant));
    }
  }

  private void memory(String at, String whose, Tuning.Memory before, Tuning.Memory after) {
    if (Quotas.higher(after.tenantBytesMax(), before.tenantBytesMax())) {
      add(
          PolicyDocument.MEMORY,
          at + "/tenant_bytes_max",
          raised("tenant_bytes_max", whose, before.tenantBytesMax(), after.tenantBytesMax()));
    }
  }

  private void gates() {
    Gates old = from.gates();
    Gates young = to.gates();
    looser("interval_s", young.intervalSeconds() > old.intervalSeconds());
    looser("samples_min", young.samplesMin() > old.samplesMin());
    looser("failures_max", young.failuresMax() > old.failuresMax());
    looser("inconclusive_max", young.inconclusiveMax() > old.inconclusiveMax());
    looser("watch_s", young.watchSeconds() < old.watchSeconds());
    for (Gates.Gate gate : old.gates()) {
      if (young.gates().stream().noneMatch(other -> asStrict(other, gate))) {
        add(PolicyDocument.GATES, "/gates", "the gate " + gate.name() + " is looser, or gone");
      }
    }
  }

  private void looser(String field, boolean looser) {
    if (looser) {
      add(PolicyDocument.GATES, "/" + field, field + " is looser");
    }
  }

  /** Whether one gate stops whatever the other stops. */
  private static boolean asStrict(Gates.Gate gate, Gates.Gate than) {
    return gate.metric() == than.metric()
        && Objects.equals(gate.query(), than.query())
        && within(gate.max(), than.max())
        && within(gate.maxRatio(), than.maxRatio());
  }

  private static boolean within(@Nullable BigDecimal bound, @Nullable BigDecimal other) {
    return !Quotas.higher(bound, other);
  }
}
