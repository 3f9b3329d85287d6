package org.aionos.scheduling;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * When, if nothing else happens, somebody may have to make room. Never too late; it may be too
 * early, and then is asked again. Looks only.
 */
final class Outlook {

  private final Present present;
  private final Tiers tiers;
  private final List<Entry> running;

  /** Milliseconds from now. */
  private double soonest = Double.POSITIVE_INFINITY;

  private Outlook(Present present, Tiers tiers, List<Entry> running) {
    this.present = present;
    this.tiers = tiers;
    this.running = running;
  }

  /** The time; {@code Long.MAX_VALUE} for never. */
  static long millis(Present present, Tiers tiers, List<Entry> running) {
    Outlook outlook = new Outlook(present, tiers, running);
    outlook.minimumRuntimes();
    outlook.guarantees();
    outlook.slices();
    return outlook.soonest > Long.MAX_VALUE / 2.0
        ? Long.MAX_VALUE
        : present.nowMillis + Math.max(1, (long) outlook.soonest);
  }

  private void sooner(double millis) {
    soonest = Math.min(soonest, millis);
  }

  private void minimumRuntimes() {
    for (Entry each : running) {
      long millis = each.availableMillis(present.rules) - present.nowMillis;
      if (millis > 0 && each.job.preemptible()) {
        sooner(millis);
      }
    }
  }

  private void guarantees() {
    if (tiers.anyContending()) {
      tiers.all().forEach(queue -> sooner(queue.changeMillis()));
    }
  }

  private void slices() {
    for (Queue queue : tiers.all()) {
      slices(queue.tenants);
      for (TenantShare tenant : queue.tenants.served()) {
        slices(tenant.agents);
      }
    }
  }

  private <S extends Share> void slices(Turns<S> turns) {
    slices(turns, turns.firstStanding());
    for (S each : turns.served()) {
      if (each.ready) {
        slices(turns, each);
      }
    }
  }

  private <S extends Share> void slices(Turns<S> turns, @Nullable S behind) {
    if (behind == null) {
      return;
    }
    for (S ahead : turns.served()) {
      double rate = ahead.rate() - behind.rate();
      double missing = present.rules.sliceMillis() - Victims.gap(ahead, behind);
      if (ahead != behind && rate > 0 && missing >= 0) {
        sooner(missing / rate);
      }
    }
  }
}
