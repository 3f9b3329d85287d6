package org.aionos.brain;

import java.math.BigDecimal;

/**
 * How far a proposal may go, and what has to be seen of a tenant first.
 *
 * @param changesMax of one proposal
 * @param floorPercent of the operator's own limit, which is left to a tenant
 * @param floors in units of each limit: what is left to a tenant besides
 * @param callsMin of a tenant, below which nothing is concluded
 * @param failedPercent of its calls, by its own fault
 * @param burnPercent of its limit of money, at its latest rate
 */
record Caution(
    int changesMax,
    int floorPercent,
    Limits floors,
    int callsMin,
    int failedPercent,
    int burnPercent) {

  static final Caution USUAL =
      new Caution(
          16,
          25,
          new Limits(
              BigDecimal.ONE, BigDecimal.TEN, new BigDecimal("0.05"), BigDecimal.valueOf(60)),
          100,
          50,
          200);

  static Caution of(BrainConfig config) {
    return new Caution(
        config.changesMax(),
        config.floorPercent(),
        new Limits(
            BigDecimal.valueOf(config.floorConcurrency()),
            BigDecimal.valueOf(config.floorTokenRate()),
            BigDecimal.valueOf(config.floorUsdPerHour()),
            BigDecimal.valueOf(config.floorCallsPerHour())),
        config.callsMin(),
        config.failedPercent(),
        config.burnPercent());
  }
}
