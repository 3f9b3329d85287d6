package org.aionos.policies;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.memory.Trust;
import org.jspecify.annotations.Nullable;

/**
 * What one level of the rules (global, a tenant, an agent) lets through. A call must pass every
 * level; a level that does not speak of a kind of right does not narrow it.
 *
 * @param name names the level in decisions, for example {@code tenants/tenantA}
 * @param allow capabilities; null where the level does not narrow them
 */
record Layer(
    String name,
    @Nullable Set<String> allow,
    Set<String> deny,
    Globs syscallsAllow,
    Globs syscallsDeny,
    Globs syscallsApprove,
    Globs toolsAllow,
    Globs toolsDeny,
    Globs toolsApprove,
    Map<Globs, Trust> toolsTrust) {

  private static final int ITEMS_MAX = 1_000;
  private static final Globs NONE = new Globs(Set.of());

  /** Reads a level that must say what it allows: whatever it does not name is denied. */
  static Layer strict(String name, Fields fields) throws InvalidDocument {
    Layer layer = read(name, fields);
    return layer.allow != null
        ? layer
        : new Layer(
            name,
            Set.of(),
            layer.deny,
            layer.syscallsAllow,
            layer.syscallsDeny,
            layer.syscallsApprove,
            layer.toolsAllow,
            layer.toolsDeny,
            layer.toolsApprove,
            layer.toolsTrust);
  }

  static Layer read(String name, Fields fields) throws InvalidDocument {
    Fields syscalls = fields.objectOrEmpty("syscalls").only("allow", "deny", "approve");
    Fields tools = fields.objectOrEmpty("tools").only("allow", "deny", "approve", "trust");
    return new Layer(
        name,
        fields.textsOrNull("allow", ITEMS_MAX),
        fields.texts("deny", ITEMS_MAX),
        allowed(syscalls),
        new Globs(syscalls.texts("deny", ITEMS_MAX)),
        new Globs(syscalls.texts("approve", ITEMS_MAX)),
        allowed(tools),
        new Globs(tools.texts("deny", ITEMS_MAX)),
        new Globs(tools.texts("approve", ITEMS_MAX)),
        trust(tools.objectOrEmpty("trust")));
  }

  private static Map<Globs, Trust> trust(Fields tools) throws InvalidDocument {
    Map<Globs, Trust> trust = new LinkedHashMap<>();
    for (String glob : tools.names()) {
      if (trust.size() == ITEMS_MAX) {
        throw tools.invalid(glob, "there are more than " + ITEMS_MAX);
      }
      trust.put(new Globs(Set.of(glob)), trust(tools, glob));
    }
    return trust;
  }

  private static Trust trust(Fields tools, String glob) throws InvalidDocument {
    String word = tools.text(glob);
    return Arrays.stream(Trust.values())
        .filter(trust -> trust.word().equals(word))
        .findFirst()
        .orElseThrow(() -> tools.invalid(glob, "must be low, medium or high"));
  }

  private static Globs allowed(Fields fields) throws InvalidDocument {
    return fields.has("allow") ? new Globs(fields.texts("allow", ITEMS_MAX)) : Globs.ALL;
  }

  /** A level at which nothing passes: there is no rule, so there is no right. */
  static Layer closed(String name) {
    return new Layer(name, Set.of(), Set.of(), NONE, NONE, NONE, NONE, NONE, NONE, Map.of());
  }

  /** What a task that uses the tool must be worth at least: the highest of the rules that fit. */
  Trust trustFor(String tool) {
    Trust wanted = Trust.LOW;
    for (Map.Entry<Globs, Trust> rule : toolsTrust.entrySet()) {
      if (rule.getKey().match(tool) && rule.getValue().compareTo(wanted) > 0) {
        wanted = rule.getValue();
      }
    }
    return wanted;
  }

  /** The rule of this level that withholds a capability, or null if it passes. */
  @Nullable String withholdsCapability(String capability) {
    if (deny.contains(capability)) {
      return name + "/deny";
    }
    return allow == null || allow.contains(capability) ? null : name + "/allow";
  }

  @Nullable String withholdsSyscall(String syscall) {
    return withholds(syscall, syscallsAllow, syscallsDeny, "/syscalls");
  }

  @Nullable String withholdsTool(String tool) {
    return withholds(tool, toolsAllow, toolsDeny, "/tools");
  }

  /** The rule of this level that wants a person to be asked, or null if none does. */
  @Nullable String asksForSyscall(String syscall) {
    return syscallsApprove.match(syscall) ? name + "/syscalls/approve" : null;
  }

  @Nullable String asksForTool(String tool) {
    return toolsApprove.match(tool) ? name + "/tools/approve" : null;
  }

  private @Nullable String withholds(String wanted, Globs allowed, Globs denied, String kind) {
    if (denied.match(wanted)) {
      return name + kind + "/deny";
    }
    return allowed.match(wanted) ? null : name + kind + "/allow";
  }
}
