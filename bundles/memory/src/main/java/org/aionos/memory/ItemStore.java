package org.aionos.memory;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;

/**
 * Items, durable. What a method that returned has written, survives {@code kill -9}. An expired
 * item is not there, whether or not it has been taken away yet. Safe for use by many threads.
 */
interface ItemStore extends AutoCloseable {

  /**
   * @param ttl from now on; null for never
   * @param ifVersion the version it must have, 0 for none being there; null for any
   */
  record Wish(
      Place place,
      Item.Content content,
      boolean pinned,
      @Nullable Duration ttl,
      @Nullable Long ifVersion) {}

  /**
   * @param next where to go on; null at the end
   */
  record Page(List<Item> items, @Nullable String next) {}

  /**
   * @param after {@link Page#next} of the page before; null for the first
   */
  record Selection(AgentId agent, Filter filter, @Nullable String after, int limit) {}

  /**
   * Writes all of these or none; they are of one tenant.
   *
   * @param bytesMax that the tenant's items may have afterwards
   * @throws Refused {@code CONFLICT} with the pointer of the wish whose version is not met, {@code
   *     BUDGET_EXHAUSTED}
   */
  List<Item> put(List<Wish> wishes, String writtenBy, long bytesMax, Instant now);

  Optional<Item> get(Place place, Instant now);

  /** Items of one agent that the filter admits, by task and key. */
  Page query(Selection selection, Instant now);

  /**
   * Keeps an item from being taken away for want of room, or lets go of it again.
   *
   * @return empty if there is none
   */
  Optional<Item> pin(Place place, boolean pinned, Instant now);

  /** Whether there was one. */
  boolean delete(Place place, Instant now);

  /** Takes away expired items, the longest expired first; says how many. */
  int sweep(Instant now, int max);

  /** Of keys and contents of a tenant's items, as they are stored. */
  long bytes(String tenant);

  @Override
  void close();
}
