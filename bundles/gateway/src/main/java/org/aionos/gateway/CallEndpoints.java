package org.aionos.gateway;

import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.SyscallRouter.Running;
import org.jspecify.annotations.Nullable;

/** Calls in flight. An agent sees and cancels its own, a tenant its agents', operators all. */
final class CallEndpoints {

  private final Kernel kernel;

  CallEndpoints(Kernel kernel) {
    this.kernel = kernel;
  }

  void list(Exchange exchange) {
    String tenant = exchange.tenantAsked();
    exchange.answer(
        200,
        Answers.of(
            Map.of(
                "items",
                kernel.router().running().stream()
                    .filter(call -> tenant == null || call.agent().tenant().equals(tenant))
                    .filter(call -> isOwn(exchange.caller(), call))
                    .map(CallEndpoints::row)
                    .toList())));
  }

  void cancel(Exchange exchange) {
    String auditId = exchange.segment(0);
    Caller caller = exchange.caller();
    boolean known =
        kernel.router().running().stream()
            .anyMatch(call -> call.auditId().equals(auditId) && mayCancel(caller, call));
    if (!known || !kernel.router().cancel(auditId, caller.keyId())) {
      throw new Refused(
          Code.NOT_FOUND,
          "no call of yours with this audit id is running; /v1/syscalls/"
              + auditId
              + " has the"
              + " outcome of one that has ended");
    }
    exchange.answer(202, Answers.of(Map.of("audit_id", auditId, "status", "cancelling")));
  }

  private static boolean mayCancel(Caller caller, Running call) {
    String tenant = call.agent().tenant();
    return caller.agent() != null ? isOwn(caller, call) : caller.administers(tenant);
  }

  private static boolean isOwn(Caller caller, Running call) {
    AgentId own = caller.agent();
    return own == null || own.equals(call.agent());
  }

  private static Map<String, @Nullable Object> row(Running call) {
    Map<String, @Nullable Object> row = new LinkedHashMap<>();
    row.put("audit_id", call.auditId());
    row.put("syscall", call.syscall());
    row.put("tool", call.tool());
    row.put("agent_id", call.agent().toString());
    row.put("begun", call.begun().toString());
    return row;
  }
}
