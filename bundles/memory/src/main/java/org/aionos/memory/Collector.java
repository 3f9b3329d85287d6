package org.aionos.memory;

import static java.util.stream.Collectors.toSet;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.aionos.items.ItemRows;
import org.aionos.items.Items;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Meters;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.MemoryControl;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.jspecify.annotations.Nullable;

/**
 * Takes away what has expired, and makes room in a tenant's memory of one type before it is full:
 * from the high watermark down to the low one, the items that are worth least first. What an item
 * is worth falls with the time since it was used or changed and with the root of its size, and
 * grows with how often it was used:
 *
 * <pre>goes first: the highest idle seconds * sqrt(bytes) / (1 + uses)</pre>
 *
 * <p>A pinned item stays. What goes is named in the journal before it goes.
 *
 * <p>It looks at all items of the tenant to choose, so it begins early enough that the high
 * watermark is not passed meanwhile: it knows how fast this tenant's memory grew lately and how
 * long choosing took. It works in small steps between which callers go on. One collection at a
 * time.
 */
final class Collector {

  private static final int SWEPT_AT_ONCE = 1_000;
  private static final int READ_AT_ONCE = 500;

  /** Of one event in the journal. */
  private static final int NAMED_AT_ONCE = 100;

  /** Of one step: writers of the tenant wait for it. */
  private static final int TAKEN_AT_ONCE = 10;

  /** The next look may come later than the last, and writers be faster. */
  private static final double MARGIN = 1.5;

  /** How fast choosing reads, until it is known. */
  private static final double CHOSEN_BYTES_PER_SECOND = 20e6;

  private static final int SHOWN_MAX = 20;

  private record Whose(String type, String tenant) {}

  /**
   * @param at when a tenant's memory was last looked at
   * @param choosing how long it took the last time; null for not known
   */
  private record Look(Instant at, long bytes, @Nullable Duration choosing) {

    /** By how much it will have grown when the next look is over and has chosen. */
    long growth(Instant now, long bytesNow) {
      double seconds = Math.max(1e-3, Duration.between(at, now).toNanos() / 1e9);
      double speed = Math.max(0, bytesNow - bytes) / seconds;
      double choosingSeconds =
          choosing == null ? bytesNow / CHOSEN_BYTES_PER_SECOND : choosing.toNanos() / 1e9;
      return (long) (MARGIN * speed * (seconds + choosingSeconds));
    }
  }

  private record Victim(Place place, Instant updatedAt, long bytes, double score) {}

  private final Supplier<MemorySettings> settings;

  /** The room of a tenant. */
  private final ToLongFunction<String> roomBytes;

  private final Uses uses;
  private final Journal journal;
  private final Meters.Counter events;
  private final InstantSource clock;
  private final Map<Whose, Look> looks = new HashMap<>();

  Collector(
      Supplier<MemorySettings> settings,
      ToLongFunction<String> roomBytes,
      Uses uses,
      Journal journal,
      Meters meters,
      InstantSource clock) {
    this.settings = settings;
    this.roomBytes = roomBytes;
    this.uses = uses;
    this.journal = journal;
    this.events =
        meters.counter("aion_memory_gc_events_total", "Items taken away, by the reason", "kind");
    this.clock = clock;
  }

  /** What a look at one type does: expired items go, and room is made where it is wanted. */
  synchronized void look(Kind kind) {
    while (sweep(kind) == SWEPT_AT_ONCE && !Thread.currentThread().isInterrupted()) {
      // Until nothing is left that has expired.
    }
    if (settings.get().collecting().adaptive()) {
      Map<String, Long> bytes = kind.use(ItemStore::bytes);
      for (Map.Entry<String, Long> tenant : bytes.entrySet()) {
        if (isDue(new Whose(kind.name, tenant.getKey()), tenant.getValue())) {
          collect(kind, tenant.getKey(), false);
        }
      }
      looks
          .keySet()
          .removeIf(whose -> whose.type.equals(kind.name) && !bytes.containsKey(whose.tenant));
    }
  }

  private int sweep(Kind kind) {
    List<Item> taken =
        kind.use(store -> new Items(store, Duration.ZERO).sweep(clock.instant(), SWEPT_AT_ONCE));
    int deleted = (int) taken.stream().filter(item -> item.hidden() != null).count();
    if (taken.size() > deleted) {
      events.add(taken.size() - deleted, "expired");
    }
    if (deleted > 0) {
      events.add(deleted, "deleted");
    }
    return taken.size();
  }

  private boolean isDue(Whose whose, long bytes) {
    Instant now = clock.instant();
    Look before = looks.get(whose);
    long meanwhile = before == null ? 0 : before.growth(now, bytes);
    looks.put(whose, new Look(now, bytes, before == null ? null : before.choosing));
    MemorySettings.Collecting marks = settings.get().collecting();
    long bytesMax = roomBytes.applyAsLong(whose.tenant);
    // Never so early that little would be gained.
    double floor = (marks.high() + marks.low()) / 2 * bytesMax;
    return bytes >= Math.max(floor, marks.high() * bytesMax - meanwhile);
  }

  /**
   * Makes room in one tenant's memory, down to the low watermark.
   *
   * @param dry only says what would go
   */
  synchronized MemoryControl.Collected collect(Kind kind, String tenant, boolean dry) {
    Instant begun = clock.instant();
    long bytes = kind.use(store -> store.bytes(tenant));
    long wanted =
        bytes - (long) (settings.get().collecting().low() * roomBytes.applyAsLong(tenant));
    List<Victim> victims = wanted > 0 ? victims(kind, tenant, wanted) : List.of();
    looks.computeIfPresent(
        new Whose(kind.name, tenant),
        (whose, look) -> new Look(look.at, look.bytes, Duration.between(begun, clock.instant())));
    List<Victim> gone = dry ? victims : taken(kind, tenant, victims);
    return new MemoryControl.Collected(
        kind.name,
        tenant,
        gone.size(),
        gone.stream().mapToLong(Victim::bytes).sum(),
        bytes,
        gone.stream().limit(SHOWN_MAX).map(Victim::place).toList());
  }

  private List<Victim> taken(Kind kind, String tenant, List<Victim> victims) {
    List<Victim> gone = new ArrayList<>();
    for (int from = 0; from < victims.size(); from += TAKEN_AT_ONCE) {
      if (Thread.currentThread().isInterrupted()) {
        break;
      }
      List<Victim> some = victims.subList(from, Math.min(victims.size(), from + TAKEN_AT_ONCE));
      if (from % NAMED_AT_ONCE == 0) {
        record(kind, tenant, victims.subList(from, Math.min(victims.size(), from + NAMED_AT_ONCE)));
      }
      gone.addAll(taken(kind, some));
      Thread.yield();
    }
    if (!gone.isEmpty()) {
      events.add(gone.size(), "room");
    }
    return gone;
  }

  private static List<Victim> taken(Kind kind, List<Victim> some) {
    Map<Place, Victim> chosen = new LinkedHashMap<>();
    some.forEach(victim -> chosen.put(victim.place, victim));
    List<Item> gone =
        kind.use(
            store ->
                new Items(store, Duration.ZERO)
                    .takeAway(
                        List.copyOf(chosen.keySet()),
                        item -> stillChosen(item, chosen.get(item.place()))));
    Set<Place> places = gone.stream().map(Item::place).collect(toSet());
    return some.stream().filter(victim -> places.contains(victim.place)).toList();
  }

  /** Of one that was written anew, or pinned, the choice does not hold. */
  private static boolean stillChosen(Item item, @Nullable Victim victim) {
    return victim != null && !item.pinned() && item.updatedAt().equals(victim.updatedAt);
  }

  private void record(Kind kind, String tenant, List<Victim> some) {
    Map<String, @Nullable Object> facts = new LinkedHashMap<>();
    facts.put("type", kind.name);
    facts.put("reason", "room");
    facts.put("bytes", some.stream().mapToLong(Victim::bytes).sum());
    facts.put("items", some.stream().map(victim -> named(victim.place)).toList());
    journal.record(new Journal.Event("kernel.gc", "memory.collected", tenant, facts));
  }

  private static Map<String, String> named(Place place) {
    return Map.of("agent", place.agent().toString(), "task", place.task(), "key", place.key());
  }

  /** The least worth that together have so many bytes, the first to go first. */
  private List<Victim> victims(Kind kind, String tenant, long wanted) {
    TreeSet<Victim> worst =
        new TreeSet<>(
            Comparator.comparingDouble(Victim::score)
                .thenComparing(victim -> victim.place.toString()));
    long bytes = 0;
    Instant now = clock.instant();
    String after = null;
    do {
      String from = after;
      Page page = kind.use(store -> store.all(tenant, from, READ_AT_ONCE));
      for (Item item : page.items()) {
        if (!item.pinned()) {
          Victim victim = victim(item, now);
          worst.add(victim);
          bytes += victim.bytes;
        }
      }
      while (!worst.isEmpty() && bytes - worst.first().bytes >= wanted) {
        bytes -= worst.first().bytes;
        worst.pollFirst();
      }
      after = page.next();
    } while (after != null && !Thread.currentThread().isInterrupted());
    return new ArrayList<>(worst.descendingSet());
  }

  private Victim victim(Item item, Instant now) {
    Uses.Use use = uses.of(item.place(), item.updatedAt());
    Instant since = use.last().isAfter(item.updatedAt()) ? use.last() : item.updatedAt();
    double idle = Math.max(1, Duration.between(since, now).toMillis()) / 1e3;
    long bytes = ItemRows.size(item);
    return new Victim(
        item.place(), item.updatedAt(), bytes, idle * Math.sqrt(bytes) / (1 + use.count()));
  }
}
