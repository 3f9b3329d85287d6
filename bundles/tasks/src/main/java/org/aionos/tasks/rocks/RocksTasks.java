package org.aionos.tasks.rocks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.Tier;
import org.aionos.tasks.TaskRows;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/**
 * Tasks in RocksDB, which one process alone has open. Rows by key; of those that have not ended
 * what is needed in memory; all by time, of every tenant and of each; logs and mail. What changes
 * together is written in one batch.
 *
 * <p>No node of an earlier life can be alive, so that what it held is free as soon as the store is
 * opened. Within one life nodes are told apart as in a store that kernels share.
 */
public final class RocksTasks implements TaskStore {

  /** Nodes are lives of one kernel in one process: it is only a matter of not waiting for ever. */
  private static final long CLAIM_MILLIS = 15_000;

  /** Rows that are given to a node in one batch, while everybody else waits: some milliseconds. */
  private static final int CLAIM_BATCH = 512;

  /** A page looks at no more rows than this, some 100 ms; then it says where to go on. */
  private static final int LOOKED_AT_MAX = 100_000;

  /** Numbers of messages that are set aside with one write. */
  private static final long NUMBERS_AHEAD = 1_000;

  /** More than threads write at once. */
  private static final int TURNS = 64;

  private static final byte[] NOTHING = {};
  private static final byte[] NUMBERS = "numbers".getBytes(UTF_8);

  private final Families families;
  private final ColumnFamilyHandle rows;
  private final ColumnFamilyHandle open;
  private final ColumnFamilyHandle listed;
  private final ColumnFamilyHandle listedByTenant;
  private final ColumnFamilyHandle logs;
  private final ColumnFamilyHandle mail;
  private final ColumnFamilyHandle counters;

  private final LongSupplier nanos;
  private final OpenTasks openTasks = new OpenTasks();
  private final ConcurrentMap<String, Long> renewedNanos = new ConcurrentHashMap<>();

  /** Of tasks that had an entry added in this life; a log is else counted on disk. */
  private final ConcurrentMap<Key, Integer> logLengths = new ConcurrentHashMap<>();

  /** Guarded by the turn of the box. */
  private final ConcurrentMap<String, Integer> boxes = new ConcurrentHashMap<>();

  private long numberNext;
  private long numberEnd;

  /** Changes of one task, or one box, take turns. Taken within {@link #shared}. */
  private final Object[] turns = Stream.generate(Object::new).limit(TURNS).toArray();

  /** Whoever claims or closes is alone in the store. */
  private final ReentrantReadWriteLock life = new ReentrantReadWriteLock();

  private boolean closed;

  private RocksTasks(Families families, LongSupplier nanos) {
    this.families = families;
    this.nanos = nanos;
    this.rows = families.family(0);
    this.open = families.family(1);
    this.listed = families.family(2);
    this.listedByTenant = families.family(3);
    this.logs = families.family(4);
    this.mail = families.family(5);
    this.counters = families.family(6);
  }

  /**
   * Opens the store. {@link RocksLibrary} must have been loaded before.
   *
   * @param sync whether a write survives a power loss too, at the price of a disk flush
   * @param nanos a clock that never goes back, such as {@link System#nanoTime}
   * @throws UncheckedIOException if another process has it, or it is damaged
   */
  public static RocksTasks open(Path folder, boolean sync, LongSupplier nanos) {
    Families families =
        new Families(folder, sync, "rows", "open", "listed", "tenants", "logs", "mail", "counters");
    RocksTasks tasks = new RocksTasks(families, nanos);
    try {
      tasks.recall();
    } catch (RuntimeException damaged) {
      families.close();
      throw damaged;
    }
    return tasks;
  }

  private void recall() {
    families.each(
        open,
        NOTHING,
        (key, row) -> {
          openTasks.put(OpenTask.read(TaskRows.key(key), row));
          return true;
        });
    families.each(
        mail,
        NOTHING,
        (key, message) -> {
          String box = new String(key, 0, key.length - Long.BYTES - 1, UTF_8);
          boxes.merge(box, 1, Integer::sum);
          return true;
        });
    byte[] numbers = families.get(counters, NUMBERS);
    numberNext = numbers == null ? 1 : Families.number(numbers);
    numberEnd = numberNext;
  }

  // --- tasks ------------------------------------------------------------------------------------

  @Override
  public Row add(Row row) {
    TaskRows.checkNew(row);
    return inTurn(
        row.key(),
        () -> {
          Row there = row(row.key());
          if (there == null) {
            write(null, row);
          }
          return there == null ? row : there;
        });
  }

  @Override
  public Optional<Row> find(Key key) {
    return shared(() -> Optional.ofNullable(row(key)));
  }

  @Override
  public boolean replace(Row row) {
    TaskRows.checkLater(row);
    return inTurn(
        row.key(),
        () -> {
          Row there = row(row.key());
          if (there == null || there.revision() != row.revision() - 1) {
            return false;
          }
          write(there, row);
          return true;
        });
  }

  private @Nullable Row row(Key key) {
    byte[] row = families.get(rows, TaskRows.key(key));
    return row == null ? null : TaskRows.row(key, row);
  }

  private void write(@Nullable Row before, Row after) {
    families.write(batch -> put(batch, before, after));
    if (after.state().isEnded()) {
      openTasks.remove(after.key());
      logLengths.remove(after.key());
    } else {
      opened(after);
    }
  }

  private void opened(Row row) {
    OpenTask before = openTasks.find(row.key());
    long since =
        before == null || row.node() == null || !row.node().equals(before.node())
            ? nanos.getAsLong()
            : before.heldSinceNanos();
    openTasks.put(OpenTask.of(row, since));
  }

  private void put(WriteBatch batch, @Nullable Row before, Row after) throws RocksDBException {
    byte[] key = TaskRows.key(after.key());
    batch.put(rows, key, TaskRows.bytes(after));
    if (!after.state().isEnded()) {
      batch.put(open, key, OpenTask.of(after, 0).bytes());
    } else if (before != null && !before.state().isEnded()) {
      batch.delete(open, key);
    }
    byte[] shown = shown(after);
    if (before != null && before.submittedMillis() != after.submittedMillis()) {
      unlist(batch, before);
    } else if (before != null && Arrays.equals(shown(before), shown)) {
      return;
    }
    byte[] place = TaskRows.place(after.key(), after.submittedMillis());
    batch.put(listed, place, shown);
    batch.put(listedByTenant, placeOfTenant(after.key().tenant(), place), shown);
  }

  private void unlist(WriteBatch batch, Row row) throws RocksDBException {
    byte[] place = TaskRows.place(row.key(), row.submittedMillis());
    batch.delete(listed, place);
    batch.delete(listedByTenant, placeOfTenant(row.key().tenant(), place));
  }

  @Override
  public void remove(Key key) {
    inTurn(
        key,
        () -> {
          Row there = row(key);
          if (there != null && there.state().isEnded()) {
            remove(there);
          }
          return there;
        });
  }

  private void remove(Row row) {
    byte[] key = TaskRows.key(row.key());
    List<byte[]> entries = new ArrayList<>();
    families.each(logs, key, (entry, bytes) -> entries.add(entry));
    families.write(
        batch -> {
          batch.delete(rows, key);
          unlist(batch, row);
          for (byte[] entry : entries) {
            batch.delete(logs, entry);
          }
        });
  }

  // --- listing ----------------------------------------------------------------------------------

  /** What filters ask for, so that rows that are not wanted need not be read. */
  private static byte[] shown(Row row) {
    byte[] agent = row.agent().getBytes(UTF_8);
    byte[] shown = Arrays.copyOf(agent, agent.length + 2);
    shown[agent.length] = (byte) row.state().ordinal();
    shown[agent.length + 1] = (byte) row.tier().ordinal();
    return shown;
  }

  private static byte[] placeOfTenant(String tenant, byte[] place) {
    byte[] prefix = (tenant + "\0").getBytes(UTF_8);
    byte[] whole = Arrays.copyOf(prefix, prefix.length + place.length);
    System.arraycopy(place, 0, whole, prefix.length, place.length);
    return whole;
  }

  @Override
  public Page list(Filter filter, @Nullable String after, int limit) {
    byte[] begin = after == null ? null : TaskRows.after(after);
    String tenant = filter.tenant();
    byte[] prefix = tenant == null ? NOTHING : (tenant + "\0").getBytes(UTF_8);
    byte[] before = begin == null || tenant == null ? begin : placeOfTenant(tenant, begin);
    return shared(
        () -> {
          Listing listing = new Listing(filter, prefix.length, Math.min(limit, TaskRows.PAGE_MAX));
          families.eachBackwards(
              tenant == null ? listed : listedByTenant, prefix, before, listing::look);
          return new Page(rows(listing.found), listing.next);
        });
  }

  private static final class Listing {
    private final Filter filter;
    private final int prefixLength;
    private final int limit;
    private final List<Key> found = new ArrayList<>();
    private byte[] last = NOTHING;
    private int looked;
    private @Nullable String next;

    Listing(Filter filter, int prefixLength, int limit) {
      this.filter = filter;
      this.prefixLength = prefixLength;
      this.limit = limit;
    }

    boolean look(byte[] key, byte[] shown) {
      if (found.size() == limit || looked++ == LOOKED_AT_MAX) {
        next = TaskRows.next(last);
        return false;
      }
      last = Arrays.copyOfRange(key, prefixLength, key.length);
      Key task = TaskRows.keyOf(last);
      int agent = shown.length - 2;
      if (TaskRows.admits(
          filter,
          task,
          new String(shown, 0, agent, UTF_8),
          TaskState.values()[shown[agent]],
          Tier.values()[shown[agent + 1]])) {
        found.add(task);
      }
      return true;
    }
  }

  /** Those that are still there. */
  private List<Row> rows(List<Key> keys) {
    List<byte[]> stored = families.get(rows, keys.stream().map(TaskRows::key).toList());
    List<Row> found = new ArrayList<>();
    for (int i = 0; i < keys.size(); i++) {
      if (stored.get(i) != null) {
        found.add(TaskRows.row(keys.get(i), stored.get(i)));
      }
    }
    return found;
  }

  // --- nodes ------------------------------------------------------------------------------------

  @Override
  public Map<Tier, Long> waiting() {
    return openTasks.waiting();
  }

  @Override
  public void renew(String node) {
    TaskRows.checkName(node);
    renewedNanos.put(node, nanos.getAsLong());
  }

  @Override
  public long claimMillis() {
    return CLAIM_MILLIS;
  }

  private boolean isLost(String node) {
    Long renewed = renewedNanos.get(node);
    return renewed == null || nanos.getAsLong() - renewed > MILLISECONDS.toNanos(CLAIM_MILLIS);
  }

  @Override
  public long unended(String tenant) {
    TaskRows.checkName(tenant);
    return openTasks.unended(tenant);
  }

  @Override
  public Optional<Hold> holder(Key key) {
    OpenTask task = openTasks.find(key);
    String node = task == null ? null : task.node();
    if (task == null || node == null) {
      return Optional.empty();
    }
    long heldMillis = NANOSECONDS.toMillis(nanos.getAsLong() - task.heldSinceNanos());
    return Optional.of(new Hold(node, Math.max(0, heldMillis), !isLost(node)));
  }

  @Override
  public List<Row> claim(String node, Map<Tier, Integer> mostOf) {
    renew(node);
    openTasks.free(this::isLost);
    renewedNanos.keySet().removeIf(this::isLost);
    List<Row> claimed = new ArrayList<>();
    for (Tier tier : Tier.values()) {
      int wanted = mostOf.getOrDefault(tier, 0);
      for (int taken = -1; wanted > 0 && taken != 0; wanted -= Math.max(taken, 0)) {
        int most = Math.min(wanted, CLAIM_BATCH);
        List<Row> batch = alone(() -> claim(node, tier, most));
        claimed.addAll(batch);
        taken = batch.size();
      }
    }
    return claimed;
  }

  private List<Row> claim(String node, Tier tier, int max) {
    List<OpenTask> taken = openTasks.take(tier, max);
    if (taken.isEmpty()) {
      return List.of();
    }
    try {
      List<Row> before = rows(taken.stream().map(OpenTask::key).toList());
      List<Row> after = before.stream().filter(this::isFree).map(row -> heldBy(node, row)).toList();
      families.write(
          batch -> {
            for (Row row : after) {
              batch.put(rows, TaskRows.key(row.key()), TaskRows.bytes(row));
            }
          });
      before.forEach(this::opened);
      after.forEach(this::opened);
      return after;
    } catch (RuntimeException failed) {
      taken.forEach(openTasks::put);
      throw failed;
    }
  }

  /** A node that was thought lost may have shown that it lives. */
  private boolean isFree(Row row) {
    return row.node() == null || isLost(row.node());
  }

  private static Row heldBy(String node, Row row) {
    return new Row(
        row.key(),
        row.agent(),
        row.tier(),
        row.state(),
        row.submittedMillis(),
        row.revision() + 1,
        node,
        row.document());
  }

  // --- logs -------------------------------------------------------------------------------------

  @Override
  public int append(Key key, String node, byte[] entry) {
    return inTurn(
        key,
        () -> {
          if (!isHeld(key, node)) {
            return -1;
          }
          int length = logLength(key);
          families.write(batch -> batch.put(logs, entryKey(key, length), entry));
          logLengths.put(key, length + 1);
          return length + 1;
        });
  }

  private boolean isHeld(Key key, String node) {
    OpenTask task = openTasks.find(key);
    return task != null && node.equals(task.node());
  }

  private static byte[] entryKey(Key key, long number) {
    return Families.joined(TaskRows.key(key), number);
  }

  private int logLength(Key key) {
    return logLengths.computeIfAbsent(
        key,
        unknown -> {
          int[] length = {0};
          families.eachBackwards(
              logs,
              TaskRows.key(key),
              null,
              (last, entry) -> {
                length[0] = (int) Families.number(last) + 1;
                return false;
              });
          return length[0];
        });
  }

  @Override
  public List<byte[]> log(Key key) {
    return shared(
        () -> {
          List<byte[]> entries = new ArrayList<>();
          families.each(logs, TaskRows.key(key), (number, entry) -> entries.add(entry));
          return entries;
        });
  }

  @Override
  public boolean cut(Key key, String node, int entries) {
    return inTurn(
        key,
        () -> {
          if (!isHeld(key, node)) {
            return false;
          }
          int length = logLength(key);
          if (entries < length) {
            families.write(
                batch -> {
                  for (int number = Math.max(0, entries); number < length; number++) {
                    batch.delete(logs, entryKey(key, number));
                  }
                });
            logLengths.put(key, Math.max(0, entries));
          }
          return true;
        });
  }

  // --- mail -------------------------------------------------------------------------------------

  @Override
  public long post(String box, byte[] message, int countMax) {
    TaskRows.checkName(box);
    return inTurn(
        box,
        () -> {
          int count = boxes.getOrDefault(box, 0);
          if (count >= countMax) {
            return -1L;
          }
          long number = nextNumber();
          families.write(batch -> batch.put(mail, messageKey(box, number), message));
          boxes.put(box, count + 1);
          return number;
        });
  }

  private static byte[] boxKey(String box) {
    return (box + "\0").getBytes(UTF_8);
  }

  private static byte[] messageKey(String box, long number) {
    return Families.joined(boxKey(box), number);
  }

  /** Of all boxes together, so that an empty box need not be remembered. */
  private synchronized long nextNumber() {
    if (numberNext == numberEnd) {
      long end = numberEnd + NUMBERS_AHEAD;
      families.write(batch -> batch.put(counters, NUMBERS, Families.joined(NOTHING, end)));
      numberEnd = end;
    }
    return numberNext++;
  }

  @Override
  public List<Message> mail(String box, int max) {
    TaskRows.checkName(box);
    return shared(
        () -> {
          List<Message> messages = new ArrayList<>();
          families.each(
              mail,
              boxKey(box),
              (key, message) -> {
                if (messages.size() < max) {
                  messages.add(new Message(Families.number(key), message));
                }
                return messages.size() < max;
              });
          return messages;
        });
  }

  @Override
  public void discard(String box, long through) {
    TaskRows.checkName(box);
    inTurn(
        box,
        () -> {
          List<byte[]> old = new ArrayList<>();
          families.each(
              mail, boxKey(box), (key, message) -> Families.number(key) <= through && old.add(key));
          families.write(
              batch -> {
                for (byte[] key : old) {
                  batch.delete(mail, key);
                }
              });
          return boxes.computeIfPresent(
              box, (same, count) -> count == old.size() ? null : count - old.size());
        });
  }

  // --- turns ------------------------------------------------------------------------------------

  private <T extends @Nullable Object> T inTurn(Object whose, Supplier<T> work) {
    return shared(
        () -> {
          synchronized (turns[Math.floorMod(whose.hashCode(), TURNS)]) {
            return work.get();
          }
        });
  }

  private <T extends @Nullable Object> T shared(Supplier<T> work) {
    return locked(life.readLock(), work);
  }

  private <T extends @Nullable Object> T alone(Supplier<T> work) {
    return locked(life.writeLock(), work);
  }

  private <T extends @Nullable Object> T locked(Lock lock, Supplier<T> work) {
    lock.lock();
    try {
      if (closed) {
        throw new StoreUnavailable("the store of tasks is closed");
      }
      return work.get();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    life.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        families.close();
      }
    } finally {
      life.writeLock().unlock();
    }
  }
}
