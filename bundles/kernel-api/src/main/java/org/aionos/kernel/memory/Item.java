package org.aionos.kernel.memory;

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
 * @param pinned whether it stays when room is made
 * @param expiresAt from this instant on it is not there; null for never
 * @param hidden null for an item that its agent may see
 * @param embedding what the kernel made of its text; null for none
 */
public record Item(
    Place place,
    Content content,
    long version,
    boolean pinned,
    Instant createdAt,
    Instant updatedAt,
    @Nullable Instant expiresAt,
    Provenance provenance,
    @Nullable Hidden hidden,
    @Nullable Embedding embedding) {

  /**
   * @param value any JSON value
   * @param meta JSON values by name
   * @param vector by which it is found; of the writer; null for none
   */
  public record Content(
      @Nullable Object value,
      Map<String, @Nullable Object> meta,
      List<String> tags,
      @Nullable Vector vector) {

    public Content {
      meta = Collections.unmodifiableMap(new LinkedHashMap<>(meta));
      tags = List.copyOf(tags);
    }
  }

  /** Whether its agent sees it. An expired item is not there, taken away or not. */
  public boolean isThere(Instant now) {
    return hidden == null && !isExpired(now);
  }

  public boolean isExpired(Instant now) {
    return expiresAt != null && !now.isBefore(expiresAt);
  }

  public Item with(boolean otherPinned, @Nullable Instant otherExpiresAt) {
    return with(otherPinned, otherExpiresAt, provenance, hidden, embedding);
  }

  public Item with(@Nullable Embedding other) {
    return with(pinned, expiresAt, provenance, hidden, other);
  }

  public Item with(Provenance other) {
    return with(pinned, expiresAt, other, hidden, embedding);
  }

  /** Out of sight, for as long as the reason wants; what was pinned stays pinned. */
  public Item hiddenFor(Hidden.Reason reason, Instant now, @Nullable Instant until) {
    Instant own = hidden == null ? expiresAt : hidden.expiresAt();
    return with(pinned, until, provenance, new Hidden(reason, now, own), embedding);
  }

  /** In sight again, with the time to live that it had. */
  public Item shown() {
    return with(
        pinned, hidden == null ? expiresAt : hidden.expiresAt(), provenance, null, embedding);
  }

  private Item with(
      boolean otherPinned,
      @Nullable Instant otherExpiresAt,
      Provenance otherProvenance,
      @Nullable Hidden otherHidden,
      @Nullable Embedding otherEmbedding) {
    return new Item(
        place,
        content,
        version,
        otherPinned,
        createdAt,
        updatedAt,
        otherExpiresAt,
        otherProvenance,
        otherHidden,
        otherEmbedding);
  }
}
