package org.aionos.scheduling;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.Tier;

/**
 * 100,000 jobs of 1,000 tenants with three agents each that wait in all tiers, and as many that run
 * as there are slots.
 */
final class Backlog {

  static final int WAITING = 100_000;
  private static final int TENANTS = 1_000;
  private static final int AGENTS = 3;
  private static final int PRIORITIES = 10;

  /** So jobs run past their minimum and are preempted too. */
  private static final long STEP_MILLIS = 50;

  private final SplittableRandom random = new SplittableRandom(1);
  private final Deque<Key> running = new ArrayDeque<>();
  private final Schedule schedule;
  private long now = 1_000_000;
  private int number;

  Backlog(int slots) {
    schedule = new Schedule(Rules.of(slots), now);
    for (int job = 0; job < WAITING + slots; job++) {
      submit();
    }
    carryOut(schedule.decide(now));
  }

  /** What happens when a job has ended: another comes, and it is decided who gets the slot. */
  List<Action> step() {
    now += STEP_MILLIS;
    Key ended = running.pollFirst();
    if (ended != null) {
      schedule.end(ended, now);
    }
    submit();
    List<Action> actions = schedule.decide(now);
    schedule.nextDecision(now);
    carryOut(actions);
    return actions;
  }

  /** Asks again though nothing has happened. */
  List<Action> idle() {
    return schedule.decide(now);
  }

  private void submit() {
    int tenant = random.nextInt(TENANTS);
    schedule.submit(
        new Job(
            new Key("tenant-" + tenant, "task-" + ++number),
            "agent-" + random.nextInt(AGENTS),
            Tier.values()[random.nextInt(Tier.values().length)],
            random.nextInt(PRIORITIES),
            now,
            0,
            true,
            false,
            null),
        now);
  }

  private void carryOut(List<Action> actions) {
    for (Action action : actions) {
      if (action instanceof Action.Start start) {
        running.add(start.key());
      } else if (action instanceof Action.Resume resume) {
        running.add(resume.key());
      } else if (action instanceof Action.Preempt preempt) {
        running.remove(preempt.victim());
        schedule.yielded(preempt.victim(), now);
      }
    }
    if (actions.stream().anyMatch(Action.Preempt.class::isInstance)) {
      carryOut(schedule.decide(now));
    }
  }
}
