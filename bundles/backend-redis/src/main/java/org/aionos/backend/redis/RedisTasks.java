package org.aionos.backend.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.lettuce.core.KeyValue;
import io.lettuce.core.Limit;
import io.lettuce.core.Range;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.StreamMessage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.Tier;
import org.aionos.tasks.TaskRows;
import org.jspecify.annotations.Nullable;

/**
 * Tasks in Redis, for kernels that share them. Tasks that have not ended go over one stream for
 * each queue and tenant, of which the nodes are consumers: a task is pending with the node that
 * holds it. What it is stands in a hash, its log in a list. Each change is one script, which also
 * checks who holds the task; {@code tasks.lua} says what is where.
 */
final class RedisTasks implements TaskStore {

  /**
   * A pause for collection, or of the network, is shorter; waiting for a lost node's is bearable.
   */
  private static final long CLAIM_MILLIS = 10_000;

  /** Rows of one answer: the server does nothing else meanwhile, some milliseconds. */
  private static final int ROWS_MAX = 64;

  /** Of a listing, what one script looks at: about a millisecond. */
  private static final int LOOKS = 512;

  /** Of a page: some 50 ms, with a filter that admits nothing; then it says where to go on. */
  private static final int LOOKED_AT_MAX = 20_000;

  /** Entries of a log in one answer; at 64 KiB for an outcome these are 4 MiB. */
  private static final int ENTRIES_MAX = 64;

  /** Up to here every whole number is one of the server's scripts too. */
  private static final long NUMBER_MAX = 1L << 53;

  private static final Script ADD = Script.thatGrows("tasks.lua", "task-add.lua");
  private static final Script REPLACE = Script.thatGrows("tasks.lua", "task-replace.lua");

  /**
   * A server whose memory is full must learn that a task has ended: only then can it be removed.
   */
  private static final Script END = Script.thatOnlyTakes("tasks.lua", "task-replace.lua");

  private static final Script REMOVE = Script.thatOnlyTakes("tasks.lua", "task-remove.lua");
  private static final Script RENEW = Script.thatOnlyTakes("tasks.lua", "task-renew.lua");
  private static final Script UNENDED = Script.thatOnlyTakes("tasks.lua", "task-unended.lua");
  private static final Script HOLDER = Script.thatOnlyTakes("tasks.lua", "task-holder.lua");
  private static final Script CLAIM = Script.thatGrows("tasks.lua", "task-claim.lua");
  private static final Script APPEND = Script.thatGrows("tasks.lua", "task-append.lua");
  private static final Script CUT = Script.thatOnlyTakes("tasks.lua", "task-cut.lua");
  private static final Script LIST = Script.thatOnlyTakes("tasks.lua", "task-list.lua");
  private static final Script POST = Script.thatGrows("mail-post.lua");
  private static final Script DISCARD = Script.thatOnlyTakes("mail-discard.lua");

  private static final byte[][] FIELDS =
      Stream.of("a", "t", "s", "m", "r", "n", "d").map(RedisTasks::text).toArray(byte[][]::new);

  private final RedisLink link;
  private final Consumer<RedisTasks> onClose;

  RedisTasks(RedisLink link, Consumer<RedisTasks> onClose) {
    this.link = link;
    this.onClose = onClose;
  }

  // --- tasks ------------------------------------------------------------------------------------

  @Override
  public Row add(Row row) {
    TaskRows.checkNew(row);
    List<Object> there =
        run(
            ADD,
            tenant(row.key()),
            text(row.key().id()),
            text(row.agent()),
            text(row.tier().name()),
            text(row.state().name()),
            number(row.submittedMillis()),
            row.document(),
            TaskRows.place(row.key(), row.submittedMillis()));
    return there.isEmpty() ? row : row(row.key(), there);
  }

  @Override
  public Optional<Row> find(Key key) {
    byte[] row = text("aion:task:row:" + escaped(key.tenant()) + ":" + key.id());
    List<KeyValue<byte[], byte[]>> fields = link.ask(c -> c.hmget(row, FIELDS));
    if (!fields.get(0).hasValue()) {
      return Optional.empty();
    }
    return Optional.of(row(key, fields.stream().<Object>map(KeyValue::getValue).toList()));
  }

  @Override
  public boolean replace(Row row) {
    TaskRows.checkLater(row);
    String node = row.node() == null ? "" : checked(row.node());
    return done(
        row.state().isEnded() ? END : REPLACE,
        tenant(row.key()),
        text(row.key().id()),
        number(row.revision()),
        text(row.agent()),
        text(row.tier().name()),
        text(row.state().name()),
        number(row.submittedMillis()),
        text(node),
        row.document(),
        TaskRows.place(row.key(), row.submittedMillis()));
  }

  @Override
  public void remove(Key key) {
    done(REMOVE, tenant(key), text(key.id()));
  }

  // --- listing ----------------------------------------------------------------------------------

  @Override
  public Page list(Filter filter, @Nullable String after, int limit) {
    byte[] place = after == null ? new byte[0] : TaskRows.after(after);
    String tenant = filter.tenant();
    byte[] listing = text(tenant == null ? "listed" : "listed:" + escaped(tenant));
    List<Row> found = new ArrayList<>();
    int most = Math.min(limit, TaskRows.PAGE_MAX);
    for (int looked = 0; looked < LOOKED_AT_MAX && found.size() < most; looked += LOOKS) {
      List<Object> answer =
          run(
              LIST,
              listing,
              place,
              text(filter.agent() == null ? "" : filter.agent()),
              text(filter.state() == null ? "" : filter.state().name()),
              text(filter.tier() == null ? "" : filter.tier().name()),
              number(Math.min(most - found.size(), ROWS_MAX)),
              number(LOOKS));
      answer.stream().skip(1).map(RedisTasks::row).forEach(found::add);
      place = (byte[]) answer.get(0);
      if (place.length == 0) {
        return new Page(found, null);
      }
    }
    return new Page(found, TaskRows.next(place));
  }

  // --- nodes ------------------------------------------------------------------------------------

  @Override
  public Map<Tier, Long> waiting() {
    Map<Tier, Long> waiting = new EnumMap<>(Tier.class);
    byte[][] tiers =
        Arrays.stream(Tier.values()).map(tier -> text(tier.name())).toArray(byte[][]::new);
    List<KeyValue<byte[], byte[]>> counts =
        link.ask(c -> c.hmget(text("aion:task:waiting"), tiers));
    for (Tier tier : Tier.values()) {
      KeyValue<byte[], byte[]> count = counts.get(tier.ordinal());
      waiting.put(tier, count.hasValue() ? number(count.getValue()) : 0L);
    }
    return waiting;
  }

  @Override
  public long unended(String tenant) {
    TaskRows.checkName(tenant);
    return count(UNENDED, List.of(), text(escaped(tenant)));
  }

  @Override
  public Optional<Hold> holder(Key key) {
    List<Object> held = run(HOLDER, tenant(key), text(key.id()));
    return held.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Hold(
                string(held.get(0)),
                number((byte[]) held.get(1)),
                string(held.get(2)).equals("1")));
  }

  @Override
  public List<Row> claim(String node, Map<Tier, Integer> mostOf) {
    byte[] name = text(checked(node));
    List<Row> claimed = new ArrayList<>();
    for (Tier tier : Tier.values()) {
      int wanted = mostOf.getOrDefault(tier, 0);
      int most;
      int taken;
      do {
        most = Math.max(0, Math.min(wanted, ROWS_MAX));
        List<Object> rows = run(CLAIM, name, number(CLAIM_MILLIS), text(tier.name()), number(most));
        rows.stream().map(RedisTasks::row).forEach(claimed::add);
        taken = rows.size();
        wanted -= taken;
      } while (wanted > 0 && taken == most);
    }
    return claimed;
  }

  @Override
  public void renew(String node) {
    done(RENEW, text(checked(node)), number(CLAIM_MILLIS));
  }

  /** The name of a node, which is not the one for nobody. */
  private static String checked(String node) {
    TaskRows.checkName(node);
    if (node.equals("-")) {
      throw new IllegalArgumentException("no node is called -");
    }
    return node;
  }

  @Override
  public long claimMillis() {
    return CLAIM_MILLIS;
  }

  // --- logs -------------------------------------------------------------------------------------

  @Override
  public int append(Key key, String node, byte[] entry) {
    return Math.toIntExact(
        count(APPEND, List.of(), tenant(key), text(key.id()), text(checked(node)), entry));
  }

  @Override
  public List<byte[]> log(Key key) {
    byte[] log = text("aion:task:log:" + escaped(key.tenant()) + ":" + key.id());
    List<byte[]> entries = new ArrayList<>();
    List<byte[]> some;
    do {
      int from = entries.size();
      some = link.ask(c -> c.lrange(log, from, from + ENTRIES_MAX - 1));
      entries.addAll(some);
    } while (some.size() == ENTRIES_MAX);
    return entries;
  }

  @Override
  public boolean cut(Key key, String node, int entries) {
    return done(CUT, tenant(key), text(key.id()), text(checked(node)), number(entries));
  }

  // --- mail -------------------------------------------------------------------------------------

  @Override
  public long post(String box, byte[] message, int countMax) {
    return count(POST, List.of(box(box), text("aion:mail-number")), message, number(countMax));
  }

  @Override
  public List<Message> mail(String box, int max) {
    byte[] stream = box(box);
    List<StreamMessage<byte[], byte[]>> messages =
        link.ask(c -> c.xrange(stream, Range.unbounded(), Limit.from(max)));
    return messages.stream()
        .map(
            message ->
                new Message(
                    Long.parseLong(message.getId().split("-", 2)[0]),
                    message.getBody().values().iterator().next()))
        .toList();
  }

  @Override
  public void discard(String box, long through) {
    count(DISCARD, List.of(box(box)), number(Math.min(through, NUMBER_MAX) + 1));
  }

  private static byte[] box(String box) {
    TaskRows.checkName(box);
    return text("aion:mail:" + box);
  }

  // --- words of the server ----------------------------------------------------------------------

  private List<Object> run(Script script, byte[]... arguments) {
    return link.run(script, ScriptOutputType.MULTI, List.of(), List.of(arguments));
  }

  private boolean done(Script script, byte[]... arguments) {
    return count(script, List.of(), arguments) == 1;
  }

  private long count(Script script, List<byte[]> keys, byte[]... arguments) {
    Long count = link.run(script, ScriptOutputType.INTEGER, keys, List.of(arguments));
    return requireNonNull(count);
  }

  private static Row row(Object row) {
    List<?> fields = (List<?>) row;
    Key key = new Key(unescaped(string(fields.get(7))), string(fields.get(8)));
    return row(key, fields);
  }

  private static Row row(Key key, List<?> fields) {
    return new Row(
        key,
        string(fields.get(0)),
        Tier.valueOf(string(fields.get(1))),
        TaskState.valueOf(string(fields.get(2))),
        number((byte[]) fields.get(3)),
        number((byte[]) fields.get(4)),
        TaskRows.orNobody(string(fields.get(5))),
        (byte[]) fields.get(6));
  }

  /** So that no tenant's name runs into an id. */
  private static byte[] tenant(Key key) {
    return text(escaped(key.tenant()));
  }

  private static String escaped(String tenant) {
    return tenant.replace("%", "%25").replace(":", "%3A");
  }

  private static String unescaped(String tenant) {
    return tenant.replace("%3A", ":").replace("%25", "%");
  }

  private static String string(Object bytes) {
    return new String((byte[]) bytes, UTF_8);
  }

  private static long number(byte[] digits) {
    return Long.parseLong(new String(digits, UTF_8));
  }

  private static byte[] number(long number) {
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
