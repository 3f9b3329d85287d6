package org.aionos.kernel;

import static java.util.Objects.requireNonNull;

/**
 * A syscall whose intent stands in the journal. Only {@link Journal#asked} makes one, so nothing
 * can be decided, let alone done, that is not on record.
 *
 * @param auditId names the call for ever
 * @param sequence the intent's place in the journal
 */
public record Asked(String auditId, long sequence, Syscall syscall) {

  public Asked {
    requireNonNull(auditId, "auditId");
    requireNonNull(syscall, "syscall");
  }
}
