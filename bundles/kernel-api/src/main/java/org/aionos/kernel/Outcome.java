package org.aionos.kernel;

import static java.util.Objects.requireNonNull;

import java.math.BigDecimal;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How a syscall ended. Exactly one per syscall, whatever happened. */
public sealed interface Outcome {

  Code code();

  /** What the call used up, however it ended. */
  default Spent spent() {
    return Spent.NOTHING;
  }

  /** The call was carried out. */
  record Ok(Map<String, @Nullable Object> result, Spent spent, Engine engine) implements Outcome {

    public Ok {
      result = Collections.unmodifiableMap(new LinkedHashMap<>(result));
      requireNonNull(spent, "spent");
      requireNonNull(engine, "engine");
    }

    /** A result of the kernel itself, which costs nothing. */
    public static Ok ofKernel(String name, Map<String, @Nullable Object> result) {
      return new Ok(result, Spent.NOTHING, new Engine("kernel", "kernel/" + name));
    }

    @Override
    public Code code() {
      return Code.OK;
    }
  }

  /**
   * The call was refused, or failed. Whether it had effects follows from the code.
   *
   * @param spent what it used up all the same; nothing if it was refused
   */
  record Failed(Problem problem, @Nullable Engine engine, Spent spent) implements Outcome {

    public Failed {
      requireNonNull(problem, "problem");
      requireNonNull(spent, "spent");
    }

    /** Of a call that has used nothing. */
    public Failed(Problem problem, @Nullable Engine engine) {
      this(problem, engine, Spent.NOTHING);
    }

    @Override
    public Code code() {
      return problem.code();
    }
  }

  static Failed failed(Problem problem) {
    return new Failed(problem, null);
  }

  /** What the call used up, but for time, which the router measures. */
  record Spent(BigDecimal costUsd, long tokensIn, long tokensOut) {

    public static final Spent NOTHING = new Spent(BigDecimal.ZERO, 0, 0);

    public Spent plus(Spent more) {
      return new Spent(
          costUsd.add(more.costUsd), tokensIn + more.tokensIn, tokensOut + more.tokensOut);
    }
  }

  /**
   * What carried the call out.
   *
   * @param kind {@code module} for a tool bundle, {@code model} for a model, {@code kernel} for the
   *     kernel itself
   * @param name for example {@code tooling/web_search@1.2.0}
   */
  record Engine(String kind, String name) {}
}
