package org.aionos.gateway;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Policy;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.aionos.kernel.task.Scheduler;
import org.jspecify.annotations.Nullable;

/** Register, heartbeat, and the process table. */
final class AgentEndpoints {

  private static final int TEXT_LENGTH_MAX = 256;
  private static final int CAPABILITIES_MAX = 64;
  private static final int PAGE_MAX = 1_000;

  private final Kernel kernel;

  AgentEndpoints(Kernel kernel) {
    this.kernel = kernel;
  }

  void register(Exchange exchange) {
    try {
      Fields fields =
          exchange
              .document()
              .only("agent_id", "name", "version", "capabilities", "limits", "manifest");
      AgentId agent = Exchange.agentId(fields.text("agent_id"), "/agent_id");
      exchange.requireAdministrator(agent.tenant());
      AgentProcess row =
          kernel
              .processes()
              .register(
                  new ProcessTable.Registration(
                      agent,
                      bounded(fields, "name"),
                      bounded(fields, "version"),
                      capabilities(fields),
                      fields.objectOrEmpty("limits").values(),
                      fields.value("manifest")),
                  exchange.caller());
      exchange.answer(row.pending() == null ? 200 : 202, Answers.of(detail(row)));
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    }
  }

  void heartbeat(Exchange exchange) {
    try {
      Fields fields = exchange.document();
      AgentId agent = Exchange.agentId(fields.text("agent_id"), "/agent_id");
      Caller caller = exchange.caller();
      if (!caller.signsFor(agent) && !caller.administers(agent.tenant())) {
        throw new Refused(Code.NOT_YOUR_AGENT, "this credential does not sign for " + agent);
      }
      AgentProcess.Vitals vitals =
          new AgentProcess.Vitals(
              number(fields, "cpu"),
              fields.wholeNumberOrNull("mem_bytes", 0, Long.MAX_VALUE),
              number(fields, "gpu"),
              wholeNumber(fields, "queue"));
      AgentProcess row = kernel.processes().heartbeat(agent, vitals);
      exchange.answer(
          200, Answers.of(Map.of("status", "ok", "state", Exchange.lower(row.state()))));
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    }
  }

  void list(Exchange exchange) {
    int limit = exchange.queryNumber("limit", 100, 1, PAGE_MAX);
    String after = exchange.query("after");
    List<Map<String, @Nullable Object>> items = new ArrayList<>();
    String next = null;
    Map<AgentId, List<Scheduler.Process>> running = running(exchange.tenantAsked());
    for (AgentProcess row : kernel.processes().list(exchange.tenantAsked())) {
      if (after != null && row.id().toString().compareTo(after) <= 0) {
        continue;
      }
      if (items.size() == limit) {
        next = String.valueOf(items.get(limit - 1).get("agent_id"));
        break;
      }
      items.add(summary(row, running.getOrDefault(row.id(), List.of())));
    }
    Map<String, @Nullable Object> page = new LinkedHashMap<>();
    page.put("items", items);
    page.put("next", next);
    exchange.answer(200, Answers.of(page));
  }

  void show(Exchange exchange) {
    exchange.answer(200, Answers.of(detail(visible(exchange))));
  }

  void approve(Exchange exchange) {
    try {
      AgentProcess row = visible(exchange);
      exchange.require(Role.OPERATOR);
      String digest = exchange.document().only("digest").text("digest");
      exchange.answer(
          200, Answers.of(detail(kernel.processes().approve(row.id(), digest, exchange.caller()))));
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    }
  }

  void stop(Exchange exchange) {
    setStopped(exchange, true);
  }

  void resume(Exchange exchange) {
    setStopped(exchange, false);
  }

  private void setStopped(Exchange exchange, boolean stopped) {
    AgentProcess row = visible(exchange);
    exchange.require(Role.OPERATOR);
    exchange.answer(
        200,
        Answers.of(detail(kernel.processes().setStopped(row.id(), stopped, exchange.caller()))));
  }

  private AgentProcess visible(Exchange exchange) {
    AgentId agent = Exchange.agentId(exchange.segment(0), "");
    if (!exchange.caller().maySee(agent.tenant())) {
      throw new Refused(Code.TENANT_MISMATCH, "this credential may not see " + agent);
    }
    return kernel
        .processes()
        .find(agent)
        .orElseThrow(() -> new Refused(Code.NOT_FOUND, agent + " is not registered"));
  }

  private Map<String, @Nullable Object> detail(AgentProcess row) {
    Policy.Grants grants = kernel.policy().grants(row.id(), row.declared());
    Map<String, @Nullable Object> detail =
        summary(row, running(row.id().tenant()).getOrDefault(row.id(), List.of()));
    detail.put("declared", List.copyOf(new TreeSet<>(row.declared().capabilities())));
    detail.put("syscalls", List.copyOf(new TreeSet<>(row.declared().syscalls())));
    detail.put("grants", List.copyOf(new TreeSet<>(grants.capabilities())));
    detail.put("withheld", grants.withheld());
    detail.put("limits", row.limits());
    detail.put("manifest", row.manifest());
    detail.put("revision", row.revision());
    AgentProcess.Pending pending = row.pending();
    if (pending != null) {
      detail.put(
          "pending",
          Map.of(
              "digest", pending.digest(),
              "widening", pending.widening(),
              "asked_by", pending.askedBy(),
              "admit", "an operator approves: POST /v1/agents/{id}/approve with this digest"));
    }
    return detail;
  }

  private Map<AgentId, List<Scheduler.Process>> running(@Nullable String tenant) {
    return kernel.agentProcesses(tenant).stream()
        .collect(Collectors.groupingBy(Scheduler.Process::agent));
  }

  /**
   * What the kernel itself has measured of an agent's processes says more than what the agent says.
   */
  private static Map<String, @Nullable Object> summary(
      AgentProcess row, List<Scheduler.Process> running) {
    Map<String, @Nullable Object> summary = new LinkedHashMap<>();
    summary.put("agent_id", row.id().toString());
    summary.put("name", row.name());
    summary.put("version", row.version());
    summary.put("state", Exchange.lower(row.state()));
    if (running.isEmpty()) {
      summary.put("cpu", row.vitals().cpu());
      summary.put("mem_bytes", row.vitals().memBytes());
    } else {
      summary.put("cpu", running.stream().mapToDouble(Scheduler.Process::cores).sum());
      summary.put(
          "mem_bytes", running.stream().mapToLong(each -> each.usage().memoryBytes()).sum());
    }
    summary.put("gpu", row.vitals().gpu());
    summary.put("queue", row.vitals().queue());
    summary.put("registered_at", row.registeredAt().toString());
    summary.put("last_seen_at", row.lastSeenAt().toString());
    summary.put("processes", running.stream().map(AgentEndpoints::process).toList());
    return summary;
  }

  private static Map<String, @Nullable Object> process(Scheduler.Process process) {
    Map<String, @Nullable Object> row = new LinkedHashMap<>();
    row.put("task_id", process.task());
    row.put("state", process.state());
    row.put("cpu", process.cores());
    row.put("cpu_ms", process.usage().cpuMicros() / 1_000);
    row.put("mem_bytes", process.usage().memoryBytes());
    row.put("processes", process.usage().processes());
    row.put("age_ms", process.ageMillis());
    return row;
  }

  /** Capabilities come as a list of names, or as in agent.yml as names with true or false. */
  private static @Nullable Set<String> capabilities(Fields fields) throws InvalidDocument {
    if (!fields.has("capabilities")) {
      return null;
    }
    if (fields.value("capabilities") instanceof List) {
      return fields.textsOrNull("capabilities", CAPABILITIES_MAX);
    }
    Fields flags = fields.object("capabilities");
    Set<String> declared = new LinkedHashSet<>();
    for (String capability : flags.names()) {
      if (flags.flag(capability, false)) {
        declared.add(capability);
      }
    }
    return declared;
  }

  private static String bounded(Fields fields, String name) throws InvalidDocument {
    String text = fields.textOrNull(name, TEXT_LENGTH_MAX);
    if (text == null || text.isBlank()) {
      throw fields.missing(name);
    }
    return text;
  }

  private static @Nullable Double number(Fields fields, String name) throws InvalidDocument {
    var number = fields.numberOrNull(name, 0, 1_000_000);
    return number == null ? null : number.doubleValue();
  }

  private static @Nullable Integer wholeNumber(Fields fields, String name) throws InvalidDocument {
    Long number = fields.wholeNumberOrNull(name, 0, Integer.MAX_VALUE);
    return number == null ? null : number.intValue();
  }
}
