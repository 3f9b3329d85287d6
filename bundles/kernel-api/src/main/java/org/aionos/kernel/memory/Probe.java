package org.aionos.kernel.memory;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What is looked for; at least one of text, vector and embedding.
 *
 * @param text finds by its words
 * @param vector finds among items that were put with one of as many dimensions
 * @param embedding finds among items with an embedding of the same model
 * @param k how many are wanted
 */
public record Probe(
    @Nullable String text,
    @Nullable Vector vector,
    @Nullable Embedding embedding,
    int k,
    Boosts boosts) {

  /**
   * A score is multiplied by {@code 1 + recency * 2^(-age / halfLife)} and, of a pinned item, by
   * {@code 1 + pin}.
   *
   * @param halfLife of the age since the item was last changed
   */
  public record Boosts(double recency, Duration halfLife, double pin) {

    public static final Boosts NONE = new Boosts(0, Duration.ofDays(1), 0);
  }
}
