package org.aionos.scheduler;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Reply;
import org.aionos.kernel.Underway;
import org.jspecify.annotations.Nullable;

/**
 * The calls of one task, in the order in which they were begun, and what it saved of itself. A task
 * that starts anew is answered from here until it has made again all the calls that it had made.
 *
 * <p>Calls are known by what they ask for. A call that began when all before it had ended can only
 * be made again in its place; calls that ran at the same time may come in any order among
 * themselves. A call that is none of those that are due means that the task does something else
 * than it did: then nothing is made up, it is told so.
 *
 * <p>Safe for use by many threads.
 */
final class CallLog {

  /**
   * One thread of a task may be ahead of another: so long a call waits for those before it, after
   * the last of these has come. The log cannot tell who has threads: calls of two of them may have
   * been made one after the other.
   */
  private static final Duration OTHERS_MAX = Duration.ofSeconds(5);

  private static final long LOOK_MILLIS = 50;

  /** A call that ended so may have been carried out. */
  private static final Set<Code> UNCERTAIN = Set.of(Code.OUTCOME_UNKNOWN, Code.JOURNAL_UNAVAILABLE);

  /** The number of a call that the log does not have yet. */
  private static final int NEW = -1;

  /** Keeps entries. */
  interface Sink {
    /**
     * @throws Refused if it cannot be kept, or the task is another node's by now
     */
    void append(byte[] entry);
  }

  /** What bounds a log. */
  record Bounds(int callsMax, long bytesMax) {}

  private static final class Entry {
    final String name;
    final String digest;

    /** How many calls had ended when this one began. */
    final int endedBefore;

    String auditId;

    /** How it ended in an earlier start; null if that is not known. */
    @Nullable Reply reply;

    boolean made;

    /** Where it was when it was broken off; null if it was not. */
    @Nullable Map<String, @Nullable Object> before;

    /** Whether it was broken off in this start, and was not made again yet. */
    boolean suspended;

    Entry(String name, String digest, int endedBefore, String auditId) {
      this.name = name;
      this.digest = digest;
      this.endedBefore = endedBefore;
      this.auditId = auditId;
    }
  }

  /** What a task has saved of itself, and after how many calls. */
  record Saved(int calls, Map<String, @Nullable Object> state) {}

  private final Bounds bounds;
  private final Sink sink;
  private final LongSupplier nanos;

  /** Guarded by this, as all that follows. */
  private final List<Entry> entries = new ArrayList<>();

  /** Ends that were told and could not be kept: they come before anything else. */
  private final List<Map<String, @Nullable Object>> owed = new ArrayList<>();

  private boolean closed;

  private @Nullable Saved saved;
  private int ended;
  private long bytes;

  /** Calls before this one are not made again. */
  private int from;

  /** No call before this one is to be made again. */
  private int due;

  private int madeAgain;

  // What its calls have used, of those that are kept.
  private int callsUsed;
  private long tokensInUsed;
  private long tokensOutUsed;
  private BigDecimal costUsdUsed = BigDecimal.ZERO;

  /** Entries there were when this start began: what is to be made again. */
  private int known;

  private CallLog(Bounds bounds, Sink sink, LongSupplier nanos) {
    this.bounds = bounds;
    this.sink = sink;
    this.nanos = nanos;
  }

  /**
   * Reads what was kept. The task begins anew.
   *
   * @param nanos goes on steadily
   * @throws IllegalStateException if an entry is damaged
   */
  static CallLog of(List<byte[]> kept, Bounds bounds, Sink sink, LongSupplier nanos) {
    CallLog log = new CallLog(bounds, sink, nanos);
    for (byte[] entry : kept) {
      log.read(entry);
    }
    log.known = log.entries.size();
    log.entries.forEach(log::count);
    return log;
  }

  private void read(byte[] bytesOfEntry) {
    try {
      Fields entry = Documents.kept(bytesOfEntry);
      bytes += bytesOfEntry.length;
      switch (entry.text("what")) {
        case "begun" -> readBegun(entry);
        case "again" -> entries.get(number(entry)).auditId = entry.text("audit_id");
        case "ended" -> {
          entries.get(number(entry)).reply =
              new Reply(
                  entry.text("audit_id"),
                  Outcomes.read(entry),
                  Duration.ofNanos(entry.wholeNumber("took_ns", 0, 0, Long.MAX_VALUE)));
        }
        case "suspended" -> {
          entries.get(number(entry)).before = entry.object("state").values();
          count(Outcomes.spent(entry));
        }
        case "saved" ->
            saved =
                new Saved(
                    (int) entry.wholeNumber("calls", 0, 0, Integer.MAX_VALUE),
                    entry.object("state").values());
        default -> throw entry.invalid("what", "is not known");
      }
    } catch (InvalidDocument | IndexOutOfBoundsException | IllegalArgumentException damaged) {
      throw new IllegalStateException("the log of a task is damaged", damaged);
    }
  }

  /** A call may be there twice: it was kept, we were told that it was not, and it was not made. */
  private void readBegun(Fields entry) throws InvalidDocument {
    Entry call =
        new Entry(
            entry.text("name"),
            entry.text("digest"),
            (int) entry.wholeNumber("ended_before", 0, 0, Integer.MAX_VALUE),
            entry.text("audit_id"));
    int number = number(entry);
    if (number == entries.size()) {
      entries.add(call);
    } else {
      entries.set(number, call);
    }
  }

  private void count(Entry call) {
    Reply reply = call.reply;
    if (reply == null) {
      return;
    }
    ended++;
    callsUsed++;
    count(reply.outcome().spent());
  }

  private void count(Outcome.Spent spent) {
    tokensInUsed += spent.tokensIn();
    tokensOutUsed += spent.tokensOut();
    costUsdUsed = costUsdUsed.add(spent.costUsd());
  }

  /** A kernel that died may have kept calls and not yet that they were used. */
  synchronized void countInto(Progress progress) {
    progress.calls = Math.max(progress.calls, callsUsed);
    progress.tokensIn = Math.max(progress.tokensIn, tokensInUsed);
    progress.tokensOut = Math.max(progress.tokensOut, tokensOutUsed);
    progress.costUsd = progress.costUsd.max(costUsdUsed);
  }

  private static int number(Fields entry) throws InvalidDocument {
    if (!entry.has("n")) {
      throw entry.missing("n");
    }
    return (int) entry.wholeNumber("n", 0, 0, Integer.MAX_VALUE);
  }

  /**
   * How many of the kept entries are to stay for another attempt, after one that failed: it may
   * have failed of the calls at the end that did, so those are made anew. A call of whose end
   * nothing is known stays, also once the task was told so: nobody may make it as if it had never
   * been.
   */
  static int keptAfterFailure(List<byte[]> kept) {
    List<Fields> entries = new ArrayList<>();
    Map<Integer, Boolean> failed = new HashMap<>();
    try {
      for (byte[] each : kept) {
        Fields entry = Documents.kept(each);
        entries.add(entry);
        switch (entry.text("what")) {
          case "begun", "again" -> failed.put(number(entry), false);
          case "ended" -> failed.put(number(entry), hasSurelyFailed(entry));
          default -> {}
        }
      }
      int keep = entries.size();
      while (keep > 0 && isOfFailed(entries.get(keep - 1), failed)) {
        keep--;
      }
      return keep;
    } catch (InvalidDocument | IllegalArgumentException damaged) {
      throw new IllegalStateException("the log of a task is damaged", damaged);
    }
  }

  private static boolean hasSurelyFailed(Fields end) throws InvalidDocument {
    return end.has("code") && !UNCERTAIN.contains(Code.valueOf(end.text("code")));
  }

  private static boolean isOfFailed(Fields entry, Map<Integer, Boolean> failed)
      throws InvalidDocument {
    return !entry.text("what").equals("saved") && failed.getOrDefault(number(entry), false);
  }

  // --- calls ----------------------------------------------------------------------------------

  /**
   * The task makes a call.
   *
   * @param isRepeatable of a call that had begun and of whose end nothing is known: whether it may
   *     be carried out once more
   * @throws Refused {@code REPLAY_DIVERGED}; {@code BUDGET_EXHAUSTED} if the log is full
   */
  synchronized Made make(
      String name, Map<String, @Nullable Object> params, BooleanSupplier isRepeatable) {
    requireOpen();
    String digest = digest(name, params);
    int suspended = suspended(digest);
    if (suspended != NEW) {
      return madeAgain(name, digest, suspended);
    }
    int number = again(name, digest);
    if (number == NEW) {
      requireRoom();
      return new Made(name, digest, NEW, null, null);
    }
    Entry again = entries.get(number);
    Reply reply = again.reply;
    if (reply == null && !isRepeatable.getAsBoolean()) {
      reply = unknown(again);
      keep(end(number, reply));
      ended++;
    }
    again.made = true;
    // Nobody asks for it twice, and it may be large.
    again.reply = null;
    madeAgain++;
    notifyAll();
    return new Made(name, digest, number, reply, again.before);
  }

  /** A call of this start that was broken off. */
  private int suspended(String digest) {
    for (int i = known; i < entries.size(); i++) {
      Entry entry = entries.get(i);
      if (entry.suspended && entry.digest.equals(digest)) {
        return i;
      }
    }
    return NEW;
  }

  private Made madeAgain(String name, String digest, int number) {
    Entry entry = entries.get(number);
    entry.suspended = false;
    return new Made(name, digest, number, null, entry.before);
  }

  /** Nothing more is kept of this start of the task: the next one may have read the log. */
  synchronized void close() {
    closed = true;
    notifyAll();
  }

  private void requireOpen() {
    if (closed) {
      throw new Refused(Code.CONFLICT, "the task has ended, or was begun anew, meanwhile");
    }
  }

  private void requireRoom() {
    if (entries.size() >= bounds.callsMax || bytes >= bounds.bytesMax) {
      throw full();
    }
  }

  /** What a task saves stays in the log when it saves anew. */
  private void requireRoomFor(Map<String, @Nullable Object> state) {
    if (bytes + Documents.write(state).length > bounds.bytesMax) {
      throw full();
    }
  }

  private Refused full() {
    return new Refused(
        Problem.of(
                Code.BUDGET_EXHAUSTED,
                "this task has made as many calls as can be kept to be replayed: "
                    + entries.size()
                    + ", of "
                    + bytes
                    + " bytes")
            .admittedBy(
                "task.checkpoint does not help; an operator raises limits.calls_max or"
                    + " limits.log_bytes_max of scheduler.yaml, or the work is split"));
  }

  /** A call that a task makes. */
  static final class Made {

    private final String name;
    private final String digest;
    private final @Nullable Reply reply;
    private final @Nullable Map<String, @Nullable Object> before;

    /** Where it stands in the log; {@link #NEW} until it is there. Guarded by the log. */
    private int number;

    private Made(
        String name,
        String digest,
        int number,
        @Nullable Reply reply,
        @Nullable Map<String, @Nullable Object> before) {
      this.name = name;
      this.digest = digest;
      this.number = number;
      this.reply = reply;
      this.before = before;
    }

    /** Where it was when it was broken off; null if it begins. */
    @Nullable Map<String, @Nullable Object> before() {
      return before;
    }

    /** How it ended before; null if it is to be carried out. */
    @Nullable Reply reply() {
      return reply;
    }
  }

  private static Reply unknown(Entry entry) {
    return new Reply(
        entry.auditId,
        Outcome.failed(
            Problem.of(
                    Code.OUTCOME_UNKNOWN,
                    "the kernel stopped while this call ran ("
                        + entry.auditId
                        + "); whether it had an effect is not known, and its tool does not say"
                        + " that it may be called twice")
                .admittedBy("check the effect, then make another call")),
        Duration.ZERO);
  }

  /** The number of the call that is made again; {@link #NEW} if all have been. */
  private int again(String name, String digest) {
    long sinceNanos = nanos.getAsLong();
    int madeBefore = madeAgain;
    while (true) {
      int first = firstDue();
      if (first == known) {
        return NEW;
      }
      int end = endOfGroup(first);
      for (int i = first; i < end; i++) {
        Entry entry = entries.get(i);
        if (!entry.made && entry.digest.equals(digest)) {
          return i;
        }
      }
      if (madeAgain != madeBefore) {
        madeBefore = madeAgain;
        sinceNanos = nanos.getAsLong();
      }
      if (nanos.getAsLong() - sinceNanos >= OTHERS_MAX.toNanos()) {
        throw diverged(first, name, digest);
      }
      awaitOthers();
      requireOpen();
    }
  }

  private Refused diverged(int first, String name, String digest) {
    return new Refused(
        Code.REPLAY_DIVERGED,
        "the task did not do what it did before: call "
            + first
            + " was "
            + entries.get(first).name
            + " "
            + entries.get(first).digest.substring(0, 12)
            + ", and now is "
            + name
            + " "
            + digest.substring(0, 12));
  }

  private void awaitOthers() {
    try {
      wait(LOOK_MILLIS);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new Refused(Code.CANCELLED, "interrupted while it waited for the task's other calls");
    }
  }

  /** The first call that was made before and not again; {@link #known} if there is none. */
  private int firstDue() {
    due = Math.max(due, from);
    while (due < known && entries.get(due).made) {
      due++;
    }
    return due;
  }

  /** A group ends where a call began with all before it ended. */
  private int endOfGroup(int first) {
    int end = first + 1;
    while (end < known && entries.get(end).endedBefore < end) {
      end++;
    }
    return end;
  }

  /**
   * Keeps that a call is about to be carried out.
   *
   * @throws Refused if it could not be kept: then the task has not made the call
   */
  synchronized void begun(Made made, String auditId) {
    requireOpen();
    boolean isNew = made.number == NEW;
    Map<String, @Nullable Object> kept = new LinkedHashMap<>();
    kept.put("what", isNew ? "begun" : "again");
    kept.put("n", isNew ? entries.size() : made.number);
    kept.put("audit_id", auditId);
    if (isNew) {
      kept.put("name", made.name);
      kept.put("digest", made.digest);
      kept.put("ended_before", ended);
    }
    try {
      keep(kept);
    } catch (Refused unkept) {
      if (!isNew) {
        giveBack(made.number);
      }
      throw unkept;
    }
    if (isNew) {
      made.number = entries.size();
      entries.add(new Entry(made.name, made.digest, ended, auditId));
    } else {
      entries.get(made.number).auditId = auditId;
    }
  }

  private void giveBack(int number) {
    entries.get(number).made = false;
    madeAgain--;
    due = Math.min(due, number);
  }

  /**
   * Keeps how a call ended.
   *
   * @throws Refused if it could not be kept: then the task is to be told that nobody knows
   */
  synchronized void ended(Made made, Reply reply) {
    requireOpen();
    ended++;
    try {
      keep(end(made.number, reply));
    } catch (Refused unkept) {
      // It may be kept nevertheless. What the task is told is what it must be told again.
      owed.add(
          end(
              made.number,
              new Reply(
                  reply.auditId(),
                  Outcome.failed(
                      Problem.of(
                          Code.JOURNAL_UNAVAILABLE,
                          "the call may have run, but its outcome could not be recorded")),
                  reply.took())));
      throw unkept;
    }
  }

  /**
   * Keeps how far a call is that was broken off. It is made again: by this start of the task, or by
   * the next.
   *
   * @throws Refused if it could not be kept: then it is made again from its beginning
   */
  synchronized void suspended(Made made, Underway.SoFar soFar) {
    requireOpen();
    Entry entry = entries.get(made.number);
    entry.suspended = true;
    Map<String, @Nullable Object> kept = new LinkedHashMap<>();
    kept.put("what", "suspended");
    kept.put("n", made.number);
    kept.put("state", soFar.state());
    Outcomes.write(soFar.spent(), kept);
    keep(kept);
    entry.before = soFar.state();
  }

  private static Map<String, @Nullable Object> end(int number, Reply reply) {
    Map<String, @Nullable Object> end = new LinkedHashMap<>();
    end.put("what", "ended");
    end.put("n", number);
    end.put("audit_id", reply.auditId());
    end.put("took_ns", reply.took().toNanos());
    Outcomes.write(reply.outcome(), end);
    return end;
  }

  /**
   * Keeps what a task says of itself, in the place of what it said before.
   *
   * @return how many calls it has made
   * @throws Refused {@code BUDGET_EXHAUSTED} if the log is full: what was saved before stays there
   */
  synchronized int save(Map<String, @Nullable Object> state) {
    requireOpen();
    requireRoomFor(state);
    int calls = from + madeAgain + (entries.size() - known);
    Map<String, @Nullable Object> kept = new LinkedHashMap<>();
    kept.put("what", "saved");
    kept.put("calls", calls);
    kept.put("state", state);
    keep(kept);
    saved = new Saved(calls, state);
    return calls;
  }

  /** What the task has saved; null for nothing. */
  synchronized @Nullable Saved saved() {
    return saved;
  }

  /**
   * The task goes on from what it saved: the calls before are not made again.
   *
   * @throws Refused {@code CONFLICT} if it has begun to make calls
   */
  synchronized @Nullable Saved resume() {
    Saved state = saved;
    if (state == null) {
      return null;
    }
    if (entries.size() > known || madeAgain > 0) {
      throw new Refused(
          Code.CONFLICT, "a task goes on from what it saved before it makes its first call");
    }
    from = Math.min(state.calls(), known);
    return state;
  }

  /** Calls that were answered from here since the task started. */
  synchronized int replayed() {
    return madeAgain;
  }

  synchronized int size() {
    return entries.size();
  }

  private void keep(Map<String, @Nullable Object> entry) {
    while (!owed.isEmpty()) {
      append(owed.get(0));
      owed.remove(0);
    }
    append(entry);
  }

  private void append(Map<String, @Nullable Object> entry) {
    byte[] written = Documents.write(entry);
    sink.append(written);
    bytes += written.length;
  }

  // --- what a call asks for -------------------------------------------------------------------

  static String digest(String name, Map<String, @Nullable Object> params) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      sha256.update(name.getBytes(UTF_8));
      sha256.update((byte) 0);
      Map<String, @Nullable Object> sorted = new LinkedHashMap<>();
      sorted.put("", sorted(params));
      return HexFormat.of().formatHex(sha256.digest(Documents.write(sorted)));
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  /** Names have no order in JSON, so a digest must not depend on one. */
  private static @Nullable Object sorted(@Nullable Object value) {
    if (value instanceof Map<?, ?> map) {
      Map<String, @Nullable Object> sorted = new TreeMap<>();
      map.forEach((name, each) -> sorted.put(String.valueOf(name), sorted(each)));
      return sorted;
    }
    if (value instanceof List<?> list) {
      List<@Nullable Object> sorted = new ArrayList<>();
      list.forEach(each -> sorted.add(sorted(each)));
      return sorted;
    }
    return value instanceof Number number ? asRead(number) : value;
  }

  /** A number as it comes back once it was kept: what was told then is what is asked for now. */
  private static Number asRead(Number number) {
    if (number instanceof Integer || number instanceof Long || number instanceof Double) {
      return number;
    }
    String written = number.toString();
    return written.matches("-?\\d+") ? new BigInteger(written) : Double.valueOf(written);
  }
}
