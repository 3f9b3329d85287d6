package org.aionos.scheduling;

import org.aionos.scheduling.Ledger.Kind;
import org.aionos.scheduling.Ledger.Limit;
import org.aionos.scheduling.Ledger.Mark;
import org.aionos.scheduling.Ledger.Refusal;
import org.aionos.scheduling.Ledger.Scope;

/** Counts against one limit. Guarded by the ledger's lock. */
abstract sealed class Meter {

  /** However much is used beyond what was reserved, sums stay within a long. */
  private static final long FAR_BEYOND = 2_000_000_000_000_000_000L;

  /**
   * Names a meter.
   *
   * @param windowMillis 0 for a total, -1 for a rate
   */
  record Id(Scope scope, Kind kind, long windowMillis) {

    static Id of(Scope scope, Limit limit) {
      return new Id(scope, limit.kind(), windowOf(limit));
    }
  }

  private static long windowOf(Limit limit) {
    if (limit instanceof Limit.PerWindow window) {
      return window.windowMillis();
    }
    return limit instanceof Limit.Rate ? -1 : 0;
  }

  final Id id;

  /** Of what runs, in whatever window it began. */
  private long reserved;

  private Meter(Id id) {
    this.id = id;
  }

  final void reserved(long amount) {
    reserved += amount;
  }

  final void settled(long amount) {
    reserved -= amount;
  }

  /** What was reserved in a window that is over counts there, and not in the present one. */
  final Ledger.Standing standing(long nowMillis) {
    long drawn = drawn(nowMillis);
    long running = Math.min(reserved, Math.max(0, drawn));
    return new Ledger.Standing(limit(), drawn - running, running);
  }

  /** Used and reserved; of a rate, what is missing of its burst. */
  abstract long drawn(long nowMillis);

  abstract Limit limit();

  final Kind kind() {
    return limit().kind();
  }

  abstract Meter changed(Limit limit, long nowMillis);

  abstract boolean admits(long amount, long nowMillis);

  /** Why not, after {@link #admits} has said no. */
  abstract Refusal refusal(long amount);

  abstract void draw(long amount);

  /** The number of the window that {@link #admits} has looked at. */
  abstract long window();

  /**
   * @param amount negative if more was used than had been drawn
   * @param window in which it was drawn
   */
  abstract void giveBack(long amount, long window, long nowMillis);

  /** Of a total, or of windows. */
  static final class Counter extends Meter {

    private Limit limit;
    private long window;
    private long used;

    /** What is on disk for this window. */
    private long kept;

    Counter(Id id, Limit limit) {
      super(id);
      this.limit = limit;
    }

    Counter at(Mark mark) {
      window = mark.window();
      used = mark.used();
      kept = mark.used();
      return this;
    }

    @Override
    Limit limit() {
      return limit;
    }

    @Override
    Meter changed(Limit changed, long nowMillis) {
      limit = changed;
      return this;
    }

    @Override
    boolean admits(long amount, long nowMillis) {
      roll(nowMillis);
      return amount <= amountMax() - used;
    }

    @Override
    Refusal refusal(long amount) {
      long windowMillis = windowOf(limit);
      boolean never = windowMillis == 0 || amount > amountMax();
      long freeAgain = never ? Long.MAX_VALUE : (window + 1) * windowMillis;
      return new Refusal(id.scope(), limit, used, freeAgain);
    }

    @Override
    void draw(long amount) {
      used += amount;
    }

    @Override
    long window() {
      return window;
    }

    @Override
    void giveBack(long amount, long drawnWindow, long nowMillis) {
      roll(nowMillis);
      if (drawnWindow == window || amount < 0) {
        used = Math.min(FAR_BEYOND, used - amount);
      }
    }

    /** Time that goes back changes nothing: a window that is over does not begin again. */
    void roll(long nowMillis) {
      long windowMillis = windowOf(limit);
      long present = windowMillis == 0 ? 0 : Math.floorDiv(nowMillis, windowMillis);
      if (present > window) {
        window = present;
        used = 0;
        kept = 0;
      }
    }

    boolean isBeyondMark(long amount) {
      return used + amount > kept;
    }

    /** What is to be on disk before so much is drawn. */
    Mark ahead(long amount, long blocks) {
      long needed = used + amount;
      return mark(Math.max(needed, Math.min(amountMax(), needed + amountMax() / blocks)));
    }

    void kept(long mark) {
      kept = mark;
    }

    Mark mark(long value) {
      return new Mark(id.scope(), id.kind(), id.windowMillis(), window, value);
    }

    long used() {
      return used;
    }

    @Override
    long drawn(long nowMillis) {
      roll(nowMillis);
      return used;
    }

    long leased() {
      return Math.max(kept, used);
    }

    private long amountMax() {
      return limit instanceof Limit.Total total
          ? total.amountMax()
          : ((Limit.PerWindow) limit).amountMax();
    }
  }

  /**
   * Of a rate: fills at its pace, up to the burst. Counts thousandths, so that nothing is rounded.
   */
  static final class Bucket extends Meter {

    private static final long THOUSANDTHS = 1_000;

    private Limit.Rate limit;
    private long level;
    private long atMillis;

    Bucket(Id id, Limit.Rate limit, long nowMillis) {
      super(id);
      this.limit = limit;
      this.level = levelMax();
      this.atMillis = nowMillis;
    }

    Bucket emptyAt(long emptyMillis, long nowMillis) {
      level = 0;
      atMillis = emptyMillis;
      fill(nowMillis);
      return this;
    }

    @Override
    Limit limit() {
      return limit;
    }

    @Override
    Meter changed(Limit changed, long nowMillis) {
      fill(nowMillis);
      limit = (Limit.Rate) changed;
      level = Math.min(level, levelMax());
      return this;
    }

    @Override
    boolean admits(long amount, long nowMillis) {
      fill(nowMillis);
      return amount <= limit.burst() && amount * THOUSANDTHS <= level;
    }

    @Override
    Refusal refusal(long amount) {
      boolean never = amount > limit.burst() || limit.perSecond() == 0;
      long lacking = never ? 0 : amount * THOUSANDTHS - level;
      long freeAgain =
          never ? Long.MAX_VALUE : atMillis + (lacking + limit.perSecond() - 1) / limit.perSecond();
      return new Refusal(id.scope(), limit, missing(), freeAgain);
    }

    @Override
    void draw(long amount) {
      level -= amount * THOUSANDTHS;
    }

    @Override
    long window() {
      return 0;
    }

    @Override
    void giveBack(long amount, long drawnWindow, long nowMillis) {
      fill(nowMillis);
      level = Math.max(-FAR_BEYOND, Math.min(levelMax(), level + amount * THOUSANDTHS));
    }

    @Override
    long drawn(long nowMillis) {
      fill(nowMillis);
      return missing();
    }

    /** Of its burst, rounded up: so much less can be drawn at once. */
    private long missing() {
      return (levelMax() - level + THOUSANDTHS - 1) / THOUSANDTHS;
    }

    private void fill(long nowMillis) {
      long millis = nowMillis - atMillis;
      if (millis <= 0) {
        return;
      }
      atMillis = nowMillis;
      long missing = levelMax() - level;
      // So long that it would be full, and the product might not fit.
      boolean full = limit.perSecond() > 0 && millis > missing / limit.perSecond();
      level = full ? levelMax() : level + millis * limit.perSecond();
    }

    private long levelMax() {
      return limit.burst() * THOUSANDTHS;
    }
  }
}
