package org.aionos.kernel.memory;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Keeps items, and knows nothing of what they mean: versions, deletion and trust are the service's.
 * What a method that returned has written survives {@code kill -9} of the kernel. Safe for use by
 * many threads.
 *
 * <p>Every method throws {@link StoreUnavailable}, within the driver's time-out, if a server does
 * not answer; a change may then have been made or not, but never in part.
 */
@ConsumerType
public interface ItemStore extends AutoCloseable {

  /**
   * Says what shall be, given what is. May be asked more than once, when another writer was faster;
   * so it changes nothing itself.
   */
  @FunctionalInterface
  interface Change {

    /**
     * @param stored the items of the asked places, also those that are hidden or expired
     * @return what to write, by place; empty takes the item away; a place that is not named stays
     *     as it is
     * @throws Refused then nothing is changed
     */
    Map<Place, Optional<Item>> of(Map<Place, Item> stored);
  }

  /**
   * Changes all of these items at once or none, and no other writer comes between what is read and
   * what is written.
   *
   * @param places of one tenant
   * @param bytesMax what the tenant's items may have afterwards, if they have more than before
   * @throws Refused {@code BUDGET_EXHAUSTED}, or what the change threw
   */
  void change(Collection<Place> places, long bytesMax, Change change);

  /** The item as it is stored, also if it is hidden or expired. */
  Optional<Item> get(Place place);

  /**
   * Items of one agent that are there and that the filter admits, by task and key.
   *
   * @throws Refused {@code INVALID_FIELD} at {@code /params/after} for what no page of this agent
   *     said
   */
  Page query(Selection selection, Instant now);

  /**
   * All items of a tenant as they are stored, also hidden and expired ones, in an order of the
   * store's own. Items that are written meanwhile may be in it or not.
   */
  Page all(String tenant, @Nullable String after, int limit);

  /** Items that have expired, hidden or not, the longest expired first; at most so many. */
  List<Place> expired(Instant now, int max);

  /** By tenant, bytes of the keys and rows of all its items; a tenant without any is not named. */
  Map<String, Long> bytes();

  /** The same of one tenant; 0 for one without any. */
  long bytes(String tenant);

  /**
   * Finds by words, by vector, by embedding, or by more of them: then ranks are fused. The best
   * first, at most {@link Probe#k}, all of them there and admitted by the filter; the filter is
   * part of the search, so that the best of the admitted are found. Sees all that was written
   * before it.
   *
   * @throws UnsupportedOperationException by a store that does not find
   */
  default List<Hit> find(AgentId agent, Filter filter, Probe probe, Instant now) {
    throw new UnsupportedOperationException("this store finds by place alone");
  }

  @Override
  void close();
}
