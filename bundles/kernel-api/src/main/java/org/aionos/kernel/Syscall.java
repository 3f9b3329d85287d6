package org.aionos.kernel;

import static java.util.Objects.requireNonNull;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an authenticated agent asks for. Nothing in it has been permitted yet.
 *
 * @param name for example {@code tool.invoke}
 * @param capsRequired what the caller says the call needs; cross-checked with what its agent holds
 * @param params JSON values by name (text, number, boolean, list, map or null)
 * @param bodyDigest SHA-256 of the raw request body, in lower-case hex; the journal keeps this,
 *     never the params
 */
public record Syscall(
    String name,
    AgentId agent,
    Caller caller,
    Context context,
    Set<String> capsRequired,
    Map<String, @Nullable Object> params,
    Budget budget,
    String bodyDigest) {

  public Syscall {
    requireNonNull(name, "name");
    requireNonNull(agent, "agent");
    requireNonNull(caller, "caller");
    requireNonNull(context, "context");
    requireNonNull(budget, "budget");
    requireNonNull(bodyDigest, "bodyDigest");
    capsRequired = Set.copyOf(capsRequired);
    params = Collections.unmodifiableMap(new LinkedHashMap<>(params));
  }

  /**
   * Where the call stands in the caller's own work.
   *
   * @param idempotencyKey two calls of one agent with one key are one call
   */
  public record Context(
      @Nullable String taskId, @Nullable String traceId, @Nullable String idempotencyKey) {

    public static final Context NONE = new Context(null, null, null);
  }

  /** The most the caller is willing to spend; null means no limit of its own. */
  public record Budget(@Nullable BigDecimal usdMax, @Nullable Duration latencyMax) {

    public static final Budget NONE = new Budget(null, null);
  }
}
