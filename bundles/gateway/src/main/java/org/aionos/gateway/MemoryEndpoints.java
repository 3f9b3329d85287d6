package org.aionos.gateway;

import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Syscall;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /v1/memory/put} and {@code /query}: another spelling of the syscalls {@code
 * memory.put} and {@code memory.query}, and nothing else. What is not {@code agent_id} or {@code
 * context} is a param.
 */
final class MemoryEndpoints {

  private final SyscallEndpoint syscalls;

  MemoryEndpoints(SyscallEndpoint syscalls) {
    this.syscalls = syscalls;
  }

  void put(Exchange exchange) {
    serve(exchange, "memory.put");
  }

  void query(Exchange exchange) {
    serve(exchange, "memory.query");
  }

  private void serve(Exchange exchange, String name) {
    try {
      Fields fields = exchange.document();
      AgentId agent = agent(exchange, fields);
      Map<String, @Nullable Object> params = new LinkedHashMap<>(fields.values());
      params.remove("agent_id");
      params.remove("context");
      syscalls.carryOut(
          exchange,
          new Syscall(
              name,
              agent,
              SyscallEndpoint.callerFor(exchange, agent),
              SyscallEndpoint.context(exchange, fields.objectOrEmpty("context")),
              java.util.Set.of(),
              params,
              Syscall.Budget.NONE,
              SyscallEndpoint.sha256(exchange.body())));
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    }
  }

  /** A key of one agent says whose call it is. */
  private static AgentId agent(Exchange exchange, Fields fields) throws InvalidDocument {
    AgentId own = exchange.caller().agent();
    return own != null && !fields.has("agent_id")
        ? own
        : Exchange.agentId(fields.text("agent_id"), "/agent_id");
  }
}
