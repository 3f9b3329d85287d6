package org.aionos.items;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What an item says: all texts in its value, one after the other. */
public final class ItemTexts {

  private static final int LENGTH_MAX = 64_000;

  private ItemTexts() {}

  public static String of(@Nullable Object value) {
    StringBuilder text = new StringBuilder();
    collect(value, text);
    return text.substring(0, Math.min(text.length(), LENGTH_MAX)).strip();
  }

  private static void collect(@Nullable Object value, StringBuilder text) {
    if (value instanceof String some) {
      text.append(some).append('\n');
    } else if (value instanceof Map<?, ?> map) {
      map.values().forEach(each -> collect(each, text));
    } else if (value instanceof List<?> list) {
      list.forEach(each -> collect(each, text));
    }
  }
}
