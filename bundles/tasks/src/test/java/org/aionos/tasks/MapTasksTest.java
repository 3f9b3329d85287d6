package org.aionos.tasks;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import org.aionos.kernel.task.TaskStore;

final class MapTasksTest extends TaskStoreContract {

  private long nanos;
  private final MapTasks store = new MapTasks(() -> nanos);

  @Override
  protected TaskStore open() {
    store.reopen();
    return store;
  }

  @Override
  protected void pass(long millis) {
    nanos += MILLISECONDS.toNanos(millis);
  }
}
