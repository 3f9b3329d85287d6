package org.aionos.brain;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.task.Tier;

/**
 * Tasks as they came, and how long each held a slot: what a policy of turns is tried on.
 *
 * @param tasks in the order in which they came
 */
record Load(List<Task> tasks) {

  /** More would make thinking slow, and say no more: the newest are taken. */
  static final int TASKS_MAX = 1_000;

  static final Load NONE = new Load(List.of());

  Load {
    tasks = tasks.stream().sorted(Comparator.comparingLong(Task::atMillis)).toList();
    tasks = tasks.subList(Math.max(0, tasks.size() - TASKS_MAX), tasks.size());
  }

  /**
   * One task.
   *
   * @param atMillis when it was submitted
   * @param runMillis how long it held a slot
   */
  record Task(
      long atMillis, AgentId agent, Tier tier, int priority, long runMillis, boolean preemptible) {}

  boolean isEmpty() {
    return tasks.isEmpty();
  }

  /** Whether priorities within an agent's queue differ: else ageing orders nothing. */
  boolean hasPriorities() {
    Map<List<Object>, Integer> first = new HashMap<>();
    for (Task task : tasks) {
      Integer known = first.putIfAbsent(List.of(task.agent(), task.tier()), task.priority());
      if (known != null && known != task.priority()) {
        return true;
      }
    }
    return false;
  }
}
