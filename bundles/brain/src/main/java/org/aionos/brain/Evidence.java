package org.aionos.brain;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Optional;

/**
 * What a tenant's own figures say about it. Nobody else's do: what others do, or how a tool fares
 * that all use, is no reason to take anything from a tenant.
 */
final class Evidence {

  private Evidence() {}

  /**
   * What calls for less.
   *
   * @param burns whether it is money; else calls that fail
   */
  record Finding(boolean burns, String says) {}

  /** Why a tenant should have less; empty if its figures do not call for it. */
  static Optional<Finding> against(String tenant, Situation situation, Caution caution) {
    Snapshot.TenantFigures own = situation.snapshot().tenants().get(tenant);
    if (own == null || own.calls() < caution.callsMin()) {
      return Optional.empty();
    }
    if (own.failedByItselfPercent() >= caution.failedPercent()) {
      return Optional.of(
          new Finding(
              false,
              Math.round(own.failedByItselfPercent())
                  + " % of its "
                  + own.calls()
                  + " calls failed by its own fault"));
    }
    BigDecimal limit = situation.limits(tenant).usdPerHour();
    if (limit == null || limit.signum() == 0) {
      return Optional.empty();
    }
    BigDecimal burn =
        own.recentUsdPerHour()
            .multiply(BigDecimal.valueOf(100))
            .divide(limit, 0, RoundingMode.DOWN);
    return burn.compareTo(BigDecimal.valueOf(caution.burnPercent())) >= 0
        ? Optional.of(
            new Finding(
                true, "at its latest rate it would use " + burn + " % of its money for an hour"))
        : Optional.empty();
  }
}
