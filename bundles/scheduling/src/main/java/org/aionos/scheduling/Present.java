package org.aionos.scheduling;

/** What holds for all of a schedule right now. */
final class Present {

  Rules rules;
  long nowMillis;

  /**
   * Whether jobs are taken and put back only to see who would be next. Then no virtual time moves:
   * what has been put back stands where it stood.
   */
  boolean trial;

  private long turns;

  Present(Rules rules, long nowMillis) {
    this.rules = rules;
    this.nowMillis = nowMillis;
  }

  long nextTurn() {
    return ++turns;
  }
}
