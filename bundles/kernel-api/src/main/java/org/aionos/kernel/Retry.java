package org.aionos.kernel;

/** What a caller should do with the same request. */
public enum Retry {
  /** Repeating it cannot help. */
  NEVER,
  /** Mend the request first. */
  AFTER_FIXING,
  /** Repeat it after the time the answer names. */
  AFTER_DELAY,
  /** An operator, or whoever holds the credential, has to change something first. */
  AFTER_OPERATOR
}
