package org.aionos.kernel.memory;

import java.util.Locale;

/** How far what an item says may be believed; the lowest first. */
public enum Trust {
  /** Of anybody: a web page, a mail, a tool that reads such. */
  LOW,
  /** Of a tool that the operator admitted and that sees nothing of the outside. */
  MEDIUM,
  /** Of the agent or its operator. */
  HIGH;

  /** What is made of both is worth no more than the lower. */
  public Trust and(Trust other) {
    return compareTo(other) <= 0 ? this : other;
  }

  /** As it is written in requests, answers and rows. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
