package org.aionos.memory;

import java.time.Duration;
import java.util.function.Supplier;
import org.aionos.kernel.memory.ItemStore;
import org.jspecify.annotations.Nullable;

/**
 * A type of memory. Its store is opened when it is first asked for: most kernels never need all,
 * and each costs memory and a part of the start.
 */
final class Kind {

  final String name;

  /** In an agent's manifest, below {@code spec.memory}. */
  final String ttlField;

  final Duration ttl;

  /** Whether items are found by what they say. */
  final boolean finds;

  private final Supplier<ItemStore> opening;

  /** Guarded by this. */
  private @Nullable ItemStore store;

  private boolean closed;

  Kind(String name, Duration ttl, boolean finds, Supplier<ItemStore> opening) {
    this.name = name;
    this.ttlField = name + "_ttl_s";
    this.ttl = ttl;
    this.finds = finds;
    this.opening = opening;
  }

  synchronized ItemStore store() {
    if (closed) {
      throw new IllegalStateException("memory is closed");
    }
    if (store == null) {
      store = opening.get();
    }
    return store;
  }

  /** Null if nobody asked for it. */
  synchronized @Nullable ItemStore storeIfOpen() {
    return store;
  }

  synchronized void close() {
    closed = true;
    if (store != null) {
      store.close();
    }
  }
}
