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
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
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
 * Items in RocksDB. Four families of rows: items by place; places by the time at which they expire;
 * by tenant, the bytes of its items; and, for who follows, the places that changed. A change writes
 * all in one batch.
 *
 * <p>Writers of one tenant take turns, so that a version, and the bytes, are read and written as
 * one.
 */
final class RocksItems implements ItemStore {

  /** A query looks at no more than this many items for a page; then it says where to go on. */
  private static final int LOOKED_AT_MAX = 20_000;

  /** Of blocks read: small, since the files are in the page cache of the host as well. */
  private static final long CACHE_BYTES = 16L << 20;

  private static final long WRITE_BUFFER_BYTES = 8L << 20;
  private static final long LOG_BYTES_MAX = 64L << 20;

  /** Follows what changes. Called on the thread that writes, in its turn. */
  interface Follower {

    Follower NOBODY =
        new Follower() {
          @Override
          public void writing(long change) {}

          @Override
          public void written(long change, Collection<Place> places) {}
        };

    /** A change is about to be written; the next one has a higher number. */
    void writing(long change);

    /** It was written, or not: then there are no places. */
    void written(long change, Collection<Place> places);
  }

  private final RocksDB database;
  private final DBOptions options;
  private final ColumnFamilyOptions familyOptions;
  private final WriteOptions writing;
  private final List<ColumnFamilyHandle> families;
  private final ColumnFamilyHandle items;
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
    this.expiries = families.get(2);
    this.usage = families.get(3);
    this.changes = families.get(4);
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
    for (String name : List.of("default", "items", "expiries", "usage", "changes")) {
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

  @Override
  public List<Item> put(List<Wish> wishes, String writtenBy, long bytesMax, Instant now) {
    String tenant = wishes.get(0).place().agent().tenant();
    synchronized (turnOf(tenant)) {
      // A later wish for a place sees the one before it.
      Map<Place, Item> fresh = new LinkedHashMap<>();
      List<Item> written = new ArrayList<>();
      for (int i = 0; i < wishes.size(); i++) {
        Wish wish = wishes.get(i);
        Item before = fresh.get(wish.place());
        if (before == null) {
          before = get(wish.place(), now).orElse(null);
        }
        checkVersion(wish, before, i);
        Item item = item(wish, before, writtenBy, now);
        fresh.put(wish.place(), item);
        written.add(item);
      }
      write(tenant, fresh.values(), bytesMax);
      return written;
    }
  }

  /**
   * Tells of all changes from now on.
   *
   * @return the places of changes that were never {@link #forget forgotten}
   */
  Collection<Place> follow(Follower by) {
    Set<Place> places = new LinkedHashSet<>();
    try (RocksIterator rows = database.newIterator(changes)) {
      for (rows.seekToFirst(); rows.isValid(); rows.next()) {
        lastChange.set(ByteBuffer.wrap(rows.key()).getLong());
        for (String key : new String(rows.value(), UTF_8).split("\n")) {
          places.add(place(key.getBytes(UTF_8)));
        }
      }
      rows.status();
    } catch (RocksDBException failed) {
      throw unwritten(failed);
    }
    follower = by;
    return places;
  }

  /** Nobody will ask for the changes up to this one again. */
  void forget(long change) {
    try {
      database.deleteRange(changes, writing, number(0), number(change + 1));
    } catch (RocksDBException failed) {
      throw unwritten(failed);
    }
  }

  private void write(WriteBatch batch, Collection<Place> places) throws RocksDBException {
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
    Collection<Place> written = List.of();
    try {
      // Neither a key nor a task holds a line break.
      batch.put(
          changes,
          number(change),
          places.stream()
              .map(place -> new String(key(place), UTF_8))
              .collect(joining("\n"))
              .getBytes(UTF_8));
      database.write(writing, batch);
      written = places;
    } finally {
      told.written(change, written);
    }
  }

  private void write(String tenant, Collection<Item> fresh, long bytesMax) {
    try (WriteBatch batch = new WriteBatch()) {
      long bytes = bytes(tenant);
      for (Item item : fresh) {
        Item stored = stored(item.place());
        bytes += size(item) - size(stored);
        write(batch, stored, item);
      }
      if (bytes > bytesMax) {
        throw new Refused(
            Problem.of(
                    Code.BUDGET_EXHAUSTED,
                    "the tenant's memory may have " + bytesMax + " bytes, and would have " + bytes)
                .admittedBy("delete items, or memory.tenant_bytes_max"));
      }
      batch.put(usage, tenant.getBytes(UTF_8), number(bytes));
      write(batch, fresh.stream().map(Item::place).toList());
    } catch (RocksDBException failed) {
      throw unwritten(failed);
    }
  }

  private static void checkVersion(Wish wish, @Nullable Item before, int place) {
    long version = before == null ? 0 : before.version();
    if (wish.ifVersion() != null && wish.ifVersion() != version) {
      throw new Refused(
          Problem.at(
              "/params/items/" + place + "/if_version",
              Code.CONFLICT,
              version == 0
                  ? "there is no such item"
                  : "the item has the version " + version + ", not " + wish.ifVersion()));
    }
  }

  private static Item item(Wish wish, @Nullable Item before, String writtenBy, Instant now) {
    Instant expires = wish.ttl() == null ? null : now.plus(wish.ttl());
    if (before == null) {
      return new Item(wish.place(), wish.content(), 1, wish.pinned(), now, now, expires, writtenBy);
    }
    if (before.content().equals(wish.content())) {
      // The same again: it lives on, and is no other version.
      return new Item(
          wish.place(),
          before.content(),
          before.version(),
          wish.pinned(),
          before.createdAt(),
          before.updatedAt(),
          expires,
          before.writtenBy());
    }
    return new Item(
        wish.place(),
        wish.content(),
        before.version() + 1,
        wish.pinned(),
        before.createdAt(),
        now,
        expires,
        writtenBy);
  }

  private void write(WriteBatch batch, @Nullable Item stored, Item item) throws RocksDBException {
    byte[] key = key(item.place());
    if (stored != null && stored.expiresAt() != null) {
      batch.delete(expiries, expiryKey(stored.expiresAt(), key));
    }
    if (item.expiresAt() != null) {
      batch.put(expiries, expiryKey(item.expiresAt(), key), new byte[0]);
    }
    batch.put(items, key, bytes(item));
  }

  @Override
  public Optional<Item> get(Place place, Instant now) {
    return Optional.ofNullable(stored(place)).filter(item -> item.isThere(now));
  }

  private @Nullable Item stored(Place place) {
    try {
      byte[] row = database.get(items, key(place));
      return row == null ? null : item(key(place), row);
    } catch (RocksDBException failed) {
      throw unwritten(failed);
    }
  }

  @Override
  public Page query(Selection selection, Instant now) {
    byte[] prefix = prefix(selection.agent());
    List<Item> found = new ArrayList<>();
    try (RocksIterator rows = database.newIterator(items)) {
      rows.seek(selection.after() == null ? prefix : from(selection.after(), prefix));
      for (int looked = 0; rows.isValid() && startsWith(rows.key(), prefix); rows.next()) {
        if (found.size() == selection.limit() || looked++ == LOOKED_AT_MAX) {
          return new Page(
              found, Base64.getUrlEncoder().withoutPadding().encodeToString(rows.key()));
        }
        Item item = item(rows.key(), rows.value());
        if (item.isThere(now) && selection.filter().admits(item)) {
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
  public Optional<Item> pin(Place place, boolean pinned, Instant now) {
    synchronized (turnOf(place.agent().tenant())) {
      Item before = get(place, now).orElse(null);
      if (before == null) {
        return Optional.empty();
      }
      Item item =
          new Item(
              place,
              before.content(),
              before.version(),
              pinned,
              before.createdAt(),
              before.updatedAt(),
              before.expiresAt(),
              before.writtenBy());
      try (WriteBatch batch = new WriteBatch()) {
        batch.put(items, key(place), bytes(item));
        write(batch, List.of(place));
        return Optional.of(item);
      } catch (RocksDBException failed) {
        throw unwritten(failed);
      }
    }
  }

  @Override
  public boolean delete(Place place, Instant now) {
    String tenant = place.agent().tenant();
    synchronized (turnOf(tenant)) {
      Item stored = stored(place);
      if (stored == null) {
        return false;
      }
      takeAway(stored, tenant);
      return stored.isThere(now);
    }
  }

  private void takeAway(Item stored, String tenant) {
    byte[] key = key(stored.place());
    try (WriteBatch batch = new WriteBatch()) {
      batch.delete(items, key);
      if (stored.expiresAt() != null) {
        batch.delete(expiries, expiryKey(stored.expiresAt(), key));
      }
      batch.put(usage, tenant.getBytes(UTF_8), number(bytes(tenant) - size(stored)));
      write(batch, List.of(stored.place()));
    } catch (RocksDBException failed) {
      throw unwritten(failed);
    }
  }

  @Override
  public int sweep(Instant now, int max) {
    List<byte[]> expired = new ArrayList<>();
    byte[] end = number(now.toEpochMilli());
    try (RocksIterator rows = database.newIterator(expiries)) {
      for (rows.seekToFirst(); rows.isValid() && expired.size() < max; rows.next()) {
        byte[] key = rows.key();
        if (Arrays.compareUnsigned(key, 0, Long.BYTES, end, 0, Long.BYTES) > 0) {
          break;
        }
        expired.add(Arrays.copyOfRange(key, Long.BYTES, key.length));
      }
    }
    int taken = 0;
    for (byte[] key : expired) {
      Place place = place(key);
      synchronized (turnOf(place.agent().tenant())) {
        Item stored = stored(place);
        // It may have been written anew since.
        if (stored != null && !stored.isThere(now)) {
          takeAway(stored, place.agent().tenant());
          taken++;
        }
      }
    }
    return taken;
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

  // --- rows -----------------------------------------------------------------------------------

  /** Tenant, agent, task and key; none of them holds a zero, so that no name runs into another. */
  private static byte[] key(Place place) {
    AgentId agent = place.agent();
    return String.join("\0", agent.tenant(), agent.name(), place.task(), place.key())
        .getBytes(UTF_8);
  }

  private static byte[] prefix(AgentId agent) {
    return (agent.tenant() + "\0" + agent.name() + "\0").getBytes(UTF_8);
  }

  private static Place place(byte[] key) {
    String[] parts = new String(key, UTF_8).split("\0", -1);
    return new Place(new AgentId(parts[0], parts[1]), parts[2], parts[3]);
  }

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

  private static long size(@Nullable Item item) {
    return item == null ? 0 : key(item.place()).length + (long) bytes(item).length;
  }

  private static byte[] bytes(Item item) {
    Map<String, @Nullable Object> row = new LinkedHashMap<>();
    row.put("value", item.content().value());
    row.put("meta", item.content().meta());
    row.put("tags", item.content().tags());
    row.put("version", item.version());
    row.put("pinned", item.pinned() ? 1 : 0);
    row.put("created", item.createdAt().toString());
    row.put("updated", item.updatedAt().toString());
    row.put("expires", item.expiresAt() == null ? null : item.expiresAt().toString());
    row.put("by", item.writtenBy());
    if (!item.content().vector().isEmpty()) {
      row.put("vector", item.content().vector());
    }
    return Documents.write(row);
  }

  private static Item item(byte[] key, byte[] bytes) {
    try {
      Fields row = Documents.json(bytes);
      String expires = row.textOrNull("expires");
      return new Item(
          place(key),
          new Item.Content(
              row.value("value"),
              row.object("meta").values(),
              List.copyOf(row.texts("tags", Integer.MAX_VALUE)),
              vector(row.value("vector"))),
          row.wholeNumber("version", 1, 1, Long.MAX_VALUE),
          row.wholeNumber("pinned", 0, 0, 1) == 1,
          Instant.parse(row.text("created")),
          Instant.parse(row.text("updated")),
          expires == null ? null : Instant.parse(expires),
          row.text("by"));
    } catch (InvalidDocument damaged) {
      throw new IllegalStateException("a row of memory is damaged: " + damaged.describe(), damaged);
    }
  }

  private static List<Float> vector(@Nullable Object value) {
    List<Float> vector = new ArrayList<>();
    if (value instanceof List<?> numbers) {
      for (Object number : numbers) {
        vector.add(number instanceof Number some ? some.floatValue() : Float.NaN);
      }
    }
    return vector;
  }
}
