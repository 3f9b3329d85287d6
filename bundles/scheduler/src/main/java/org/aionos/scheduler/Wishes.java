package org.aionos.scheduler;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.TaskStore.Key;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How one node has another look at a task that it holds: a box of mail for each node. What is to
 * become of the task stands in the task itself.
 */
final class Wishes {

  private static final Logger log = LoggerFactory.getLogger(Wishes.class);

  /** That are looked at together. */
  private static final int READ_MAX = 100;

  private static final int BOX_MAX = 1_000;

  private final TaskStore store;

  Wishes(TaskStore store) {
    this.store = store;
  }

  private static String box(String node) {
    return "node/" + node;
  }

  /** Has the holder of a task look at it; it does so anyway when it next changes it. */
  void send(@Nullable String holder, Key key) {
    if (holder == null) {
      return;
    }
    try {
      byte[] task = Documents.write(Map.of("tenant", key.tenant(), "id", key.id()));
      store.post(box(holder), task, BOX_MAX);
    } catch (StoreUnavailable away) {
      log.warn("a node learns later that a task is to end: task={} node={}", key, holder);
    }
  }

  /** Hands out what others want this node to look at. */
  void read(String node, Consumer<Key> look) {
    List<TaskStore.Message> wishes = store.mail(box(node), READ_MAX);
    for (TaskStore.Message wish : wishes) {
      try {
        Fields task = Documents.json(wish.bytes());
        look.accept(new Key(task.text("tenant"), task.text("id")));
      } catch (InvalidDocument notOurs) {
        log.warn("a message to this node cannot be read: {}", notOurs.describe());
      }
      store.discard(box(node), wish.number());
    }
  }

  /** Nobody of this name looks any more. */
  void close(String node) {
    store.discard(box(node), Long.MAX_VALUE);
  }
}
