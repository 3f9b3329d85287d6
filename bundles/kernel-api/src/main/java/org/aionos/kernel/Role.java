package org.aionos.kernel;

/** What a person or service may do, each role including the ones before it. */
public enum Role {
  VIEWER,
  OPERATOR,
  ADMIN
}
