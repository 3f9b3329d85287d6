package org.aionos.memory;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.aionos.items.ItemRows;
import org.aionos.items.Items;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Selection;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/**
 * Items in RocksDB. Five families of rows: items by place; their vectors, which most readers do not
 * want; places by the time at which they expire; by tenant, the bytes of its items; and, for who
 * follows, the places that changed. A change writes all in one batch.
 *
 * <p>Writers of one tenant take turns, so that what is read, the bytes, and what is written are
 * one.
 */
final class RocksItems implements ItemStore {

  /** Follows what changes. Called on the thread that writes, in its turn. */
  interface Follower {

    Follower NOBODY =
        new Follower() {
          @Override
          public void writing(long change) {}

          @Override
          public void written(long change, Map<Place, Optional<Item>> items) {}
        };

    /** A change is about to be written; the next one has a higher number. */
    void writing(long change);

    /**
     * It was written, or not: then there are no items.
     *
     * @param items empty for those that were taken away
     */
    void written(long change, Map<Place, Optional<Item>> items);
  }

  private record Stored(byte[] row, byte[] vectors) {

    Item item(Place place) {
      return ItemRows.read(place, row, vectors);
    }

    long bytes(byte[] key) {
      return key.length + (long) row.length + vectors.length;
    }
  }

  private final Rows rows;
  private final ColumnFamilyHandle items;
  private final ColumnFamilyHandle vectors;
  private final ColumnFamilyHandle expiries;
  private final ColumnFamilyHandle usage;
  private final ColumnFamilyHandle changes;
  private final AtomicLong lastChange = new AtomicLong();
  private volatile Follower follower = Follower.NOBODY;
  private final ConcurrentMap<String, Object> tenants = new ConcurrentHashMap<>();

  private RocksItems(Rows rows) {
    this.rows = rows;
    this.items = rows.family(1);
    this.vectors = rows.family(2);
    this.expiries = rows.family(3);
    this.usage = rows.family(4);
    this.changes = rows.family(5);
  }

  /**
   * @param sync whether a write survives a power loss too, at the price of a disk flush
   */
  static RocksItems open(Path folder, boolean sync) {
    return new RocksItems(
        new Rows(folder, sync, "items", "vectors", "expiries", "usage", "changes"));
  }

  // --- changes --------------------------------------------------------------------------------

  @Override
  public void change(Collection<Place> places, long bytesMax, Change change) {
    String tenant = places.iterator().next().agent().tenant();
    synchronized (turnOf(tenant)) {
      Map<Place, Stored> before = new LinkedHashMap<>();
      Map<Place, Item> shown = new LinkedHashMap<>();
      for (Place place : places) {
        Stored stored = stored(place);
        if (stored != null) {
          before.put(place, stored);
          shown.put(place, stored.item(place));
        }
      }
      Map<Place, Optional<Item>> after = change.of(shown);
      if (!after.isEmpty()) {
        write(tenant, before, shown, after, bytesMax);
      }
    }
  }

  private void write(
      String tenant,
      Map<Place, Stored> before,
      Map<Place, Item> shown,
      Map<Place, Optional<Item>> after,
      long bytesMax) {
    try (WriteBatch batch = new WriteBatch()) {
      long had = bytes(tenant);
      long bytes = had;
      for (Map.Entry<Place, Optional<Item>> each : after.entrySet()) {
        byte[] key = ItemRows.key(each.getKey());
        Stored stored = before.get(each.getKey());
        if (stored != null) {
          bytes -= stored.bytes(key);
          takeAway(batch, key, shown.get(each.getKey()));
        }
        if (each.getValue().isPresent()) {
          bytes += write(batch, key, each.getValue().get());
        }
      }
      if (bytes > bytesMax && bytes > had) {
        throw Items.noRoom(bytesMax);
      }
      if (bytes == 0) {
        batch.delete(usage, tenant.getBytes(UTF_8));
      } else {
        batch.put(usage, tenant.getBytes(UTF_8), Rows.number(bytes));
      }
      write(batch, after);
    } catch (RocksDBException failed) {
      throw Rows.failed(failed);
    }
  }

  private void takeAway(WriteBatch batch, byte[] key, @Nullable Item item) throws RocksDBException {
    batch.delete(items, key);
    if (item == null) {
      return;
    }
    if (item.content().vector() != null || item.embedding() != null) {
      batch.delete(vectors, key);
    }
    if (item.expiresAt() != null) {
      batch.delete(expiries, Rows.expiryKey(item.expiresAt(), key));
    }
  }

  private long write(WriteBatch batch, byte[] key, Item item) throws RocksDBException {
    Stored stored = new Stored(ItemRows.row(item), ItemRows.vectors(item));
    batch.put(items, key, stored.row());
    if (stored.vectors().length > 0) {
      batch.put(vectors, key, stored.vectors());
    }
    if (item.expiresAt() != null) {
      batch.put(expiries, Rows.expiryKey(item.expiresAt(), key), Rows.NONE);
    }
    return stored.bytes(key);
  }

  private void write(WriteBatch batch, Map<Place, Optional<Item>> after) throws RocksDBException {
    Follower told = follower;
    if (told == Follower.NOBODY) {
      rows.write(batch);
      return;
    }
    long change;
    synchronized (lastChange) {
      // Else a later number could be known as begun, and an earlier one not yet.
      change = lastChange.incrementAndGet();
      told.writing(change);
    }
    Map<Place, Optional<Item>> written = Map.of();
    try {
      // Neither a key nor a task holds a line break.
      batch.put(
          changes,
          Rows.number(change),
          after.keySet().stream()
              .map(place -> new String(ItemRows.key(place), UTF_8))
              .collect(joining("\n"))
              .getBytes(UTF_8));
      rows.write(batch);
      written = after;
    } finally {
      told.written(change, written);
    }
  }

  /**
   * Tells of all changes from now on.
   *
   * @return the items of changes that were never {@link #forget forgotten}, as they are now
   */
  Map<Place, Optional<Item>> follow(Follower by) {
    Set<Place> places = new LinkedHashSet<>();
    rows.each(
        changes,
        Rows.NONE,
        (number, keys) -> {
          lastChange.set(ByteBuffer.wrap(number).getLong());
          for (String key : new String(keys, UTF_8).split("\n")) {
            places.add(ItemRows.place(key.getBytes(UTF_8)));
          }
          return true;
        });
    follower = by;
    Map<Place, Optional<Item>> missed = new LinkedHashMap<>();
    places.forEach(place -> missed.put(place, get(place)));
    return missed;
  }

  /** Nobody will ask for the changes up to this one again. */
  void forget(long change) {
    Rows.run(
        () ->
            rows.database.deleteRange(
                changes, rows.writing, Rows.number(0), Rows.number(change + 1)));
  }

  // --- reading --------------------------------------------------------------------------------

  @Override
  public Optional<Item> get(Place place) {
    return Optional.ofNullable(stored(place)).map(stored -> stored.item(place));
  }

  /** Without its vectors, which take longer to read than all the rest. */
  Optional<Item> getWithoutVectors(Place place) {
    return Optional.ofNullable(rows.row(items, ItemRows.key(place)))
        .map(row -> ItemRows.read(place, row, Rows.NONE));
  }

  private @Nullable Stored stored(Place place) {
    byte[] key = ItemRows.key(place);
    byte[] row = rows.row(items, key);
    return row == null ? null : new Stored(row, vectors(key));
  }

  private byte[] vectors(byte[] key) {
    byte[] row = rows.row(vectors, key);
    return row == null ? Rows.NONE : row;
  }

  @Override
  public Page query(Selection selection, Instant now) {
    AgentId agent = selection.agent();
    return page(
        agent.tenant() + "\0" + agent.name() + "\0",
        selection.after(),
        selection.limit(),
        false,
        item -> item.isThere(now) && selection.filter().admits(item));
  }

  @Override
  public Page all(String tenant, @Nullable String after, int limit) {
    return page(tenant + "\0", after, limit, true, any -> true);
  }

  private Page page(
      String whose, @Nullable String after, int limit, boolean whole, Predicate<Item> which) {
    Rows.Slice<Item> slice =
        rows.slice(
            items,
            whose,
            after,
            limit,
            (key, row) -> {
              Item item = ItemRows.read(ItemRows.place(key), row, whole ? vectors(key) : Rows.NONE);
              return which.test(item) ? item : null;
            });
    return new Page(slice.found(), slice.next());
  }

  @Override
  public List<Place> expired(Instant now, int max) {
    return rows.expired(expiries, now, max);
  }

  @Override
  public Map<String, Long> bytes() {
    Map<String, Long> bytes = new LinkedHashMap<>();
    rows.each(
        usage,
        Rows.NONE,
        (tenant, number) -> {
          bytes.put(new String(tenant, UTF_8), ByteBuffer.wrap(number).getLong());
          return true;
        });
    return bytes;
  }

  @Override
  public long bytes(String tenant) {
    byte[] bytes = rows.row(usage, tenant.getBytes(UTF_8));
    return bytes == null ? 0 : ByteBuffer.wrap(bytes).getLong();
  }

  private Object turnOf(String tenant) {
    return tenants.computeIfAbsent(tenant, absent -> new Object());
  }

  @Override
  public void close() {
    rows.close();
  }
}
