package org.aionos.tasks.rocks;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;

/**
 * The tasks that have not ended: who holds them, and of those that nobody holds, whose turn it is.
 * About 400 bytes a task; how many there may be is the scheduler's to say. Threads may share it.
 */
final class OpenTasks {

  private final Map<Key, OpenTask> tasks = new HashMap<>();

  /** Of each queue the tenants that have something in it, in the order of their turns. */
  private final List<Map<String, TreeSet<OpenTask>>> free =
      Stream.of(Tier.values())
          .<Map<String, TreeSet<OpenTask>>>map(tier -> new LinkedHashMap<>())
          .toList();

  private final Map<String, Set<OpenTask>> held = new HashMap<>();
  private final Map<Tier, Long> waiting = new EnumMap<>(Tier.class);
  private final Map<String, Long> unended = new HashMap<>();

  OpenTasks() {
    for (Tier tier : Tier.values()) {
      waiting.put(tier, 0L);
    }
  }

  synchronized void put(OpenTask task) {
    remove(task.key());
    tasks.put(task.key(), task);
    count(task, 1);
    if (task.node() == null) {
      setFree(task);
    } else {
      held.computeIfAbsent(task.node(), absent -> new HashSet<>()).add(task);
    }
  }

  synchronized void remove(Key key) {
    OpenTask task = tasks.remove(key);
    if (task == null) {
      return;
    }
    count(task, -1);
    takeFree(task);
    Set<OpenTask> others = task.node() == null ? null : held.get(task.node());
    if (others != null && others.remove(task) && others.isEmpty()) {
      held.remove(task.node());
    }
  }

  private void count(OpenTask task, long change) {
    if (task.state().isWaiting()) {
      waiting.merge(task.tier(), change, Long::sum);
    }
    unended.merge(task.key().tenant(), change, (a, b) -> a + b == 0 ? null : Long.valueOf(a + b));
  }

  private void setFree(OpenTask task) {
    free(task.tier())
        .computeIfAbsent(task.key().tenant(), absent -> new TreeSet<>(OpenTask.OLDEST_FIRST))
        .add(task);
  }

  private Map<String, TreeSet<OpenTask>> free(Tier tier) {
    return free.get(tier.ordinal());
  }

  private void takeFree(OpenTask task) {
    Map<String, TreeSet<OpenTask>> tenants = free(task.tier());
    TreeSet<OpenTask> same = tenants.get(task.key().tenant());
    if (same != null && same.remove(task) && same.isEmpty()) {
      tenants.remove(task.key().tenant());
    }
  }

  synchronized @Nullable OpenTask find(Key key) {
    return tasks.get(key);
  }

  synchronized Map<Tier, Long> waiting() {
    return new EnumMap<>(waiting);
  }

  synchronized long unended(String tenant) {
    return unended.getOrDefault(tenant, 0L);
  }

  /** Whatever such nodes hold may be given to others. */
  synchronized void free(Predicate<String> lost) {
    for (Iterator<Map.Entry<String, Set<OpenTask>>> nodes = held.entrySet().iterator();
        nodes.hasNext(); ) {
      Map.Entry<String, Set<OpenTask>> node = nodes.next();
      if (lost.test(node.getKey())) {
        nodes.remove();
        node.getValue().forEach(this::setFree);
      }
    }
  }

  /**
   * The next tasks of a queue, which are given nobody else: the tenants take turns, the oldest of
   * each first. To be {@link #put} back, held by somebody or not.
   */
  synchronized List<OpenTask> take(Tier tier, int max) {
    Map<String, TreeSet<OpenTask>> tenants = free(tier);
    List<OpenTask> taken = new ArrayList<>();
    while (taken.size() < max && !tenants.isEmpty()) {
      String tenant = tenants.keySet().iterator().next();
      TreeSet<OpenTask> own = tenants.remove(tenant);
      taken.add(own.pollFirst());
      if (!own.isEmpty()) {
        tenants.put(tenant, own);
      }
    }
    return taken;
  }
}
