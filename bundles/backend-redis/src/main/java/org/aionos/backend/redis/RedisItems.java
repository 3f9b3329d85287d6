package org.aionos.backend.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.KeyValue;
import io.lettuce.core.Limit;
import io.lettuce.core.Range;
import io.lettuce.core.ScriptOutputType;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.aionos.document.InvalidDocument;
import org.aionos.items.ItemRows;
import org.aionos.items.Items;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Selection;
import org.aionos.kernel.memory.StoreUnavailable;
import org.jspecify.annotations.Nullable;

/**
 * Items in Redis, each a line of JSON under a key of its own. Beside them stand the places of each
 * tenant in order, what each takes, the order of expiry, and the bytes of all tenants; a script
 * changes all of these together.
 *
 * <p>Kernels may share a server, so no lock of ours would help: a change is written if what it read
 * is what is there, else it is made anew.
 */
final class RedisItems implements ItemStore {

  /** Longer than a kernel is usually away: its sweep then finds the item, and takes it away. */
  private static final Duration KEPT_AFTER_EXPIRY = Duration.ofDays(1);

  /** Rows of one answer; at 256 KiB for a value these are 20 MiB. */
  private static final int ROWS_MAX = 64;

  /** As in the embedded store: some tens of milliseconds, with a filter that admits nothing. */
  private static final int LOOKED_AT_MAX = 20_000;

  private static final long BACK_OFF_NANOS = 50_000;

  private static final Script CHANGE = Script.thatGrows("change.lua");
  private static final Script TAKE_AWAY = Script.thatOnlyTakes("change.lua");

  private static final byte[] NONE = {};

  private final RedisLink link;
  private final Consumer<RedisItems> onClose;
  private final long retryNanosMax;

  RedisItems(RedisLink link, Duration retryMax, Consumer<RedisItems> onClose) {
    this.link = link;
    this.retryNanosMax = retryMax.toNanos();
    this.onClose = onClose;
  }

  // --- changes --------------------------------------------------------------------------------

  @Override
  public void change(Collection<Place> places, long bytesMax, Change change) {
    List<Place> read = places.stream().distinct().toList();
    long begun = System.nanoTime();
    for (int attempt = 0; !changed(read, bytesMax, change); attempt++) {
      if (System.nanoTime() - begun > retryNanosMax) {
        throw new StoreUnavailable("others change the same items of short memory all the time");
      }
      LockSupport.parkNanos(
          ThreadLocalRandom.current().nextLong(BACK_OFF_NANOS << Math.min(attempt, 6)));
    }
  }

  /** Whether no other writer came between. */
  private boolean changed(List<Place> places, long bytesMax, Change change) {
    Map<Place, byte[]> rows = new HashMap<>();
    Map<Place, Item> stored = new HashMap<>();
    List<byte @Nullable []> answer = rows(places.stream().map(ItemKeys::item).toList());
    for (int i = 0; i < places.size(); i++) {
      byte[] row = answer.get(i);
      if (row != null) {
        rows.put(places.get(i), row);
        stored.put(places.get(i), item(places.get(i), row));
      }
    }
    Map<Place, Optional<Item>> wanted = change.of(stored);
    return wanted.isEmpty() || written(places, rows, wanted, bytesMax);
  }

  private boolean written(
      List<Place> places,
      Map<Place, byte[]> rows,
      Map<Place, Optional<Item>> wanted,
      long bytesMax) {
    String tenant = places.get(0).agent().tenant();
    List<byte[]> keys =
        new ArrayList<>(
            List.of(
                ItemKeys.places(tenant), ItemKeys.sizes(tenant), ItemKeys.EXPIRY, ItemKeys.BYTES));
    List<byte[]> arguments = new ArrayList<>(List.of(text(tenant), bytes(bytesMax)));
    for (Place place : places) {
      keys.add(ItemKeys.item(place));
      arguments.add(ItemKeys.name(place));
      byte[] row = rows.get(place);
      arguments.add(text(row == null ? "" : Script.sha1(row)));
      arguments.addAll(wish(wanted.get(place)));
    }
    boolean grows = wanted.values().stream().anyMatch(Optional::isPresent);
    byte[] answer = link.run(grows ? CHANGE : TAKE_AWAY, ScriptOutputType.VALUE, keys, arguments);
    String outcome = new String(answer, UTF_8);
    if (outcome.equals("full")) {
      throw Items.noRoom(bytesMax);
    }
    return outcome.equals("done");
  }

  /**
   * What to do with an item, its row, size, expiry and the end of its key.
   *
   * @param wanted null if it stays as it is
   */
  private static List<byte[]> wish(@Nullable Optional<Item> wanted) {
    if (wanted == null || wanted.isEmpty()) {
      return List.of(text(wanted == null ? "keep" : "drop"), NONE, bytes(0), NONE, NONE);
    }
    Item item = wanted.get();
    Instant expires = item.expiresAt();
    return List.of(
        text("put"),
        ItemRows.line(item),
        bytes(ItemRows.size(item)),
        expires == null ? NONE : bytes(millisFrom(expires)),
        expires == null ? NONE : bytes(millisFrom(expires.plus(KEPT_AFTER_EXPIRY))));
  }

  /** The first whole millisecond at which it has expired. */
  private static long millisFrom(Instant expires) {
    return expires.plusNanos(999_999).toEpochMilli();
  }

  // --- reading --------------------------------------------------------------------------------

  @Override
  public Optional<Item> get(Place place) {
    byte[] row = link.ask(c -> c.get(ItemKeys.item(place)));
    return row == null ? Optional.empty() : Optional.of(item(place, row));
  }

  @Override
  public Page query(Selection selection, Instant now) {
    AgentId agent = selection.agent();
    byte[] names = ItemKeys.names(agent);
    Range.Boundary<byte[]> from =
        selection.after() == null
            ? Range.Boundary.including(names)
            : Range.Boundary.excluding(
                ItemKeys.after(selection.after(), agent.tenant(), agent.name()));
    return page(
        agent.tenant(),
        from,
        Range.Boundary.excluding(ItemKeys.behind(names)),
        selection.limit(),
        item -> item.isThere(now) && selection.filter().admits(item));
  }

  @Override
  public Page all(String tenant, @Nullable String after, int limit) {
    Range.Boundary<byte[]> from =
        after == null
            ? Range.Boundary.unbounded()
            : Range.Boundary.excluding(ItemKeys.after(after, tenant));
    return page(tenant, from, Range.Boundary.unbounded(), limit, item -> true);
  }

  private Page page(
      String tenant,
      Range.Boundary<byte[]> from,
      Range.Boundary<byte[]> to,
      int limit,
      Predicate<Item> wanted) {
    List<Item> found = new ArrayList<>();
    for (int looked = 0; ; ) {
      Range<byte[]> rest = Range.from(from, to);
      List<byte[]> names =
          link.ask(c -> c.zrangebylex(ItemKeys.places(tenant), rest, Limit.from(ROWS_MAX)));
      List<Place> places = names.stream().map(name -> ItemKeys.place(tenant, name)).toList();
      List<byte @Nullable []> rows = rows(places.stream().map(ItemKeys::item).toList());
      for (int i = 0; i < rows.size(); i++) {
        Place place = places.get(i);
        Optional.ofNullable(rows.get(i))
            .map(row -> item(place, row))
            .filter(wanted)
            .ifPresent(found::add);
        if (found.size() == limit || ++looked == LOOKED_AT_MAX) {
          return new Page(found, ItemKeys.next(place));
        }
      }
      if (names.size() < ROWS_MAX) {
        return new Page(found, null);
      }
      from = Range.Boundary.excluding(names.get(names.size() - 1));
    }
  }

  /** Of each key its row, null where there is none. */
  private List<byte @Nullable []> rows(List<byte[]> keys) {
    List<byte @Nullable []> rows = new ArrayList<>();
    if (!keys.isEmpty()) {
      byte[][] asked = keys.toArray(byte[][]::new);
      List<KeyValue<byte[], byte[]>> answer = link.ask(c -> c.mget(asked));
      answer.forEach(each -> rows.add(each.hasValue() ? each.getValue() : null));
    }
    return rows;
  }

  private static Item item(Place place, byte[] row) {
    try {
      Item item = ItemRows.ofLine(row);
      if (item.place().equals(place)) {
        return item;
      }
    } catch (InvalidDocument damaged) {
      throw new IllegalStateException("a row of memory is damaged: " + place, damaged);
    }
    throw new IllegalStateException("a row of memory names another place: " + place);
  }

  @Override
  public List<Place> expired(Instant now, int max) {
    Range<Long> until =
        Range.from(Range.Boundary.unbounded(), Range.Boundary.including(now.toEpochMilli()));
    List<byte[]> keys = link.ask(c -> c.zrangebyscore(ItemKeys.EXPIRY, until, Limit.from(max)));
    if (keys.isEmpty()) {
      return List.of();
    }
    byte[][] asked = keys.toArray(byte[][]::new);
    long there = link.ask(c -> c.exists(asked));
    if (there < keys.size()) {
      forgetGone(keys);
    }
    return keys.stream().map(ItemKeys::place).toList();
  }

  /**
   * Rows whose keys the server has let go, when no kernel was there to sweep, still stand in what
   * is counted.
   */
  private void forgetGone(List<byte[]> keys) {
    for (byte[] key : keys) {
      if (link.ask(c -> c.exists(key)) == 0) {
        Place place = ItemKeys.place(key);
        written(List.of(place), Map.of(), Map.of(place, Optional.empty()), Long.MAX_VALUE);
      }
    }
  }

  @Override
  public Map<String, Long> bytes() {
    Map<String, Long> bytes = new HashMap<>();
    Map<byte[], byte[]> answer = link.ask(c -> c.hgetall(ItemKeys.BYTES));
    answer.forEach((tenant, number) -> bytes.put(new String(tenant, UTF_8), number(number)));
    return bytes;
  }

  @Override
  public long bytes(String tenant) {
    byte[] number = link.ask(c -> c.hget(ItemKeys.BYTES, text(tenant)));
    return number == null ? 0 : number(number);
  }

  private static long number(byte[] digits) {
    return Long.parseLong(new String(digits, UTF_8));
  }

  private static byte[] bytes(long number) {
    return text(Long.toString(number));
  }

  private static byte[] text(String text) {
    return text.getBytes(UTF_8);
  }

  @Override
  public void close() {
    link.close();
    onClose.accept(this);
  }
}
