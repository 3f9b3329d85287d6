package org.aionos.kernel.task;

import java.util.Locale;

/** Where a task stands. */
public enum TaskState {
  /** Waits for a slot, for the first time or to be tried again. */
  QUEUED,
  RUNNING,
  /** Has made room for another, and will go on where it was. */
  PREEMPTED,
  SUCCEEDED,
  /** Will not be tried again unless a person asks for it: the dead letters. */
  FAILED,
  CANCELLED;

  public boolean isEnded() {
    return this == SUCCEEDED || this == FAILED || this == CANCELLED;
  }

  public boolean isWaiting() {
    return this == QUEUED || this == PREEMPTED;
  }

  /** As it is written, in lower case. */
  public String written() {
    return name().toLowerCase(Locale.ROOT);
  }
}
