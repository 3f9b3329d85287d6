package org.aionos.memory;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
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
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Selection;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.DBOptions;
import org.rocksdb.LRUCache;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * Items in RocksDB. Five families of rows: items by place; their vectors, which most readers do not
 * want; places by the time at which they expire; by tenant, the bytes of its items; and, for who
 * follows, the places that changed. A change writes all in one batch.
 *
 * <p>Writers of one tenant take turns, so that what is read, the bytes, and what is written are
 * one.
 */
final class RocksItems implements ItemStore {

  /** A query looks at no more than this many items for a page; then it says where to go on. */
  private static final int LOOKED_AT_MAX = 20_000;

  /** Of blocks read: small, since the files are in the page cache of the host as well. */
  private static final long CACHE_BYTES = 16L << 20;

  private static final long WRITE_BUFFER_BYTES = 8L << 20;
  private static final long LOG_BYTES_MAX = 64L << 20;

  private static final byte[] NONE = new byte[0];

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

  private final RocksDB database;
  private final DBOptions options;
  private final ColumnFamilyOptions familyOptions;
  private final WriteOptions writing;
  private final List<ColumnFamilyHandle> families;
  private final ColumnFamilyHandle items;
  private final ColumnFamilyHandle vectors;
  private final ColumnFamilyHandle expiries;
  private final ColumnFamilyHandle usage;
  private final ColumnFamilyHandle changes;
  private final AtomicLong lastChange = new AtomicLong();
  private volatile Follower follower = Follower.NOBODY;
  private final ConcurrentMap<String, Object> tenants = new ConcurrentHashMap<>();

  private RocksItems(
      RocksDB database,
      DBOptions options,
      ColumnFamilyOptions familyOptions,
      WriteOptions writing,
      List<ColumnFamilyHandle> families) {
    this.database = database;
    this.options = options;
    this.familyOptions = familyOptions;
    this.writing = writing;
    this.families = families;
    this.items = families.get(1);
    this.vectors = families.get(2);
    this.expiries = families.get(3);
    this.usage = families.get(4);
    this.changes = families.get(5);
  }

  /**
   * @param sync whether a write survives a power loss too, at the price of a disk flush
   */
  static RocksItems open(Path folder, boolean sync) {
    DBOptions options =
        new DBOptions()
            .setCreateIfMissing(true)
            .setCreateMissingColumnFamilies(true)
            .setMaxTotalWalSize(LOG_BYTES_MAX)
            .setKeepLogFileNum(2)
            .setMaxBackgroundJobs(2);
    ColumnFamilyOptions familyOptions =
        new ColumnFamilyOptions()
            .setWriteBufferSize(WRITE_BUFFER_BYTES)
            .setTableFormatConfig(
                new BlockBasedTableConfig().setBlockCache(new LRUCache(CACHE_BYTES)));
    List<ColumnFamilyDescriptor> wanted = new ArrayList<>();
    for (String name : List.of("default", "items", "vectors", "expiries", "usage", "changes")) {
      wanted.add(new ColumnFamilyDescriptor(name.getBytes(UTF_8), familyOptions));
    }
    List<ColumnFamilyHandle> families = new ArrayList<>();
    try {
      Files.createDirectories(folder);
      RocksDB database = RocksDB.open(options, folder.toString(), wanted, families);
      return new RocksItems(
          database, options, familyOptions, new WriteOptions().setSync(sync), families);
    } catch (RocksDBException | IOException unusable) {
      throw new UncheckedIOException(
          new IOException("memory cannot be opened: " + folder, unusable));
    }
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
        throw new Refused(
            Problem.of(
                    Code.BUDGET_EXHAUSTED,
                    "the tenant's memory may have " + bytesMax + " bytes, and would have " + bytes)
                .admittedBy("delete items, or memory.tenant_bytes_max"));
      }
      if (bytes == 0) {
        batch.delete(usage, tenant.getBytes(UTF_8));
      } else {
        batch.put(usage, tenant.getBytes(UTF_8), number(bytes));
      }
      write(batch, after);
    } catch (RocksDBException failed) {
      throw unwritten(failed);
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
      batch.delete(expiries, expiryKey(item.expiresAt(), key));
    }
  }

  private long write(WriteBatch batch, byte[] key, Item item) throws RocksDBException {
    Stored stored = new Stored(ItemRows.row(item), ItemRows.vectors(item));
    batch.put(items, key, stored.row());
    if (stored.vectors().length > 0) {
      batch.put(vectors, key, stored.vectors());
    }
    if (item.expiresAt() != null) {
      batch.put(expiries, expiryKey(item.expiresAt(), key), NONE);
    }
    return stored.bytes(key);
  }

  private void write(WriteBatch batch, Map<Place, Optional<Item>> after) throws RocksDBException {
    Follower told = follower;
    if (told == Follower.NOBODY) {
      database.write(writing, batch);
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
          number(change),
          after.keySet().stream()
              .map(place -> new String(ItemRows.key(place), UTF_8))
              .collect(joining("\n"))
              .getBytes(UTF_8));
      database.write(writing, batch);
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
    try (RocksIterator rows = database.newIterator(changes)) {
      for (rows.seekToFirst(); rows.isValid(); rows.next()) {
        lastChange.set(ByteBuffer.wrap(rows.key()).getLong());
        for (String key : new String(rows.value(), UTF_8).split("\n")) {
          places.add(ItemRows.place(key.getBytes(UTF_8)));
        }
      }
      rows.status();
    } catch (RocksDBException failed) {
      throw unwritten(failed);
    }
    follower = by;
    Map<Place, Optional<Item>> missed = new LinkedHashMap<>();
    places.forEach(place -> missed.put(place, get(place)));
    return missed;
  }

  /** Nobody will ask for the changes up to this one again. */
  void forget(long change) {
    try {
      database.deleteRange(changes, writing, number(0), number(change + 1));
    } catch (RocksDBException failed) {
      throw unwritten(failed);
    }
  }

  // --- reading --------------------------------------------------------------------------------

  @Override
  public Optional<Item> get(Place place) {
    return Optional.ofNullable(stored(place)).map(stored -> stored.item(place));
  }

  /** Without its vectors, which take longer to read than all the rest. */
  Optional<Item> getWithoutVectors(Place place) {
    try {
      return Optional.ofNullable(database.get(items, ItemRows.key(place)))
          .map(row -> ItemRows.read(place, row, NONE));
    } catch (RocksDBException failed) {
      throw unwritten(failed);
    }
  }

  private @Nullable Stored stored(Place place) {
    byte[] key = ItemRows.key(place);
    try {
      byte[] row = database.get(items, key);
      return row == null ? null : new Stored(row, vectors(key));
    } catch (RocksDBException failed) {
      throw unwritten(failed);
    }
  }

  private byte[] vectors(byte[] key) throws RocksDBException {
    byte[] row = database.get(vectors, key);
    return row == null ? NONE : row;
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
    byte[] prefix = whose.getBytes(UTF_8);
    List<Item> found = new ArrayList<>();
    try (RocksIterator rows = database.newIterator(items)) {
      rows.seek(after == null ? prefix : from(after, prefix));
      for (int looked = 0; rows.isValid() && startsWith(rows.key(), prefix); rows.next()) {
        if (found.size() == limit || looked++ == LOOKED_AT_MAX) {
          return new Page(
              found, Base64.getUrlEncoder().withoutPadding().encodeToString(rows.key()));
        }
        byte[] key = rows.key();
        Item item = ItemRows.read(ItemRows.place(key), rows.value(), whole ? vectors(key) : NONE);
        if (which.test(item)) {
          found.add(item);
        }
      }
      rows.status();
      return new Page(found, null);
    } catch (RocksDBException failed) {
      throw unwritten(failed);
    }
  }

  private static byte[] from(String after, byte[] prefix) {
    try {
      byte[] key = Base64.getUrlDecoder().decode(after);
      if (startsWith(key, prefix)) {
        return key;
      }
    } catch (IllegalArgumentException malformed) {
      // Refused below, like the next page of another agent.
    }
    throw new Refused(
        Problem.at("/params/after", Code.INVALID_FIELD, "must be what a page said as next"));
  }

  @Override
  public List<Place> expired(Instant now, int max) {
    List<Place> expired = new ArrayList<>();
    byte[] end = number(now.toEpochMilli());
    try (RocksIterator rows = database.newIterator(expiries)) {
      for (rows.seekToFirst(); rows.isValid() && expired.size() < max; rows.next()) {
        byte[] key = rows.key();
        if (Arrays.compareUnsigned(key, 0, Long.BYTES, end, 0, Long.BYTES) > 0) {
          break;
        }
        expired.add(ItemRows.place(Arrays.copyOfRange(key, Long.BYTES, key.length)));
      }
      rows.status();
      return expired;
    } catch (RocksDBException failed) {
      throw unwritten(failed);
    }
  }

  @Override
  public Map<String, Long> bytes() {
    Map<String, Long> bytes = new LinkedHashMap<>();
    try (RocksIterator rows = database.newIterator(usage)) {
      for (rows.seekToFirst(); rows.isValid(); rows.next()) {
        bytes.put(new String(rows.key(), UTF_8), ByteBuffer.wrap(rows.value()).getLong());
      }
      rows.status();
      return bytes;
    } catch (RocksDBException failed) {
      throw unwritten(failed);
    }
  }

  @Override
  public long bytes(String tenant) {
    try {
      byte[] bytes = database.get(usage, tenant.getBytes(UTF_8));
      return bytes == null ? 0 : ByteBuffer.wrap(bytes).getLong();
    } catch (RocksDBException failed) {
      throw unwritten(failed);
    }
  }

  private Object turnOf(String tenant) {
    return tenants.computeIfAbsent(tenant, absent -> new Object());
  }

  private static Refused unwritten(RocksDBException failed) {
    return new Refused(
        Problem.of(Code.KERNEL_FAULT, "memory cannot be read or written: " + failed.getMessage()));
  }

  @Override
  public void close() {
    families.forEach(ColumnFamilyHandle::close);
    database.close();
    writing.close();
    familyOptions.close();
    options.close();
  }

  // --- keys -----------------------------------------------------------------------------------

  private static boolean startsWith(byte[] key, byte[] prefix) {
    return key.length >= prefix.length
        && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
  }

  private static byte[] expiryKey(Instant at, byte[] key) {
    return ByteBuffer.allocate(Long.BYTES + key.length).putLong(at.toEpochMilli()).put(key).array();
  }

  private static byte[] number(long number) {
    return ByteBuffer.allocate(Long.BYTES).putLong(number).array();
  }
}
