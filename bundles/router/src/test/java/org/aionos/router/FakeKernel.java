package org.aionos.router;

import java.io.OutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleSupplier;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Declared;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Policy;
import org.aionos.kernel.Problem;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.memory.Trust;

/** The router's neighbours, kept in memory, with switches for what can go wrong. */
final class FakeKernel implements Journal, Policy, ProcessTable, Meters {

  static final AgentId AGENT = new AgentId("acme", "worker-1");

  final List<String> lines = Collections.synchronizedList(new ArrayList<>());
  final AtomicLong sequence = new AtomicLong();
  final Map<AgentId, AgentProcess> agents = new HashMap<>();
  Set<String> grants = Set.of("network", "filesystem");
  volatile boolean denies;
  volatile boolean journalFails;
  volatile boolean journalFailsAtEnd;

  FakeKernel() {
    agents.put(AGENT, agent(AGENT, AgentProcess.State.ALIVE));
  }

  static AgentProcess agent(AgentId id, AgentProcess.State state) {
    return new AgentProcess(
        id,
        "worker",
        "1.0.0",
        state,
        1,
        new Declared(Set.of("network"), Set.of("*")),
        Map.of(),
        Map.of(),
        AgentProcess.Vitals.UNKNOWN,
        Instant.EPOCH,
        Instant.EPOCH,
        null);
  }

  static Syscall call(String name, Map<String, Object> params) {
    return call(name, params, Syscall.Context.NONE, Syscall.Budget.NONE);
  }

  static Syscall call(
      String name, Map<String, Object> params, Syscall.Context context, Syscall.Budget budget) {
    return new Syscall(
        name,
        AGENT,
        Caller.agentKey("ak_1", AGENT),
        context,
        Set.of(),
        params,
        budget,
        "0".repeat(64));
  }

  @Override
  public Asked asked(Syscall syscall) {
    if (journalFails) {
      throw new Refused(Code.JOURNAL_UNAVAILABLE, "full");
    }
    long number = sequence.incrementAndGet();
    lines.add("asked " + syscall.name());
    return new Asked("sc-" + number, number, syscall);
  }

  @Override
  public void ended(Asked asked, Decision by, Outcome outcome, Duration took) {
    if (journalFailsAtEnd) {
      throw new Refused(Code.JOURNAL_UNAVAILABLE, "full");
    }
    lines.add("ended " + asked.syscall().name() + " " + outcome.code());
  }

  @Override
  public String record(Event event) {
    return "ev-1";
  }

  @Override
  public Decision decide(Asked asked, AgentProcess agent, Set<String> needs) {
    if (denies) {
      return denied("tenants/acme/syscalls/deny");
    }
    if (!grants.containsAll(needs)) {
      return denied("tenants/acme/allow");
    }
    return wantsPerson ? new Decision.AfterApproval(allow(), "global/syscalls/approve") : allow();
  }

  volatile boolean wantsPerson;
  volatile boolean toolWantsPerson;

  /** What policy heard of how calls ended. */
  final List<String> observed = Collections.synchronizedList(new ArrayList<>());

  @Override
  public void observe(Syscall syscall, Decision.Allow by, Outcome outcome, Duration took) {
    observed.add(syscall.name() + " " + outcome.code() + " " + by.policyVersion());
  }

  @Override
  public Decision decideTool(
      Decision.Allow permit, AgentProcess agent, String tool, Set<String> needs, Trust trust) {
    if (trust.compareTo(trustMin) < 0) {
      return denied("tenants/acme/tools/trust");
    }
    if (!permit.grants().containsAll(needs)) {
      return denied("tenants/acme/allow");
    }
    return toolWantsPerson ? new Decision.AfterApproval(permit, "global/tools/approve") : permit;
  }

  Trust trustMin = Trust.LOW;

  Decision.Allow allow() {
    return new Decision.Allow("tenants/acme", "v1", grants, Map.of());
  }

  private static Decision denied(String rule) {
    return new Decision.Deny(
        new Problem(Code.CAPABILITY_DENIED, "no", null, rule, "v1", "ask", null));
  }

  @Override
  public Grants grants(AgentId agent, Declared declared) {
    return new Grants(grants, Map.of(), declared.syscalls());
  }

  @Override
  public Version version() {
    return new Version("v1", "memory", "");
  }

  @Override
  public Optional<AgentProcess> seen(AgentId agent) {
    return find(agent);
  }

  @Override
  public Optional<AgentProcess> find(AgentId agent) {
    return Optional.ofNullable(agents.get(agent));
  }

  @Override
  public List<AgentProcess> list(String tenant) {
    return List.copyOf(agents.values());
  }

  @Override
  public AgentProcess register(Registration registration, Caller by) {
    throw new AssertionError("not the router's business");
  }

  @Override
  public AgentProcess approve(AgentId agent, String digest, Caller by) {
    throw new AssertionError("not the router's business");
  }

  @Override
  public AgentProcess heartbeat(AgentId agent, AgentProcess.Vitals vitals) {
    throw new AssertionError("not the router's business");
  }

  @Override
  public AgentProcess setStopped(AgentId agent, boolean stopped, Caller by) {
    throw new AssertionError("not the router's business");
  }

  @Override
  public Counter counter(String name, String help, String... labelNames) {
    return (amount, labels) -> lines.add("counted " + String.join(" ", labels));
  }

  @Override
  public Histogram millis(String name, String help, String... labelNames) {
    return (value, labels) -> {};
  }

  @Override
  public AutoCloseable gauge(
      String name, String help, String label, Map<String, DoubleSupplier> values) {
    return () -> {};
  }

  @Override
  public AutoCloseable gauge(String name, String help, DoubleSupplier value) {
    return () -> {};
  }

  @Override
  public void writeText(OutputStream out) {}

  List<String> journal() {
    return lines.stream().filter(line -> !line.startsWith("counted")).toList();
  }
}
