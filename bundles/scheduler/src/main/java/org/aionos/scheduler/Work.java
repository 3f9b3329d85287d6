package org.aionos.scheduler;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.TaskStore.Row;
import org.jspecify.annotations.Nullable;

/**
 * A task at one moment. Immutable: each change gives the next revision.
 *
 * @param progress not to be changed by whoever looks at it
 */
record Work(
    Key key,
    AgentId agent,
    Order order,
    TaskState state,
    long revision,
    @Nullable String node,
    Progress progress) {

  static Work submitted(Key key, AgentId agent, Order order) {
    Progress progress = new Progress();
    progress.because(order.submittedMillis(), "submitted", "by " + order.by());
    return new Work(key, agent, order, TaskState.QUEUED, 1, null, progress);
  }

  /** The next revision, held by the same node, or by none once it has ended. */
  Work with(TaskState next, Consumer<Progress> change) {
    Progress changed = progress.copy();
    change.accept(changed);
    return new Work(key, agent, order, next, revision + 1, next.isEnded() ? null : node, changed);
  }

  /** The same revision, not written yet, held by nobody: others may go on with it. */
  Work letGo() {
    return new Work(key, agent, order, state, revision, null, progress);
  }

  /** The next revision, for its holder to see that somebody wants it to end. */
  Work wishedToEnd(String by, boolean atOnce) {
    return with(
        state,
        wished -> {
          wished.cancelBy = by;
          wished.cancelAtOnce = atOnce;
        });
  }

  boolean isAgent() {
    return order.meant() instanceof Intent.Agent;
  }

  /** Whether a row is what this was written as. */
  boolean isKeptAs(Row there) {
    Row mine = row();
    return there.revision() == mine.revision()
        && there.state() == mine.state()
        && Objects.equals(there.node(), mine.node())
        && Arrays.equals(there.document(), mine.document());
  }

  Row row() {
    Map<String, @Nullable Object> document = new LinkedHashMap<>();
    order.write(document);
    document.put("progress", progress.values());
    return new Row(
        key,
        agent.name(),
        order.tier(),
        state,
        order.submittedMillis(),
        revision,
        node,
        Documents.write(document));
  }

  /**
   * @throws IllegalStateException if the row is damaged
   */
  static Work of(Row row) {
    try {
      Fields document = Documents.kept(row.document());
      return new Work(
          row.key(),
          new AgentId(row.key().tenant(), row.agent()),
          Order.read(document),
          row.state(),
          row.revision(),
          row.node(),
          Progress.read(document.objectOrEmpty("progress")));
    } catch (InvalidDocument | IllegalArgumentException damaged) {
      throw new IllegalStateException("the row of task " + row.key() + " is damaged", damaged);
    }
  }
}
