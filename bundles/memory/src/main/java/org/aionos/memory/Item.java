package org.aionos.memory;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Something remembered.
 *
 * @param content of the writer
 * @param version 1 at first, one more whenever the content changes
 * @param expiresAt from this instant on it is not there; null for never
 * @param writtenBy audit id of the call that last wrote it
 */
record Item(
    Place place,
    Content content,
    long version,
    boolean pinned,
    Instant createdAt,
    Instant updatedAt,
    @Nullable Instant expiresAt,
    String writtenBy) {

  /**
   * @param value any JSON value
   * @param meta JSON values by name
   * @param vector by which it is found; empty for none
   */
  record Content(
      @Nullable Object value,
      Map<String, @Nullable Object> meta,
      List<String> tags,
      List<Float> vector) {

    Content {
      meta = Collections.unmodifiableMap(new LinkedHashMap<>(meta));
      tags = List.copyOf(tags);
      vector = List.copyOf(vector);
    }

    Content(@Nullable Object value, Map<String, @Nullable Object> meta, List<String> tags) {
      this(value, meta, tags, List.of());
    }
  }

  boolean isThere(Instant now) {
    return expiresAt == null || now.isBefore(expiresAt);
  }
}
