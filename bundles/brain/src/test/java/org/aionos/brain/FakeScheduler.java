package org.aionos.brain;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Caller;
import org.aionos.kernel.task.Scheduler;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.Tier;
import org.aionos.scheduling.Rules;
import org.jspecify.annotations.Nullable;

/** A scheduler that has done its tasks. */
final class FakeScheduler implements Scheduler {

  final List<Task> ended = new ArrayList<>();
  @Nullable Turns turns;

  void turns(Rules rules) {
    turns =
        new Turns(
            rules.slots(),
            rules.tierWeights(),
            rules.windowMillis(),
            rules.minimumRuntimeMillis(),
            rules.sliceMillis(),
            rules.ageingMillis(),
            Map.of(),
            new Place(1, null),
            Map.of(),
            new Place(1, null));
  }

  /** Tasks as they would be shown, the newest first. */
  void record(Load load, Instant begin) {
    for (Load.Task task : load.tasks()) {
      Map<String, @Nullable Object> values = new LinkedHashMap<>();
      values.put("queue", task.tier().written());
      values.put("priority", task.priority());
      values.put("intent", task.preemptible() ? "workflow" : "syscall:tool.invoke");
      values.put("submitted_at", begin.plusMillis(task.atMillis()).toString());
      values.put("started_at", begin.plusMillis(task.atMillis()).toString());
      values.put("usage", Map.of("run_ms", task.runMillis()));
      ended.add(
          0,
          new Task(
              new TaskStore.Key(task.agent().tenant(), "t-" + ended.size()),
              task.agent(),
              TaskState.SUCCEEDED,
              values));
    }
  }

  @Override
  public Page list(TaskStore.Filter filter, @Nullable String after, int limit) {
    List<Task> matching = ended.stream().filter(task -> task.state() == filter.state()).toList();
    int from = after == null ? 0 : Integer.parseInt(after);
    int until = Math.min(matching.size(), from + limit);
    return new Page(
        matching.subList(from, until), until < matching.size() ? Integer.toString(until) : null);
  }

  @Override
  public @Nullable Turns turns() {
    return turns;
  }

  @Override
  public Queues queues() {
    return new Queues(
        Map.of(Tier.HIGH, 4L), Map.of(Tier.LOW, 2L), 0, 4, 7, false, List.of(), "", "");
  }

  @Override
  public Accepted submit(Submission submission, Caller by) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Optional<Task> find(TaskStore.Key key) {
    return Optional.empty();
  }

  @Override
  public Task cancel(TaskStore.Key key, boolean atOnce, String by) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Task replay(TaskStore.Key key, String by) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Explanation explain(TaskStore.Key key) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void approveEntry(AgentId agent, String digest, Caller by) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<Process> processes(@Nullable String tenant) {
    return List.of();
  }
}
