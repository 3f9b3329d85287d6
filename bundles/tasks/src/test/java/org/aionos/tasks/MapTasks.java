package org.aionos.tasks;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;

/**
 * Tasks in memory, for tests of others: written to be plainly right, and slow. What was closed goes
 * on when it is {@link #reopen opened again}.
 */
public final class MapTasks implements TaskStore {

  public static final long CLAIM_MILLIS = 15_000;

  private final LongSupplier nanos;
  private final Map<Key, Row> rows = new HashMap<>();
  private final Map<Key, List<byte[]>> logs = new HashMap<>();
  private final Map<String, TreeMap<Long, byte[]>> boxes = new HashMap<>();
  private final Map<String, Long> renewedNanos = new HashMap<>();
  private final Map<Key, Long> claimedNanos = new HashMap<>();

  /** Of each queue the tenants, in the order of their turns. */
  private final Map<Tier, LinkedHashSet<String>> turns = new EnumMap<>(Tier.class);

  private long messages;
  private @Nullable String away;

  public MapTasks() {
    this(System::nanoTime);
  }

  public MapTasks(LongSupplier nanos) {
    this.nanos = nanos;
    for (Tier tier : Tier.values()) {
      turns.put(tier, new LinkedHashSet<>());
    }
  }

  /** From now on every method says that the store does not answer; null: it answers again. */
  public synchronized void fail(@Nullable String why) {
    away = why;
  }

  public void reopen() {
    fail(null);
  }

  private void answer() {
    if (away != null) {
      throw new StoreUnavailable(away);
    }
  }

  @Override
  public synchronized Row add(Row row) {
    answer();
    TaskRows.checkNew(row);
    Row there = rows.putIfAbsent(row.key(), row);
    line(row);
    return there == null ? row : there;
  }

  private void line(Row row) {
    if (!row.state().isEnded()) {
      turns.get(row.tier()).add(row.key().tenant());
    }
  }

  @Override
  public synchronized Optional<Row> find(Key key) {
    answer();
    return Optional.ofNullable(rows.get(key));
  }

  @Override
  public synchronized boolean replace(Row row) {
    answer();
    TaskRows.checkLater(row);
    Row there = rows.get(row.key());
    if (there == null || there.revision() != row.revision() - 1) {
      return false;
    }
    rows.put(row.key(), row);
    line(row);
    return true;
  }

  @Override
  public synchronized void remove(Key key) {
    answer();
    Row there = rows.get(key);
    if (there != null && there.state().isEnded()) {
      rows.remove(key);
      logs.remove(key);
    }
  }

  @Override
  public synchronized Page list(Filter filter, @Nullable String after, int limit) {
    answer();
    byte[] begin = after == null ? null : TaskRows.after(after);
    List<Row> rest =
        rows.values().stream()
            .filter(
                row ->
                    TaskRows.admits(filter, row.key(), row.agent(), row.state(), row.tier())
                        && (begin == null || Arrays.compareUnsigned(place(row), begin) < 0))
            .sorted(Comparator.comparing(MapTasks::place, Arrays::compareUnsigned).reversed())
            .toList();
    if (rest.size() <= limit) {
      return new Page(rest, null);
    }
    List<Row> page = rest.subList(0, limit);
    return new Page(List.copyOf(page), TaskRows.next(place(page.get(limit - 1))));
  }

  private static byte[] place(Row row) {
    return TaskRows.place(row.key(), row.submittedMillis());
  }

  @Override
  public synchronized Map<Tier, Long> waiting() {
    answer();
    Map<Tier, Long> waiting = new EnumMap<>(Tier.class);
    for (Tier tier : Tier.values()) {
      waiting.put(
          tier,
          rows.values().stream()
              .filter(row -> row.tier() == tier && row.state().isWaiting())
              .count());
    }
    return waiting;
  }

  @Override
  public synchronized long unended(String tenant) {
    answer();
    return rows.values().stream()
        .filter(row -> row.key().tenant().equals(tenant) && !row.state().isEnded())
        .count();
  }

  @Override
  public synchronized Optional<Hold> holder(Key key) {
    answer();
    Row row = rows.get(key);
    if (row == null || row.node() == null) {
      return Optional.empty();
    }
    long nanosHeld = nanos.getAsLong() - claimedNanos.getOrDefault(key, nanos.getAsLong());
    return Optional.of(new Hold(row.node(), NANOSECONDS.toMillis(nanosHeld), !isFree(row)));
  }

  @Override
  public synchronized List<Row> claim(String node, Map<Tier, Integer> most) {
    renew(node);
    List<Row> claimed = new ArrayList<>();
    for (Tier tier : Tier.values()) {
      for (int count = 0; count < most.getOrDefault(tier, 0); count++) {
        Row next = next(tier);
        if (next == null) {
          break;
        }
        Row held =
            new Row(
                next.key(),
                next.agent(),
                tier,
                next.state(),
                next.submittedMillis(),
                next.revision() + 1,
                node,
                next.document());
        rows.put(held.key(), held);
        claimedNanos.put(held.key(), nanos.getAsLong());
        claimed.add(held);
      }
    }
    return claimed;
  }

  private @Nullable Row next(Tier tier) {
    for (String tenant : List.copyOf(turns.get(tier))) {
      turns.get(tier).remove(tenant);
      turns.get(tier).add(tenant);
      Optional<Row> oldest =
          rows.values().stream()
              .filter(row -> row.tier() == tier && row.key().tenant().equals(tenant))
              .filter(row -> !row.state().isEnded() && isFree(row))
              .min(
                  Comparator.comparingLong(Row::submittedMillis)
                      .thenComparing(row -> row.key().id()));
      if (oldest.isPresent()) {
        return oldest.get();
      }
    }
    return null;
  }

  private boolean isFree(Row row) {
    Long renewed = row.node() == null ? null : renewedNanos.get(row.node());
    return renewed == null || nanos.getAsLong() - renewed > MILLISECONDS.toNanos(CLAIM_MILLIS);
  }

  @Override
  public synchronized void renew(String node) {
    answer();
    TaskRows.checkName(node);
    renewedNanos.put(node, nanos.getAsLong());
  }

  @Override
  public long claimMillis() {
    return CLAIM_MILLIS;
  }

  private boolean isHeld(Key key, String node) {
    Row row = rows.get(key);
    return row != null && node.equals(row.node());
  }

  @Override
  public synchronized int append(Key key, String node, byte[] entry) {
    answer();
    if (!isHeld(key, node)) {
      return -1;
    }
    List<byte[]> log = logs.computeIfAbsent(key, absent -> new ArrayList<>());
    log.add(entry.clone());
    return log.size();
  }

  @Override
  public synchronized List<byte[]> log(Key key) {
    answer();
    return List.copyOf(logs.getOrDefault(key, List.of()));
  }

  @Override
  public synchronized boolean cut(Key key, String node, int entries) {
    answer();
    if (!isHeld(key, node)) {
      return false;
    }
    List<byte[]> log = logs.getOrDefault(key, new ArrayList<>());
    if (entries < log.size()) {
      log.subList(Math.max(0, entries), log.size()).clear();
    }
    return true;
  }

  @Override
  public synchronized long post(String box, byte[] message, int countMax) {
    answer();
    TaskRows.checkName(box);
    TreeMap<Long, byte[]> messagesOfBox = boxes.computeIfAbsent(box, absent -> new TreeMap<>());
    if (messagesOfBox.size() >= countMax) {
      return -1;
    }
    messagesOfBox.put(++messages, message.clone());
    return messages;
  }

  @Override
  public synchronized List<Message> mail(String box, int max) {
    answer();
    TaskRows.checkName(box);
    return boxes.getOrDefault(box, new TreeMap<>()).entrySet().stream()
        .limit(max)
        .map(message -> new Message(message.getKey(), message.getValue()))
        .toList();
  }

  @Override
  public synchronized void discard(String box, long through) {
    answer();
    TaskRows.checkName(box);
    boxes.getOrDefault(box, new TreeMap<>()).headMap(through, true).clear();
  }

  @Override
  public void close() {
    fail("the store of tasks is closed");
  }
}
