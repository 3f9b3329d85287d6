package org.aionos.process;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.AgentProcess.State;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Problem;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agents, in memory and on disk. Signs of life are noted in memory alone; everything else is on
 * record in the journal first, then on disk, then in force.
 *
 * <p>Time moves an agent from {@code ALIVE} over {@code SUSPECT} to {@code LOST}. A reader sees
 * that at the instant; the record of it follows with the next look, a second later at most.
 */
@Component(
    service = ProcessTable.class,
    configurationPid = "org.aionos.process",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = ProcessConfig.class)
public final class StoredProcessTable implements ProcessTable {

  private static final Logger log = LoggerFactory.getLogger(StoredProcessTable.class);
  private static final Duration LOOK = Duration.ofSeconds(1);

  private final Lease lease;
  private final int agentsPerTenantMax;
  private final AgentEvents events;
  private final InstantSource clock;
  private final LongSupplier nanoClock;
  private final AgentStore store;
  private final Meters.Counter heartbeats;
  private final AutoCloseable gauge;
  private final ConcurrentMap<AgentId, Agent> agents = new ConcurrentHashMap<>();
  private final ScheduledExecutorService looker =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "aion-process-look");
            thread.setDaemon(true);
            return thread;
          });
  private volatile boolean closed;

  @Activate
  public StoredProcessTable(
      ProcessConfig config,
      BundleContext context,
      @Reference(name = "journal") Journal journal,
      @Reference(name = "meters") Meters meters) {
    this(
        Lease.of(config),
        config.agentsPerTenantMax(),
        Path.of(String.valueOf(context.getProperty("aion.state")), "process"),
        journal,
        meters,
        InstantSource.system(),
        System::nanoTime);
    looker.scheduleWithFixedDelay(this::look, LOOK.toMillis(), LOOK.toMillis(), MILLISECONDS);
  }

  /** A table that looks at its leases when told to. */
  StoredProcessTable(
      Lease lease,
      int agentsPerTenantMax,
      Path folder,
      Journal journal,
      Meters meters,
      InstantSource clock,
      LongSupplier nanoClock) {
    this.lease = lease;
    this.agentsPerTenantMax = agentsPerTenantMax;
    this.events = new AgentEvents(journal);
    this.clock = clock;
    this.nanoClock = nanoClock;
    this.heartbeats =
        meters.counter("aion_agent_heartbeats", "Heartbeats taken, by agent", "tenant", "agent");
    this.store = AgentStore.open(folder, nanoClock);
    try {
      load();
      this.gauge = meters.gauge("aion_agents", "Agents registered", agents::size);
    } catch (RuntimeException unusable) {
      // The file must not stay locked by a component that never came to be.
      store.close();
      throw unusable;
    }
  }

  private void load() {
    long now = nanoClock.getAsLong();
    for (Row row : store.rows()) {
      agents.put(row.id(), new Agent(row, now));
    }
    log.info("process table opened: agents={}", agents.size());
  }

  /** From here on every method refuses; one that is inside ends first. */
  @Deactivate
  void close() {
    looker.shutdownNow();
    // So that the rows come back as readers last saw them.
    look();
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      try {
        store.write(unsavedSigns());
      } finally {
        store.close();
      }
    }
    try {
      gauge.close();
    } catch (Exception unexpected) {
      log.warn("gauge did not close: {}", unexpected.toString());
    }
    log.info("process table closed: agents={}", agents.size());
  }

  private List<Row> unsavedSigns() {
    List<Row> unsaved = new ArrayList<>();
    for (Agent agent : agents.values()) {
      Row row = agent.row();
      if (!agent.seenAt().equals(row.lastSeenAt())) {
        unsaved.add(row.with(row.state(), agent.seenAt()));
      }
    }
    return unsaved;
  }

  @Override
  public AgentProcess register(Registration registration, Caller by) {
    AgentId id = registration.agent();
    if (!by.administers(id.tenant())) {
      throw refusal(id, by, "the tenant's secret, or an operator's token");
    }
    Declaration declaration = RegistrationCheck.check(registration);
    synchronized (this) {
      Agent agent = live(id);
      if (agent == null) {
        return add(id, declaration, by);
      }
      change(agent, declaration, by);
      return shown(agent);
    }
  }

  private AgentProcess add(AgentId id, Declaration declaration, Caller by) {
    long siblings =
        agents.keySet().stream().filter(other -> other.tenant().equals(id.tenant())).count();
    if (siblings >= agentsPerTenantMax) {
      throw new Refused(
          Problem.of(
                  Code.BUDGET_EXHAUSTED,
                  id.tenant() + " has as many agents as one tenant may: " + agentsPerTenantMax)
              .admittedBy("an operator raises agentsPerTenantMax"));
    }
    Row row = Row.registered(id, agents.size(), declaration, now());
    events.asked("agent.registered", row, by.keyId(), facts(declaration));
    store.write(List.of(row));
    Agent agent = new Agent(row, nanoClock.getAsLong());
    agents.put(id, agent);
    log.info("agent registered: agent={} by={}", id, by.keyId());
    return shown(agent);
  }

  private void change(Agent agent, Declaration declaration, Caller by) {
    Row row = agent.row();
    List<String> widening = declaration.beyond(row.inForce());
    if (declaration.digest().equals(row.inForce().digest())) {
      withdraw(agent, by);
    } else if (widening.isEmpty() || by.has(Role.OPERATOR)) {
      Row after = row.with(declaration);
      commit(agent, after, "agent.changed", by, facts(declaration));
    } else if (!isWaiting(row, declaration)) {
      Row after = row.with(new Row.Waiting(declaration, widening, by.keyId()));
      Map<String, @Nullable Object> facts = facts(declaration);
      facts.put("widening", widening);
      commit(agent, after, "agent.widening_asked", by, facts);
    }
  }

  /** Whoever registers what is in force no longer asks for more. */
  private void withdraw(Agent agent, Caller by) {
    Row.Waiting waiting = agent.row().waiting();
    if (waiting != null) {
      commit(
          agent,
          agent.row().with((Row.Waiting) null),
          "agent.changed",
          by,
          Map.of("withdrawn", waiting.declaration().digest()));
    }
  }

  private static boolean isWaiting(Row row, Declaration declaration) {
    return row.waiting() != null
        && row.waiting().declaration().digest().equals(declaration.digest());
  }

  @Override
  public synchronized AgentProcess approve(AgentId id, String digest, Caller by) {
    requireOperator(id, by);
    Agent agent = existing(id);
    Row.Waiting waiting = agent.row().waiting();
    if (waiting == null) {
      throw new Refused(Code.NOT_FOUND, "no registration of " + id + " waits for approval");
    }
    if (!waiting.declaration().digest().equals(digest)) {
      throw new Refused(
          Code.CONFLICT,
          "another registration waits by now; look at it, then approve its digest "
              + waiting.declaration().digest());
    }
    Map<String, @Nullable Object> facts = facts(waiting.declaration());
    facts.put("widening", waiting.widening());
    facts.put("asked_by", waiting.askedBy());
    commit(agent, agent.row().with(waiting.declaration()), "agent.approved", by, facts);
    return shown(agent);
  }

  @Override
  public AgentProcess heartbeat(AgentId id, AgentProcess.Vitals vitals) {
    Agent agent = live(id);
    if (agent == null) {
      throw new Refused(
          Problem.of(Code.UNKNOWN_AGENT, id + " is not registered")
              .admittedBy("POST /v1/agent/register"));
    }
    if (agent.row().state() == State.STOPPED) {
      throw new Refused(Code.AGENT_STOPPED, "an operator has stopped " + id);
    }
    note(agent);
    agent.say(vitals);
    heartbeats.add(1, agent.labels());
    return shown(agent);
  }

  @Override
  public synchronized AgentProcess setStopped(AgentId id, boolean stopped, Caller by) {
    requireOperator(id, by);
    Agent agent = existing(id);
    if (stopped != (agent.row().state() == State.STOPPED)) {
      expire(agent, nanoClock.getAsLong());
      State to = stopped ? State.STOPPED : State.REGISTERED;
      Row after = agent.row().with(to, agent.seenAt());
      commit(agent, after, stopped ? "agent.stopped" : "agent.resumed", by, Map.of());
    }
    return shown(agent);
  }

  @Override
  public Optional<AgentProcess> seen(AgentId id) {
    Agent agent = live(id);
    if (agent == null) {
      return Optional.empty();
    }
    note(agent);
    return Optional.of(shown(agent));
  }

  @Override
  public Optional<AgentProcess> find(AgentId id) {
    return Optional.ofNullable(live(id)).map(this::shown);
  }

  @Override
  public List<AgentProcess> list(@Nullable String tenant) {
    requireOpen();
    return agents.values().stream()
        .filter(agent -> tenant == null || agent.row().id().tenant().equals(tenant))
        .sorted(Comparator.comparing(Agent::writtenId))
        .map(this::shown)
        .toList();
  }

  // A sign of life. Takes the lock only where it changes the state, so hardly ever.
  private void note(Agent agent) {
    long nanos = nanoClock.getAsLong();
    if (lease.lapsed(agent.ageNanos(nanos))) {
      revive(agent);
      return;
    }
    agent.seen(clock.millis(), nanos);
    // Read after the sign was left: either a look that runs now finds the sign, or we its verdict.
    if (!isSteady(agent.row().state())) {
      revive(agent);
    }
  }

  private synchronized void revive(Agent agent) {
    requireOpen();
    long nanos = nanoClock.getAsLong();
    expire(agent, nanos);
    if (!isSteady(agent.row().state())) {
      move(agent, State.ALIVE);
    }
    agent.seen(clock.millis(), nanos);
  }

  /** Whether a sign of life leaves this state as it is. */
  private static boolean isSteady(State state) {
    return state == State.ALIVE || state == State.STOPPED;
  }

  /** Records what time has done to the agents since the last look. */
  void look() {
    try {
      for (Agent agent : agents.values()) {
        if (isDue(agent, nanoClock.getAsLong())) {
          expire(agent);
        }
      }
    } catch (Refused refused) {
      log.warn(
          "agents' states are not on record yet, next look tries again: {}", refused.problem());
    } catch (RuntimeException unexpected) {
      log.error("kernel fault: could not look at the agents' leases", unexpected);
    }
  }

  private boolean isDue(Agent agent, long nanos) {
    State recorded = agent.row().state();
    return lease.state(recorded, agent.ageNanos(nanos)) != recorded;
  }

  private synchronized void expire(Agent agent) {
    if (closed || !isDue(agent, nanoClock.getAsLong())) {
      return;
    }
    expire(agent, nanoClock.getAsLong());
    // A sign of life that came while we wrote found the old state and left the rest to us.
    if (!lease.lapsed(agent.ageNanos(nanoClock.getAsLong()))) {
      move(agent, State.ALIVE);
    }
  }

  private void expire(Agent agent, long nanos) {
    State due = lease.state(agent.row().state(), agent.ageNanos(nanos));
    if (due == State.LOST && agent.row().state() == State.ALIVE) {
      move(agent, State.SUSPECT);
    }
    if (due != agent.row().state()) {
      move(agent, due);
    }
  }

  private void move(Agent agent, State to) {
    Row before = agent.row();
    events.moved(before, to);
    Row after = before.with(to, agent.seenAt());
    store.write(List.of(after));
    agent.become(after);
    log.info("agent moved: agent={} from={} to={}", before.id(), before.state(), to);
  }

  private void commit(
      Agent agent, Row after, String kind, Caller by, Map<String, @Nullable Object> facts) {
    events.asked(kind, after, by.keyId(), facts);
    store.write(List.of(after));
    agent.become(after);
    log.info("{}: agent={} revision={} by={}", kind, after.id(), after.revision(), by.keyId());
  }

  private static Map<String, @Nullable Object> facts(Declaration declaration) {
    Map<String, @Nullable Object> facts = new LinkedHashMap<>();
    facts.put("digest", declaration.digest());
    facts.put("version", declaration.version());
    facts.put("capabilities", List.copyOf(new TreeSet<>(declaration.declared().capabilities())));
    facts.put("syscalls", List.copyOf(new TreeSet<>(declaration.declared().syscalls())));
    return facts;
  }

  private static void requireOperator(AgentId id, Caller by) {
    if (!by.has(Role.OPERATOR) || !by.maySee(id.tenant())) {
      throw refusal(id, by, "an operator's token");
    }
  }

  private static Refused refusal(AgentId id, Caller by, String admit) {
    Problem problem =
        by.maySee(id.tenant())
            ? Problem.of(Code.ROLE_REQUIRED, "this credential does not administer " + id)
            : Problem.of(Code.NOT_YOUR_AGENT, id + " belongs to another tenant");
    return new Refused(problem.admittedBy(admit));
  }

  private AgentProcess shown(Agent agent) {
    return agent.shown(lease, nanoClock.getAsLong());
  }

  private Agent existing(AgentId id) {
    Agent agent = live(id);
    if (agent == null) {
      throw new Refused(Code.NOT_FOUND, id + " is not registered");
    }
    return agent;
  }

  private @Nullable Agent live(AgentId id) {
    requireOpen();
    return agents.get(id);
  }

  private void requireOpen() {
    if (closed) {
      throw new Refused(Code.RESTARTING, "the process table is being replaced; retry");
    }
  }

  private Instant now() {
    return Instant.ofEpochMilli(clock.millis());
  }
}
