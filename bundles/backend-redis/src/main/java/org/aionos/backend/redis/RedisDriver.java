package org.aionos.backend.redis;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.StoreDriver;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;

/** Keeps short memory in a Redis server, version 7 or newer, that kernels may share. */
@Component(service = StoreDriver.class, property = StoreDriver.DRIVER + "=redis")
public final class RedisDriver implements StoreDriver {

  private final Set<RedisItems> open = ConcurrentHashMap.newKeySet();

  @Override
  public ItemStore open(Opening opening) {
    if (!opening.type().equals("short")) {
      throw new IllegalArgumentException(
          "redis keeps short memory alone: it finds nothing by words or vectors");
    }
    RedisItems items =
        new RedisItems(
            RedisAddress.link(opening, "short memory"), opening.timeoutMax(), open::remove);
    open.add(items);
    return items;
  }

  /** Leaves no thread behind, also if a store was not closed. */
  @Deactivate
  void close() {
    open.forEach(RedisItems::close);
    RedisLink.awaitThreads();
  }
}
