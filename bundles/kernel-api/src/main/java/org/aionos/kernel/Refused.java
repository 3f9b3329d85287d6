package org.aionos.kernel;

import java.io.Serial;

/**
 * A request that a kernel service will not carry out. It changed nothing. Carries no stack trace:
 * it is an answer, not a fault.
 */
public final class Refused extends RuntimeException {

  @Serial private static final long serialVersionUID = 1L;

  private final transient Problem problem;

  public Refused(Problem problem) {
    super(problem.code() + ": " + problem.message(), null, false, false);
    this.problem = problem;
  }

  public Refused(Code code, String message) {
    this(Problem.of(code, message));
  }

  public Problem problem() {
    return problem;
  }
}
