package org.aionos.gateway;

import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.kernel.Role;
import org.aionos.kernel.policy.Approvals.Approval;
import org.jspecify.annotations.Nullable;

/** Calls that wait for a person. */
final class ApprovalEndpoints {

  private final Kernel kernel;

  ApprovalEndpoints(Kernel kernel) {
    this.kernel = kernel;
  }

  void list(Exchange exchange) {
    exchange.require(Role.VIEWER);
    exchange.answer(
        200,
        Answers.of(
            Map.of(
                "items",
                kernel.approvals().list(exchange.tenantAsked()).stream()
                    .map(ApprovalEndpoints::values)
                    .toList())));
  }

  void approve(Exchange exchange) {
    decide(exchange, true);
  }

  void refuse(Exchange exchange) {
    decide(exchange, false);
  }

  private void decide(Exchange exchange, boolean approved) {
    exchange.require(Role.OPERATOR);
    exchange.answer(
        200,
        Answers.of(
            values(kernel.approvals().decide(exchange.segment(0), approved, exchange.caller()))));
  }

  private static Map<String, @Nullable Object> values(Approval approval) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("id", approval.id());
    values.put("state", Exchange.lower(approval.state()));
    values.put("agent", approval.agent().toString());
    values.put("syscall", approval.syscall());
    values.put("subject", approval.subject());
    values.put("arguments_sha256", approval.arguments());
    values.put("shown", approval.shown());
    values.put("policy_version", approval.policyVersion());
    values.put("rule", approval.rule());
    values.put("asked", approval.asked().toString());
    values.put("expires", approval.expires().toString());
    values.put("by", approval.by());
    return values;
  }
}
