package org.aionos.policies;

import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;

/** Tenants and agents as keys of a file. */
final class Names {

  private Names() {}

  /** What is said under {@code tenants}, by tenant. */
  static Map<String, Fields> tenants(Fields root) throws InvalidDocument {
    Map<String, Fields> tenants = root.objects("tenants");
    for (Map.Entry<String, Fields> tenant : tenants.entrySet()) {
      if (!AgentId.isName(tenant.getKey())) {
        throw invalid(tenant.getValue(), "is not a tenant name");
      }
    }
    return tenants;
  }

  /** What is said under {@code agents} of a tenant, by agent. */
  static Map<AgentId, Fields> agents(String tenant, Fields fields) throws InvalidDocument {
    Map<AgentId, Fields> agents = new LinkedHashMap<>();
    for (Map.Entry<String, Fields> agent : fields.objects("agents").entrySet()) {
      if (!AgentId.isName(agent.getKey())) {
        throw invalid(agent.getValue(), "is not an agent name");
      }
      agents.put(new AgentId(tenant, agent.getKey()), agent.getValue());
    }
    return agents;
  }

  private static InvalidDocument invalid(Fields fields, String why) {
    return new InvalidDocument(InvalidDocument.Fault.INVALID, fields.pointer(), why);
  }
}
