package org.aionos.scheduling;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.Tier;
import org.aionos.scheduling.Action.Preempt;
import org.aionos.scheduling.Action.Resume;
import org.aionos.scheduling.Action.Start;
import org.jspecify.annotations.Nullable;

/**
 * Decides which task runs when. Pure: no clock, no thread, no I/O; the same calls give the same
 * decisions. Times are milliseconds since 1970 and go forward; one that lies before an earlier one
 * counts as that. Not safe for use by several threads.
 *
 * <p><b>Use.</b> Tell it what happens, then carry out what {@link #decide} says, and ask again
 * after each event and at {@link #nextDecision}. Whatever is said of a job that does not stand so
 * any more changes nothing and is answered by false: messages may cross.
 *
 * <p><b>Choice.</b> A free slot never idles while a job may run. Slots go to the highest tier, but
 * a tier that is wanted gets {@code slots × weight / weights of the wanted tiers}: the whole part
 * at once, the fraction in turns of a minimum runtime. Within a tier, tenants by weight, and within
 * a tenant, agents by weight: next is who has had the least slot time, a slot that it holds counted
 * as a slice in advance. Who was away comes back with what the others have had: no arrears. Within
 * an agent by {@code submitted − priority × ageing}.
 *
 * <p><b>Limits of concurrency</b> are never exceeded. The last place that a tenant, or an agent,
 * has within its limit goes to the highest of its tiers that wants one; so a limit that is smaller
 * than what its own higher tiers want keeps its lower ones waiting, and guarantees do not change
 * that.
 *
 * <p><b>Preemption.</b> A job yields, once it has run its minimum, to a higher tier or to one that
 * is owed a slot, if its own tier has more than its guarantee; and to a tenant, or an agent of its
 * tenant, that is more than a slice behind; and to what is higher of its own tenant, or agent, if
 * that may run no more at once. First the lowest tier, in it the job with the least work that is
 * not saved.
 *
 * <p><b>No starvation,</b> of what may run by its limits, as long as rules stay. Let a tier be
 * guaranteed {@code g} slots ({@code slots × weight / weights of all tiers} at least), {@code Q}
 * the minimum runtime (1 ms at least), and {@code L} the longest time for which a slot cannot be
 * taken from a job: the minimum runtime and the time to freeze, if every job can be frozen and
 * there is room for one more that is; else the longest run.
 *
 * <ul>
 *   <li>A tier with a job that may run, and none that runs, starts one within {@code (3 Q + slots ×
 *       L) / g + 2 L}: it saves up a quantum, and before that makes good what the two others had
 *       saved up each, and what it had itself that could not be taken from it.
 *   <li>A tenant that comes and is alone behind {@code n} others of equal weight starts after at
 *       most {@code n} of their jobs.
 *   <li>A job is overtaken only by jobs of its agent that were submitted less than {@code 9 ×
 *       ageing} after it.
 * </ul>
 *
 * <p><b>Limits.</b> Jobs are the caller's to bound; one that waits takes some 400 bytes with its
 * strings. A decision takes time by the number of slots, and by the logarithm of what waits.
 */
public final class Schedule {

  /** Of those who hold the slots, as an explanation names them. */
  private static final int HOLDERS_MAX = 8;

  private final Present present;
  private final Tiers tiers;
  private final Map<Key, Entry> entries = new HashMap<>();
  private final Map<String, Tenant> tenants = new HashMap<>();
  private final List<Entry> running = new ArrayList<>();
  private final Heap<Alarm> alarms = new Heap<>(Alarm.EARLIEST_FIRST);
  private final Heap<Alarm> departures = new Heap<>(Alarm.EARLIEST_FIRST);
  private final Victims victims;
  private long numbers;
  private long preemptions;
  private int yielding;
  private int frozen;
  private boolean undecided;

  public Schedule(Rules rules, long nowMillis) {
    this.present = new Present(rules, nowMillis);
    this.tiers = new Tiers(present);
    this.victims = new Victims(present, tiers, running);
  }

  /** From now on other rules hold. What runs, runs on, even if it is more than they allow. */
  public void rules(Rules rules, long nowMillis) {
    tick(nowMillis);
    tenants.values().forEach(Schedule::settle);
    boolean reorder = rules.ageingMillis() != present.rules.ageingMillis();
    present.rules = rules;
    for (Tenant tenant : tenants.values()) {
      tenant.quota = rules.tenant(tenant.name);
      for (Agent agent : tenant.agents.values()) {
        agent.quota = rules.agent(tenant.name, agent.name);
        agent.refresh();
      }
      tenant.refresh();
    }
    if (reorder) {
      reorder();
    }
    undecided = true;
  }

  /**
   * A job waits from now on. One that had run before a restart is submitted as it was, and
   * resumable if it can go on where it was.
   *
   * @throws IllegalArgumentException if there is one of that key
   */
  public void submit(Job job, long nowMillis) {
    tick(nowMillis);
    if (entries.containsKey(job.key())) {
      throw new IllegalArgumentException("is there already: " + job.key());
    }
    Agent agent = agent(tenant(job.key().tenant()), job.agent());
    stay(agent);
    agent.jobs++;
    Entry entry = new Entry(job, agent, agent.shares[job.tier().ordinal()], ++numbers);
    entries.put(job.key(), entry);
    queue(entry);
    undecided = true;
  }

  /** A job has ended, however it stood, and is forgotten. */
  public boolean end(Key key, long nowMillis) {
    tick(nowMillis);
    Entry entry = entries.remove(key);
    if (entry == null) {
      return false;
    }
    leaveSlotOrQueue(entry);
    entry.agent.jobs--;
    departIfGone(entry.agent);
    undecided = true;
    return true;
  }

  /**
   * A job that runs or is frozen is to begin anew: it is tried again, or it was evicted.
   *
   * @param notBeforeMillis it does not run earlier
   */
  public boolean again(Key key, long notBeforeMillis, long nowMillis) {
    tick(nowMillis);
    Entry entry = entries.get(key);
    if (entry == null || !(entry.holdsSlot() || entry.frozen)) {
      return false;
    }
    leaveSlotOrQueue(entry);
    entry.resumable = false;
    entry.notBeforeMillis = notBeforeMillis;
    queue(entry);
    undecided = true;
    return true;
  }

  /** What a job has done up to now would not be lost if it was evicted. */
  public boolean saved(Key key, long nowMillis) {
    tick(nowMillis);
    Entry entry = entries.get(key);
    if (entry == null || !entry.holdsSlot()) {
      return false;
    }
    entry.savedMillis = present.nowMillis;
    return true;
  }

  /** What is to be done now. Each is said once. */
  public List<Action> decide(long nowMillis) {
    tick(nowMillis);
    undecided = false;
    List<Action> actions = new ArrayList<>(2);
    tiers.entitle();
    for (Entry next = next(); next != null; next = next()) {
      actions.add(start(next));
      tiers.entitle();
    }
    if (mayPreempt()) {
      preempt(actions);
    }
    return actions;
  }

  /** A victim is frozen: its slot is free. */
  public boolean yielded(Key victim, long nowMillis) {
    tick(nowMillis);
    Entry entry = entries.get(victim);
    if (entry == null || entry.state != Entry.State.YIELDING) {
      return false;
    }
    leaveSlotOrQueue(entry);
    entry.resumable = true;
    entry.frozen = true;
    frozen++;
    queue(entry);
    undecided = true;
    return true;
  }

  /** A victim could not be frozen: it runs on, and is left alone for a while. */
  public boolean kept(Key victim, long nowMillis) {
    tick(nowMillis);
    Entry entry = entries.get(victim);
    if (entry == null || entry.state != Entry.State.YIELDING) {
      return false;
    }
    yielding(entry, -1);
    entry.state = Entry.State.RUNNING;
    entry.spareUntilMillis = present.nowMillis + present.rules.spareMillis();
    undecided = true;
    return true;
  }

  /**
   * Nothing of a tenant, or of an agent of it, starts or goes on before a time. What runs, runs on.
   *
   * @param agent null for the whole tenant
   * @param untilMillis takes the place of what was said before; the past lets go at once
   */
  public void hold(String tenant, @Nullable String agent, long untilMillis, long nowMillis) {
    tick(nowMillis);
    if (agent == null) {
      hold(tenant(tenant), untilMillis);
    } else {
      hold(agent(tenant(tenant), agent), untilMillis);
    }
    undecided = true;
  }

  /**
   * When {@link #decide} may have something to say though nothing has happened; now, if something
   * has happened since it was asked. While jobs are being frozen it may come a little late: the
   * answer to that is an event in any case.
   */
  public OptionalLong nextDecision(long nowMillis) {
    tick(nowMillis);
    if (undecided) {
      return OptionalLong.of(present.nowMillis);
    }
    Alarm alarm = alarms.peek();
    long millis = alarm == null ? Long.MAX_VALUE : alarm.atMillis;
    if (mayPreempt()) {
      List<Entry> covered = cover();
      millis = Math.min(millis, Outlook.millis(present, tiers, running));
      uncover(covered);
    }
    return millis == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(millis);
  }

  /** Why a job stands where it stands. Takes time by the number of tenants and of agent's jobs. */
  public Explanation explain(Key key, long nowMillis) {
    tick(nowMillis);
    Entry entry = entries.get(key);
    return entry == null
        ? new Explanation(key, Explanation.Standing.UNKNOWN, Tier.LOW, false, 0, List.of())
        : new Reasons(present, tiers, running, frozen).of(entry, HOLDERS_MAX);
  }

  public Counts counts() {
    Map<Tier, Long> waiting = new EnumMap<>(Tier.class);
    Map<Tier, Long> running = new EnumMap<>(Tier.class);
    for (Queue queue : tiers.all()) {
      waiting.put(queue.tier, queue.waiting);
      running.put(queue.tier, (long) queue.running);
    }
    return new Counts(waiting, running, frozen, present.rules.slots(), preemptions);
  }

  /** Who has had how much of the slots in the last window. Takes time by the number of agents. */
  public List<Had> shares(long nowMillis) {
    tick(nowMillis);
    List<Had> shares = new ArrayList<>();
    for (Queue queue : tiers.all()) {
      shares.add(
          new Had(
              queue.tier,
              null,
              null,
              queue.weight(),
              queue.slotMillis(),
              queue.waiting,
              queue.running));
    }
    for (Tenant tenant : tenants.values()) {
      settle(tenant);
      for (TenantShare share : tenant.shares) {
        addShares(shares, share);
      }
    }
    return shares;
  }

  private void addShares(List<Had> shares, TenantShare share) {
    Tier tier = share.queue.tier;
    String tenant = share.tenant.name;
    Had had = had(share, tier, tenant, null, share.waiting);
    if (had.isNothing()) {
      return;
    }
    shares.add(had);
    for (Agent agent : share.tenant.agents.values()) {
      AgentShare each = agent.shares[tier.ordinal()];
      Had part = had(each, tier, tenant, agent.name, each.jobs.size());
      if (!part.isNothing()) {
        shares.add(part);
      }
    }
  }

  private Had had(Share share, Tier tier, String tenant, @Nullable String agent, long waiting) {
    long slotMillis = share.usage.slotMillis(present.nowMillis, present.rules.windowMillis());
    return new Had(tier, tenant, agent, share.weight(), slotMillis, waiting, share.running);
  }

  /**
   * @param running with those that are being frozen
   * @param preemptions since the beginning, that have succeeded or not
   */
  public record Counts(
      Map<Tier, Long> waiting, Map<Tier, Long> running, int frozen, int slots, long preemptions) {}

  /**
   * What a tier, a tenant in it, or an agent of that, has had.
   *
   * @param tenant null for the whole tier
   * @param agent null for the whole tenant
   * @param slotMillis in the last window, to a twelfth of it
   * @param waiting that could start by their own time; of a tier all that wait
   */
  public record Had(
      Tier tier,
      @Nullable String tenant,
      @Nullable String agent,
      int weight,
      long slotMillis,
      long waiting,
      long running) {

    private boolean isNothing() {
      return slotMillis == 0 && waiting == 0 && running == 0;
    }
  }

  // --- Time -------------------------------------------------------------------------------------

  /** Time passes, and what it alone changes happens in its order. */
  private void tick(long nowMillis) {
    for (Alarm next = due(alarms, nowMillis); next != null; next = due(alarms, nowMillis)) {
      advance(next.atMillis);
      alarms.remove(next);
      next.then.run();
      undecided = true;
    }
    advance(nowMillis);
    for (Alarm next = due(departures, nowMillis); next != null; next = due(departures, nowMillis)) {
      departures.remove(next);
      next.then.run();
    }
  }

  private static @Nullable Alarm due(Heap<Alarm> alarms, long nowMillis) {
    Alarm first = alarms.peek();
    return first != null && first.atMillis <= nowMillis ? first : null;
  }

  private void advance(long nowMillis) {
    if (nowMillis > present.nowMillis) {
      tiers.accrue(present.nowMillis, nowMillis);
      present.nowMillis = nowMillis;
    }
  }

  private Alarm alarm(long atMillis, Runnable then) {
    Alarm alarm = new Alarm(atMillis, ++numbers, then);
    alarms.add(alarm);
    return alarm;
  }

  private void cancel(@Nullable Alarm alarm) {
    if (alarm != null && alarm.isInHeap()) {
      alarms.remove(alarm);
    }
  }

  // --- Waiting ----------------------------------------------------------------------------------

  /** Puts a job where it waits for its time or its turn. */
  private void queue(Entry entry) {
    entry.home.parent.queue.waiting++;
    entry.state = Entry.State.DELAYED;
    Long sla = entry.job.slaMillis();
    if (sla != null && !entry.raised && entry.job.tier() != Tier.HIGH) {
      raiseInTime(entry, entry.job.submittedMillis() + sla / 2);
    }
    if (entry.notBeforeMillis > present.nowMillis) {
      entry.due = alarm(entry.notBeforeMillis, () -> line(entry));
    } else {
      line(entry);
    }
  }

  private void raiseInTime(Entry entry, long atMillis) {
    if (atMillis <= present.nowMillis) {
      raise(entry);
    } else {
      entry.raise = alarm(atMillis, () -> raise(entry));
    }
  }

  private void raise(Entry entry) {
    boolean inLine = entry.state == Entry.State.WAITING;
    if (inLine) {
      unline(entry);
    }
    entry.home.parent.queue.waiting--;
    entry.raised = true;
    entry.home = entry.agent.shares[entry.job.tier().ordinal() - 1];
    entry.home.parent.queue.waiting++;
    if (inLine) {
      line(entry);
    }
  }

  private void line(Entry entry) {
    entry.state = Entry.State.WAITING;
    entry.order = entry.job.submittedMillis() - entry.job.priority() * present.rules.ageingMillis();
    addToLine(entry);
  }

  private static void addToLine(Entry entry) {
    entry.home.jobs.add(entry);
    entry.home.parent.waiting++;
    entry.agent.refresh();
  }

  private static void unline(Entry entry) {
    entry.home.jobs.remove(entry);
    entry.home.parent.waiting--;
    entry.agent.refresh();
  }

  private void leaveSlotOrQueue(Entry entry) {
    if (entry.holdsSlot()) {
      if (entry.state == Entry.State.YIELDING) {
        yielding(entry, -1);
      }
      running.remove(entry);
      slot(entry, -1);
      return;
    }
    if (entry.state == Entry.State.WAITING) {
      unline(entry);
    }
    leaveQueue(entry);
  }

  /** It does not wait any more. */
  private void leaveQueue(Entry entry) {
    cancel(entry.due);
    cancel(entry.raise);
    entry.due = null;
    entry.raise = null;
    entry.home.parent.queue.waiting--;
    if (entry.frozen) {
      entry.frozen = false;
      frozen--;
    }
  }

  private void reorder() {
    for (Entry entry : entries.values()) {
      if (entry.state == Entry.State.WAITING) {
        entry.home.jobs.remove(entry);
      }
    }
    for (Entry entry : entries.values()) {
      if (entry.state == Entry.State.WAITING) {
        entry.order =
            entry.job.submittedMillis() - entry.job.priority() * present.rules.ageingMillis();
        entry.home.jobs.add(entry);
      }
    }
  }

  // --- Running ----------------------------------------------------------------------------------

  private @Nullable Entry next() {
    return running.size() < present.rules.slots() ? nextInLine() : null;
  }

  private @Nullable Entry nextInLine() {
    Queue queue = tiers.next();
    return queue == null ? null : Victims.head(queue);
  }

  private Action start(Entry entry) {
    take(entry);
    leaveQueue(entry);
    running.add(entry);
    entry.state = Entry.State.RUNNING;
    entry.startedMillis = present.nowMillis;
    entry.savedMillis = present.nowMillis;
    Key key = entry.job.key();
    return entry.resumable ? new Resume(key) : new Start(key);
  }

  private void take(Entry entry) {
    unline(entry);
    slot(entry, 1);
  }

  private void putBack(Entry entry) {
    slot(entry, -1);
    addToLine(entry);
  }

  private void slot(Entry entry, int change) {
    AgentShare share = entry.home;
    TenantShare parent = share.parent;
    parent.agents.running(share, change);
    parent.queue.tenants.running(parent, change);
    parent.queue.running += change;
    parent.queue.tried += present.trial ? change : 0;
    share.agent.running += change;
    parent.tenant.running += change;
    share.agent.refresh();
  }

  private boolean mayPreempt() {
    return running.size() <= present.rules.slots() && frozen + yielding < present.rules.frozenMax();
  }

  private void preempt(List<Action> actions) {
    List<Entry> covered = cover();
    while (frozen + yielding < present.rules.frozenMax()) {
      Victims.Choice choice = victims.choose(frozen + yielding);
      if (choice == null) {
        break;
      }
      preemptions++;
      yielding(choice.victim(), 1);
      choice.victim().state = Entry.State.YIELDING;
      actions.add(new Preempt(choice.victim().job.key(), choice.beneficiary().job.key()));
      if (choice.takesSlot()) {
        present.trial = true;
        take(choice.beneficiary());
        covered.add(choice.beneficiary());
      }
    }
    uncover(covered);
  }

  private void yielding(Entry entry, int change) {
    yielding += change;
    entry.home.yielding += change;
    entry.home.parent.yielding += change;
    entry.home.parent.queue.yielding += change;
    entry.agent.yielding += change;
    entry.agent.tenant.yielding += change;
  }

  /** Slots that are being given up are for somebody already: takes those out, for a look. */
  private List<Entry> cover() {
    present.trial = true;
    List<Entry> covered = new ArrayList<>();
    for (int slot = 0; slot < yielding; slot++) {
      Entry next = nextInLine();
      if (next == null) {
        break;
      }
      take(next);
      covered.add(next);
    }
    return covered;
  }

  private void uncover(List<Entry> covered) {
    for (int last = covered.size() - 1; last >= 0; last--) {
      putBack(covered.get(last));
    }
    present.trial = false;
  }

  // --- Tenants and agents -----------------------------------------------------------------------

  private Tenant tenant(String name) {
    Tenant tenant = tenants.get(name);
    if (tenant == null) {
      tenant = new Tenant(name, present, tiers);
      tenants.put(name, tenant);
    }
    return tenant;
  }

  private Agent agent(Tenant tenant, String name) {
    Agent agent = tenant.agents.get(name);
    if (agent == null) {
      agent = new Agent(name, tenant, present);
      tenant.agents.put(name, agent);
    }
    return agent;
  }

  private void hold(Tenant tenant, long untilMillis) {
    cancel(tenant.release);
    tenant.held = untilMillis > present.nowMillis;
    tenant.heldUntilMillis = untilMillis;
    tenant.release = tenant.held ? alarm(untilMillis, () -> hold(tenant, untilMillis)) : null;
    tenant.refresh();
    departIfGone(tenant);
  }

  private void hold(Agent agent, long untilMillis) {
    cancel(agent.release);
    agent.held = untilMillis > present.nowMillis;
    agent.heldUntilMillis = untilMillis;
    agent.release = agent.held ? alarm(untilMillis, () -> hold(agent, untilMillis)) : null;
    agent.refresh();
    departIfGone(agent);
  }

  private void stay(Agent agent) {
    if (agent.departure != null && agent.departure.isInHeap()) {
      departures.remove(agent.departure);
    }
    agent.departure = null;
  }

  /** What an agent has used is remembered for a window, so that it gains nothing by leaving. */
  private void departIfGone(Agent agent) {
    stay(agent);
    if (agent.jobs == 0 && !agent.held) {
      long atMillis = present.nowMillis + present.rules.windowMillis();
      agent.departure = new Alarm(atMillis, ++numbers, () -> depart(agent));
      departures.add(agent.departure);
    }
  }

  private void depart(Agent agent) {
    agent.tenant.agents.remove(agent.name);
    departIfGone(agent.tenant);
  }

  private void departIfGone(Tenant tenant) {
    if (tenant.agents.isEmpty() && !tenant.held) {
      tenants.remove(tenant.name);
    }
  }

  private static void settle(Tenant tenant) {
    for (TenantShare share : tenant.shares) {
      share.settle();
    }
    for (Agent agent : tenant.agents.values()) {
      for (AgentShare share : agent.shares) {
        share.settle();
      }
    }
  }
}
