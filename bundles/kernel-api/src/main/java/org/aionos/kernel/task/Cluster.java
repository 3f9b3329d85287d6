package org.aionos.kernel.task;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.aionos.kernel.memory.StoreUnavailable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What the nodes of one cluster know together. There is no such service on a node that is alone.
 * Safe for use by many threads. Every method throws {@link StoreUnavailable} if the server does not
 * answer.
 */
@ProviderType
public interface Cluster {

  /** Remembers a member of a set for so long; false if it was remembered already. */
  boolean isNew(String set, String member, Duration kept);

  /**
   * Draws from all of these accounts, or from none.
   *
   * @return the first account that has not enough left; empty if all was drawn
   */
  OptionalInt draw(List<Draw> draws);

  /** Gives back to accounts what was drawn and not used. Negative: draws more, beyond any limit. */
  void giveBack(List<Draw> draws);

  /** What has been drawn from an account in its present window. */
  long drawn(String account);

  /** Keeps a value for all nodes; {@code number} must be greater than that of the one there. */
  boolean put(String name, long number, byte[] value);

  Optional<Value> get(String name);

  /**
   * @param account a name for ever, such as {@code tenantA/researcher-1/usd/2026-11-29T10}
   * @param amount in whatever unit the account counts
   * @param limit that the account must not go beyond
   * @param kept after the last draw the account is forgotten
   */
  record Draw(String account, long amount, long limit, Duration kept) {}

  record Value(long number, byte[] bytes) {}
}
