package org.aionos.backend.qdrant;

import io.grpc.netty.shaded.io.netty.util.concurrent.GlobalEventExecutor;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.StoreDriver;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;

/** Keeps long memory in a Qdrant server, version 1.18 or newer. */
@Component(service = StoreDriver.class, property = StoreDriver.DRIVER + "=qdrant")
public final class QdrantDriver implements StoreDriver {

  private static final String COLLECTION = "aion_long_memory";

  /** Netty's last thread ends a second after its last task. */
  private static final int LAST_THREAD_SECONDS_MAX = 5;

  private final Set<QdrantItems> open = ConcurrentHashMap.newKeySet();

  @Override
  public ItemStore open(Opening opening) {
    if (!opening.type().equals("long")) {
      throw new IllegalArgumentException("qdrant keeps long memory alone");
    }
    String name = opening.name().isEmpty() ? COLLECTION : opening.name();
    if (!name.matches("[A-Za-z0-9_-]{1,255}")) {
      throw new IllegalArgumentException("a collection is named by letters, digits, _ and -");
    }
    QdrantItems items =
        new QdrantItems(
            new ItemCollection(QdrantLink.open(opening), name), opening.timeoutMax(), open::remove);
    open.add(items);
    return items;
  }

  /** Leaves no thread behind, also if a store was not closed. */
  @Deactivate
  void close() {
    open.forEach(QdrantItems::close);
    try {
      GlobalEventExecutor.INSTANCE.awaitInactivity(LAST_THREAD_SECONDS_MAX, TimeUnit.SECONDS);
    } catch (IllegalStateException neverStarted) {
      return;
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
  }
}
