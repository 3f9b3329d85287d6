package org.aionos.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.Tier;
import org.aionos.scheduling.Action.Preempt;
import org.aionos.scheduling.Action.Resume;
import org.aionos.scheduling.Action.Start;
import org.jspecify.annotations.Nullable;

/**
 * A kernel with its tasks, played through: what a {@link Schedule} decides is carried out, some of
 * it badly, and after each step the whole state is checked against what is known of every task,
 * without any index.
 */
final class World {

  enum Phase {
    WAITING,
    RUNNING,
    YIELDING,
    FROZEN,
    DONE,
    CANCELLED
  }

  /** The truth about one task. */
  static final class Task {
    final Job job;
    final long workMillis;
    final int failures;
    Phase phase = Phase.WAITING;
    long doneMillis;
    long savedMillis;
    long startedMillis;
    long notBeforeMillis;
    long spareUntilMillis;
    boolean resumable;
    boolean raised;
    int failed;
    int completions;
    int run;

    Task(Job job, long workMillis, int failures) {
      this.job = job;
      this.workMillis = workMillis;
      this.failures = failures;
      this.notBeforeMillis = job.notBeforeMillis();
    }

    boolean isWaiting() {
      return phase == Phase.WAITING || phase == Phase.FROZEN;
    }

    boolean holdsSlot() {
      return phase == Phase.RUNNING || phase == Phase.YIELDING;
    }

    boolean hasEnded() {
      return phase == Phase.DONE || phase == Phase.CANCELLED;
    }

    Tier tier() {
      return raised ? Tier.values()[job.tier().ordinal() - 1] : job.tier();
    }

    String tenant() {
      return job.key().tenant();
    }

    Rules.Agent agent() {
      return new Rules.Agent(tenant(), job.agent());
    }
  }

  private record Event(long atMillis, long number, Runnable then) {}

  final SplittableRandom random;
  final Map<Key, Task> tasks = new LinkedHashMap<>();
  final Map<Tier, Long> slotMillis = new HashMap<>();
  final Map<String, Long> tenantSlotMillis = new HashMap<>();
  final Map<String, Long> heldTenants = new HashMap<>();
  final Map<Rules.Agent, Long> heldAgents = new HashMap<>();
  Rules rules;
  Schedule schedule;
  long now;
  long starts;
  long preempts;
  long crashes;
  long longestTierWaitMillis;

  /** How long freezing takes, at most. */
  long freezeMillisMax = 20;

  /** Of a thousand attempts at freezing so many fail. */
  int freezeFailures;

  /** What happens when a task has ended. */
  Consumer<Task> ended = task -> {};

  /** Whether every step is checked; else shares are counted. */
  boolean checked = true;

  /** Those that have got a slot, in order. */
  final List<Task> started = new ArrayList<>();

  private final PriorityQueue<Event> events =
      new PriorityQueue<>(
          (one, other) ->
              one.atMillis != other.atMillis
                  ? Long.compare(one.atMillis, other.atMillis)
                  : Long.compare(one.number, other.number));
  private final Map<Tier, Long> tierWaitsSince = new HashMap<>();
  private long numbers;

  World(long seed, Rules rules) {
    this.random = new SplittableRandom(seed);
    this.rules = rules;
    this.schedule = new Schedule(rules, 0);
  }

  // --- What happens -----------------------------------------------------------------------------

  void at(long atMillis, Runnable then) {
    events.add(new Event(atMillis, ++numbers, then));
  }

  void submit(Job job, long workMillis, int failures) {
    Task task = new Task(job, workMillis, failures);
    tasks.put(job.key(), task);
    schedule.submit(job, now);
  }

  void cancel(Task task) {
    if (!task.hasEnded()) {
      task.phase = Phase.CANCELLED;
      assertThat(schedule.end(task.job.key(), now)).isTrue();
      ended.accept(task);
    }
  }

  void save(Task task) {
    if (task.holdsSlot()) {
      task.savedMillis = progress(task);
      assertThat(schedule.saved(task.job.key(), now)).isTrue();
    }
  }

  /** Its process is thrown away to make room; it begins from what was saved. */
  void evict(Task task) {
    if (task.phase == Phase.FROZEN || task.holdsSlot()) {
      lose(task);
      task.resumable = false;
      task.notBeforeMillis = now;
      assertThat(schedule.again(task.job.key(), now, now)).isTrue();
    }
  }

  void change(Rules changed) {
    rules = changed;
    schedule.rules(changed, now);
  }

  void hold(String tenant, @Nullable String agent, long untilMillis) {
    if (agent == null) {
      heldTenants.put(tenant, untilMillis);
    } else {
      heldAgents.put(new Rules.Agent(tenant, agent), untilMillis);
    }
    schedule.hold(tenant, agent, untilMillis, now);
  }

  /** The kernel dies; another finds the tasks that had not ended, as they were last saved. */
  void crash() {
    crashes++;
    schedule = new Schedule(rules, now);
    tierWaitsSince.clear();
    for (Task task : tasks.values()) {
      if (!task.hasEnded()) {
        recover(task);
      }
    }
    heldTenants.forEach((tenant, until) -> schedule.hold(tenant, null, until, now));
    heldAgents.forEach((agent, until) -> schedule.hold(agent.tenant(), agent.name(), until, now));
  }

  private void recover(Task task) {
    task.resumable = task.resumable || task.phase != Phase.WAITING;
    lose(task);
    task.raised = false;
    task.spareUntilMillis = 0;
    Job job = task.job;
    schedule.submit(
        new Job(
            job.key(),
            job.agent(),
            job.tier(),
            job.priority(),
            job.submittedMillis(),
            task.notBeforeMillis,
            job.preemptible(),
            task.resumable,
            job.slaMillis()),
        now);
  }

  private void lose(Task task) {
    task.run++;
    task.doneMillis = task.savedMillis;
    task.phase = Phase.WAITING;
  }

  private long progress(Task task) {
    return task.doneMillis + (task.holdsSlot() ? now - task.startedMillis : 0);
  }

  // --- What is decided --------------------------------------------------------------------------

  /** Plays until nothing more will happen, or until a time. */
  void run(long untilMillis) {
    while (true) {
      decide();
      OptionalLong next = schedule.nextDecision(now);
      long event = events.isEmpty() ? Long.MAX_VALUE : events.element().atMillis();
      long at = Math.min(event, next.orElse(Long.MAX_VALUE));
      assertThat(next.orElse(Long.MAX_VALUE)).as("the next decision").isGreaterThan(now);
      if (checked) {
        nothingIsDecidedBefore(at);
      }
      if (at > untilMillis || at == Long.MAX_VALUE) {
        pass(Math.max(now, Math.min(at, untilMillis)));
        return;
      }
      pass(at);
      while (!events.isEmpty() && events.element().atMillis() <= now) {
        events.remove().then().run();
      }
    }
  }

  private void nothingIsDecidedBefore(long at) {
    boolean yielding = tasks.values().stream().anyMatch(each -> each.phase == Phase.YIELDING);
    if (!yielding && at - now > 1 && at != Long.MAX_VALUE && random.nextInt(4) == 0) {
      pass(at - 1 - random.nextLong(Math.min(at - now - 1, 3)));
      assertThat(schedule.decide(now)).as("before the next decision").isEmpty();
    }
  }

  private void pass(long at) {
    for (Task task : checked ? List.<Task>of() : tasks.values()) {
      if (task.holdsSlot()) {
        slotMillis.merge(task.tier(), at - now, Long::sum);
        tenantSlotMillis.merge(task.tenant(), at - now, Long::sum);
      }
    }
    now = at;
  }

  private void decide() {
    raise();
    List<Action> actions = schedule.decide(now);
    for (Action action : actions) {
      if (action instanceof Start start) {
        start(start.key(), false);
      } else if (action instanceof Resume resume) {
        start(resume.key(), true);
      } else if (action instanceof Preempt preempt) {
        preempt(preempt);
      }
    }
    if (checked) {
      check();
    }
  }

  private void raise() {
    for (Task task : tasks.values()) {
      Long sla = task.job.slaMillis();
      if (task.isWaiting() && sla != null && task.job.tier() != Tier.HIGH) {
        task.raised |= now >= task.job.submittedMillis() + sla / 2;
      }
    }
  }

  private void start(Key key, boolean resumed) {
    Task task = task(key);
    assertThat(task.isWaiting()).as("%s waits", key).isTrue();
    assertThat(resumed).as("%s is resumed", key).isEqualTo(task.resumable);
    if (checked) {
      assertThat(mayRun(task)).as("%s may run", key).isTrue();
      nobodyOfItsAgentIsBefore(task);
    }
    starts++;
    started.add(task);
    tierWaitsSince.remove(task.tier());
    task.phase = Phase.RUNNING;
    task.startedMillis = now;
    int run = ++task.run;
    boolean fails = task.failed < task.failures;
    long left = task.workMillis - task.doneMillis;
    long lasts = fails ? Math.max(1, left / 2) : Math.max(1, left);
    at(now + lasts, () -> stop(task, run, fails));
  }

  private void stop(Task task, int run, boolean fails) {
    if (task.run != run || !task.holdsSlot()) {
      return;
    }
    if (fails) {
      task.failed++;
      lose(task);
      task.resumable = false;
      task.notBeforeMillis = now + 50L * (1L << task.failed);
      assertThat(schedule.again(task.job.key(), task.notBeforeMillis, now)).isTrue();
    } else {
      task.phase = Phase.DONE;
      task.completions++;
      assertThat(schedule.end(task.job.key(), now)).isTrue();
      ended.accept(task);
    }
  }

  private void preempt(Preempt preempt) {
    Task victim = task(preempt.victim());
    assertThat(victim.phase).isEqualTo(Phase.RUNNING);
    assertThat(victim.job.preemptible()).isTrue();
    assertThat(now).isGreaterThanOrEqualTo(victim.startedMillis + rules.minimumRuntimeMillis());
    assertThat(now).isGreaterThanOrEqualTo(victim.spareUntilMillis);
    assertThat(task(preempt.beneficiary()).isWaiting()).isTrue();
    preempts++;
    victim.phase = Phase.YIELDING;
    int run = victim.run;
    Schedule asked = schedule;
    at(now + random.nextLong(freezeMillisMax + 1), () -> freeze(victim, run, asked));
  }

  private void freeze(Task victim, int run, Schedule asked) {
    boolean fails = random.nextInt(1_000) < freezeFailures;
    if (asked != schedule || (victim.run != run && victim.phase == Phase.YIELDING)) {
      // Who froze it has died, or it has begun anew since: nobody says anything.
      return;
    }
    if (victim.phase != Phase.YIELDING) {
      assertThat(schedule.yielded(victim.job.key(), now)).isFalse();
      assertThat(schedule.kept(victim.job.key(), now)).isFalse();
    } else if (fails) {
      victim.phase = Phase.RUNNING;
      victim.spareUntilMillis = now + rules.spareMillis();
      assertThat(schedule.kept(victim.job.key(), now)).isTrue();
    } else {
      victim.doneMillis = progress(victim);
      victim.run++;
      victim.phase = Phase.FROZEN;
      victim.resumable = true;
      assertThat(schedule.yielded(victim.job.key(), now)).isTrue();
    }
  }

  private Task task(Key key) {
    Task task = tasks.get(key);
    assertThat(task).as("%s", key).isNotNull();
    return task;
  }

  // --- What must hold ---------------------------------------------------------------------------

  private boolean mayRun(Task task) {
    return now >= task.notBeforeMillis
        && now >= heldTenants.getOrDefault(task.tenant(), 0L)
        && now >= heldAgents.getOrDefault(task.agent(), 0L)
        && running(other -> other.tenant().equals(task.tenant()))
            < rules.tenant(task.tenant()).concurrencyMax()
        && running(other -> other.agent().equals(task.agent()))
            < rules.agent(task.tenant(), task.job.agent()).concurrencyMax()
        && running(other -> true) < rules.slots();
  }

  private long running(Predicate<Task> of) {
    long count = 0;
    for (Task each : tasks.values()) {
      count += each.holdsSlot() && of.test(each) ? 1 : 0;
    }
    return count;
  }

  private void nobodyOfItsAgentIsBefore(Task task) {
    for (Task other : tasks.values()) {
      if (other.isWaiting()
          && other.notBeforeMillis <= now
          && other.tier() == task.tier()
          && other.agent().equals(task.agent())) {
        assertThat(order(task))
            .as("%s before %s", task.job, other.job)
            .isLessThanOrEqualTo(order(other));
      }
    }
  }

  private long order(Task task) {
    return task.job.submittedMillis() - task.job.priority() * rules.ageingMillis();
  }

  private void check() {
    long frozen = 0;
    long yielding = 0;
    Map<Tier, Long> waiting = new HashMap<>(Map.of(Tier.HIGH, 0L, Tier.NORMAL, 0L, Tier.LOW, 0L));
    Map<Tier, Long> running = new HashMap<>(waiting);
    for (Task task : tasks.values()) {
      frozen += task.phase == Phase.FROZEN ? 1 : 0;
      yielding += task.phase == Phase.YIELDING ? 1 : 0;
      waiting.merge(task.tier(), task.isWaiting() ? 1L : 0, Long::sum);
      running.merge(task.tier(), task.holdsSlot() ? 1L : 0, Long::sum);
      assertThat(task.completions).isLessThanOrEqualTo(1);
      if (task.isWaiting()) {
        assertThat(mayRun(task)).as("%s waits though it may run", task.job).isFalse();
        tierWaits(task);
      }
    }
    Schedule.Counts counts = schedule.counts();
    assertThat(counts.waiting()).isEqualTo(waiting);
    assertThat(counts.running()).isEqualTo(running);
    assertThat((long) counts.frozen()).isEqualTo(frozen);
    if (yielding > 0) {
      assertThat(frozen + yielding).isLessThanOrEqualTo(Math.max(frozenLimit, rules.frozenMax()));
    }
    frozenLimit = Math.max(rules.frozenMax(), frozen + yielding);
    explained();
  }

  /** As many as were allowed at some time may still be frozen. */
  private long frozenLimit;

  private void explained() {
    if (random.nextInt(8) != 0 || tasks.isEmpty()) {
      return;
    }
    List<Task> all = new ArrayList<>(tasks.values());
    Task task = all.get(random.nextInt(all.size()));
    Explanation explanation = schedule.explain(task.job.key(), now);
    switch (task.phase) {
      case DONE, CANCELLED ->
          assertThat(explanation.standing()).isEqualTo(Explanation.Standing.UNKNOWN);
      case WAITING, FROZEN -> assertThat(explanation.reasons()).as("%s", task.job).isNotEmpty();
      case RUNNING -> assertThat(explanation.standing()).isEqualTo(Explanation.Standing.RUNNING);
      case YIELDING -> assertThat(explanation.standing()).isEqualTo(Explanation.Standing.YIELDING);
    }
  }

  /** A tier of which something could run but for the slots, and nothing runs. */
  private void tierWaits(Task task) {
    if (starvationMillisMax == Long.MAX_VALUE) {
      return;
    }
    boolean served = running(other -> other.tier() == task.tier()) > 0;
    if (served) {
      tierWaitsSince.remove(task.tier());
    } else {
      long since = tierWaitsSince.computeIfAbsent(task.tier(), tier -> now);
      longestTierWaitMillis = Math.max(longestTierWaitMillis, now - since);
      assertThat(now - since).as("%s waits", task.tier()).isLessThanOrEqualTo(starvationMillisMax);
    }
  }

  /** How long a tier with waiting jobs may go without a slot; for histories without quotas. */
  long starvationMillisMax = Long.MAX_VALUE;
}
