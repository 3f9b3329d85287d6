package org.aionos.manifest;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.jspecify.annotations.Nullable;

/**
 * An agent.yml, read and found valid: {@code apiVersion: aion.os/v1}, {@code kind: Agent}.
 *
 * @param capabilities those declared {@code true}
 * @param syscalls names or globs such as {@code memory.*}
 * @param values the whole document, as read
 */
public record AgentManifest(
    String name,
    String version,
    Set<String> capabilities,
    Set<String> syscalls,
    Map<String, @Nullable Object> values) {

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");
  private static final Pattern VERSION = Pattern.compile("[0-9A-Za-z][0-9A-Za-z.+-]{0,62}");
  static final Pattern CAPABILITY = Pattern.compile("[a-z][a-z0-9_.-]{0,62}");
  private static final Pattern SYSCALL = Pattern.compile("[a-z*][a-z0-9_.*-]{0,62}");
  private static final Pattern CPU = Pattern.compile("\\d{1,6}m|\\d{1,4}(\\.\\d{1,3})?");
  private static final Pattern MEMORY = Pattern.compile("\\d{1,12}(Ki|Mi|Gi|K|M|G)?");
  private static final Pattern GPU = Pattern.compile("none|optional|required|\\d{1,2}");
  private static final Pattern CODE = Pattern.compile("sha256:[0-9a-f]{64}");
  private static final List<String> RESTARTS = List.of("never", "on-failure", "always");
  private static final int SYSCALLS_MAX = 200;
  private static final int TTL_SECONDS_MAX = 10 * 365 * 24 * 3600;
  private static final int ENTRY_LENGTH_MAX = 4_096;

  public static AgentManifest read(String yaml) throws InvalidDocument {
    return read(Documents.yaml(yaml));
  }

  /**
   * @param root the document, read by whatever means it came
   */
  public static AgentManifest read(Fields root) throws InvalidDocument {
    root.only("apiVersion", "kind", "metadata", "spec");
    Manifests.expect(root, "Agent");
    Fields metadata = root.object("metadata").only("name", "version", "description", "labels");
    Fields spec =
        root.object("spec")
            .only(
                "entry",
                "code",
                "priority",
                "timeout_ms",
                "memory",
                "capabilities",
                "syscalls",
                "resources",
                "policy_overrides",
                "restart",
                "signatures");
    checkProcess(spec);
    checkPolicyOverrides(spec.objectOrEmpty("policy_overrides"));
    return new AgentManifest(
        Manifests.matching(metadata, "name", NAME),
        Manifests.matching(metadata, "version", VERSION),
        capabilities(spec),
        Manifests.matchingAll(spec, "syscalls", SYSCALL, SYSCALLS_MAX),
        root.values());
  }

  private static Set<String> capabilities(Fields spec) throws InvalidDocument {
    Fields flags = spec.objectOrEmpty("capabilities");
    Set<String> declared = new LinkedHashSet<>();
    for (String capability : flags.names()) {
      if (!isCapability(capability)) {
        throw flags.invalid(capability, "a capability must match " + CAPABILITY.pattern());
      }
      if (flags.flag(capability, false)) {
        declared.add(capability);
      }
    }
    return declared;
  }

  /** Whether a text may name a capability. */
  public static boolean isCapability(String text) {
    return CAPABILITY.matcher(text).matches();
  }

  private static void checkProcess(Fields spec) throws InvalidDocument {
    spec.textOrNull("entry", ENTRY_LENGTH_MAX);
    String code = spec.textOrNull("code");
    if (code != null && !CODE.matcher(code).matches()) {
      throw spec.invalid(
          "code", "must be the digest of the agent's code, as sha256:<64 hex digits>");
    }
    String restart = spec.text("restart", "on-failure");
    if (!RESTARTS.contains(restart)) {
      throw spec.invalid("restart", "must be one of " + RESTARTS);
    }
    Object priority = spec.value("priority");
    if (priority instanceof String named) {
      if (!Set.of("high", "normal", "low").contains(named)) {
        throw spec.invalid("priority", "must be high, normal, low, or a number from 0 to 9");
      }
    } else {
      spec.wholeNumberOrNull("priority", 0, 9);
    }
    spec.wholeNumberOrNull("timeout_ms", 1, 24L * 3600 * 1000);
    Fields memory =
        spec.objectOrEmpty("memory").only("short_ttl_s", "long_ttl_s", "episodic_ttl_s");
    for (String ttl : memory.names()) {
      memory.wholeNumberOrNull(ttl, 1, TTL_SECONDS_MAX);
    }
    Fields resources = spec.objectOrEmpty("resources").only("cpu", "mem", "gpu");
    checkQuantity(resources, "cpu", CPU);
    checkQuantity(resources, "mem", MEMORY);
    checkQuantity(resources, "gpu", GPU);
  }

  private static void checkQuantity(Fields resources, String name, Pattern pattern)
      throws InvalidDocument {
    Object value = resources.value(name);
    if (value != null && !pattern.matcher(String.valueOf(value)).matches()) {
      throw resources.invalid(name, "must match " + pattern.pattern());
    }
  }

  private static void checkPolicyOverrides(Fields overrides) throws InvalidDocument {
    overrides.only("sla", "budget", "privacy");
    overrides.objectOrEmpty("sla").only("p95_ms").wholeNumberOrNull("p95_ms", 1, 86_400_000);
    overrides.objectOrEmpty("budget").only("usd_max").numberOrNull("usd_max", 0, 1_000_000);
    overrides.objectOrEmpty("privacy").only("allow_cloud").flag("allow_cloud", true);
  }
}
