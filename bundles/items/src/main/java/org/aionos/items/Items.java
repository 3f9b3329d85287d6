package org.aionos.items;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.Embedding;
import org.aionos.kernel.memory.Hidden;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Provenance;
import org.aionos.kernel.memory.Trust;
import org.jspecify.annotations.Nullable;

/** What may be done with the items of a store. Threads may share it. */
public final class Items {

  /** So few that a writer of the tenant hardly waits. */
  private static final int AT_ONCE = 10;

  private final ItemStore store;
  private final Duration undoFor;

  /**
   * @param undoFor how long a deleted item can be restored; zero for not at all
   */
  public Items(ItemStore store, Duration undoFor) {
    this.store = store;
    this.undoFor = undoFor;
  }

  /**
   * @param ttl from now on; null for never
   * @param ifVersion the version it must have, 0 for none being there; null for any
   * @param embedding of the content; null for none
   */
  public record Wish(
      Place place,
      Item.Content content,
      boolean pinned,
      @Nullable Duration ttl,
      @Nullable Long ifVersion,
      Provenance provenance,
      @Nullable Embedding embedding) {}

  /**
   * Writes all of these or none; they are of one tenant.
   *
   * @param bytesMax that the tenant's items may have afterwards
   * @throws Refused {@code CONFLICT} with the pointer of the wish that cannot be, {@code
   *     BUDGET_EXHAUSTED}
   */
  public List<Item> put(List<Wish> wishes, long bytesMax, Instant now) {
    List<Item> written = new ArrayList<>();
    store.change(
        wishes.stream().map(Wish::place).distinct().toList(),
        bytesMax,
        stored -> {
          written.clear();
          // A later wish for a place sees the one before it.
          Map<Place, Item> seen = new LinkedHashMap<>(stored);
          for (int i = 0; i < wishes.size(); i++) {
            Wish wish = wishes.get(i);
            Item item = item(wish, seen.get(wish.place()), i, now);
            seen.put(wish.place(), item);
            written.add(item);
          }
          Map<Place, Optional<Item>> fresh = new LinkedHashMap<>();
          written.forEach(item -> fresh.put(item.place(), Optional.of(item)));
          return fresh;
        });
    return List.copyOf(written);
  }

  private static Item item(Wish wish, @Nullable Item stored, int at, Instant now) {
    if (stored != null && isQuarantined(stored) && !stored.isExpired(now)) {
      throw conflict(at, "key", "the item is in quarantine; an operator can release or delete it");
    }
    Item before = stored != null && stored.isThere(now) ? stored : null;
    checkVersion(wish, before, at);
    Instant expires = wish.ttl() == null ? null : now.plus(wish.ttl());
    if (before != null && before.content().equals(wish.content())) {
      // The same again: it lives on, and is no other version; nor worth more than who says it.
      return before
          .with(wish.pinned(), expires)
          .with(wish.embedding() == null ? before.embedding() : wish.embedding())
          .with(lowered(before.provenance(), wish.provenance().trust()));
    }
    return new Item(
        wish.place(),
        wish.content(),
        before == null ? 1 : before.version() + 1,
        wish.pinned(),
        before == null ? now : before.createdAt(),
        now,
        expires,
        // Also what was deleted a moment ago: else deleting would wash it clean.
        stored == null || stored.isExpired(now)
            ? wish.provenance()
            : lowered(wish.provenance(), stored.provenance().trust()),
        null,
        wish.embedding());
  }

  private static Provenance lowered(Provenance provenance, Trust other) {
    return new Provenance(
        provenance.writtenBy(),
        provenance.tool(),
        provenance.sources(),
        provenance.trust().and(other));
  }

  private static void checkVersion(Wish wish, @Nullable Item before, int at) {
    long version = before == null ? 0 : before.version();
    if (wish.ifVersion() != null && wish.ifVersion() != version) {
      throw conflict(
          at,
          "if_version",
          version == 0
              ? "there is no such item"
              : "the item has the version " + version + ", not " + wish.ifVersion());
    }
  }

  /** What a store says when a change would take a tenant beyond its room. */
  public static Refused noRoom(long bytesMax) {
    return new Refused(
        Problem.of(
                Code.BUDGET_EXHAUSTED,
                "the tenant's memory of this type may have " + bytesMax + " bytes, and is full")
            .admittedBy(
                "delete items or let go of pins, or limits.tenant_bytes_max of memory.yaml"));
  }

  private static Refused conflict(int at, String field, String why) {
    return new Refused(Problem.at("/params/items/" + at + "/" + field, Code.CONFLICT, why));
  }

  /** The item, if its agent may see it. */
  public Optional<Item> get(Place place, Instant now) {
    return store.get(place).filter(item -> item.isThere(now));
  }

  /**
   * Keeps an item from being taken away for want of room, or lets go of it again.
   *
   * @return empty if there is none
   */
  public Optional<Item> pin(Place place, boolean pinned, Instant now) {
    return changed(place, item -> item.isThere(now), item -> item.with(pinned, item.expiresAt()));
  }

  /** Whether there was one. It can be {@link #restore restored} for a while. */
  public boolean delete(Place place, Instant now) {
    if (undoFor.isZero()) {
      return !takeAway(List.of(place), item -> item.isThere(now)).isEmpty();
    }
    return changed(
            place,
            item -> item.isThere(now),
            item -> item.hiddenFor(Hidden.Reason.DELETED, now, earlier(item, now.plus(undoFor))))
        .isPresent();
  }

  private static Instant earlier(Item item, Instant end) {
    Instant expires = item.expiresAt();
    return expires != null && expires.isBefore(end) ? expires : end;
  }

  /** Takes a delete back; empty if there is nothing to restore, or not any more. */
  public Optional<Item> restore(Place place, Instant now) {
    return changed(
        place, item -> isHidden(item, Hidden.Reason.DELETED) && !item.isExpired(now), Item::shown);
  }

  /** Out of its agent's sight until it is released; it lives as long as it would have. */
  public Optional<Item> quarantine(Place place, Instant now) {
    return changed(
        place,
        item -> item.isThere(now),
        item -> item.hiddenFor(Hidden.Reason.QUARANTINED, now, item.expiresAt()));
  }

  public Optional<Item> release(Place place, Instant now) {
    return changed(place, item -> isQuarantined(item) && !item.isExpired(now), Item::shown);
  }

  private static boolean isQuarantined(Item item) {
    return isHidden(item, Hidden.Reason.QUARANTINED);
  }

  private static boolean isHidden(Item item, Hidden.Reason reason) {
    Hidden hidden = item.hidden();
    return hidden != null && hidden.reason() == reason;
  }

  private Optional<Item> changed(Place place, Predicate<Item> which, Function<Item, Item> change) {
    List<Item> after = new ArrayList<>();
    store.change(
        List.of(place),
        Long.MAX_VALUE,
        stored -> {
          after.clear();
          Item item = stored.get(place);
          if (item == null || !which.test(item)) {
            return Map.of();
          }
          after.add(change.apply(item));
          return Map.of(place, Optional.of(after.get(0)));
        });
    return after.stream().findFirst();
  }

  /** Takes away expired items, the longest expired first; says which, as they were. */
  public List<Item> sweep(Instant now, int max) {
    Map<String, List<Place>> byTenant = new LinkedHashMap<>();
    for (Place place : store.expired(now, max)) {
      byTenant.computeIfAbsent(place.agent().tenant(), first -> new ArrayList<>()).add(place);
    }
    List<Item> taken = new ArrayList<>();
    for (List<Place> places : byTenant.values()) {
      for (int from = 0; from < places.size(); from += AT_ONCE) {
        List<Place> some = places.subList(from, Math.min(places.size(), from + AT_ONCE));
        // One may have been written anew since.
        taken.addAll(takeAway(some, item -> item.isExpired(now)));
      }
    }
    return taken;
  }

  /**
   * Takes items away for good that still are as wanted; says what they were.
   *
   * @param places of one tenant, few: its writers wait
   */
  public List<Item> takeAway(List<Place> places, Predicate<Item> which) {
    List<Item> before = new ArrayList<>();
    store.change(
        places,
        Long.MAX_VALUE,
        stored -> {
          before.clear();
          stored.values().stream().filter(which).forEach(before::add);
          Map<Place, Optional<Item>> gone = new LinkedHashMap<>();
          before.forEach(item -> gone.put(item.place(), Optional.empty()));
          return gone;
        });
    return before;
  }
}
