package org.aionos.policies;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.aionos.document.Documents;

/** Policies as chance makes them, out of few names, so that rules meet. */
final class Drawn {

  static final List<String> TENANTS = List.of("acme", "beta", "gone");
  static final List<String> AGENTS = List.of("one", "two");
  static final List<String> CAPABILITIES = List.of("network", "gpu", "filesystem");
  static final List<String> SYSCALLS =
      List.of("tool.invoke", "tool.list", "memory.put", "memory.query", "fs.read");
  static final List<String> TOOLS = List.of("pay", "pay_all", "echo", "web_search");
  private static final List<String> SYSCALL_GLOBS =
      List.of("*", "tool.*", "tool.invoke", "memory.*", "mem*", "*.put", "fs.read", "*o*");
  private static final List<String> TOOL_GLOBS =
      List.of("*", "pay*", "pay", "pay_all", "echo", "e*", "*_*", "web_search");

  private final Random random;

  Drawn(Random random) {
    this.random = random;
  }

  /** The plain values of each file. */
  Map<String, Map<String, Object>> policy() {
    Map<String, Map<String, Object>> files = new LinkedHashMap<>();
    files.put(PolicyDocument.CAPABILITIES, capabilities());
    if (random.nextBoolean()) {
      files.put(PolicyDocument.QUOTAS, quotas());
    }
    if (random.nextBoolean()) {
      files.put(PolicyDocument.MODELS, models());
    }
    if (random.nextBoolean()) {
      files.put(PolicyDocument.MEMORY, memory());
    }
    if (random.nextBoolean()) {
      files.put(
          PolicyDocument.SCHEDULER,
          file("SchedulerPolicy", Map.of("slice_ms", 10 + random.nextInt(100))));
    }
    return files;
  }

  /** Another, that has most of this one. */
  Map<String, Map<String, Object>> near(Map<String, Map<String, Object>> policy) {
    Map<String, Map<String, Object>> near = copy(policy);
    Map<String, Map<String, Object>> other = copy(policy());
    for (int i = random.nextInt(4); i > 0; i--) {
      mix(cast(near), cast(other));
    }
    near.putIfAbsent(PolicyDocument.CAPABILITIES, capabilities());
    return near;
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> cast(Map<?, ?> map) {
    return (Map<String, Object>) map;
  }

  /** Takes over, leaves out or goes deeper into one field. */
  private void mix(Map<String, Object> into, Map<String, Object> other) {
    List<String> names = new ArrayList<>(into.keySet());
    other.keySet().stream().filter(name -> !names.contains(name)).forEach(names::add);
    names.removeAll(List.of("apiVersion", "kind", "version"));
    if (names.isEmpty()) {
      return;
    }
    String name = names.get(random.nextInt(names.size()));
    Object mine = into.get(name);
    Object theirs = other.get(name);
    boolean whole = random.nextInt(6) == 0 || name.equals("gates");
    if (!whole && mine instanceof Map<?, ?> map) {
      mix(cast(map), theirs instanceof Map<?, ?> more ? cast(more) : new HashMap<>());
    } else if (theirs != null) {
      into.put(name, theirs);
    } else if (!name.equals("global")) {
      into.remove(name);
    }
  }

  @SuppressWarnings("unchecked")
  private static <T> T copy(T value) {
    if (value instanceof Map<?, ?> map) {
      Map<String, Object> copy = new LinkedHashMap<>();
      map.forEach((name, each) -> copy.put(String.valueOf(name), copy((Object) each)));
      return (T) copy;
    }
    return value;
  }

  static PolicyDocument document(Map<String, Map<String, Object>> policy) throws InvalidPolicy {
    Map<String, byte[]> files = new LinkedHashMap<>();
    policy.forEach((name, values) -> files.put(name, Documents.write(values)));
    return PolicyDocument.read(files);
  }

  static PolicyDocument document(String capabilities) throws InvalidPolicy {
    return PolicyDocument.read(Map.of(PolicyDocument.CAPABILITIES, capabilities.getBytes(UTF_8)));
  }

  private static Map<String, Object> file(String kind, Map<String, ?> fields) {
    Map<String, Object> file = new LinkedHashMap<>();
    file.put("apiVersion", "aion.os/v1");
    file.put("kind", kind);
    file.put("version", "1");
    file.putAll(fields);
    return file;
  }

  private Map<String, Object> capabilities() {
    Map<String, Object> tenants = new LinkedHashMap<>();
    for (String tenant : some(TENANTS)) {
      Map<String, Object> level = level();
      Map<String, Object> agents = new LinkedHashMap<>();
      some(AGENTS).forEach(agent -> agents.put(agent, level()));
      level.put("agents", agents);
      tenants.put(tenant, level);
    }
    return file("CapabilityPolicy", Map.of("global", level(), "tenants", tenants));
  }

  private Map<String, Object> level() {
    Map<String, Object> level = new LinkedHashMap<>();
    maybe(level, "allow", CAPABILITIES);
    if (random.nextInt(3) == 0) {
      level.put("deny", some(CAPABILITIES));
    }
    level.put("syscalls", globs(SYSCALL_GLOBS));
    Map<String, Object> tools = globs(TOOL_GLOBS);
    if (random.nextInt(3) == 0) {
      tools.put("trust", Map.of(one(TOOL_GLOBS), one(List.of("low", "medium", "high"))));
    }
    level.put("tools", tools);
    return level;
  }

  private Map<String, Object> globs(List<String> from) {
    Map<String, Object> globs = new LinkedHashMap<>();
    maybe(globs, "allow", from);
    if (random.nextInt(3) == 0) {
      globs.put("deny", List.of(one(from)));
    }
    if (random.nextInt(3) == 0) {
      globs.put("approve", List.of(one(from)));
    }
    return globs;
  }

  private Map<String, Object> quotas() {
    Map<String, Object> tenants = new LinkedHashMap<>();
    for (String tenant : some(TENANTS)) {
      Map<String, Object> quota = quota();
      Map<String, Object> agents = new LinkedHashMap<>();
      some(AGENTS).forEach(agent -> agents.put(agent, quota()));
      quota.put("agents", agents);
      tenants.put(tenant, quota);
    }
    return file(
        "QuotaPolicy", Map.of("default", quota(), "default_agent", quota(), "tenants", tenants));
  }

  private Map<String, Object> quota() {
    Map<String, Object> quota = new LinkedHashMap<>();
    for (String limit :
        List.of("max_concurrency", "token_rate", "usd_per_hour", "calls_per_hour")) {
      if (random.nextBoolean()) {
        quota.put(limit, random.nextInt(4));
      }
    }
    return quota;
  }

  private Map<String, Object> models() {
    Map<String, Object> tenants = new LinkedHashMap<>();
    some(TENANTS).forEach(tenant -> tenants.put(tenant, modelsOf()));
    Map<String, Object> all = modelsOf();
    all.put("tenants", tenants);
    return file("ModelPolicy", all);
  }

  private Map<String, Object> modelsOf() {
    Map<String, Object> models = new LinkedHashMap<>();
    Map<String, Object> routes = new LinkedHashMap<>();
    some(List.of("fast", "best")).forEach(alias -> routes.put(alias, some(List.of("a/x", "b/y"))));
    models.put("routes", routes);
    if (random.nextBoolean()) {
      models.put("allow_cloud", random.nextBoolean());
    }
    return models;
  }

  private Map<String, Object> memory() {
    Map<String, Object> tenants = new LinkedHashMap<>();
    some(TENANTS)
        .forEach(tenant -> tenants.put(tenant, Map.of("tenant_bytes_max", random.nextInt(3))));
    Map<String, Object> memory = new LinkedHashMap<>();
    if (random.nextBoolean()) {
      memory.put("tenant_bytes_max", random.nextInt(3));
    }
    memory.put("tenants", tenants);
    return file("MemoryPolicy", memory);
  }

  private void maybe(Map<String, Object> into, String name, List<String> from) {
    if (random.nextInt(4) > 0) {
      into.put(name, some(from));
    }
  }

  List<String> some(List<String> from) {
    List<String> some = new ArrayList<>();
    from.stream().filter(each -> random.nextBoolean()).forEach(some::add);
    return some;
  }

  String one(List<String> from) {
    return from.get(random.nextInt(from.size()));
  }
}
