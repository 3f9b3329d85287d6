package org.aionos.memory;

import java.time.Duration;
import java.util.function.Supplier;
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
  private final Supplier<ItemStore> opening;

  /** Guarded by this. */
  private @Nullable ItemStore items;

  private boolean closed;

  Kind(String name, Duration ttl, Supplier<ItemStore> opening) {
    this.name = name;
    this.ttlField = name + "_ttl_s";
    this.ttl = ttl;
    this.opening = opening;
  }

  synchronized ItemStore items() {
    if (closed) {
      throw new IllegalStateException("memory is closed");
    }
    if (items == null) {
      items = opening.get();
    }
    return items;
  }

  /** Null if nobody asked for it. */
  synchronized @Nullable ItemStore itemsIfOpen() {
    return items;
  }

  synchronized void close() {
    closed = true;
    if (items != null) {
      items.close();
    }
  }
}
