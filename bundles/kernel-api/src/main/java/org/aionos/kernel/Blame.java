package org.aionos.kernel;

/** Who has to act for the next attempt to succeed. Log level and alerting follow from it. */
public enum Blame {
  NOBODY,
  CALLER,
  POLICY,
  BUDGET,
  TOOL,
  OPERATOR,
  KERNEL
}
