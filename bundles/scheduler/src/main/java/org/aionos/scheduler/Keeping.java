package org.aionos.scheduler;

import java.time.InstantSource;
import java.util.Objects;
import java.util.function.Consumer;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.TaskStore.Key;

/**
 * Keeps the states of tasks that run here. An answer of the store that is lost leaves open whether
 * a change is there: then the store is asked before the change is made once more.
 */
final class Keeping {

  /** Whose tasks they are. */
  interface Owner {

    /** The present name of this node. */
    String node();

    /** Whether what waits is left to other nodes, for this one stops. */
    boolean letsGo();

    /** A task is not this node's any more. */
    void abandon(Held task, String why);

    /** Somebody wants a task to end. Not on the thread that says so. */
    void cancelSoon(Key key, boolean atOnce, String by);
  }

  private final TaskStore store;
  private final InstantSource clock;
  private final Owner owner;

  Keeping(TaskStore store, InstantSource clock, Owner owner) {
    this.store = store;
    this.clock = clock;
    this.owner = owner;
  }

  /**
   * Keeps the next state of a task.
   *
   * @return false if it is another node's by now: then it is none of ours any more
   * @throws StoreUnavailable if that is not known; to be tried again
   */
  boolean change(Held task, TaskState next, Consumer<Progress> change) {
    synchronized (task) {
      do {
        if (isKept(task, next) || replaced(task, next, change)) {
          return true;
        }
      } while (adopted(task));
    }
    owner.abandon(task, "another node has taken it");
    return false;
  }

  private boolean replaced(Held task, TaskState next, Consumer<Progress> change) {
    Held.Uses[] uses = {Held.Uses.NOTHING};
    Work changed =
        task.work.with(
            next,
            progress -> {
              uses[0] = task.addTo(progress, clock.millis());
              change.accept(progress);
            });
    if (owner.letsGo() && next.isWaiting()) {
      changed = changed.letGo();
    }
    task.inDoubt = new Held.InDoubt(changed, uses[0]);
    boolean replaced = store.replace(changed.row());
    task.inDoubt = null;
    if (replaced) {
      task.kept(changed, uses[0]);
    }
    return replaced;
  }

  /**
   * Looks whether a change was kept whose answer was lost.
   *
   * @return whether it was, and is the one that is asked for
   */
  private boolean isKept(Held task, TaskState next) {
    Held.InDoubt doubt = task.inDoubt;
    if (doubt == null) {
      return false;
    }
    boolean kept = store.find(task.key).filter(doubt.work()::isKeptAs).isPresent();
    task.inDoubt = null;
    if (kept) {
      task.kept(doubt.work(), doubt.uses());
    }
    return kept && doubt.work().state() == next;
  }

  /**
   * Somebody has written another revision. One who wants the task to end leaves it with us; and so
   * does a change of ours that came late.
   */
  private boolean adopted(Held task) {
    Work there = store.find(task.key).map(Work::of).orElse(null);
    if (there == null
        || there.state().isEnded()
        || there.revision() <= task.work.revision()
        || !Objects.equals(there.node(), task.work.node())
        || !owner.node().equals(there.node())) {
      return false;
    }
    task.work = there;
    String by = there.progress().cancelBy;
    if (by != null && task.cancelledBy == null) {
      owner.cancelSoon(task.key, there.progress().cancelAtOnce, by);
    }
    return true;
  }
}
