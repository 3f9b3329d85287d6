package org.aionos.tool;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One request to one tool, already authenticated, permitted and checked.
 *
 * @param id the audit id of the syscall; names the call in every log line, record and event it
 *     causes
 * @param tool name the agent asked for, without a version
 * @param arguments JSON values by name (text, number, boolean, list, map or null), in the order
 *     they were sent
 * @param deadline wall-clock end of the call, set by the kernel, never later than the caller asked
 *     for
 * @param traceId the caller's trace, to be passed on to whatever the tool calls
 */
public record ToolCall(
    String id,
    String tool,
    Map<String, @Nullable Object> arguments,
    Instant deadline,
    @Nullable String traceId) {

  public ToolCall {
    requireNonNull(id, "id");
    requireNonNull(tool, "tool");
    requireNonNull(deadline, "deadline");
    arguments = Collections.unmodifiableMap(new LinkedHashMap<>(arguments));
  }

  /**
   * Returns a required text argument.
   *
   * @throws ToolFailure {@code BAD_ARGUMENT} if it is absent or not text
   */
  public String text(String name) throws ToolFailure {
    if (arguments.get(name) instanceof String text) {
      return text;
    }
    throw new ToolFailure(ToolFailure.Code.BAD_ARGUMENT, "argument '" + name + "' must be text");
  }

  /**
   * Returns an optional whole number argument.
   *
   * @throws ToolFailure {@code BAD_ARGUMENT} if it is present and not a whole number in {@code
   *     min..max}
   */
  public int wholeNumber(String name, int absent, int min, int max) throws ToolFailure {
    Object value = arguments.get(name);
    if (value == null) {
      return absent;
    }
    if (value instanceof Integer number && number >= min && number <= max) {
      return number;
    }
    throw new ToolFailure(
        ToolFailure.Code.BAD_ARGUMENT,
        "argument '" + name + "' must be a whole number from " + min + " to " + max);
  }
}
