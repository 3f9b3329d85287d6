package org.aionos.kernel.memory;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Why an item that is stored is not there for its agent.
 *
 * @param reason deleted items are taken away for good when they expire; quarantined ones wait for
 *     an operator
 * @param since when that began
 * @param expiresAt when the item would expire if it were not hidden; null for never
 */
public record Hidden(Reason reason, Instant since, @Nullable Instant expiresAt) {

  /** As it stands in a row, in lower case. */
  public enum Reason {
    DELETED,
    QUARANTINED
  }
}
