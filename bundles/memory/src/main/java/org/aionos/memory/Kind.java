package org.aionos.memory;

import java.time.Duration;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.function.Supplier;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.StoreUnavailable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A type of memory and the store that it is kept in now. A store is opened when it is first asked
 * for: most kernels never need all, and each costs memory and a part of the start. It is closed
 * when it is changed for another, once the calls inside it have ended.
 */
final class Kind {

  private static final Logger log = LoggerFactory.getLogger(Kind.class);

  private static final Duration HELD_RETRY = Duration.ofSeconds(1);

  final String name;

  /** In an agent's manifest, below {@code spec.memory}. */
  final String ttlField;

  /** Whether items are found by what they say. */
  final boolean finds;

  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  /** Guarded by the lock; null while nothing can be opened. */
  private @Nullable Supplier<ItemStore> opening;

  private String whyNot = "memory is not configured";

  /** Written under the lock's write half, or by the first reader under this. */
  private volatile @Nullable ItemStore store;

  /** Written under the lock's write half; 0 for nobody. */
  private volatile int holding;

  private int holdings;
  private volatile @Nullable String unavailable;

  Kind(String name, boolean finds) {
    this.name = name;
    this.ttlField = name + "_ttl_s";
    this.finds = finds;
  }

  /**
   * Works with the store.
   *
   * @throws Refused {@code BACKEND_UNAVAILABLE}
   */
  <T> T use(Function<ItemStore, T> work) {
    lock.readLock().lock();
    try {
      if (holding != 0) {
        throw new Refused(
            Problem.later(
                Code.BACKEND_UNAVAILABLE, name + " memory is being moved elsewhere", HELD_RETRY));
      }
      T result = work.apply(opened());
      isThere();
      return result;
    } catch (StoreUnavailable away) {
      isAway(away);
      throw new Refused(
          Problem.of(Code.BACKEND_UNAVAILABLE, name + " memory: " + away.getMessage()));
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Said when it begins and when it ends, not for each call. */
  private void isAway(StoreUnavailable away) {
    if (unavailable == null) {
      log.warn(
          "memory does not answer: type={} why={}", name, String.valueOf(away.getMessage()), away);
    }
    unavailable = away.getMessage();
  }

  private void isThere() {
    if (unavailable != null) {
      unavailable = null;
      log.info("memory answers again: type={}", name);
    }
  }

  private ItemStore opened() {
    ItemStore known = store;
    return known == null ? openedFirst() : known;
  }

  private synchronized ItemStore openedFirst() {
    if (store == null) {
      if (opening == null) {
        throw new StoreUnavailable(whyNot);
      }
      store = opening.get();
    }
    return store;
  }

  boolean isOpen() {
    return store != null;
  }

  /** Null while nothing is known to be wrong. */
  @Nullable String unavailable() {
    return opening == null ? whyNot : unavailable;
  }

  /** From now on the store is another; the one before is closed. */
  void keepIn(Supplier<ItemStore> other) {
    change(other, "");
  }

  /** There is no store until {@link #keepIn} says so. */
  void closeBecause(String why) {
    change(null, why);
  }

  private void change(@Nullable Supplier<ItemStore> other, String why) {
    lock.writeLock().lock();
    try {
      ItemStore before = store;
      store = null;
      opening = other;
      whyNot = why;
      unavailable = null;
      holding = 0;
      if (before != null) {
        before.close();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  /**
   * Returns when the calls inside have ended, and lets no more in.
   *
   * @return what to {@link #release} it by
   */
  int hold() {
    lock.writeLock().lock();
    try {
      holding = ++holdings;
      return holding;
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** Lets calls in again, unless it is held anew, or not any more. */
  void release(int by) {
    lock.writeLock().lock();
    try {
      holding = holding == by ? 0 : holding;
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** For whoever holds it. */
  ItemStore storeWhileHeld() {
    return opened();
  }
}
