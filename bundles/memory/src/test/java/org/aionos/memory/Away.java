package org.aionos.memory;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Selection;
import org.aionos.kernel.memory.StoreUnavailable;
import org.jspecify.annotations.Nullable;

/** A store whose server does not answer, or does again, for tests. */
final class Away implements ItemStore {

  boolean back;
  int asked;

  private <T> T answer(T value) {
    asked++;
    if (!back) {
      throw new StoreUnavailable("it does not answer");
    }
    return value;
  }

  @Override
  public void change(Collection<Place> places, long bytesMax, Change change) {
    answer(true);
  }

  @Override
  public Optional<Item> get(Place place) {
    return answer(Optional.empty());
  }

  @Override
  public Page query(Selection selection, Instant now) {
    return answer(new Page(List.of(), null));
  }

  @Override
  public Page all(String tenant, @Nullable String after, int limit) {
    return answer(new Page(List.of(), null));
  }

  @Override
  public List<Place> expired(Instant now, int max) {
    return answer(List.of());
  }

  @Override
  public Map<String, Long> bytes() {
    return answer(Map.of());
  }

  @Override
  public long bytes(String tenant) {
    return answer(0L);
  }

  @Override
  public void close() {}
}
