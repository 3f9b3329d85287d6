package org.aionos.scheduling;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What tenants, agents and tasks may use up, and what they have. First the most that something may
 * use is reserved, in all accounts at once or in none; then what it has used is charged and the
 * rest given back. However many threads reserve, no limit is exceeded, unless somebody uses more
 * than was reserved.
 *
 * <p>Times are milliseconds since 1970. A reservation belongs to the window in which it was made,
 * and so does what is given back of it.
 *
 * <p><b>Crashes.</b> What is on disk runs ahead of what has been used, by a block: the {@link
 * Keeper} writes before anything beyond is handed out. So a ledger that is {@linkplain #restore
 * restored} from that never admits too much; it has lost a block at most. Rates are not kept:
 * restored, they begin empty.
 *
 * <p>Safe for use by many threads; one lock, held while the keeper writes. Accounts are the
 * caller's to bound, by {@link #forget}.
 */
public final class Ledger {

  /** A block is this part of its limit: so often is written, and so much can be lost in a crash. */
  private static final long BLOCKS = 64;

  private final Keeper keeper;
  private final Map<Scope, Map<Meter.Id, Meter>> accounts = new HashMap<>();
  private final Map<Meter.Id, Mark> restored = new HashMap<>();
  private @Nullable Long restoredMillis;

  public Ledger(Keeper keeper) {
    this.keeper = requireNonNull(keeper, "keeper");
  }

  /**
   * Sets what a scope may use, in place of what was said before. What it has used of a kind, in
   * windows of the same length, stays used.
   */
  public synchronized void limit(Scope scope, List<Limit> limits, long nowMillis) {
    Map<Meter.Id, Meter> before = accounts.getOrDefault(scope, Map.of());
    Map<Meter.Id, Meter> meters = new LinkedHashMap<>();
    for (Limit limit : limits) {
      Meter.Id id = Meter.Id.of(scope, limit);
      Meter meter = before.get(id);
      meter = meter == null ? open(id, limit, nowMillis) : meter.changed(limit, nowMillis);
      if (meters.put(id, meter) != null) {
        throw new IllegalArgumentException("two limits of the same kind and window: " + limit);
      }
    }
    accounts.put(scope, meters);
  }

  private Meter open(Meter.Id id, Limit limit, long nowMillis) {
    if (limit instanceof Limit.Rate rate) {
      Meter.Bucket full = new Meter.Bucket(id, rate, nowMillis);
      return restoredMillis == null ? full : full.emptyAt(restoredMillis, nowMillis);
    }
    Mark mark = restored.remove(id);
    Meter.Counter counter = new Meter.Counter(id, limit);
    return mark == null ? counter : counter.at(mark);
  }

  /** Forgets a scope that will not be used again, with what it has used. */
  public synchronized void forget(Scope scope) {
    Map<Meter.Id, Meter> account = accounts.remove(scope);
    if (account != null) {
      account.keySet().forEach(restored::remove);
    }
  }

  /**
   * Reserves amounts in all accounts, or in none. Scopes without limits admit everything.
   *
   * @param scopes each once; a refusal names the first that has not enough
   * @throws RuntimeException that the keeper has thrown; nothing is reserved then
   */
  public synchronized Answer reserve(List<Scope> scopes, Amounts amounts, long nowMillis) {
    List<Meter> meters = new ArrayList<>();
    for (int each = 0; each < scopes.size(); each++) {
      Scope scope = scopes.get(each);
      if (scopes.indexOf(scope) < each) {
        throw new IllegalArgumentException("a scope is named twice: " + scope);
      }
      for (Meter meter : accounts.getOrDefault(scope, Map.of()).values()) {
        long amount = amounts.of(meter.kind());
        if (amount > 0 && !meter.admits(amount, nowMillis)) {
          return meter.refusal(amount);
        }
        if (amount > 0) {
          meters.add(meter);
        }
      }
    }
    keepAhead(meters, amounts);
    return new Reservation(this, drawn(meters, amounts), amounts);
  }

  private void keepAhead(List<Meter> meters, Amounts amounts) {
    List<Meter.Counter> crossed = new ArrayList<>(0);
    List<Mark> marks = new ArrayList<>(0);
    for (Meter meter : meters) {
      long amount = amounts.of(meter.kind());
      if (meter instanceof Meter.Counter counter && counter.isBeyondMark(amount)) {
        crossed.add(counter);
        marks.add(counter.ahead(amount, BLOCKS));
      }
    }
    if (!marks.isEmpty()) {
      keeper.keep(List.copyOf(marks));
      for (int each = 0; each < crossed.size(); each++) {
        crossed.get(each).kept(marks.get(each).used());
      }
    }
  }

  private static List<Drawn> drawn(List<Meter> meters, Amounts amounts) {
    List<Drawn> drawn = new ArrayList<>(meters.size());
    for (Meter meter : meters) {
      long amount = amounts.of(meter.kind());
      meter.draw(amount);
      meter.reserved(amount);
      drawn.add(new Drawn(meter, meter.window(), amount));
    }
    return List.copyOf(drawn);
  }

  /** How the limits of a scope stand; empty if it has none. */
  public synchronized List<Standing> standings(Scope scope, long nowMillis) {
    List<Standing> standings = new ArrayList<>();
    for (Meter meter : accounts.getOrDefault(scope, Map.of()).values()) {
      standings.add(meter.standing(nowMillis));
    }
    return standings;
  }

  /** What has been used and reserved, exactly: to be kept when the ledger is closed. */
  public synchronized List<Mark> snapshot(long nowMillis) {
    return marks(nowMillis, false);
  }

  /**
   * What the keeper has been told of what still counts: what is on disk, and may be written anew as
   * a whole.
   */
  public synchronized List<Mark> leased(long nowMillis) {
    return marks(nowMillis, true);
  }

  private List<Mark> marks(long nowMillis, boolean leased) {
    List<Mark> marks = new ArrayList<>(restored.values());
    for (Map<Meter.Id, Meter> account : accounts.values()) {
      for (Meter meter : account.values()) {
        if (meter instanceof Meter.Counter counter) {
          counter.roll(nowMillis);
          marks.add(counter.mark(leased ? counter.leased() : counter.used()));
        }
      }
    }
    marks.removeIf(mark -> mark.used() == 0 || mark.isOver(nowMillis));
    return marks;
  }

  /**
   * Begins where another ledger ended, or was when it died. To be called before anything else.
   *
   * @param marks what it had last given its keeper of each account, or its snapshot
   */
  public synchronized void restore(List<Mark> marks, long nowMillis) {
    if (!accounts.isEmpty() || !restored.isEmpty()) {
      throw new IllegalStateException("the ledger is in use");
    }
    restoredMillis = nowMillis;
    for (Mark mark : marks) {
      restored.merge(
          new Meter.Id(mark.scope(), mark.kind(), mark.windowMillis()), mark, Ledger::later);
    }
  }

  private static Mark later(Mark one, Mark other) {
    return one.window() != other.window()
        ? one.window() > other.window() ? one : other
        : one.used() > other.used() ? one : other;
  }

  private synchronized void settle(Reservation reservation, Amounts actual, long nowMillis) {
    if (reservation.settled) {
      throw new IllegalStateException("is settled already");
    }
    reservation.settled = true;
    for (Drawn drawn : reservation.drawn) {
      long unused = drawn.amount() - actual.of(drawn.meter().kind());
      drawn.meter().settled(drawn.amount());
      drawn.meter().giveBack(unused, drawn.window(), nowMillis);
    }
  }

  /**
   * A limit and how it stands.
   *
   * @param used in the present window, without what is reserved; of a rate, what is missing of its
   *     burst
   * @param reserved for what runs
   */
  public record Standing(Limit limit, long used, long reserved) {}

  private record Drawn(Meter meter, long window, long amount) {}

  /** What may be used up. */
  public enum Kind {
    CALLS,
    TOKENS,
    USD_MICROS,
    TIME_MILLIS
  }

  /** Whose account it is. */
  public enum Level {
    TENANT,
    AGENT,
    TASK
  }

  /**
   * Names an account.
   *
   * @param name with that of the tenant, so that it is unique within the level
   */
  public record Scope(Level level, String name) {
    public Scope {
      requireNonNull(level, "level");
      requireNonNull(name, "name");
    }
  }

  /** So much of each kind; none is negative, and more than {@link Limit#AMOUNT_MAX} is that. */
  public record Amounts(long calls, long tokens, long usdMicros, long timeMillis) {

    public static final Amounts NOTHING = new Amounts(0, 0, 0, 0);

    public Amounts {
      if (calls < 0 || tokens < 0 || usdMicros < 0 || timeMillis < 0) {
        throw new IllegalArgumentException("an amount is negative");
      }
      calls = Math.min(calls, Limit.AMOUNT_MAX);
      tokens = Math.min(tokens, Limit.AMOUNT_MAX);
      usdMicros = Math.min(usdMicros, Limit.AMOUNT_MAX);
      timeMillis = Math.min(timeMillis, Limit.AMOUNT_MAX);
    }

    public Amounts withTokens(long other) {
      return new Amounts(calls, other, usdMicros, timeMillis);
    }

    public long of(Kind kind) {
      return switch (kind) {
        case CALLS -> calls;
        case TOKENS -> tokens;
        case USD_MICROS -> usdMicros;
        case TIME_MILLIS -> timeMillis;
      };
    }
  }

  /** How much of a kind a scope may use. */
  public sealed interface Limit {

    /** So much of anything is more than anybody has, and still can be counted in thousandths. */
    long AMOUNT_MAX = 1_000_000_000_000_000L;

    Kind kind();

    /** So much for the whole life of the scope. */
    record Total(Kind kind, long amountMax) implements Limit {
      public Total {
        check(amountMax);
      }
    }

    /**
     * So much in each window; windows begin at whole multiples of their length.
     *
     * @param windowMillis 3,600,000 for an hour
     */
    record PerWindow(Kind kind, long amountMax, long windowMillis) implements Limit {
      public PerWindow {
        check(amountMax);
        if (windowMillis < 1) {
          throw new IllegalArgumentException("windowMillis must be positive: " + windowMillis);
        }
      }
    }

    /**
     * So much a second, and what was not used, up to the burst, at once.
     *
     * @param burst nothing that needs more at once is ever admitted
     */
    record Rate(Kind kind, long perSecond, long burst) implements Limit {
      public Rate {
        check(perSecond);
        check(burst);
      }
    }

    private static void check(long amount) {
      if (amount < 0 || amount > AMOUNT_MAX) {
        throw new IllegalArgumentException("an amount must be 0 to " + AMOUNT_MAX + ": " + amount);
      }
    }
  }

  /** What comes of asking: a {@link Reservation}, or a {@link Refusal}. */
  public sealed interface Answer permits Reservation, Refusal {}

  /**
   * Nothing was reserved.
   *
   * @param limit that would be exceeded
   * @param used of it so far, with what is reserved; of a rate, what is missing of its burst
   * @param freeAgainAtMillis when it could be admitted if nobody used anything meanwhile; {@link
   *     Long#MAX_VALUE} for never
   */
  public record Refusal(Scope scope, Limit limit, long used, long freeAgainAtMillis)
      implements Answer {

    public Kind kind() {
      return limit.kind();
    }
  }

  /** What is set aside. */
  public static final class Reservation implements Answer {

    private final Ledger ledger;
    private final List<Drawn> drawn;
    private final Amounts reserved;
    private boolean settled;

    private Reservation(Ledger ledger, List<Drawn> drawn, Amounts reserved) {
      this.ledger = ledger;
      this.drawn = drawn;
      this.reserved = reserved;
    }

    public Amounts reserved() {
      return reserved;
    }

    /**
     * Charges what was used, and gives the rest back. What was used beyond the reservation is
     * charged too, even beyond a limit.
     *
     * @param actual {@link Amounts#NOTHING} if nothing came of it
     * @throws IllegalStateException if that was said before
     */
    public void settle(Amounts actual, long nowMillis) {
      ledger.settle(this, actual, nowMillis);
    }
  }

  /**
   * How far an account is used up.
   *
   * @param windowMillis 0 for the whole life of the scope
   * @param window number of the window since 1970
   */
  public record Mark(Scope scope, Kind kind, long windowMillis, long window, long used) {

    private boolean isOver(long nowMillis) {
      return windowMillis > 0 && window < Math.floorDiv(nowMillis, windowMillis);
    }
  }

  /** Writes marks where they survive a crash. */
  @FunctionalInterface
  public interface Keeper {

    /** For ledgers that need not survive. */
    Keeper NONE = marks -> {};

    /**
     * Returns when they are written. Called with the ledger locked: must be quick, and must not
     * call it.
     *
     * @param marks each in place of the earlier one of its scope, kind and window length
     */
    void keep(List<Mark> marks);
  }
}
