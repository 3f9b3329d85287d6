package org.aionos.tool;

import static java.util.Objects.requireNonNull;

import java.io.Serial;

/**
 * An expected failure: its code and message are shown to the agent, so neither may hold a secret.
 */
public final class ToolFailure extends Exception {

  @Serial private static final long serialVersionUID = 1L;

  /** Why, in terms the agent can act on. Codes are added, never renamed or reused. */
  public enum Code {
    BAD_ARGUMENT,
    NOT_FOUND,
    NOT_PERMITTED,
    TOO_LARGE,
    UPSTREAM_UNAVAILABLE
  }

  private final Code code;

  public ToolFailure(Code code, String message) {
    super(requireNonNull(message, "message"));
    this.code = requireNonNull(code, "code");
  }

  public Code code() {
    return code;
  }
}
