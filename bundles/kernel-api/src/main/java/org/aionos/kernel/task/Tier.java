package org.aionos.kernel.task;

import java.util.Locale;

/** The queues, the first ones first. */
public enum Tier {
  HIGH,
  NORMAL,
  LOW;

  /** Priorities are 0 to 9; from here on they are high. */
  private static final int HIGH_MIN = 7;

  private static final int NORMAL_MIN = 3;

  /** The queue of a priority: 7 to 9 are high, 3 to 6 normal, 0 to 2 low. */
  public static Tier of(int priority) {
    return priority >= HIGH_MIN ? HIGH : priority >= NORMAL_MIN ? NORMAL : LOW;
  }

  /** The priority that the name of a queue stands for. */
  public int priority() {
    return switch (this) {
      case HIGH -> 8;
      case NORMAL -> 5;
      case LOW -> 1;
    };
  }

  /** As it is written: {@code high}, {@code normal}, {@code low}. */
  public String written() {
    return name().toLowerCase(Locale.ROOT);
  }
}
