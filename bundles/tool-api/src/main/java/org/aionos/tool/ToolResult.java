package org.aionos.tool;

import static java.util.Objects.requireNonNull;

import java.math.BigDecimal;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a tool gives back to the agent.
 *
 * @param value JSON values by name (text, number, boolean, list, map or null)
 * @param costUsd what the call cost its operator, in US dollars; zero or more
 */
public record ToolResult(Map<String, @Nullable Object> value, BigDecimal costUsd) {

  public ToolResult {
    value = Collections.unmodifiableMap(new LinkedHashMap<>(value));
    if (requireNonNull(costUsd, "costUsd").signum() < 0) {
      throw new IllegalArgumentException("costUsd must not be negative: " + costUsd);
    }
  }

  /** A result that cost nothing. */
  public static ToolResult of(Map<String, @Nullable Object> value) {
    return new ToolResult(value, BigDecimal.ZERO);
  }
}
