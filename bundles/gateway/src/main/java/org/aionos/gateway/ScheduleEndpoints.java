package org.aionos.gateway;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.aionos.kernel.task.Scheduler;
import org.aionos.kernel.task.Scheduler.Accepted;
import org.aionos.kernel.task.Scheduler.Submission;
import org.aionos.kernel.task.Scheduler.Task;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;

/** Tasks: submit, look at, explain, cancel, replay; and the queues as a whole. */
final class ScheduleEndpoints {

  private static final int TEXT_LENGTH_MAX = 256;
  private static final int PAGE_MAX = 1_000;
  private static final String AGENT_INTENT = "agent:";

  private final Kernel kernel;

  ScheduleEndpoints(Kernel kernel) {
    this.kernel = kernel;
  }

  void submit(Exchange exchange) {
    try {
      Fields fields =
          exchange
              .document()
              .only(
                  "task_id",
                  "intent",
                  "agent_id",
                  "priority",
                  "quota",
                  "retry",
                  "params",
                  "deadline");
      String intent = text(fields, "intent");
      Submission submission =
          new Submission(
              text(fields, "task_id"),
              agent(exchange.caller(), fields, intent),
              intent,
              priority(fields),
              fields.objectOrEmpty("quota").values(),
              fields.objectOrEmpty("retry").values(),
              fields.objectOrEmpty("params").values(),
              deadline(fields));
      Accepted accepted = kernel.scheduler().submit(submission, exchange.caller());
      Map<String, @Nullable Object> answer = new LinkedHashMap<>();
      answer.put("status", "ok");
      answer.put("created", accepted.created());
      answer.put("task", accepted.task().values());
      exchange.answer(accepted.created() ? 202 : 200, Answers.of(answer));
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    }
  }

  private static String text(Fields fields, String name) throws InvalidDocument {
    String text = fields.textOrNull(name, TEXT_LENGTH_MAX);
    if (text == null) {
      throw fields.missing(name);
    }
    return text;
  }

  /** Named, or the one whose key it is, or the one that is to be launched. */
  private static AgentId agent(Caller caller, Fields fields, String intent) throws InvalidDocument {
    if (fields.has("agent_id")) {
      AgentId named = Exchange.agentId(fields.text("agent_id"), "/agent_id");
      if (!caller.maySee(named.tenant())) {
        throw new Refused(
            Problem.at("/agent_id", Code.TENANT_MISMATCH, "this credential is of another tenant"));
      }
      return named;
    }
    String launched =
        intent.startsWith(AGENT_INTENT) ? intent.substring(AGENT_INTENT.length()) : "";
    String tenant = caller.tenant();
    AgentId own = caller.agent();
    if (own != null && (launched.isEmpty() || launched.equals(own.name()))) {
      return own;
    }
    if (tenant == null || !AgentId.isName(launched)) {
      throw fields.missing("agent_id");
    }
    return new AgentId(tenant, launched);
  }

  private static @Nullable Integer priority(Fields fields) throws InvalidDocument {
    if (fields.value("priority") instanceof String named) {
      for (Tier tier : Tier.values()) {
        if (tier.written().equals(named)) {
          return tier.priority();
        }
      }
      throw fields.invalid("priority", "must be high, normal, low, or a number from 0 to 9");
    }
    Long number = fields.wholeNumberOrNull("priority", 0, 9);
    return number == null ? null : number.intValue();
  }

  private static @Nullable Long deadline(Fields fields) throws InvalidDocument {
    String written = fields.textOrNull("deadline", TEXT_LENGTH_MAX);
    if (written == null) {
      return null;
    }
    try {
      return Instant.parse(written).toEpochMilli();
    } catch (DateTimeException | ArithmeticException notATime) {
      throw fields.invalid("deadline", "must be a time in UTC, as 2026-12-31T23:59:59Z");
    }
  }

  void list(Exchange exchange) {
    Scheduler.Page page =
        kernel
            .scheduler()
            .list(
                new TaskStore.Filter(
                    exchange.tenantAsked(),
                    agentAsked(exchange),
                    named(exchange, "state", TaskState.values()),
                    named(exchange, "queue", Tier.values())),
                exchange.query("after"),
                exchange.queryNumber("limit", 100, 1, PAGE_MAX));
    List<Map<String, @Nullable Object>> items = new ArrayList<>();
    page.tasks().forEach(task -> items.add(task.values()));
    Map<String, @Nullable Object> answer = new LinkedHashMap<>();
    answer.put("items", items);
    answer.put("next", page.next());
    exchange.answer(200, Answers.of(answer));
  }

  /** The name within the tenant: an agent sees its own tasks alone. */
  private static @Nullable String agentAsked(Exchange exchange) {
    AgentId own = exchange.caller().agent();
    String asked = exchange.query("agent");
    if (own == null) {
      return asked == null || !asked.contains("://") ? asked : Exchange.agentId(asked, "").name();
    }
    if (asked != null && !asked.equals(own.name()) && !asked.equals(own.toString())) {
      throw new Refused(Code.NOT_YOUR_AGENT, "an agent's key sees the tasks of that agent alone");
    }
    return own.name();
  }

  private static <T extends Enum<T>> @Nullable T named(
      Exchange exchange, String parameter, T[] constants) {
    String asked = exchange.query(parameter);
    if (asked == null) {
      return null;
    }
    for (T constant : constants) {
      if (constant.name().toLowerCase(Locale.ROOT).equals(asked)) {
        return constant;
      }
    }
    throw new Refused(
        Code.INVALID_FIELD,
        "the query parameter "
            + parameter
            + " must be one of "
            + List.of(constants).toString().toLowerCase(Locale.ROOT));
  }

  void show(Exchange exchange) {
    exchange.answer(200, Answers.of(visible(exchange).values()));
  }

  void explain(Exchange exchange) {
    Task task = visible(exchange);
    exchange.answer(200, Answers.of(kernel.scheduler().explain(task.key()).values()));
  }

  void cancel(Exchange exchange) {
    Task task = changeable(exchange);
    boolean atOnce = "true".equals(exchange.query("at_once"));
    exchange.answer(
        202,
        Answers.of(
            kernel.scheduler().cancel(task.key(), atOnce, exchange.caller().keyId()).values()));
  }

  void replay(Exchange exchange) {
    Task task = changeable(exchange);
    exchange.answer(
        202, Answers.of(kernel.scheduler().replay(task.key(), exchange.caller().keyId()).values()));
  }

  private Task visible(Exchange exchange) {
    String tenant = exchange.tenantAsked();
    if (tenant == null) {
      throw new Refused(
          Code.MISSING_FIELD, "task ids are of a tenant: name it, ?tenant=<name of the tenant>");
    }
    AgentId own = exchange.caller().agent();
    return kernel
        .scheduler()
        .find(new Key(tenant, exchange.segment(0)))
        .filter(task -> own == null || own.equals(task.agent()))
        .orElseThrow(() -> new Refused(Code.NOT_FOUND, "there is no task " + exchange.segment(0)));
  }

  private Task changeable(Exchange exchange) {
    Task task = visible(exchange);
    if (exchange.caller().agent() == null) {
      exchange.requireAdministrator(task.key().tenant());
    }
    return task;
  }

  void queue(Exchange exchange) {
    Scheduler.Queues queues = kernel.scheduler().queues();
    Caller caller = exchange.caller();
    Map<String, @Nullable Object> answer = new LinkedHashMap<>();
    answer.put("waiting", byName(queues.waiting()));
    answer.put("running", byName(queues.running()));
    answer.put("frozen", queues.frozen());
    answer.put("slots", queues.slots());
    answer.put("preemptions", queues.preemptions());
    answer.put("settings", queues.settings());
    answer.put("rejected", queues.rejected());
    answer.put(
        "shares",
        queues.shares().stream()
            .filter(share -> maySee(caller, share))
            .map(ScheduleEndpoints::share)
            .toList());
    exchange.answer(200, Answers.of(answer));
  }

  /** Of other tenants nobody hears; of the queues as a whole everybody does. */
  private static boolean maySee(Caller caller, Scheduler.Share share) {
    return share.tenant() == null
        || (caller.maySee(share.tenant())
            && (caller.agent() == null
                || share.agent() == null
                || caller.agent().name().equals(share.agent())));
  }

  private static Map<String, @Nullable Object> share(Scheduler.Share share) {
    Map<String, @Nullable Object> row = new LinkedHashMap<>();
    row.put("queue", share.tier().written());
    row.put("tenant", share.tenant());
    row.put("agent", share.agent());
    row.put("weight", share.weight());
    row.put("slot_ms", share.slotMillis());
    row.put("waiting", share.waiting());
    row.put("running", share.running());
    return row;
  }

  private static Map<String, @Nullable Object> byName(Map<Tier, Long> counts) {
    Map<String, @Nullable Object> byName = new LinkedHashMap<>();
    for (Tier tier : Tier.values()) {
      byName.put(tier.written(), counts.getOrDefault(tier, 0L));
    }
    return byName;
  }

  void approveEntry(Exchange exchange) {
    try {
      exchange.require(Role.OPERATOR);
      AgentId agent = Exchange.agentId(exchange.segment(0), "");
      String digest = exchange.document().only("digest").text("digest");
      kernel.scheduler().approveEntry(agent, digest, exchange.caller());
      exchange.answer(
          200, Answers.of(Map.of("status", "ok", "agent_id", agent.toString(), "digest", digest)));
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    }
  }
}
