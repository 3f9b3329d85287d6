package org.aionos.scheduling;

import java.util.List;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.Tier;

/**
 * Why a job stands where it stands.
 *
 * @param tier it counts for, which is one above its own if {@code raised}
 * @param raised whether it has waited more than half of its SLA
 * @param position in which it would start, about, if nothing else came and all weights were equal:
 *     1 is next; 0 if it does not wait
 * @param reasons why it does not run, the one that must go first at the front; empty if it runs, or
 *     is about to
 */
public record Explanation(
    Key key, Standing standing, Tier tier, boolean raised, long position, List<Reason> reasons) {

  public Explanation {
    reasons = List.copyOf(reasons);
  }

  /** Where a job stands. */
  public enum Standing {
    /** Is not known here. */
    UNKNOWN,
    WAITING,
    /** Runs, or is about to. */
    RUNNING,
    /** Is being frozen, and holds its slot meanwhile. */
    YIELDING,
    /** Has been frozen and waits to go on. */
    FROZEN
  }

  /** Something that keeps a job from running. */
  public sealed interface Reason {

    /** What would have to happen, in a sentence. */
    String remedy();
  }

  /** It is to be tried again, but not yet. */
  public record RetryAt(long atMillis) implements Reason {
    @Override
    public String remedy() {
      return "it waits for its next try, or for the time it was given";
    }
  }

  /**
   * Its tenant, or its agent, has used up what it may use for now.
   *
   * @param ofAgent whether the agent alone is held, and not the whole tenant
   */
  public record HeldUntil(long untilMillis, boolean ofAgent) implements Reason {
    @Override
    public String remedy() {
      return "a higher budget of the " + (ofAgent ? "agent" : "tenant") + ", or the time itself";
    }
  }

  /** Its tenant runs as much at once as it may. */
  public record TenantConcurrency(int running, int max) implements Reason {
    @Override
    public String remedy() {
      return "a task of the tenant ends, or its max_concurrency is raised";
    }
  }

  /** Its agent runs as much at once as it may. */
  public record AgentConcurrency(int running, int max) implements Reason {
    @Override
    public String remedy() {
      return "a task of the agent ends, or its max_concurrency is raised";
    }
  }

  /**
   * All slots are taken.
   *
   * @param holders some of those that hold them
   */
  public record SlotsFull(int slots, List<Key> holders) implements Reason {
    public SlotsFull {
      holders = List.copyOf(holders);
    }

    @Override
    public String remedy() {
      return "a running task ends or is preempted, or there are more slots";
    }
  }

  /**
   * Others are first.
   *
   * @param tasks about how many
   */
  public record Behind(long tasks, Tier tier) implements Reason {
    @Override
    public String remedy() {
      return "those before it start, or it has a higher priority";
    }
  }

  /** It would get the slot of another, which has not yet run as long as every task may. */
  public record MinimumRuntime(Key running, long untilMillis) implements Reason {
    @Override
    public String remedy() {
      return "the minimum runtime of the other passes";
    }
  }

  /** As many jobs are frozen as may be; nothing is preempted. */
  public record FrozenFull(int frozen) implements Reason {
    @Override
    public String remedy() {
      return "a frozen task goes on or is evicted";
    }
  }
}
