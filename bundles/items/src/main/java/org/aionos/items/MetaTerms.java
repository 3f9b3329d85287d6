package org.aionos.items;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * Fields of an item's meta with their values, each as one term of an index. An index remembers its
 * fields for ever and names of meta are the agents' to choose, so these are no fields of it.
 */
public final class MetaTerms {

  /** Longer texts are no terms; they are compared by the filter alone. */
  private static final int LENGTH_MAX = 1_000;

  private MetaTerms() {}

  /** With what all terms of a field begin; its length, so that none begins like another's. */
  public static String named(String field) {
    return field.length() + ":" + field;
  }

  /** The same for equal values, and for no others; null for what is no term. */
  public static @Nullable String term(String field, @Nullable Object value) {
    String scalar = scalar(value);
    return scalar == null ? null : named(field) + scalar;
  }

  private static @Nullable String scalar(@Nullable Object value) {
    if (value instanceof Number number) {
      BigDecimal plain = new BigDecimal(number.toString()).stripTrailingZeros();
      return plain.precision() + Math.abs(plain.scale()) > LENGTH_MAX ? null : "n" + plain;
    }
    if (value instanceof Boolean || value == null) {
      return "j" + value;
    }
    return value instanceof String text && text.length() <= LENGTH_MAX ? "s" + text : null;
  }
}
