package org.aionos.items;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.summingLong;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Selection;
import org.jspecify.annotations.Nullable;

/** A store in memory, for tests: what the contract says in the fewest words. */
public final class MapItems implements ItemStore {

  private final TreeMap<Place, Item> all =
      new TreeMap<>(
          Comparator.comparing((Place place) -> place.agent().tenant())
              .thenComparing(place -> place.agent().name())
              .thenComparing(Place::task)
              .thenComparing(Place::key));

  @Override
  public synchronized void change(Collection<Place> places, long bytesMax, Change change) {
    Map<Place, Item> stored = new HashMap<>();
    places.stream().filter(all::containsKey).forEach(place -> stored.put(place, all.get(place)));
    TreeMap<Place, Item> after = new TreeMap<>(all);
    change
        .of(stored)
        .forEach(
            (place, item) ->
                item.ifPresentOrElse(i -> after.put(place, i), () -> after.remove(place)));
    String tenant = places.iterator().next().agent().tenant();
    long bytes = bytes(after, tenant);
    if (bytes > bytesMax && bytes > bytes(tenant)) {
      throw new Refused(Problem.of(Code.BUDGET_EXHAUSTED, "no room"));
    }
    all.clear();
    all.putAll(after);
  }

  private static long bytes(Map<Place, Item> items, String tenant) {
    return items.values().stream()
        .filter(item -> item.place().agent().tenant().equals(tenant))
        .mapToLong(ItemRows::size)
        .sum();
  }

  @Override
  public synchronized Optional<Item> get(Place place) {
    return Optional.ofNullable(all.get(place));
  }

  @Override
  public Page query(Selection selection, Instant now) {
    return page(
        item ->
            item.place().agent().equals(selection.agent())
                && item.isThere(now)
                && selection.filter().admits(item),
        selection.agent().toString(),
        selection.after(),
        selection.limit());
  }

  @Override
  public Page all(String tenant, @Nullable String after, int limit) {
    return page(item -> item.place().agent().tenant().equals(tenant), tenant, after, limit);
  }

  private synchronized Page page(
      Predicate<Item> which, String whose, @Nullable String after, int limit) {
    if (after != null && !after.startsWith(whose + " ")) {
      throw new Refused(
          Problem.at("/params/after", Code.INVALID_FIELD, "must be what a page said as next"));
    }
    int from = after == null ? 0 : Integer.parseInt(after.substring(whose.length() + 1));
    List<Item> found = all.values().stream().filter(which).toList();
    int until = Math.min(found.size(), from + limit);
    return new Page(
        new ArrayList<>(found.subList(from, until)),
        until == found.size() ? null : whose + " " + until);
  }

  @Override
  public synchronized List<Place> expired(Instant now, int max) {
    return all.values().stream()
        .filter(item -> item.isExpired(now))
        .sorted(Comparator.comparing(Item::expiresAt))
        .limit(max)
        .map(Item::place)
        .toList();
  }

  @Override
  public synchronized Map<String, Long> bytes() {
    return all.values().stream()
        .collect(groupingBy(item -> item.place().agent().tenant(), summingLong(ItemRows::size)));
  }

  @Override
  public synchronized long bytes(String tenant) {
    return bytes(all, tenant);
  }

  @Override
  public void close() {}
}
