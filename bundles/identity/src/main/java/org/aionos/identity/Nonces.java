package org.aionos.identity;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.StoreUnavailable;

/**
 * The nonces that were taken and could still be replayed: each is taken once, until its timestamp
 * has left the window. At the bound a tenant's window shrinks instead: its oldest seconds are
 * forgotten, and what was signed that long ago is put off.
 *
 * <p>Safe for many threads; threads of one tenant exclude each other for less than a microsecond.
 */
final class Nonces {

  // What is remembered lives in memory, so there is always a moment before which this table knows
  // nothing: the floor. A request signed before it might be the second sending of one that the
  // kernel took in an earlier life, so it is put off and its sender signs it again. An orderly
  // close() hands the table over, and then the floor is the predecessor's: swapping this bundle
  // under load puts nobody off. After a crash the floor is the moment of activation.
  //
  // A clock that steps back would bring forgotten timestamps into the window again. So each tenant
  // has its own floor too, which rises with whatever is forgotten and never falls.

  /** What the other nodes of a cluster took. */
  interface Elsewhere {

    /** Of a kernel that is alone. */
    Elsewhere NOWHERE = (tenant, nonce, kept) -> true;

    /**
     * Takes a nonce for all nodes.
     *
     * @return false if one of them had taken it
     * @throws StoreUnavailable if that cannot be told
     */
    boolean isNew(String tenant, String nonce, Duration kept);
  }

  /** No tenant has an empty name, so this row of a handover is free for the floor. */
  private static final String FLOOR_ROW = "";

  private static final long BUCKET_MILLIS = 1_000;

  /** As much as clocks that are kept in time differ; the window shrinks to no less. */
  private static final long LEAST_WINDOW_MILLIS = 5_000;

  /** How much later than ours another node's clock may let a timestamp leave the window. */
  private static final long CLOCKS_DIFFER_MILLIS = 60_000;

  private final InstantSource clock;
  private final long windowMillis;
  private final int perTenantMax;
  private final Elsewhere elsewhere;
  private final long floorMillis;
  private final Map<String, Taken> tenants = new ConcurrentHashMap<>();
  private volatile boolean closed;

  /**
   * @param left what the predecessor's {@link #close} returned; empty after a crash
   */
  Nonces(
      InstantSource clock,
      Duration window,
      int perTenantMax,
      Map<String, String> left,
      Elsewhere elsewhere) {
    this.elsewhere = elsewhere;
    this.clock = clock;
    this.windowMillis = window.toMillis();
    this.perTenantMax = perTenantMax;
    String floor = left.get(FLOOR_ROW);
    this.floorMillis = floor == null ? clock.millis() : Long.parseLong(floor);
    left.forEach(
        (tenant, rows) -> {
          if (!tenant.equals(FLOOR_ROW)) {
            tenants.put(tenant, Taken.read(rows));
          }
        });
  }

  /**
   * Takes a nonce, or says why not. Call it last: a request refused for another reason must not use
   * up its nonce.
   *
   * @throws Refused {@code STALE_TIMESTAMP} outside of the window, {@code RESTARTING} before the
   *     floor, {@code REPLAYED} the second time, {@code RATE_LIMITED} at the bound, {@code
   *     BACKEND_UNAVAILABLE} if what other nodes took cannot be told
   */
  void take(String tenant, String nonce, long timestampMillis) {
    long nowMillis = clock.millis();
    requireInWindow(timestampMillis, nowMillis);
    Taken taken = tenants.computeIfAbsent(tenant, name -> new Taken());
    synchronized (taken) {
      if (closed) {
        throw new Refused(Code.RESTARTING, "identity is being swapped; retry");
      }
      taken.forgetBefore(nowMillis - windowMillis);
      requireAfterFloor(taken, timestampMillis);
      if (taken.nonces.contains(nonce)) {
        throw replayed();
      }
      if (taken.nonces.size() >= perTenantMax) {
        if (!taken.forgetOldest(nowMillis - LEAST_WINDOW_MILLIS)) {
          throw atTheBound(taken, nowMillis);
        }
        requireAfterFloor(taken, timestampMillis);
      }
      taken.add(nonce, timestampMillis);
    }
    takeElsewhere(tenant, taken, nonce, timestampMillis);
  }

  /** After our own table, which turns away most replays without asking anybody. */
  private void takeElsewhere(String tenant, Taken taken, String nonce, long timestampMillis) {
    long keptMillis = timestampMillis - clock.millis() + windowMillis + CLOCKS_DIFFER_MILLIS;
    try {
      if (elsewhere.isNew(tenant, nonce, Duration.ofMillis(keptMillis))) {
        return;
      }
    } catch (StoreUnavailable away) {
      synchronized (taken) {
        taken.remove(nonce, timestampMillis);
      }
      throw new Refused(
          Code.BACKEND_UNAVAILABLE,
          "the cluster's server does not answer, so nobody can tell whether this request is a"
              + " replay; retry");
    }
    throw replayed();
  }

  private static Refused replayed() {
    return new Refused(
        Code.REPLAYED, "this nonce was used before; make a new one for each request");
  }

  /** Takes nothing from now on, and returns what a successor needs to go on where this ended. */
  Map<String, String> close() {
    closed = true;
    long floor = Math.max(floorMillis, clock.millis() - windowMillis);
    Map<String, String> left = new HashMap<>();
    for (Map.Entry<String, Taken> tenant : tenants.entrySet()) {
      Taken taken = tenant.getValue();
      synchronized (taken) {
        taken.forgetBefore(floor);
        floor = Math.max(floor, taken.floorMillis);
        if (!taken.nonces.isEmpty()) {
          left.put(tenant.getKey(), taken.write());
        }
      }
    }
    left.put(FLOOR_ROW, Long.toString(floor));
    return left;
  }

  private void requireAfterFloor(Taken taken, long timestampMillis) {
    if (timestampMillis < Math.max(floorMillis, taken.floorMillis)) {
      throw new Refused(
          Code.RESTARTING,
          "this request was signed before the kernel restarted, or longer ago than it remembers"
              + " nonces at this rate, so it cannot tell whether it is a replay; sign it again,"
              + " with a new timestamp, and retry");
    }
  }

  private void requireInWindow(long timestampMillis, long nowMillis) {
    long aheadMillis = timestampMillis - nowMillis;
    if (Math.abs(aheadMillis) > windowMillis) {
      throw new Refused(
          Code.STALE_TIMESTAMP,
          "X-Sig-Timestamp is "
              + Math.abs(aheadMillis) / 1_000
              + (aheadMillis > 0 ? " s ahead of" : " s behind")
              + " the kernel's clock, which says "
              + nowMillis
              + "; "
              + windowMillis / 1_000
              + " s are admitted");
    }
  }

  private Refused atTheBound(Taken taken, long nowMillis) {
    long millis = taken.oldestMillis() + BUCKET_MILLIS + LEAST_WINDOW_MILLIS - nowMillis;
    return new Refused(
        Problem.later(
            Code.RATE_LIMITED,
            "this tenant has sent "
                + perTenantMax
                + " signed requests within "
                + LEAST_WINDOW_MILLIS / 1_000
                + " s; that many nonces are remembered",
            Duration.ofMillis(Math.max(1, millis))));
  }

  /** The nonces of one tenant. Guarded by itself. */
  private static final class Taken {
    private final Set<String> nonces = new HashSet<>();

    /** The same nonces by the second of their timestamps: what is forgotten together. */
    private final TreeMap<Long, List<String>> bySecond = new TreeMap<>();

    private long floorMillis = Long.MIN_VALUE;

    void add(String nonce, long timestampMillis) {
      nonces.add(nonce);
      bySecond
          .computeIfAbsent(timestampMillis / BUCKET_MILLIS, second -> new ArrayList<>())
          .add(nonce);
    }

    void remove(String nonce, long timestampMillis) {
      List<String> sameSecond = bySecond.get(timestampMillis / BUCKET_MILLIS);
      if (sameSecond != null && nonces.remove(nonce)) {
        sameSecond.remove(nonce);
        bySecond.values().removeIf(List::isEmpty);
      }
    }

    void forgetBefore(long millis) {
      while (!bySecond.isEmpty()) {
        long endMillis = oldestMillis() + BUCKET_MILLIS;
        if (endMillis > millis) {
          return;
        }
        bySecond.pollFirstEntry().getValue().forEach(nonces::remove);
        floorMillis = Math.max(floorMillis, endMillis);
      }
    }

    /** Forgets the oldest second, if it has ended by then; false if it has not. */
    boolean forgetOldest(long millis) {
      int before = nonces.size();
      forgetBefore(Math.min(millis, oldestMillis() + BUCKET_MILLIS));
      return nonces.size() < before;
    }

    long oldestMillis() {
      return bySecond.firstKey() * BUCKET_MILLIS;
    }

    /** One line per second: the second, then its nonces. */
    String write() {
      StringBuilder rows = new StringBuilder();
      bySecond.forEach(
          (second, taken) -> {
            rows.append(second);
            taken.forEach(nonce -> rows.append(' ').append(nonce));
            rows.append('\n');
          });
      return rows.toString();
    }

    static Taken read(String rows) {
      Taken taken = new Taken();
      rows.lines()
          .forEach(
              row -> {
                List<String> words = List.of(row.split(" "));
                List<String> read = new ArrayList<>(words.subList(1, words.size()));
                taken.bySecond.put(Long.parseLong(words.get(0)), read);
                taken.nonces.addAll(read);
              });
      return taken;
    }
  }
}
