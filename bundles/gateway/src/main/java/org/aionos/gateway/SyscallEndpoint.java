package org.aionos.gateway;

import java.math.BigDecimal;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Set;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.CallListener;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.SyscallRouter;
import org.jspecify.annotations.Nullable;

/** {@code POST /v1/syscall/{name}}: reads the R2 request and hands it to the router. */
final class SyscallEndpoint {

  static final String SCHEMA = "aion.syscall.v1";

  private static final int TEXT_LENGTH_MAX = 256;
  private static final int CAPABILITIES_MAX = 64;
  private static final long LATENCY_MILLIS_MAX = 86_400_000;
  private static final long USD_MAX = 1_000_000;

  private final Kernel kernel;

  SyscallEndpoint(Kernel kernel) {
    this.kernel = kernel;
  }

  void serve(Exchange exchange) {
    carryOut(exchange, read(exchange));
  }

  void carryOut(Exchange exchange, Syscall syscall) {
    SyscallRouter router = kernel.router();
    router.handle(
        syscall,
        exchange.accepts(EventStream.TYPE)
            ? new LiveAnswer(exchange, router)
            : CallListener.atEnd(exchange::answer));
  }

  private static Syscall read(Exchange exchange) {
    try {
      return read(exchange, exchange.document());
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    }
  }

  private static Syscall read(Exchange exchange, Fields fields) throws InvalidDocument {
    if (!fields.text("schema").equals(SCHEMA)) {
      throw new Refused(Problem.at("/schema", Code.UNKNOWN_SCHEMA, "this kernel speaks " + SCHEMA));
    }
    fields.only("schema", "syscall", "agent_id", "context", "caps_required", "params", "budget");
    String name = fields.text("syscall");
    if (!name.equals(exchange.segment(0))) {
      throw new Refused(
          Problem.at(
              "/syscall", Code.NAME_MISMATCH, "the path and the body name different syscalls"));
    }
    AgentId agent = Exchange.agentId(fields.text("agent_id"), "/agent_id");
    Set<String> capsRequired = fields.texts("caps_required", CAPABILITIES_MAX);
    return new Syscall(
        name,
        agent,
        callerFor(exchange, agent),
        context(exchange, fields.objectOrEmpty("context")),
        capsRequired,
        fields.object("params").values(),
        budget(fields.objectOrEmpty("budget")),
        sha256(exchange.body()));
  }

  static Caller callerFor(Exchange exchange, AgentId agent) {
    Caller caller = exchange.caller();
    if (caller.kind() == Caller.Kind.PERSON) {
      throw new Refused(
          Problem.of(
                  Code.MISSING_CREDENTIAL,
                  "syscalls are made by agents: sign the request, a bearer token does not do")
              .admittedBy("X-Tenant-Id and X-Sig-HMAC"));
    }
    if (!agent.tenant().equals(caller.tenant())) {
      throw new Refused(
          Problem.at(
              "/agent_id", Code.TENANT_MISMATCH, "the agent is not of the tenant in X-Tenant-Id"));
    }
    return caller;
  }

  static Syscall.Context context(Exchange exchange, Fields context) throws InvalidDocument {
    context.only("task_id", "trace_id", "idempotency_key");
    return new Syscall.Context(
        task(exchange.caller(), context.textOrNull("task_id", TEXT_LENGTH_MAX)),
        context.textOrNull("trace_id", TEXT_LENGTH_MAX),
        context.textOrNull("idempotency_key", TEXT_LENGTH_MAX));
  }

  /** An agent's process calls in its own task, whether it says so or not. */
  private static @Nullable String task(Caller caller, @Nullable String said) {
    String own = caller.task();
    if (own == null) {
      return said;
    }
    if (said != null && !said.equals(own)) {
      throw new Refused(
          Problem.at(
              "/context/task_id",
              Code.INVALID_FIELD,
              "this agent calls in its task " + own + ", not in another; it may be left out"));
    }
    return own;
  }

  private static Syscall.Budget budget(Fields budget) throws InvalidDocument {
    budget.only("usd_max", "latency_ms");
    BigDecimal usdMax = budget.numberOrNull("usd_max", 0, USD_MAX);
    Long latencyMillis = budget.wholeNumberOrNull("latency_ms", 1, LATENCY_MILLIS_MAX);
    return new Syscall.Budget(
        usdMax, latencyMillis == null ? null : Duration.ofMillis(latencyMillis));
  }

  static String sha256(byte[] body) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body));
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }
}
