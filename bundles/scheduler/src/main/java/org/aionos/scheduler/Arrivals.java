package org.aionos.scheduler;

import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.TaskStore.Row;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings tasks from the store onto the board. What was claimed is this node's, so none of it may be
 * forgotten: nobody else takes it. Of the engine's loop alone.
 */
final class Arrivals {

  private static final Logger log = LoggerFactory.getLogger(Arrivals.class);

  private static final int LIST_MAX = 1_000;

  private final TaskStore store;
  private final boolean shared;
  private final Board board;
  private final Starts starts;
  private final TaskEvents events;
  private final Supplier<String> node;
  private final BooleanSupplier closing;
  private final InstantSource clock;

  /** Claimed, and not on the board yet. */
  private final Deque<Row> arrived = new ArrayDeque<>();

  /** A claim whose answer was lost may have given this node tasks that it does not know of. */
  private int searches;

  private long searchAtMillis;

  /**
   * @param node the present name of this node
   */
  Arrivals(
      TaskStore store,
      boolean shared,
      Board board,
      Starts starts,
      TaskEvents events,
      Supplier<String> node,
      BooleanSupplier closing,
      InstantSource clock) {
    this.store = store;
    this.shared = shared;
    this.board = board;
    this.starts = starts;
    this.events = events;
    this.node = node;
    this.closing = closing;
    this.clock = clock;
  }

  /**
   * Claims what there is room for.
   *
   * @param stalled whether slots are free though all that could run was started
   * @return whether there may be more
   */
  boolean claim(boolean stalled) {
    arrive();
    Map<Tier, Integer> room = Intake.room(shared, board.counts(), stalled);
    if (room.isEmpty()) {
      return false;
    }
    List<Row> rows = claim(room);
    arrived.addAll(rows);
    arrive();
    return !shared && rows.size() >= room.getOrDefault(Tier.NORMAL, 0);
  }

  private List<Row> claim(Map<Tier, Integer> room) {
    try {
      return store.claim(node.get(), room);
    } catch (StoreUnavailable away) {
      // What came late of it is found by the second search.
      searches = 2;
      searchAtMillis = clock.millis();
      throw away;
    }
  }

  /** Whether something was claimed that is not on the board yet. */
  boolean areWaiting() {
    return !arrived.isEmpty();
  }

  /** Each stays until it is taken: nobody else can claim what this node holds. */
  private void arrive() {
    for (Row row = arrived.peek(); row != null && !closing.getAsBoolean(); row = arrived.peek()) {
      take(row);
      arrived.remove();
    }
  }

  /** Looks for what this node holds and does not know of, where a claim was not answered. */
  void search() {
    if (searches == 0 || clock.millis() < searchAtMillis) {
      return;
    }
    for (TaskState state : TaskState.values()) {
      if (!state.isEnded()) {
        search(state);
      }
    }
    searches--;
    searchAtMillis = clock.millis() + store.claimMillis();
  }

  private void search(TaskState state) {
    String after = null;
    do {
      TaskStore.Page page =
          store.list(new TaskStore.Filter(null, null, state, null), after, LIST_MAX);
      for (Row row : page.rows()) {
        if (node.get().equals(row.node()) && !board.knows(row.key())) {
          arrived.add(row);
        }
      }
      after = page.next();
    } while (after != null && !closing.getAsBoolean());
    arrive();
  }

  private void take(Row claimed) {
    try {
      for (Row row = claimed; row != null && node.get().equals(row.node()); row = again(row)) {
        Work work = Work.of(row);
        if (work.state().isEnded() || taken(work)) {
          return;
        }
      }
    } catch (StoreUnavailable away) {
      throw away;
    } catch (RuntimeException unexpected) {
      log.error("a task cannot be read, and is left alone: task={}", claimed.key(), unexpected);
    }
  }

  private @Nullable Row again(Row row) {
    return store.find(row.key()).orElse(null);
  }

  /** False if somebody else has changed the task. */
  private boolean taken(Work claimed) {
    if (claimed.progress().cancelBy != null) {
      return endedAsWished(claimed);
    }
    Work work = claimed;
    if (work.state() == TaskState.RUNNING) {
      work =
          work.with(
              TaskState.PREEMPTED,
              progress -> {
                progress.evictions++;
                progress.crashes++;
                progress.because(
                    clock.millis(), "interrupted", "the kernel in which it ran is gone");
              });
      if (!store.replace(work.row())) {
        return false;
      }
      events.came("task.interrupted", work, "the kernel in which it ran is gone");
    }
    board.add(work, slaMillis(work), Starts.isPreemptible(work));
    return true;
  }

  /** Ends a task that waits here, and that somebody wants to end; false if it has changed. */
  boolean endedAsWished(Work work) {
    String by = String.valueOf(work.progress().cancelBy);
    Work cancelled = Ends.cancelled(work, by, clock.millis());
    if (!store.replace(cancelled.row())) {
      return false;
    }
    board.gone(work.key());
    events.came("task.cancelled", cancelled, "by " + by);
    return true;
  }

  private @Nullable Long slaMillis(Work work) {
    try {
      return Manifest.of(starts.agent(work.agent())).slaMillis();
    } catch (Refused unknownOrStopped) {
      return null;
    }
  }

  /** What is not on the board yet. */
  List<Key> left() {
    return arrived.stream().map(Row::key).toList();
  }
}
