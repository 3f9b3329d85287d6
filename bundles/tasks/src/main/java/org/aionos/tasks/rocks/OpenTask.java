package org.aionos.tasks.rocks;

import java.nio.ByteBuffer;
import java.util.Comparator;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.TaskStore.Row;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;

/**
 * Of a task that has not ended, what is kept in memory.
 *
 * @param heldSinceNanos of its node, by the store's clock
 */
record OpenTask(
    Key key,
    Tier tier,
    TaskState state,
    long submittedMillis,
    @Nullable String node,
    long heldSinceNanos) {

  /** Within one tenant. */
  static final Comparator<OpenTask> OLDEST_FIRST =
      Comparator.comparingLong(OpenTask::submittedMillis).thenComparing(task -> task.key().id());

  static OpenTask of(Row row, long heldSinceNanos) {
    return new OpenTask(
        row.key(), row.tier(), row.state(), row.submittedMillis(), row.node(), heldSinceNanos);
  }

  /** All but key and node: who held it before this life of the store does not hold it now. */
  byte[] bytes() {
    return ByteBuffer.allocate(2 + Long.BYTES)
        .put((byte) tier.ordinal())
        .put((byte) state.ordinal())
        .putLong(submittedMillis)
        .array();
  }

  static OpenTask read(Key key, byte[] bytes) {
    ByteBuffer row = ByteBuffer.wrap(bytes);
    return new OpenTask(
        key, Tier.values()[row.get()], TaskState.values()[row.get()], row.getLong(), null, 0);
  }
}
