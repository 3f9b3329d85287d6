package org.aionos.policies;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.policy.Tuning.Memory;

/** What {@code memory.yaml} lets tenants keep. */
final class MemoryRules {

  static final MemoryRules UNSAID = new MemoryRules(Memory.UNSAID, Map.of());

  private final Memory all;
  private final Map<String, Memory> tenants;

  private MemoryRules(Memory all, Map<String, Memory> tenants) {
    this.all = all;
    this.tenants = Map.copyOf(tenants);
  }

  static MemoryRules read(Fields root) throws InvalidDocument {
    Memory all = memory(root, Memory.UNSAID);
    Map<String, Memory> tenants = new HashMap<>();
    for (Map.Entry<String, Fields> tenant : Names.tenants(root).entrySet()) {
      tenants.put(tenant.getKey(), memory(tenant.getValue(), all));
    }
    return new MemoryRules(all, tenants);
  }

  private static Memory memory(Fields fields, Memory absent) throws InvalidDocument {
    Long bytes = fields.wholeNumberOrNull("tenant_bytes_max", 0, Long.MAX_VALUE);
    return bytes == null ? absent : new Memory(bytes);
  }

  Memory of(String tenant) {
    return tenants.getOrDefault(tenant, all);
  }

  Memory ofAnyTenant() {
    return all;
  }

  Set<String> namedTenants() {
    return tenants.keySet();
  }
}
