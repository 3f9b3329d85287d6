package org.aionos.tasks;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.HexFormat;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore.Filter;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.TaskStore.Row;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;

/** Tasks as bytes, by what they are found, and what every store checks before it keeps one. */
public final class TaskRows {

  /** Of {@code TaskStore.list}: rows of one page. */
  public static final int PAGE_MAX = 1_000;

  private static final byte FORM = 1;
  private static final int TIME_DIGITS = 16;

  private TaskRows() {}

  // --- what is refused --------------------------------------------------------------------------

  /**
   * @throws IllegalArgumentException for what is no new task
   */
  public static void checkNew(Row row) {
    check(row);
    if (row.revision() != 1 || row.node() != null) {
      throw new IllegalArgumentException(
          "a new task has revision 1 and is held by nobody: " + row.key());
    }
  }

  /**
   * @throws IllegalArgumentException for what is no later revision of a task
   */
  public static void checkLater(Row row) {
    check(row);
    if (row.revision() < 2) {
      throw new IllegalArgumentException("revision 1 is that of a new task: " + row.key());
    }
    if (row.state().isEnded() && row.node() != null) {
      throw new IllegalArgumentException("a task that has ended is held by nobody: " + row.key());
    }
  }

  private static void check(Row row) {
    checkName(row.key().tenant());
    checkName(row.key().id());
    if (row.submittedMillis() < 0) {
      throw new IllegalArgumentException("submitted before 1970: " + row.key());
    }
  }

  /**
   * Names are told apart by the zero between them.
   *
   * @throws IllegalArgumentException for an empty one, or one with a zero in it
   */
  public static void checkName(String name) {
    if (name.isEmpty() || name.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("must be a name, without a zero");
    }
  }

  // --- names ------------------------------------------------------------------------------------

  /** Tenant and id; the key of one task never begins with that of another. */
  public static byte[] key(Key key) {
    return (key.tenant() + "\0" + key.id() + "\0").getBytes(UTF_8);
  }

  public static Key key(byte[] key) {
    String text = new String(key, UTF_8);
    int tenant = text.indexOf('\0');
    return new Key(text.substring(0, tenant), text.substring(tenant + 1, text.length() - 1));
  }

  /**
   * A task's place in the listing: time, tenant, id. The order of these bytes, backwards, is that
   * of the listing.
   */
  public static byte[] place(Key key, long submittedMillis) {
    return (HexFormat.of().toHexDigits(submittedMillis) + "\0" + key.tenant() + "\0" + key.id())
        .getBytes(UTF_8);
  }

  public static Key keyOf(byte[] place) {
    String[] parts = new String(place, UTF_8).split("\0", -1);
    return new Key(parts[1], parts[2]);
  }

  /** Where a page ended, as its reader is told. */
  public static String next(byte[] place) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(place);
  }

  /**
   * The place where a page ended.
   *
   * @throws Refused {@code INVALID_FIELD} for what no page said
   */
  public static byte[] after(String next) {
    try {
      byte[] place = Base64.getUrlDecoder().decode(next);
      String[] parts = new String(place, UTF_8).split("\0", -1);
      if (parts.length == 3 && parts[0].length() == TIME_DIGITS) {
        return place;
      }
    } catch (IllegalArgumentException notOurs) {
      // Refused below.
    }
    throw new Refused(Problem.of(Code.INVALID_FIELD, "after must be what a page said as next"));
  }

  public static boolean admits(Filter filter, Key key, String agent, TaskState state, Tier tier) {
    return (filter.tenant() == null || filter.tenant().equals(key.tenant()))
        && (filter.agent() == null || filter.agent().equals(agent))
        && (filter.state() == null || filter.state() == state)
        && (filter.tier() == null || filter.tier() == tier);
  }

  // --- rows -------------------------------------------------------------------------------------

  /** All but the key. */
  public static byte[] bytes(Row row) {
    byte[] agent = row.agent().getBytes(UTF_8);
    byte[] node = (row.node() == null ? "" : row.node()).getBytes(UTF_8);
    return ByteBuffer.allocate(
            3
                + 2 * Long.BYTES
                + 2 * Short.BYTES
                + agent.length
                + node.length
                + row.document().length)
        .put(FORM)
        .put((byte) row.tier().ordinal())
        .put((byte) row.state().ordinal())
        .putLong(row.submittedMillis())
        .putLong(row.revision())
        .putShort((short) agent.length)
        .put(agent)
        .putShort((short) node.length)
        .put(node)
        .put(row.document())
        .array();
  }

  /**
   * @throws IllegalStateException if the row was not written here
   */
  public static Row row(Key key, byte[] row) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(row);
      if (bytes.get() != FORM) {
        throw new IllegalStateException("a row of tasks is of another kernel: " + key);
      }
      Tier tier = Tier.values()[bytes.get()];
      TaskState state = TaskState.values()[bytes.get()];
      long submittedMillis = bytes.getLong();
      long revision = bytes.getLong();
      String agent = text(bytes);
      String node = text(bytes);
      byte[] document = new byte[bytes.remaining()];
      bytes.get(document);
      return new Row(key, agent, tier, state, submittedMillis, revision, orNobody(node), document);
    } catch (BufferUnderflowException | IndexOutOfBoundsException damaged) {
      throw new IllegalStateException("a row of tasks is damaged: " + key, damaged);
    }
  }

  /** How a node is written where nobody is an empty text. */
  public static @Nullable String orNobody(String node) {
    return node.isEmpty() ? null : node;
  }

  private static String text(ByteBuffer bytes) {
    byte[] text = new byte[Short.toUnsignedInt(bytes.getShort())];
    bytes.get(text);
    return new String(text, UTF_8);
  }
}
