package org.aionos.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.aionos.scheduling.Ledger.Amounts;
import org.aionos.scheduling.Ledger.Answer;
import org.aionos.scheduling.Ledger.Kind;
import org.aionos.scheduling.Ledger.Level;
import org.aionos.scheduling.Ledger.Limit;
import org.aionos.scheduling.Ledger.Mark;
import org.aionos.scheduling.Ledger.Refusal;
import org.aionos.scheduling.Ledger.Reservation;
import org.aionos.scheduling.Ledger.Scope;
import org.junit.jupiter.api.Test;

/**
 * Random histories of a ledger, with crashes, beside a list of everything that was ever admitted.
 * {@code -Daion.seed=17} plays one alone.
 */
final class LedgerModelTest {

  private static final int HISTORIES = 1_000;
  private static final int STEPS = 150;
  private static final long WINDOW = 500;
  private static final Long SEED = Long.getLong("aion.seed");
  private static final List<Scope> SCOPES =
      List.of(
          new Scope(Level.TENANT, "acme"),
          new Scope(Level.AGENT, "acme/a"),
          new Scope(Level.TASK, "acme/1"));

  /** What was admitted, and what is known of its use. */
  private static final class Use {
    final List<Scope> scopes;
    final long atMillis;
    final Amounts reserved;
    Reservation reservation;
    Amounts charged;

    Use(List<Scope> scopes, long atMillis, Reservation reservation) {
      this.scopes = scopes;
      this.atMillis = atMillis;
      this.reservation = reservation;
      this.reserved = reservation.reserved();
      this.charged = reserved;
    }
  }

  @Test
  void no_limit_is_ever_exceeded_and_without_a_crash_none_refuses_too_early() {
    for (long seed = SEED == null ? 1 : SEED; seed <= (SEED == null ? HISTORIES : SEED); seed++) {
      try {
        new History(seed).play();
      } catch (AssertionError | RuntimeException failure) {
        throw new AssertionError("-Daion.seed=" + seed + ": " + failure.getMessage(), failure);
      }
    }
  }

  /** What was taken out of accounts, or put back. */
  private record Change(List<Scope> scopes, long atMillis, Amounts taken, Amounts putBack) {}

  private static final class History {
    final SplittableRandom random;
    final Map<Scope, List<Limit>> limits = new HashMap<>();
    final List<Use> uses = new ArrayList<>();
    final Map<List<Object>, Mark> disk = new HashMap<>();
    Ledger ledger = new Ledger(this::write);
    final List<Change> changes = new ArrayList<>();
    boolean crashed;
    boolean restarted;
    long now;

    History(long seed) {
      random = new SplittableRandom(seed);
    }

    void play() {
      for (Scope scope : SCOPES) {
        limits.put(scope, limits());
        ledger.limit(scope, limits.get(scope), now);
      }
      for (int step = 0; step < STEPS; step++) {
        now += random.nextInt(3) == 0 ? random.nextLong(200) : 0;
        switch (random.nextInt(20)) {
          case 0 -> restart(random.nextInt(4) == 0);
          case 1, 2, 3, 4, 5, 6, 7 -> settle();
          default -> reserve();
        }
        withinLimits();
      }
    }

    private List<Limit> limits() {
      List<Limit> chosen = new ArrayList<>();
      for (Kind kind : Kind.values()) {
        switch (random.nextInt(4)) {
          case 0 -> chosen.add(new Limit.Total(kind, random.nextLong(500)));
          case 1 -> chosen.add(new Limit.PerWindow(kind, random.nextLong(300), WINDOW));
          case 2 -> chosen.add(new Limit.Rate(kind, random.nextLong(100), random.nextLong(60)));
          default -> {}
        }
      }
      return chosen;
    }

    private void reserve() {
      List<Scope> scopes = SCOPES.stream().filter(scope -> random.nextInt(4) != 0).toList();
      Amounts amounts = new Amounts(amount(), amount(), amount(), amount());
      Answer answer = ledger.reserve(scopes, amounts, now);
      if (answer instanceof Reservation reservation) {
        uses.add(new Use(scopes, now, reservation));
        changes.add(new Change(scopes, now, amounts, Amounts.NOTHING));
      } else if (answer instanceof Refusal refusal) {
        justified(refusal, amounts);
      }
    }

    private long amount() {
      return random.nextInt(3) == 0 ? 0 : random.nextLong(20);
    }

    private void settle() {
      List<Use> open = uses.stream().filter(use -> use.reservation != null).toList();
      if (open.isEmpty()) {
        return;
      }
      Use use = open.get(random.nextInt(open.size()));
      Amounts most = use.reserved;
      use.charged =
          new Amounts(
              part(most.calls()),
              part(most.tokens()),
              part(most.usdMicros()),
              part(most.timeMillis()));
      use.reservation.settle(use.charged, now);
      changes.add(new Change(use.scopes, now, use.charged, most));
      use.reservation = null;
    }

    private long part(long most) {
      return random.nextLong(most + 1);
    }

    /** What ran when the kernel died may have used everything. */
    private void restart(boolean closed) {
      if (closed && uses.stream().anyMatch(use -> use.reservation != null)) {
        return;
      }
      crashed |= !closed;
      restarted = true;
      List<Mark> kept = closed ? ledger.snapshot(now) : List.copyOf(disk.values());
      uses.forEach(use -> use.reservation = null);
      ledger = new Ledger(this::write);
      ledger.restore(kept, now);
      disk.clear();
      write(kept);
      limits.forEach((scope, limit) -> ledger.limit(scope, limit, now));
    }

    private void write(List<Mark> marks) {
      for (Mark mark : marks) {
        disk.put(List.of(mark.scope(), mark.kind(), mark.windowMillis()), mark);
      }
    }

    private void withinLimits() {
      limits.forEach(
          (scope, list) ->
              list.forEach(
                  limit ->
                      assertThat(charged(scope, limit))
                          .as("%s %s", scope, limit)
                          .isLessThanOrEqualTo(allowed(limit))));
    }

    private void justified(Refusal refusal, Amounts amounts) {
      long asked = amounts.of(refusal.kind());
      assertThat(refusal.freeAgainAtMillis()).isGreaterThan(now);
      if (refusal.limit() instanceof Limit.Rate rate) {
        if (!restarted) {
          assertThat(asked * 1_000).isGreaterThan(thousandthsLeft(refusal.scope(), rate));
        }
        return;
      }
      if (!crashed) {
        assertThat(charged(refusal.scope(), refusal.limit()) + asked)
            .isGreaterThan(allowed(refusal.limit()));
      }
      assertThat(refusal.used() + asked).isGreaterThan(allowed(refusal.limit()));
    }

    /** Played through from the beginning. */
    private long thousandthsLeft(Scope scope, Limit.Rate rate) {
      long full = rate.burst() * 1_000;
      long left = full;
      long at = 0;
      for (Change change : changes) {
        if (change.scopes().contains(scope)) {
          left = Math.min(full, left + (change.atMillis() - at) * rate.perSecond());
          at = change.atMillis();
          long difference = change.putBack().of(rate.kind()) - change.taken().of(rate.kind());
          left = Math.min(full, left + difference * 1_000);
        }
      }
      return Math.min(full, left + (now - at) * rate.perSecond());
    }

    private long charged(Scope scope, Limit limit) {
      long sum = 0;
      for (Use use : uses) {
        boolean counts =
            !(limit instanceof Limit.PerWindow) || use.atMillis / WINDOW == now / WINDOW;
        sum += counts && use.scopes.contains(scope) ? use.charged.of(limit.kind()) : 0;
      }
      return sum;
    }

    /** Of a rate: all that can have come in since the beginning, and one burst. */
    private long allowed(Limit limit) {
      if (limit instanceof Limit.Total total) {
        return total.amountMax();
      }
      if (limit instanceof Limit.Rate rate) {
        return rate.burst() + rate.perSecond() * now / 1_000;
      }
      return ((Limit.PerWindow) limit).amountMax();
    }
  }
}
