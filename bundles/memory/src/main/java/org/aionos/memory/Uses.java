package org.aionos.memory;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.kernel.memory.Place;

/** How often items were read, and when last. Forgets the longest unread, and all at a restart. */
final class Uses {

  private static final int PLACES_MAX = 50_000;

  /**
   * @param count at least 1
   */
  record Use(long count, Instant last) {}

  private final Map<Place, Use> uses =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Place, Use> eldest) {
          return size() > PLACES_MAX;
        }
      };

  synchronized void read(Place place, Instant now) {
    uses.merge(place, new Use(1, now), (before, one) -> new Use(before.count() + 1, now));
  }

  synchronized Use of(Place place, Instant updatedAt) {
    Use use = uses.get(place);
    return use == null ? new Use(0, updatedAt) : use;
  }
}
