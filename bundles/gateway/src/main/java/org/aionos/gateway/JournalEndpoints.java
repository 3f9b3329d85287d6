package org.aionos.gateway;

import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.JournalReader;
import org.aionos.kernel.JournalReader.Entry;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;

/** What the journal has on syscalls. An agent sees its own, a tenant its agents', operators all. */
final class JournalEndpoints {

  private static final int PAGE_MAX = 1_000;
  private static final String TOPIC = "kernel.syscalls";

  private final Kernel kernel;

  JournalEndpoints(Kernel kernel) {
    this.kernel = kernel;
  }

  void list(Exchange exchange) {
    String before = exchange.query("before");
    JournalReader.Page page =
        kernel
            .reader()
            .query(
                new JournalReader.Query(
                    exchange.tenantAsked(),
                    agentAsked(exchange),
                    TOPIC,
                    exchange.query("syscall"),
                    exchange.query("code"),
                    time(exchange, "from"),
                    time(exchange, "until"),
                    before == null ? null : sequence(before),
                    exchange.queryNumber("limit", 100, 1, PAGE_MAX)));
    Map<String, @Nullable Object> answer = new LinkedHashMap<>();
    answer.put("items", page.entries().stream().map(JournalEndpoints::entry).toList());
    answer.put("next", page.next());
    exchange.answer(200, Answers.of(answer));
  }

  void show(Exchange exchange) {
    String auditId = exchange.segment(0);
    JournalReader.CallRecord call =
        kernel
            .reader()
            .find(auditId)
            .filter(record -> maySee(exchange.caller(), record.asked()))
            .orElseThrow(() -> new Refused(Code.NOT_FOUND, "no syscall has this audit id"));
    Map<String, @Nullable Object> answer = new LinkedHashMap<>();
    answer.put("audit_id", auditId);
    answer.put("asked", entry(call.asked()));
    Entry ended = call.ended();
    answer.put("ended", ended == null ? null : entry(ended));
    exchange.answer(200, Answers.of(answer));
  }

  private static boolean maySee(Caller caller, Entry asked) {
    String tenant = asked.tenant();
    if (tenant == null || !caller.maySee(tenant)) {
      return false;
    }
    AgentId own = caller.agent();
    return own == null || own.toString().equals(asked.facts().get("agent"));
  }

  private static @Nullable String agentAsked(Exchange exchange) {
    AgentId own = exchange.caller().agent();
    String named = exchange.query("agent");
    if (own == null || own.toString().equals(named)) {
      return named;
    }
    if (named != null) {
      throw new Refused(Code.NOT_YOUR_AGENT, "this credential sees the calls of " + own + " only");
    }
    return own.toString();
  }

  private static Map<String, @Nullable Object> entry(Entry entry) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("sequence", entry.sequence());
    values.put("time", entry.time().toString());
    values.put("kind", entry.kind());
    values.put("audit_id", entry.auditId());
    values.put("tenant", entry.tenant());
    values.putAll(entry.facts());
    return values;
  }

  private static @Nullable Instant time(Exchange exchange, String name) {
    String text = exchange.query(name);
    try {
      return text == null ? null : Instant.parse(text);
    } catch (DateTimeParseException invalid) {
      throw new Refused(
          Code.INVALID_FIELD, "the query parameter " + name + " must be as 2026-01-31T12:00:00Z");
    }
  }

  private static long sequence(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException invalid) {
      throw new Refused(Code.INVALID_FIELD, "the query parameter before must be a sequence number");
    }
  }
}
