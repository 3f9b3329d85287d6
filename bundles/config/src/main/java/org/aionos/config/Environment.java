package org.aionos.config;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the environment decides: {@code AION_<SECTION>_<KEY>}, as {@code AION_GATEWAY_PORT}, and the
 * names that the deployment contract fixes, as {@code AION_KERNEL_PORT}.
 */
final class Environment {

  private static final Map<String, String> CONTRACT =
      Map.of(
          "AION_KERNEL_PORT", "gateway.port",
          "AION_KERNEL_HOST", "gateway.host",
          "POLICY_DIR", "policy.dir");

  private final Map<String, String> variables;

  Environment(Map<String, String> variables) {
    this.variables = variables;
  }

  /** A setting that was decided, and by which variable. */
  record Decided(String value, String variable) {}

  /** The decided settings of a section, by key in snake case. */
  Map<String, Decided> of(String section, Set<String> keys) {
    Map<String, Decided> decided = new LinkedHashMap<>();
    for (String key : keys) {
      Decided setting = lookUp(section, key);
      if (setting != null) {
        decided.put(key, setting);
      }
    }
    return decided;
  }

  private @Nullable Decided lookUp(String section, String key) {
    String setting = section + "." + key;
    for (Map.Entry<String, String> fixed : CONTRACT.entrySet()) {
      String value = variables.get(fixed.getKey());
      if (fixed.getValue().equals(setting) && value != null && !value.isEmpty()) {
        return new Decided(value, fixed.getKey());
      }
    }
    String variable = "AION_" + (section + "_" + key).toUpperCase(Locale.ROOT);
    String value = variables.get(variable);
    return value == null || value.isEmpty() ? null : new Decided(value, variable);
  }
}
