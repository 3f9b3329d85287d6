package org.aionos.kernel;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a call says before it ends. It is shown to who listens, and is on no record. */
public sealed interface Interim {

  /**
   * How far the call is.
   *
   * @param done from 0 to 1; null where nobody can know
   */
  record Progress(@Nullable Double done, String message) implements Interim {}

  /**
   * A part of the result, before the whole.
   *
   * @param value JSON values by name
   */
  record Partial(Map<String, @Nullable Object> value) implements Interim {

    public Partial {
      value = Collections.unmodifiableMap(new LinkedHashMap<>(value));
    }
  }
}
