package org.aionos.brain;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.PriorityQueue;
import java.util.TreeMap;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.Tier;
import org.aionos.scheduling.Action;
import org.aionos.scheduling.Job;
import org.aionos.scheduling.Rules;
import org.aionos.scheduling.Schedule;

/**
 * Plays a load through the scheduler's own core, with time that is made up: the same load under the
 * same rules gives the same figures.
 *
 * <p>What it leaves out: tasks are known that had ended, not those that would have come if others
 * had waited less; the time that freezing takes is {@link #FREEZE_MILLIS} always; nothing fails;
 * nobody is moved up by a service level.
 */
final class Replay {

  /** What freezing takes, as measured for the cgroup freezer (docs/adr/0028-scheduler.md). */
  static final long FREEZE_MILLIS = 2;

  /**
   * So many events are played at most; a thousand tasks take three to five thousand. A policy that
   * preempts all the time would never come to an end.
   */
  static final int EVENTS_MAX = 20_000;

  /**
   * The least running time that a slowdown is counted by, so that a task of a millisecond does not
   * decide it: bounded slowdown, as in Feitelson, Rudolph and others, Theory and Practice in
   * Parallel Job Scheduling, 1997.
   */
  private static final double SLOWDOWN_MILLIS_MIN = 100;

  private enum Kind {
    COMES,
    ENDS,
    FROZEN
  }

  private record Event(long atMillis, long number, Kind kind, int task, int run) {}

  /** One task on its way. */
  private static final class Course {
    final Load.Task task;
    final Key key;
    long leftMillis;
    long slotSinceMillis = -1;
    long firstStartMillis = -1;
    long endMillis = -1;
    int run;

    Course(Load.Task task, int number) {
      this.task = task;
      this.key = new Key(task.agent().tenant(), Integer.toString(number));
      this.leftMillis = Math.max(1, task.runMillis());
    }
  }

  private final PriorityQueue<Event> events =
      new PriorityQueue<>(
          (one, other) ->
              one.atMillis != other.atMillis
                  ? Long.compare(one.atMillis, other.atMillis)
                  : Long.compare(one.number, other.number));
  private final List<Course> courses = new ArrayList<>();
  private final Map<Key, Integer> numbers = new HashMap<>();
  private final Schedule schedule;
  private long eventNumber;
  private int happened;
  private long nowMillis;

  private Replay(Load load, Rules rules) {
    this.nowMillis = load.tasks().isEmpty() ? 0 : load.tasks().get(0).atMillis();
    this.schedule = new Schedule(rules, nowMillis);
    for (Load.Task task : load.tasks()) {
      int number = courses.size();
      Course course = new Course(task, number);
      courses.add(course);
      numbers.put(course.key, number);
      add(task.atMillis(), Kind.COMES, number, 0);
    }
  }

  static Played of(Load load, Rules rules) throws InterruptedException {
    Replay replay = new Replay(load, rules);
    replay.play();
    return replay.figures();
  }

  private void add(long atMillis, Kind kind, int task, int run) {
    events.add(new Event(atMillis, ++eventNumber, kind, task, run));
  }

  private void play() throws InterruptedException {
    while (happened < EVENTS_MAX) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      schedule.decide(nowMillis).forEach(this::carryOut);
      OptionalLong next = schedule.nextDecision(nowMillis);
      long event = events.isEmpty() ? Long.MAX_VALUE : events.element().atMillis();
      long at = Math.min(event, next.orElse(Long.MAX_VALUE));
      // What can never run, by a quota of nothing, would be asked after for ever.
      if (at == Long.MAX_VALUE || (events.isEmpty() && at <= nowMillis)) {
        return;
      }
      nowMillis = Math.max(nowMillis, at);
      happened++;
      while (!events.isEmpty() && events.element().atMillis() <= nowMillis) {
        happen(events.remove());
      }
    }
  }

  private void carryOut(Action action) {
    if (action instanceof Action.Start start) {
      begin(start.key());
    } else if (action instanceof Action.Resume resume) {
      begin(resume.key());
    } else if (action instanceof Action.Preempt preempt) {
      Course victim = course(preempt.victim());
      add(nowMillis + FREEZE_MILLIS, Kind.FROZEN, number(victim), victim.run);
    }
  }

  private void begin(Key key) {
    Course course = course(key);
    course.run++;
    course.slotSinceMillis = nowMillis;
    if (course.firstStartMillis < 0) {
      course.firstStartMillis = nowMillis;
    }
    add(nowMillis + course.leftMillis, Kind.ENDS, number(course), course.run);
  }

  private void happen(Event event) {
    happened++;
    Course course = courses.get(event.task());
    switch (event.kind()) {
      case COMES -> schedule.submit(job(course), nowMillis);
      case ENDS -> {
        if (course.run == event.run()) {
          course.run++;
          course.endMillis = nowMillis;
          schedule.end(course.key, nowMillis);
        }
      }
      case FROZEN -> {
        if (course.run == event.run()) {
          course.run++;
          course.leftMillis = Math.max(1, course.leftMillis - (nowMillis - course.slotSinceMillis));
          schedule.yielded(course.key, nowMillis);
        }
      }
    }
  }

  private static Job job(Course course) {
    Load.Task task = course.task;
    return new Job(
        course.key,
        task.agent().name(),
        task.tier(),
        task.priority(),
        task.atMillis(),
        0,
        task.preemptible(),
        false,
        null);
  }

  private Course course(Key key) {
    Integer number = numbers.get(key);
    if (number == null) {
      throw new IllegalStateException("the schedule speaks of what never came: " + key);
    }
    return courses.get(number);
  }

  private static int number(Course course) {
    return Integer.parseInt(course.key.id());
  }

  // --- figures ----------------------------------------------------------------------------------

  private Played figures() {
    Map<Tier, List<Long>> waits = new EnumMap<>(Tier.class);
    Map<String, double[]> tenants = new TreeMap<>();
    for (Course course : courses) {
      long started = course.firstStartMillis < 0 ? nowMillis : course.firstStartMillis;
      waits
          .computeIfAbsent(course.task.tier(), tier -> new ArrayList<>())
          .add(started - course.task.atMillis());
      double[] sum = tenants.computeIfAbsent(course.task.agent().tenant(), tenant -> new double[2]);
      sum[0] += slowdown(course);
      sum[1]++;
    }
    Map<Tier, Played.Waits> queues = new EnumMap<>(Tier.class);
    waits.forEach((tier, each) -> queues.put(tier, waits(each)));
    String worst = "";
    double slowdown = 1;
    for (Map.Entry<String, double[]> tenant : tenants.entrySet()) {
      double mean = tenant.getValue()[0] / tenant.getValue()[1];
      if (worst.isEmpty() || mean > slowdown) {
        worst = tenant.getKey();
        slowdown = mean;
      }
    }
    return new Played(
        courses.size(),
        queues,
        worst,
        slowdown,
        schedule.counts().preemptions(),
        happened < EVENTS_MAX);
  }

  private double slowdown(Course course) {
    long ended = course.endMillis < 0 ? nowMillis : course.endMillis;
    double ran = Math.max(course.task.runMillis(), SLOWDOWN_MILLIS_MIN);
    return Math.max(1, (ended - course.task.atMillis()) / ran);
  }

  private static Played.Waits waits(List<Long> waits) {
    long[] sorted = waits.stream().mapToLong(Long::longValue).sorted().toArray();
    return new Played.Waits(sorted.length, rank(sorted, 0.5), rank(sorted, 0.95), rank(sorted, 1));
  }

  /** The value at a share of the sorted ones, by nearest rank. */
  static long rank(long[] sorted, double share) {
    return sorted[Math.max(0, (int) Math.ceil(share * sorted.length) - 1)];
  }

  static long rank(List<Long> values, double share) {
    long[] sorted = values.stream().mapToLong(Long::longValue).toArray();
    Arrays.sort(sorted);
    return rank(sorted, share);
  }
}
