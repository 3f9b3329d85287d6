package org.aionos.tool;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/**
 * What to look for among the documents of this host.
 *
 * @param text words in any language, 1 to 400 characters
 * @param limit documents wanted at most, 1 to 50
 * @param language a language tag such as {@code fa} or {@code pt-BR}; null for any
 */
public record Search(String text, int limit, @Nullable String language) {

  /** Longer ones are documents, not questions. */
  public static final int TEXT_LENGTH_MAX = 400;

  public static final int LIMIT_MAX = 50;

  public Search {
    requireNonNull(text, "text");
    if (text.isBlank() || text.length() > TEXT_LENGTH_MAX) {
      throw new IllegalArgumentException("text must have 1 to " + TEXT_LENGTH_MAX + " characters");
    }
    if (limit < 1 || limit > LIMIT_MAX) {
      throw new IllegalArgumentException("limit must be from 1 to " + LIMIT_MAX);
    }
  }
}
