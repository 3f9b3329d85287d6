package org.aionos.memory;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.MemoryControl;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.StoreUnavailable;
import org.jspecify.annotations.Nullable;

/**
 * Makes one store hold what another holds. It goes through all items and writes those that differ,
 * while callers go on, until little is left; then no caller gets in, the rest is written, and both
 * are compared. Broken off, it starts anew and finds most of it done.
 */
final class Migration {

  private static final int AT_ONCE = 200;
  private static final int ROUNDS_MAX = 5;

  /** So little is left that callers can wait for it. */
  private static final int LITTLE = 500;

  private final Kind kind;
  private final ItemStore target;
  private final Consumer<String> progress;
  private long copied;

  /** Names the holding of the kind; 0 for none. */
  private volatile int holding;

  Migration(Kind kind, ItemStore target, Consumer<String> progress) {
    this.kind = kind;
    this.target = target;
    this.progress = progress;
  }

  /** Returns with the kind held; throws with it released. */
  MemoryControl.Migrated run() {
    try {
      long changed = Long.MAX_VALUE;
      for (int round = 1; round <= ROUNDS_MAX && changed > LITTLE; round++) {
        changed = round();
        progress.accept("round " + round + ": " + changed + " items copied");
      }
      holding = kind.hold();
      round();
      return new MemoryControl.Migrated(compared(), copied);
    } catch (StoreUnavailable away) {
      giveUp();
      throw new Refused(Problem.of(Code.BACKEND_UNAVAILABLE, String.valueOf(away.getMessage())));
    } catch (RuntimeException failed) {
      giveUp();
      throw failed;
    }
  }

  /** Lets callers in again, if nothing has come in the way of the holding. */
  void giveUp() {
    kind.release(holding);
  }

  private <T> T source(Function<ItemStore, T> work) {
    return holding == 0 ? kind.use(work) : work.apply(kind.storeWhileHeld());
  }

  private long round() {
    Set<String> tenants = new HashSet<>(source(ItemStore::bytes).keySet());
    tenants.addAll(target.bytes().keySet());
    long changed = 0;
    for (String tenant : tenants) {
      changed += copy(tenant) + takeAway(tenant);
    }
    copied += changed;
    return changed;
  }

  private long copy(String tenant) {
    return pages((after, limit) -> source(store -> store.all(tenant, after, limit)), this::write);
  }

  private long takeAway(String tenant) {
    return pages(
        (after, limit) -> target.all(tenant, after, limit),
        items -> {
          Map<Place, Optional<Item>> gone = new LinkedHashMap<>();
          for (Item item : items) {
            if (source(store -> store.get(item.place())).isEmpty()) {
              gone.put(item.place(), Optional.empty());
            }
          }
          return change(gone);
        });
  }

  private static long pages(
      BiFunction<@Nullable String, Integer, Page> read, ToLongFunction<List<Item>> work) {
    long changed = 0;
    String after = null;
    do {
      Page page = read.apply(after, AT_ONCE);
      changed += page.items().isEmpty() ? 0 : work.applyAsLong(page.items());
      after = page.next();
    } while (after != null);
    return changed;
  }

  private long write(List<Item> items) {
    Map<Place, Optional<Item>> fresh = new LinkedHashMap<>();
    for (Item item : items) {
      if (!target.get(item.place()).equals(Optional.of(item))) {
        fresh.put(item.place(), Optional.of(item));
      }
    }
    return change(fresh);
  }

  private long change(Map<Place, Optional<Item>> fresh) {
    if (!fresh.isEmpty()) {
      target.change(fresh.keySet(), Long.MAX_VALUE, stored -> fresh);
    }
    return fresh.size();
  }

  /** How many items both hold; throws if they do not hold the same. */
  private long compared() {
    ItemStore source = kind.storeWhileHeld();
    Map<String, Long> counts = new HashMap<>();
    for (String tenant : source.bytes().keySet()) {
      counts.put(
          tenant,
          pages(
              (after, limit) -> source.all(tenant, after, limit),
              items -> {
                for (Item item : items) {
                  if (!target.get(item.place()).equals(Optional.of(item))) {
                    throw new IllegalStateException("not the same there: " + item.place());
                  }
                }
                return items.size();
              }));
    }
    for (String tenant : target.bytes().keySet()) {
      long there = pages((after, limit) -> target.all(tenant, after, limit), List::size);
      if (there != counts.getOrDefault(tenant, 0L)) {
        throw new IllegalStateException(
            "the tenant "
                + tenant
                + " has "
                + there
                + " items there, and "
                + counts.getOrDefault(tenant, 0L)
                + " here");
      }
    }
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }
}
