package org.aionos.memory;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Hit;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Probe;
import org.aionos.kernel.memory.Selection;
import org.aionos.kernel.memory.StoreUnavailable;
import org.jspecify.annotations.Nullable;

/**
 * A store on a server that may be slow or away. No more calls than {@value #CALLS_MAX} wait for it,
 * so that a stalled server cannot take all threads of the kernel; after {@value #FAILURES_MAX}
 * failures in a row it is left alone for a while, and then asked by one call (a circuit breaker). A
 * read that failed is tried once more; a change is not, since it may have been made.
 */
final class Guarded implements ItemStore {

  private static final int CALLS_MAX = 64;
  private static final int FAILURES_MAX = 5;
  private static final Duration ALONE = Duration.ofSeconds(2);

  private final ItemStore store;
  private final InstantSource clock;
  private final Semaphore calls = new Semaphore(CALLS_MAX);

  /** Guarded by this. */
  private int failures;

  private Instant aloneUntil = Instant.MIN;

  Guarded(ItemStore store, InstantSource clock) {
    this.store = store;
    this.clock = clock;
  }

  private <T> T read(Supplier<T> work) {
    try {
      return guarded(work);
    } catch (StoreUnavailable away) {
      if (isAlone()) {
        throw away;
      }
      return guarded(work);
    }
  }

  private <T> T guarded(Supplier<T> work) {
    begin();
    if (!calls.tryAcquire()) {
      throw new StoreUnavailable("too many calls wait for its server");
    }
    try {
      T result = work.get();
      ended(true);
      return result;
    } catch (StoreUnavailable away) {
      ended(false);
      throw away;
    } finally {
      calls.release();
    }
  }

  private synchronized boolean isAlone() {
    return failures >= FAILURES_MAX && clock.instant().isBefore(aloneUntil);
  }

  private synchronized void begin() {
    if (isAlone()) {
      throw new StoreUnavailable("its server did not answer, and is asked again in a moment");
    }
    if (failures >= FAILURES_MAX) {
      // This call tries; the others wait for what becomes of it.
      aloneUntil = clock.instant().plus(ALONE);
    }
  }

  private synchronized void ended(boolean well) {
    failures = well ? 0 : failures + 1;
    if (failures >= FAILURES_MAX) {
      aloneUntil = clock.instant().plus(ALONE);
    }
  }

  @Override
  public void change(Collection<Place> places, long bytesMax, Change change) {
    guarded(
        () -> {
          store.change(places, bytesMax, change);
          return true;
        });
  }

  @Override
  public Optional<Item> get(Place place) {
    return read(() -> store.get(place));
  }

  @Override
  public Page query(Selection selection, Instant now) {
    return read(() -> store.query(selection, now));
  }

  @Override
  public Page all(String tenant, @Nullable String after, int limit) {
    return read(() -> store.all(tenant, after, limit));
  }

  @Override
  public List<Place> expired(Instant now, int max) {
    return read(() -> store.expired(now, max));
  }

  @Override
  public Map<String, Long> bytes() {
    return read(store::bytes);
  }

  @Override
  public long bytes(String tenant) {
    return read(() -> store.bytes(tenant));
  }

  @Override
  public List<Hit> find(AgentId agent, Filter filter, Probe probe, Instant now) {
    return read(() -> store.find(agent, filter, probe, now));
  }

  @Override
  public void close() {
    store.close();
  }
}
