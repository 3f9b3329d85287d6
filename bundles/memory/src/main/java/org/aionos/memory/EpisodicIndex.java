package org.aionos.memory;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiPredicate;
import org.aionos.items.ItemRows;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.Place;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.WriteBatch;

/**
 * Where the items of segments are, in RocksDB: by place, the item without its value and vectors and
 * where its line stands; places by the time at which they expire; by tenant, bytes and the last
 * change; segments; and changes that are written to more than one segment.
 *
 * <p>It is never newer than the segments, and can be made of them again. So it is never flushed for
 * a write, and flushed before a segment is deleted.
 */
final class EpisodicIndex implements AutoCloseable {

  private static final byte[] COMPLETE = "complete".getBytes(UTF_8);

  /** Behind every key: UTF-8 has no such byte. */
  private static final byte[] END = {(byte) 0xff};

  /**
   * Where an item's line stands.
   *
   * @param length with the line break
   * @param change that wrote it
   * @param bytes what the item takes of its tenant's room
   */
  record Spot(SegmentId segment, long offset, int length, long change, long bytes) {}

  /**
   * @param outline the item without its value and vectors
   */
  record Entry(Spot spot, Item outline) {}

  /**
   * @param bytes of all items
   * @param lastChange the number of the last change
   */
  record Totals(long bytes, long lastChange) {}

  /**
   * @param next where to go on; null at the end
   */
  record Entries(List<Entry> found, @Nullable String next) {}

  private final Rows rows;
  private final ColumnFamilyHandle state;
  private final ColumnFamilyHandle items;
  private final ColumnFamilyHandle expiries;
  private final ColumnFamilyHandle tenants;
  private final ColumnFamilyHandle segments;
  private final ColumnFamilyHandle promises;

  EpisodicIndex(Path folder) {
    rows = new Rows(folder, false, "items", "expiries", "tenants", "segments", "promises");
    state = rows.family(0);
    items = rows.family(1);
    expiries = rows.family(2);
    tenants = rows.family(3);
    segments = rows.family(4);
    promises = rows.family(5);
  }

  // --- as a whole -----------------------------------------------------------------------------

  /** Whether it knows of all segments, up to what was written last. */
  boolean isComplete() {
    return rows.row(state, COMPLETE) != null;
  }

  void complete() {
    Rows.run(() -> rows.database.put(state, rows.writing, COMPLETE, Rows.NONE));
  }

  /** Forgets all. */
  void clear() {
    Rows.run(
        () -> {
          for (ColumnFamilyHandle each : rows.families()) {
            rows.database.deleteRange(each, rows.writing, Rows.NONE, END);
          }
        });
  }

  /** Puts all on disk: what comes after cannot be taken back. */
  void flush() {
    Rows.run(() -> rows.database.flushWal(true));
  }

  // --- reading --------------------------------------------------------------------------------

  Optional<Entry> entry(Place place) {
    byte[] row = rows.row(items, ItemRows.key(place));
    return row == null ? Optional.empty() : Optional.of(entry(place, row));
  }

  /** Of keys that begin so, in order. A page may be short and still have a next. */
  Entries entries(String whose, @Nullable String after, int limit, BiPredicate<Place, Item> which) {
    Rows.Slice<Entry> slice =
        rows.slice(
            items,
            whose,
            after,
            limit,
            (key, row) -> {
              Place place = ItemRows.place(key);
              Entry entry = entry(place, row);
              return which.test(place, entry.outline()) ? entry : null;
            });
    return new Entries(slice.found(), slice.next());
  }

  List<Place> expired(Instant now, int max) {
    return rows.expired(expiries, now, max);
  }

  Totals totals(String tenant) {
    byte[] row = rows.row(tenants, tenant.getBytes(UTF_8));
    return row == null ? new Totals(0, 0) : totals(row);
  }

  Map<String, Totals> totals() {
    Map<String, Totals> all = new LinkedHashMap<>();
    rows.each(
        tenants,
        Rows.NONE,
        (key, row) -> {
          all.put(new String(key, UTF_8), totals(row));
          return true;
        });
    return all;
  }

  Optional<Segment> segment(SegmentId id) {
    byte[] row = rows.row(segments, segmentKey(id));
    return row == null ? Optional.empty() : Optional.of(segment(id.agent(), id.uuid(), row));
  }

  /** All, those of one agent in the order in which they were begun. */
  List<Segment> segments() {
    return segments(Rows.NONE);
  }

  List<Segment> segments(AgentId agent) {
    return segments(prefix(agent));
  }

  private List<Segment> segments(byte[] prefix) {
    List<Segment> all = new ArrayList<>();
    rows.each(
        segments,
        prefix,
        (key, row) -> {
          ByteBuffer uuid = ByteBuffer.wrap(key, key.length - 16, 16);
          String[] names = new String(key, 0, key.length - 17, UTF_8).split("\0");
          all.add(
              segment(
                  new AgentId(names[0], names[1]), new UUID(uuid.getLong(), uuid.getLong()), row));
          return true;
        });
    return all;
  }

  // --- promises -------------------------------------------------------------------------------

  /**
   * A part of a change that goes to more than one segment: what is promised is written, if need be
   * after a crash.
   */
  record Promise(SegmentId segment, long end, byte[] lines) {}

  void promise(String tenant, List<Promise> parts) {
    Rows.run(
        () -> {
          try (WriteBatch batch = new WriteBatch()) {
            for (int i = 0; i < parts.size(); i++) {
              Promise part = parts.get(i);
              byte[] name = part.segment().objectName().getBytes(UTF_8);
              batch.put(
                  promises,
                  (tenant + "\0" + i).getBytes(UTF_8),
                  ByteBuffer.allocate(
                          Integer.BYTES + name.length + Long.BYTES + part.lines().length)
                      .putInt(name.length)
                      .put(name)
                      .putLong(part.end())
                      .put(part.lines())
                      .array());
            }
            rows.database.write(rows.writing, batch);
          }
        });
  }

  List<Promise> promises() {
    List<Promise> all = new ArrayList<>();
    rows.each(
        promises,
        Rows.NONE,
        (key, row) -> {
          ByteBuffer bytes = ByteBuffer.wrap(row);
          byte[] name = new byte[bytes.getInt()];
          bytes.get(name);
          long end = bytes.getLong();
          byte[] lines = new byte[bytes.remaining()];
          bytes.get(lines);
          all.add(new Promise(SegmentId.parse(new String(name, UTF_8)).orElseThrow(), end, lines));
          return true;
        });
    return all;
  }

  /** They are kept, or taken back. */
  void forgetPromises(String tenant) {
    byte[] prefix = (tenant + "\0").getBytes(UTF_8);
    Rows.run(
        () ->
            rows.database.deleteRange(
                promises, rows.writing, prefix, (tenant + "\1").getBytes(UTF_8)));
  }

  // --- writing --------------------------------------------------------------------------------

  /** What becomes of one tenant's rows at once. For one thread, in the tenant's turn. */
  final class Writing implements AutoCloseable {

    private final String tenant;
    private final WriteBatch batch = new WriteBatch();
    private final Map<Place, Optional<Entry>> entries = new LinkedHashMap<>();
    private final Map<SegmentId, Segment> touched = new LinkedHashMap<>();
    private long bytes;
    private long lastChange;

    private Writing(String tenant) {
      this.tenant = tenant;
      Totals totals = totals(tenant);
      this.bytes = totals.bytes();
      this.lastChange = totals.lastChange();
    }

    /** How many items were changed so far. */
    int size() {
      return entries.size();
    }

    Optional<Entry> entry(Place place) {
      Optional<Entry> known = entries.get(place);
      return known == null ? EpisodicIndex.this.entry(place) : known;
    }

    Segment segment(SegmentId id) {
      Segment known = touched.get(id);
      return known == null ? EpisodicIndex.this.segment(id).orElseThrow() : known;
    }

    void put(Segment segment) {
      touched.put(segment.id(), segment);
    }

    /** A line as it stands in its segment, unless a later one of its place is known. */
    void apply(SegmentId segment, SegmentLines.Line line) {
      lastChange = Math.max(lastChange, line.change());
      Entry before = entry(line.place()).orElse(null);
      if (before != null && before.spot().change() > line.change()) {
        return;
      }
      if (before != null) {
        takeAway(line.place(), before);
      }
      Item item = line.item();
      if (item == null) {
        entries.put(line.place(), Optional.empty());
        put(segment(segment).plusRemoval(line.length()));
      } else {
        Spot spot =
            new Spot(segment, line.offset(), line.length(), line.change(), ItemRows.size(item));
        add(line.place(), new Entry(spot, outline(item)));
      }
    }

    private void takeAway(Place place, Entry before) {
      Spot spot = before.spot();
      bytes -= spot.bytes();
      Instant expires = before.outline().expiresAt();
      Rows.run(
          () -> {
            byte[] key = ItemRows.key(place);
            batch.delete(items, key);
            if (expires != null) {
              batch.delete(expiries, Rows.expiryKey(expires, key));
            }
          });
      put(segment(spot.segment()).plus(-1, -spot.length()));
    }

    private void add(Place place, Entry entry) {
      Spot spot = entry.spot();
      bytes += spot.bytes();
      Instant expires = entry.outline().expiresAt();
      Rows.run(
          () -> {
            byte[] key = ItemRows.key(place);
            batch.put(items, key, row(entry));
            if (expires != null) {
              batch.put(expiries, Rows.expiryKey(expires, key), Rows.NONE);
            }
          });
      entries.put(place, Optional.of(entry));
      put(segment(spot.segment()).plus(1, spot.length()));
    }

    /** An item's line stands elsewhere now. */
    void move(Place place, Entry entry, SegmentId segment, long offset, int length) {
      takeAway(place, entry);
      Spot old = entry.spot();
      add(
          place,
          new Entry(new Spot(segment, offset, length, old.change(), old.bytes()), entry.outline()));
    }

    void forget(SegmentId id) {
      touched.remove(id);
      Rows.run(() -> batch.delete(segments, segmentKey(id)));
    }

    void commit() {
      Rows.run(
          () -> {
            for (Segment each : touched.values()) {
              batch.put(segments, segmentKey(each.id()), row(each));
            }
            batch.put(
                tenants,
                tenant.getBytes(UTF_8),
                ByteBuffer.allocate(2 * Long.BYTES).putLong(bytes).putLong(lastChange).array());
            rows.database.write(rows.writing, batch);
          });
    }

    @Override
    public void close() {
      batch.close();
    }
  }

  Writing write(String tenant) {
    return new Writing(tenant);
  }

  /** All but value and vectors, which no filter looks at. */
  private static Item outline(Item item) {
    return new Item(
        item.place(),
        new Item.Content(null, item.content().meta(), item.content().tags(), null),
        item.version(),
        item.pinned(),
        item.createdAt(),
        item.updatedAt(),
        item.expiresAt(),
        item.provenance(),
        item.hidden(),
        null);
  }

  // --- rows -----------------------------------------------------------------------------------

  static String whose(AgentId agent) {
    return agent.tenant() + "\0" + agent.name() + "\0";
  }

  private static byte[] prefix(AgentId agent) {
    return whose(agent).getBytes(UTF_8);
  }

  private static byte[] segmentKey(SegmentId id) {
    byte[] prefix = prefix(id.agent());
    return ByteBuffer.allocate(prefix.length + 2 * Long.BYTES)
        .put(prefix)
        .putLong(id.uuid().getMostSignificantBits())
        .putLong(id.uuid().getLeastSignificantBits())
        .array();
  }

  private static byte[] row(Segment segment) {
    return ByteBuffer.allocate(6 * Long.BYTES + Integer.BYTES + 2)
        .putLong(segment.id().day().toEpochDay())
        .put((byte) segment.state().ordinal())
        .put((byte) (segment.isLocal() ? 1 : 0))
        .putLong(segment.length())
        .putInt(segment.live())
        .putLong(segment.liveBytes())
        .putLong(segment.removalBytes())
        .putLong(segment.begun().toEpochMilli())
        .array();
  }

  private static Segment segment(AgentId agent, UUID uuid, byte[] row) {
    ByteBuffer bytes = ByteBuffer.wrap(row);
    return new Segment(
        new SegmentId(agent, LocalDate.ofEpochDay(bytes.getLong()), uuid),
        Segment.State.values()[bytes.get()],
        bytes.get() == 1,
        bytes.getLong(),
        bytes.getInt(),
        bytes.getLong(),
        bytes.getLong(),
        Instant.ofEpochMilli(bytes.getLong()));
  }

  private static byte[] row(Entry entry) {
    byte[] outline = ItemRows.row(entry.outline());
    Spot spot = entry.spot();
    return ByteBuffer.allocate(6 * Long.BYTES + Integer.BYTES + outline.length)
        .putLong(spot.segment().uuid().getMostSignificantBits())
        .putLong(spot.segment().uuid().getLeastSignificantBits())
        .putLong(spot.segment().day().toEpochDay())
        .putLong(spot.offset())
        .putInt(spot.length())
        .putLong(spot.change())
        .putLong(spot.bytes())
        .put(outline)
        .array();
  }

  private static Entry entry(Place place, byte[] row) {
    ByteBuffer bytes = ByteBuffer.wrap(row);
    UUID uuid = new UUID(bytes.getLong(), bytes.getLong());
    LocalDate day = LocalDate.ofEpochDay(bytes.getLong());
    Spot spot =
        new Spot(
            new SegmentId(place.agent(), day, uuid),
            bytes.getLong(),
            bytes.getInt(),
            bytes.getLong(),
            bytes.getLong());
    byte[] outline = new byte[bytes.remaining()];
    bytes.get(outline);
    return new Entry(spot, ItemRows.read(place, outline, Rows.NONE));
  }

  private static Totals totals(byte[] row) {
    ByteBuffer bytes = ByteBuffer.wrap(row);
    return new Totals(bytes.getLong(), bytes.getLong());
  }

  @Override
  public void close() {
    rows.close();
  }
}
