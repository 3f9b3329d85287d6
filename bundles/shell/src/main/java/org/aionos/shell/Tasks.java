package org.aionos.shell;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.Scheduler;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.Tier;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.completers.StringsCompleter;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** Show tasks, the newest first, and why each stands where it stands. */
@Service
@Command(
    scope = "aion",
    name = "tasks",
    description = "Show tasks, the newest first, and why each stands where it stands")
public final class Tasks implements Action {

  private static final int WHY_LENGTH_MAX = 120;

  private final InstantSource clock = InstantSource.system();

  @Reference(optional = true)
  @Nullable Scheduler scheduler;

  @Option(name = "--tenant", description = "Only tasks of this tenant", valueToShowInHelp = "all")
  @Completion(TenantNames.class)
  @Nullable String tenant;

  @Option(
      name = "--agent",
      description = "Only tasks of agent://<tenant>/<agent>",
      valueToShowInHelp = "all")
  @Completion(AgentNames.class)
  @Nullable String agent;

  @Option(
      name = "--state",
      description = "queued, running, preempted, succeeded, failed or cancelled",
      valueToShowInHelp = "all")
  @Completion(
      value = StringsCompleter.class,
      values = {"queued", "running", "preempted", "succeeded", "failed", "cancelled"})
  @Nullable String state;

  @Option(name = "--queue", description = "high, normal or low", valueToShowInHelp = "all")
  @Completion(
      value = StringsCompleter.class,
      values = {"high", "normal", "low"})
  @Nullable String queue;

  @Option(name = "--limit", description = "At most so many, and 1000")
  int limit = 20;

  @Option(
      name = "--after",
      description = "The next ones, as the last line of the ones before says",
      valueToShowInHelp = "none")
  @Nullable String after;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() {
    ShellTable table = new ShellTable();
    List.of("TASK", "AGENT", "INTENT", "QUEUE", "STATE", "ATTEMPT", "AGE", "WHY")
        .forEach(table::column);
    Scheduler.Page page = Present.scheduler(scheduler).list(filter(), after, limit);
    for (Scheduler.Task task : page.tasks()) {
      Map<String, @Nullable Object> values = task.values();
      table
          .addRow()
          .addContent(
              task.key(),
              task.agent().name(),
              values.get("intent"),
              values.get("queue"),
              task.state().written(),
              values.get("attempt") + "/" + values.get("attempts_max"),
              age(values),
              why(task));
    }
    table.print(System.out, !plain);
    if (page.next() != null) {
      System.out.println("more: --after " + page.next());
    }
    return null;
  }

  private TaskStore.Filter filter() {
    AgentId named = agent == null ? null : AgentId.parse(agent);
    if (named != null && tenant != null && !named.tenant().equals(tenant)) {
      throw new IllegalArgumentException(agent + " is not of the tenant " + tenant);
    }
    return new TaskStore.Filter(
        named == null ? tenant : named.tenant(),
        named == null ? null : named.name(),
        constant("--state", state, TaskState.values()),
        constant("--queue", queue, Tier.values()));
  }

  private static <T extends Enum<T>> @Nullable T constant(
      String option, @Nullable String written, T[] constants) {
    if (written == null) {
      return null;
    }
    for (T constant : constants) {
      if (constant.name().toLowerCase(Locale.ROOT).equals(written)) {
        return constant;
      }
    }
    throw new IllegalArgumentException(
        option + " is one of " + List.of(constants).toString().toLowerCase(Locale.ROOT));
  }

  private String age(Map<String, @Nullable Object> values) {
    return values.get("submitted_at") instanceof String submitted
        ? Words.age(Duration.between(Instant.parse(submitted), clock.instant()))
        : "-";
  }

  private String why(Scheduler.Task task) {
    try {
      return Words.line(Present.scheduler(scheduler).explain(task.key()).summary(), WHY_LENGTH_MAX);
    } catch (Refused forgottenMeanwhile) {
      return "-";
    }
  }
}
