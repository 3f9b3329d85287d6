package org.aionos.kernel.model;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The models that are configured. Agents reach them by {@code model.generate} and {@code
 * model.embed}; the kernel asks here on its own behalf. Safe for use by many threads.
 */
@ProviderType
public interface Models {

  /**
   * Asks a model and waits for the whole answer.
   *
   * @throws Refused {@code NOT_INSTALLED} if none is configured, {@code INVALID_FIELD} if that one
   *     is not, {@code UPSTREAM_UNAVAILABLE}, {@code TIMED_OUT}, {@code RESULT_TOO_LARGE}, {@code
   *     RESULT_INVALID} if the answer is not of the schema
   */
  Answer ask(Question question) throws InterruptedException;

  /** What is configured, by name. */
  List<Model> models();

  /** Why the models.yaml that is there now is not in force; empty if it is. */
  String rejected();

  /**
   * @param model a name of {@code models.yaml}, or null for the default
   * @param schema JSON Schema of the answer; null for text
   * @param allowCloud whether it may leave this organisation's own hosts
   */
  record Question(
      @Nullable String model,
      String system,
      String prompt,
      @Nullable Map<String, @Nullable Object> schema,
      int tokensMax,
      Duration timeMax,
      boolean allowCloud) {}

  /**
   * @param model the one that answered, as {@code provider/model}
   */
  record Answer(String text, String model, Outcome.Spent spent) {}

  /**
   * @param routes what is tried, in this order
   * @param isDefault whether it is asked where none is named
   */
  record Model(String name, List<Route> routes, boolean isDefault) {}

  /**
   * @param local whether the provider is one of this organisation's own hosts
   * @param usdPerMillionTokensIn price; zero for none
   * @param circuit {@code closed}: it is asked; {@code open}: it fails and is left alone for a
   *     while; {@code half_open}: it is tried
   */
  record Route(
      String provider,
      String model,
      boolean local,
      BigDecimal usdPerMillionTokensIn,
      BigDecimal usdPerMillionTokensOut,
      String circuit) {}
}
