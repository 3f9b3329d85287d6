package org.aionos.document;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.aionos.document.InvalidDocument.Fault;
import org.jspecify.annotations.Nullable;

/**
 * Finds values that do not survive being written: half a surrogate pair, which an escape can
 * smuggle past the UTF-8 check and which becomes a question mark wherever text becomes UTF-8, and a
 * number that overflowed, which comes back as the text "Infinity". Two requests that differ would
 * then have one digest, and the journal would hold what nobody sent.
 */
final class Unwritable {

  private final Deque<String> path = new ArrayDeque<>();

  private Unwritable() {}

  static void refuse(@Nullable Object value) throws InvalidDocument {
    new Unwritable().look(value);
  }

  private void look(@Nullable Object value) throws InvalidDocument {
    if (value instanceof Map<?, ?> map) {
      for (Map.Entry<?, ?> field : map.entrySet()) {
        String key = String.valueOf(field.getKey());
        // Before the key is part of the pointer: the pointer will be written.
        lookAtText(key);
        lookBelow(key, field.getValue());
      }
    } else if (value instanceof List<?> list) {
      int index = 0;
      for (Object item : list) {
        lookBelow(Integer.toString(index++), item);
      }
    } else if (value instanceof String text) {
      lookAtText(text);
    } else if (value instanceof Double number && !Double.isFinite(number)) {
      throw invalid("must be a finite number, at most about 1.8e308");
    }
  }

  private void lookBelow(String step, @Nullable Object value) throws InvalidDocument {
    path.addLast(step);
    look(value);
    path.removeLast();
  }

  private void lookAtText(String text) throws InvalidDocument {
    if (hasLoneSurrogate(text)) {
      throw invalid("holds half of a surrogate pair");
    }
  }

  /** The text with a question mark for each surrogate that stands alone. */
  static String writable(String text) {
    return hasLoneSurrogate(text) ? new String(text.getBytes(UTF_8), UTF_8) : text;
  }

  private static boolean hasLoneSurrogate(String text) {
    for (int i = 0; i < text.length(); i++) {
      char unit = text.charAt(i);
      if (!Character.isSurrogate(unit)) {
        continue;
      }
      if (Character.isLowSurrogate(unit)
          || i + 1 == text.length()
          || !Character.isLowSurrogate(text.charAt(i + 1))) {
        return true;
      }
      i++;
    }
    return false;
  }

  private InvalidDocument invalid(String why) {
    StringBuilder pointer = new StringBuilder();
    for (String step : path) {
      pointer.append('/').append(Fields.escaped(step));
    }
    return new InvalidDocument(Fault.INVALID, pointer.toString(), why);
  }
}
