package org.aionos.policies;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Declared;
import org.aionos.kernel.Policy.Grants;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.memory.Trust;
import org.jspecify.annotations.Nullable;

/**
 * One version of the rules: global, then tenant, then agent, then what the agent itself declared. A
 * right must pass all four. Immutable, but for a memory of what it already worked out.
 */
public final class RuleBook {

  /** A book without a rule: it denies everything. */
  public static final RuleBook EMPTY =
      new RuleBook("none", Layer.closed("no-rule"), Map.of(), Map.of());

  private static final String MANIFEST_CAPABILITIES = "manifest/capabilities";

  /** What a task asks of the kernel about itself: no manifest has to name it. */
  private static final String OF_ITSELF = "task.";

  private static final String MANIFEST_SYSCALLS = "manifest/syscalls";

  private final String version;
  private final Layer global;
  private final Map<String, Layer> tenants;
  private final Map<AgentId, Layer> agents;
  private final ConcurrentMap<AgentId, Standing> standings = new ConcurrentHashMap<>();

  /** What one agent holds under this version, worked out once for each declaration it makes. */
  private record Standing(
      Declared declared,
      List<Layer> layers,
      Set<String> capabilities,
      Map<String, String> withheld,
      Globs syscalls,
      ConcurrentMap<String, Decision> bySyscall) {}

  private RuleBook(
      String version, Layer global, Map<String, Layer> tenants, Map<AgentId, Layer> agents) {
    this.version = version;
    this.global = global;
    this.tenants = Map.copyOf(tenants);
    this.agents = Map.copyOf(agents);
  }

  /**
   * Reads what stands in {@code agent.capabilities.yaml}.
   *
   * @param version names the book in every decision
   */
  static RuleBook read(Fields root, String version) throws InvalidDocument {
    root.only("apiVersion", "kind", "version", "global", "tenants");
    expect(root, "apiVersion", "aion.os/v1");
    expect(root, "kind", "CapabilityPolicy");
    Layer global =
        Layer.strict("global", root.object("global").only("allow", "deny", "syscalls", "tools"));
    Map<String, Layer> tenants = new HashMap<>();
    Map<AgentId, Layer> agents = new HashMap<>();
    for (Map.Entry<String, Fields> tenant : root.objects("tenants").entrySet()) {
      readTenant(tenant.getKey(), tenant.getValue(), tenants, agents);
    }
    root.text("version");
    return new RuleBook(version, global, tenants, agents);
  }

  private static void readTenant(
      String tenant, Fields fields, Map<String, Layer> tenants, Map<AgentId, Layer> agents)
      throws InvalidDocument {
    if (!AgentId.isName(tenant)) {
      throw new InvalidDocument(
          InvalidDocument.Fault.INVALID, fields.pointer(), "is not a tenant name");
    }
    String name = "tenants/" + tenant;
    tenants.put(
        tenant, Layer.strict(name, fields.only("allow", "deny", "syscalls", "tools", "agents")));
    for (Map.Entry<String, Fields> agent : fields.objects("agents").entrySet()) {
      Fields rules = agent.getValue().only("allow", "deny", "syscalls", "tools");
      if (!AgentId.isName(agent.getKey())) {
        throw new InvalidDocument(
            InvalidDocument.Fault.INVALID, rules.pointer(), "is not an agent name");
      }
      agents.put(
          new AgentId(tenant, agent.getKey()),
          Layer.read(name + "/agents/" + agent.getKey(), rules));
    }
  }

  private static void expect(Fields root, String name, String value) throws InvalidDocument {
    if (!root.text(name).equals(value)) {
      throw root.invalid(name, "must be " + value);
    }
  }

  /** The same rules under another name. */
  RuleBook named(String other) {
    return new RuleBook(other, global, tenants, agents);
  }

  Layer global() {
    return global;
  }

  Map<String, Layer> tenants() {
    return tenants;
  }

  Map<AgentId, Layer> agents() {
    return agents;
  }

  public String version() {
    return version;
  }

  public Decision decide(Syscall syscall, AgentProcess agent, Set<String> needs) {
    Standing standing = standing(agent.id(), agent.declared());
    Decision decision = standing.bySyscall.get(syscall.name());
    if (decision == null) {
      decision = bySyscall(standing, syscall.name());
      // Names that reach us are served by a handler, so this map stays as small as their number.
      standing.bySyscall.put(syscall.name(), decision);
    }
    if (decision instanceof Decision.AfterApproval asking) {
      Decision checked = holdsAll(asking.allow(), syscall, needs);
      return checked == asking.allow() ? asking : checked;
    }
    return decision instanceof Decision.Allow permit ? holdsAll(permit, syscall, needs) : decision;
  }

  private Decision holdsAll(Decision.Allow permit, Syscall syscall, Set<String> needs) {
    for (String capability : syscall.capsRequired()) {
      if (!permit.grants().contains(capability)) {
        return withheldCapability(permit, capability, "caps_required names " + capability);
      }
    }
    return holdsAll(permit, "the syscall " + syscall.name(), needs);
  }

  public Decision decideTool(
      Decision.Allow permit, AgentProcess agent, String tool, Set<String> needs, Trust trust) {
    String asks = null;
    for (Layer layer : standing(agent.id(), agent.declared()).layers) {
      String rule = layer.withholdsTool(tool);
      if (rule != null) {
        return deny(
            Code.TOOL_DENIED,
            "policy does not let this agent use the tool " + tool,
            rule,
            "an operator adds " + tool + " to tools/allow at " + layer.name());
      }
      Trust wanted = layer.trustFor(tool);
      if (trust.compareTo(wanted) < 0) {
        return deny(
            Code.TRUST_TOO_LOW,
            "the tool "
                + tool
                + " wants a task that has read nothing below the trust "
                + wanted.word()
                + ", and this one has read what is "
                + trust.word(),
            layer.name() + "/tools/trust",
            "a task that has read no such thing");
      }
      asks = asks == null ? layer.asksForTool(tool) : asks;
    }
    Decision checked = holdsAll(permit, "the tool " + tool, needs);
    return asks == null || checked != permit ? checked : new Decision.AfterApproval(permit, asks);
  }

  private Decision holdsAll(Decision.Allow permit, String what, Set<String> needs) {
    for (String need : needs) {
      if (!permit.grants().contains(need)) {
        return withheldCapability(permit, need, what + " needs " + need);
      }
    }
    return permit;
  }

  public Grants grants(AgentId agent, Declared declared) {
    Standing standing = standing(agent, declared);
    return new Grants(standing.capabilities, standing.withheld, declared.syscalls());
  }

  private Decision bySyscall(Standing standing, String syscall) {
    for (Layer layer : standing.layers) {
      String rule = layer.withholdsSyscall(syscall);
      if (rule != null) {
        return deny(
            Code.SYSCALL_DENIED,
            "policy does not let this agent call " + syscall,
            rule,
            "an operator adds " + syscall + " to syscalls/allow at " + layer.name());
      }
    }
    if (!syscall.startsWith(OF_ITSELF) && !standing.syscalls.match(syscall)) {
      return deny(
          Code.SYSCALL_DENIED,
          "the agent's manifest does not name the syscall " + syscall,
          MANIFEST_SYSCALLS,
          "register the agent with " + syscall + " in spec.syscalls");
    }
    Decision.Allow permit =
        new Decision.Allow(
            standing.layers.get(standing.layers.size() - 1).name(),
            version,
            standing.capabilities,
            standing.withheld);
    for (Layer layer : standing.layers) {
      String asks = layer.asksForSyscall(syscall);
      if (asks != null) {
        return new Decision.AfterApproval(permit, asks);
      }
    }
    return permit;
  }

  private Decision withheldCapability(Decision.Allow permit, String capability, String why) {
    String rule = permit.withheld().getOrDefault(capability, "no-rule");
    String admit =
        rule.equals(MANIFEST_CAPABILITIES)
            ? "register the agent with the capability " + capability
            : "an operator grants " + capability + " at " + rule;
    return deny(Code.CAPABILITY_DENIED, why + ", which this agent does not hold", rule, admit);
  }

  private Decision deny(Code code, String message, String rule, String admit) {
    return new Decision.Deny(new Problem(code, message, null, rule, version, admit, null));
  }

  private Standing standing(AgentId agent, Declared declared) {
    Standing known = standings.get(agent);
    if (known != null && known.declared.equals(declared)) {
      return known;
    }
    Standing fresh = workOut(agent, declared);
    standings.put(agent, fresh);
    return fresh;
  }

  private Standing workOut(AgentId agent, Declared declared) {
    List<Layer> layers = new ArrayList<>();
    layers.add(global);
    Layer tenant = tenants.get(agent.tenant());
    layers.add(tenant == null ? Layer.closed("no-rule") : tenant);
    Layer own = agents.get(agent);
    if (own != null) {
      layers.add(own);
    }
    Set<String> granted = new TreeSet<>();
    Map<String, String> withheld = new TreeMap<>();
    for (String capability : everyCapability(layers, declared)) {
      String rule = withheldBy(layers, declared, capability);
      if (rule == null) {
        granted.add(capability);
      } else {
        withheld.put(capability, rule);
      }
    }
    return new Standing(
        declared,
        List.copyOf(layers),
        Set.copyOf(granted),
        new LinkedHashMap<>(withheld),
        new Globs(declared.syscalls()),
        new ConcurrentHashMap<>());
  }

  private static Set<String> everyCapability(List<Layer> layers, Declared declared) {
    Set<String> every = new TreeSet<>(declared.capabilities());
    for (Layer layer : layers) {
      every.addAll(layer.deny());
      Set<String> allow = layer.allow();
      if (allow != null) {
        every.addAll(allow);
      }
    }
    return every;
  }

  private static @Nullable String withheldBy(
      List<Layer> layers, Declared declared, String capability) {
    for (Layer layer : layers) {
      String rule = layer.withholdsCapability(capability);
      if (rule != null) {
        return rule;
      }
    }
    return declared.capabilities().contains(capability) ? null : MANIFEST_CAPABILITIES;
  }

  @Override
  public String toString() {
    return "RuleBook[" + version + "]";
  }
}
