package org.aionos.scheduler;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.task.Scheduler.Share;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.scheduler.SchedulerSettings.Quota;
import org.aionos.scheduler.SchedulerSettings.Quotas;
import org.aionos.scheduling.Action;
import org.aionos.scheduling.Explanation;
import org.aionos.scheduling.Job;
import org.aionos.scheduling.Rules;
import org.aionos.scheduling.Schedule;
import org.jspecify.annotations.Nullable;

/**
 * The schedule of this node, with a lock around it and the clock in hand. Knows of every task that
 * the node holds; waiting ones cost no more than that.
 */
final class Board {

  /** A task that could not be frozen is left alone for so long. */
  private static final long SPARE_MILLIS = 2_000;

  private static final long NEVER = Long.MAX_VALUE;

  /** More agents than have tasks; beyond, those that have none for long are forgotten. */
  private static final int SEEN_MAX = 10_000;

  private record Due(long atMillis, Key key) {}

  private final InstantSource clock;
  private final Schedule schedule;

  /** Guarded by this. */
  private SchedulerSettings settings;

  /** Agents of which there was a task since the policy tunes them. */
  private final Set<AgentId> seen = new HashSet<>();

  /** With their deadlines. */
  private final Map<Key, Due> known = new HashMap<>();

  /** Ended and begun anew, and we have heard of the beginning first. */
  private final Map<Key, Runnable> early = new HashMap<>();

  private final NavigableSet<Due> deadlines =
      new TreeSet<>(
          Comparator.comparingLong(Due::atMillis)
              .thenComparing(due -> due.key().tenant())
              .thenComparing(due -> due.key().id()));

  Board(SchedulerSettings settings, InstantSource clock) {
    this.clock = clock;
    this.settings = settings;
    this.schedule = new Schedule(rules(), clock.millis());
  }

  private Rules rules() {
    Map<String, Rules.Quota> tenants = new HashMap<>();
    Map<Rules.Agent, Rules.Quota> agents = new HashMap<>();
    Quotas quotas = settings.quotas();
    quotas
        .tenants()
        .forEach(
            (tenant, said) -> {
              tenants.put(tenant, quota(quotas.of(tenant)));
              said.agents()
                  .keySet()
                  .forEach(name -> add(agents, quotas, new AgentId(tenant, name)));
            });
    // The policy may say something of each, by name or by share.
    for (AgentId agent : seen) {
      tenants.put(agent.tenant(), quota(quotas.of(agent.tenant())));
      add(agents, quotas, agent);
    }
    return new Rules(
        settings.slots(),
        new EnumMap<>(settings.weights()),
        tenants,
        quota(settings.quotas().standard()),
        agents,
        quota(settings.quotas().standardOfAgents()),
        settings.window().toMillis(),
        settings.minimumRuntime().toMillis(),
        settings.slice().toMillis(),
        settings.ageing().toMillis(),
        SPARE_MILLIS,
        settings.limits().preemptedMax());
  }

  private static void add(Map<Rules.Agent, Rules.Quota> agents, Quotas quotas, AgentId agent) {
    agents.put(new Rules.Agent(agent.tenant(), agent.name()), quota(quotas.of(agent)));
  }

  private static Rules.Quota quota(Quota quota) {
    Integer max = quota.maxConcurrency();
    return new Rules.Quota(quota.weight(), max == null ? Integer.MAX_VALUE : max);
  }

  synchronized void rules(SchedulerSettings changed) {
    settings = changed;
    schedule.rules(rules(), clock.millis());
  }

  /** An agent has a task. While the policy says nothing of quotas, who it is does not matter. */
  private void see(AgentId agent) {
    if (settings.quotas().tuning() == null || !seen.add(agent)) {
      return;
    }
    if (seen.size() > SEEN_MAX) {
      seen.clear();
      seen.add(agent);
    }
    schedule.rules(rules(), clock.millis());
  }

  /** A task waits. If it is known, it has ended and was begun anew: so it waits once it is gone. */
  synchronized void add(Work work, @Nullable Long slaMillis, boolean preemptible) {
    Long deadline = work.order().deadlineMillis();
    Due due = new Due(deadline == null ? NEVER : deadline, work.key());
    Job job = job(work, slaMillis, preemptible);
    see(work.agent());
    if (known.containsKey(work.key())) {
      early.put(work.key(), () -> add(job, due));
    } else {
      add(job, due);
    }
  }

  private void add(Job job, Due due) {
    known.put(job.key(), due);
    if (due.atMillis() != NEVER) {
      deadlines.add(due);
    }
    schedule.submit(job, clock.millis());
  }

  private static Job job(Work work, @Nullable Long slaMillis, boolean preemptible) {
    return new Job(
        work.key(),
        work.agent().name(),
        work.order().tier(),
        work.order().priority(),
        work.order().submittedMillis(),
        work.progress().notBeforeMillis,
        preemptible,
        false,
        slaMillis);
  }

  /** A task has ended, or is another node's. */
  synchronized void gone(Key key) {
    Due due = known.remove(key);
    if (due == null) {
      return;
    }
    deadlines.remove(due);
    schedule.end(key, clock.millis());
    Runnable anew = early.remove(key);
    if (anew != null) {
      anew.run();
    }
  }

  /** A task that ran, or stood frozen, waits to be begun anew. */
  synchronized void again(Key key, long notBeforeMillis) {
    schedule.again(key, notBeforeMillis, clock.millis());
  }

  synchronized void saved(Key key) {
    schedule.saved(key, clock.millis());
  }

  synchronized void yielded(Key key) {
    schedule.yielded(key, clock.millis());
  }

  synchronized void kept(Key key) {
    schedule.kept(key, clock.millis());
  }

  synchronized List<Action> decide() {
    return schedule.decide(clock.millis());
  }

  synchronized OptionalLong nextDecision() {
    return schedule.nextDecision(clock.millis());
  }

  synchronized void hold(String tenant, @Nullable String agent, long untilMillis) {
    schedule.hold(tenant, agent, untilMillis, clock.millis());
  }

  synchronized Explanation explain(Key key) {
    return schedule.explain(key, clock.millis());
  }

  synchronized boolean knows(Key key) {
    return known.containsKey(key);
  }

  synchronized List<Key> known() {
    return List.copyOf(known.keySet());
  }

  /** Tasks whose deadline has passed; each is named once. */
  synchronized List<Key> overdue() {
    List<Key> overdue = new ArrayList<>();
    while (!deadlines.isEmpty() && deadlines.first().atMillis() <= clock.millis()) {
      overdue.add(deadlines.pollFirst().key());
    }
    return overdue;
  }

  synchronized Schedule.Counts counts() {
    return schedule.counts();
  }

  /** What each queue, each tenant in it, and each agent of that, has had of the slots. */
  synchronized List<Share> shares() {
    List<Share> shares = new ArrayList<>();
    for (Schedule.Had had : schedule.shares(clock.millis())) {
      shares.add(
          new Share(
              had.tier(),
              had.tenant(),
              had.agent(),
              had.weight(),
              had.slotMillis(),
              had.waiting(),
              had.running()));
    }
    return shares;
  }
}
