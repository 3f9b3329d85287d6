package org.aionos.kernel.task;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.TaskStore.Key;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Tasks, as those who ask for them see them. What a method returned survives a crash. Safe for use
 * by many threads.
 */
@ProviderType
public interface Scheduler {

  /**
   * Takes a task. The same submission under the same id is the same task: it is returned as it
   * stands.
   *
   * @throws Refused {@code CONFLICT} if the id stands for another task, {@code QUEUE_FULL}, {@code
   *     UNKNOWN_AGENT}, {@code INVALID_FIELD} or {@code MISSING_FIELD} with the pointer
   */
  Accepted submit(Submission submission, Caller by);

  Optional<Task> find(Key key);

  /** Tasks, the newest first; {@code after} as in {@link TaskStore#list}. */
  Page list(TaskStore.Filter filter, @Nullable String after, int limit);

  /**
   * Ends a task that has not ended; one that has is returned as it stands. An agent is asked to end
   * and gets a moment for it.
   *
   * @param atOnce whether it gets none
   * @throws Refused {@code NOT_FOUND}, {@code CONFLICT} if it runs on another node
   */
  Task cancel(Key key, boolean atOnce, String by);

  /**
   * Queues a task anew that has failed or was cancelled. Its calls that ended well are not made
   * again.
   *
   * @throws Refused {@code NOT_FOUND}, {@code CONFLICT} if it has not ended, or has succeeded
   */
  Task replay(Key key, String by);

  /**
   * Why a task stands where it stands, and what would change it.
   *
   * @throws Refused {@code NOT_FOUND}
   */
  Explanation explain(Key key);

  Queues queues();

  /**
   * Admits the program that an agent's manifest names, as it is now, to be run.
   *
   * @param digest of manifest and code, as a refusal names it
   * @throws Refused {@code NOT_FOUND}, {@code CONFLICT} if it has another digest by now
   */
  void approveEntry(AgentId agent, String digest, Caller by);

  /**
   * By what turns are taken as the scheduler's own configuration has it, before the policy says
   * anything; null if it does not say.
   */
  default @Nullable Turns turns() {
    return null;
  }

  /** The processes of agents that run or are frozen right now. */
  List<Process> processes(@Nullable String tenant);

  /**
   * What is asked for.
   *
   * @param intent {@code syscall:<name>}, {@code agent:<name>} or {@code workflow}
   * @param agent on whose behalf
   * @param priority 0 to 9; null: that of the agent's manifest, or 5
   * @param quota what the task may use, by name, as sent
   * @param retry how it is tried again, as sent
   * @param deadlineMillis since 1970; null for none
   */
  record Submission(
      String id,
      AgentId agent,
      String intent,
      @Nullable Integer priority,
      Map<String, @Nullable Object> quota,
      Map<String, @Nullable Object> retry,
      Map<String, @Nullable Object> params,
      @Nullable Long deadlineMillis) {}

  /**
   * @param created false if the task was there before
   */
  record Accepted(Task task, boolean created) {}

  record Page(List<Task> tasks, @Nullable String next) {}

  /**
   * A task as it is shown.
   *
   * @param values JSON values by name
   */
  record Task(Key key, AgentId agent, TaskState state, Map<String, @Nullable Object> values) {}

  /**
   * @param values JSON values by name
   */
  record Explanation(Key key, String summary, Map<String, @Nullable Object> values) {}

  /**
   * @param waiting tasks by queue
   * @param draining whether nothing is begun any more, for the kernel is about to stop
   * @param settings names the scheduler.yaml in force by its content: the first 8 hex digits of its
   *     SHA-256; empty for none
   * @param rejected why the scheduler.yaml that is there is not in force; empty if it is
   */
  record Queues(
      Map<Tier, Long> waiting,
      Map<Tier, Long> running,
      long frozen,
      int slots,
      long preemptions,
      boolean draining,
      List<Share> shares,
      String settings,
      String rejected) {}

  /**
   * What a queue, a tenant of it, or an agent of that, has had of the slots.
   *
   * @param tenant null for the queue as a whole
   * @param agent null for the tenant as a whole
   * @param slotMillis in the present window
   */
  record Share(
      Tier tier,
      @Nullable String tenant,
      @Nullable String agent,
      double weight,
      long slotMillis,
      long waiting,
      long running) {}

  /**
   * An agent's process.
   *
   * @param state {@code running} or {@code frozen}
   * @param cores processors in use between the last two looks
   * @param ageMillis since it was started
   */
  record Process(
      AgentId agent,
      String task,
      String state,
      double cores,
      AgentLauncher.Usage usage,
      long ageMillis) {}

  /**
   * How turns are taken.
   *
   * @param tenants what is said of a tenant, by its name
   * @param otherTenants what holds for all others
   * @param agents what is said of an agent
   * @param otherAgents what holds for all others
   */
  record Turns(
      int slots,
      Map<Tier, Integer> weights,
      long windowMillis,
      long minimumRuntimeMillis,
      long sliceMillis,
      long ageingMillis,
      Map<String, Place> tenants,
      Place otherTenants,
      Map<AgentId, Place> agents,
      Place otherAgents) {

    public Turns {
      weights = Map.copyOf(weights);
      tenants = Map.copyOf(tenants);
      agents = Map.copyOf(agents);
    }
  }

  /**
   * What one tenant, or one agent, has beside others.
   *
   * @param concurrencyMax of its tasks so many run at once; null for no limit
   */
  record Place(int weight, @Nullable Integer concurrencyMax) {}
}
