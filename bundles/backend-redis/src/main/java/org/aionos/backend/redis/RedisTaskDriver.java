package org.aionos.backend.redis;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.aionos.kernel.memory.StoreDriver;
import org.aionos.kernel.memory.StoreDriver.Opening;
import org.aionos.kernel.task.TaskDriver;
import org.aionos.kernel.task.TaskStore;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;

/** Keeps tasks in a Redis server, version 7 or newer, that kernels may share. */
@Component(service = TaskDriver.class, property = StoreDriver.DRIVER + "=redis")
public final class RedisTaskDriver implements TaskDriver {

  private final Set<RedisTasks> open = ConcurrentHashMap.newKeySet();

  @Override
  public TaskStore open(Opening opening) {
    RedisTasks tasks = new RedisTasks(RedisAddress.link(opening, "tasks"), open::remove);
    open.add(tasks);
    return tasks;
  }

  /** Leaves no thread behind, also if a store was not closed. */
  @Deactivate
  void close() {
    open.forEach(RedisTasks::close);
    RedisLink.awaitThreads();
  }
}
