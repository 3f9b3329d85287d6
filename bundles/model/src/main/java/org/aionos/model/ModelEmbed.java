package org.aionos.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Admitted;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.SyscallHandler;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Serves {@code model.embed}: {@code {model, input, allow_cloud}}, of one text or up to 256, to
 * {@code {vectors, model, dimensions}}, a vector for each text in their order.
 */
@Component(service = SyscallHandler.class, property = SyscallHandler.NAMES + "=" + ModelEmbed.NAME)
public final class ModelEmbed implements SyscallHandler {

  static final String NAME = "model.embed";

  private static final int TEXTS_MAX = 256;
  private static final int DIMENSIONS_MAX = 8_192;

  /** 256 vectors of 4,096 numbers, written long. */
  private static final int ANSWER_BYTES_MAX = 24 << 20;

  private static final long TOKENS_MAX = 1_000_000_000L;

  private final Providers providers;

  @Activate
  public ModelEmbed(@Reference(name = "providers") Providers providers) {
    this.providers = providers;
  }

  /** What is asked, checked. */
  private record Texts(@Nullable String model, List<String> texts, boolean allowCloud) {

    long characters() {
      return texts.stream().mapToLong(String::length).sum();
    }

    long bytes() {
      return texts.stream()
          .mapToLong(each -> each.getBytes(java.nio.charset.StandardCharsets.UTF_8).length)
          .sum();
    }
  }

  /** What a provider answered. */
  private record Vectors(
      ModelSettings.Route route, List<List<Number>> vectors, @Nullable Long tokens) {}

  @Override
  public Outcome.Ok run(Admitted call) throws InterruptedException {
    ModelSettings settings = providers.configured();
    Texts asked = read(call.syscall(), settings);
    ModelSettings.Model model = providers.model(settings, asked.model());
    List<ModelSettings.Route> routes =
        Chain.of(
            model,
            asked.allowCloud(),
            call.agent(),
            providers.tuned().of(call.syscall().agent().tenant()));
    Vectors vectors;
    try (Providers.Room held = providers.room(settings)) {
      vectors =
          providers
              .asking()
              .embed(
                  new Asking.Bounds(
                      settings,
                      routes,
                      settings.models().containsKey(model.name()),
                      call.deadline()),
                  body(asked),
                  ANSWER_BYTES_MAX,
                  (route, answer) -> vectors(route, answer, asked.texts().size()));
    }
    return answer(vectors, asked);
  }

  private Outcome.Ok answer(Vectors vectors, Texts asked) {
    ModelSettings.Route route = vectors.route();
    Long counted = vectors.tokens();
    long tokens = counted == null ? Tokens.about(asked.characters()) : counted;
    providers.meters().used(route.provider().name(), tokens, 0);
    Map<String, @Nullable Object> result = new LinkedHashMap<>();
    result.put("vectors", vectors.vectors());
    result.put("model", route.name());
    result.put("dimensions", vectors.vectors().get(0).size());
    if (counted == null) {
      result.put("usage_estimated", true);
    }
    return new Outcome.Ok(
        result,
        new Outcome.Spent(route.price().of(tokens, 0), tokens, 0),
        new Outcome.Engine("model", route.name()));
  }

  private static Texts read(Syscall syscall, ModelSettings settings) {
    try {
      Fields params = Fields.of(syscall.params(), "/params").only("model", "input", "allow_cloud");
      Texts texts =
          new Texts(Generation.modelName(params), texts(params), params.flag("allow_cloud", true));
      if (texts.bytes() > settings.limits().messagesBytesMax()) {
        throw params.invalid(
            "input",
            "has more than "
                + settings.limits().messagesBytesMax()
                + " bytes (limits.messages_bytes_max)");
      }
      return texts;
    } catch (InvalidDocument invalid) {
      throw ModelGenerate.refused(invalid);
    }
  }

  private static List<String> texts(Fields params) throws InvalidDocument {
    Object input = params.value("input");
    if (input == null) {
      throw params.missing("input");
    }
    if (input instanceof String text) {
      return List.of(nonEmpty(params, text, ""));
    }
    if (!(input instanceof List<?> list) || list.isEmpty() || list.size() > TEXTS_MAX) {
      throw params.invalid("input", "must be text, or a list of 1 to " + TEXTS_MAX + " texts");
    }
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      texts.add(nonEmpty(params, list.get(i), "/" + i));
    }
    return texts;
  }

  private static String nonEmpty(Fields params, @Nullable Object text, String at)
      throws InvalidDocument {
    if (text instanceof String words && !words.isEmpty()) {
      return words;
    }
    throw new InvalidDocument(
        InvalidDocument.Fault.INVALID, params.at("input") + at, "must be text, and not empty");
  }

  private static Map<String, @Nullable Object> body(Texts asked) {
    Map<String, @Nullable Object> body = new LinkedHashMap<>();
    body.put("input", asked.texts());
    body.put("encoding_format", "float");
    return body;
  }

  private static Vectors vectors(ModelSettings.Route route, Fields answer, int wanted)
      throws InvalidDocument {
    List<Fields> data = answer.list("data");
    List<List<Number>> vectors = new ArrayList<>();
    for (int i = 0; i < wanted; i++) {
      vectors.add(List.of());
    }
    for (int i = 0; i < data.size(); i++) {
      int index = (int) data.get(i).wholeNumber("index", i, 0, wanted - 1);
      vectors.set(index, vector(data.get(i)));
    }
    int dimensions = vectors.get(0).size();
    if (vectors.stream().anyMatch(each -> each.isEmpty() || each.size() != dimensions)) {
      throw answer.invalid("data", "must have a vector for each text, all of one length");
    }
    Long tokens = answer.objectOrEmpty("usage").wholeNumberOrNull("prompt_tokens", 0, TOKENS_MAX);
    return new Vectors(route, vectors, tokens);
  }

  private static List<Number> vector(Fields each) throws InvalidDocument {
    if (!(each.value("embedding") instanceof List<?> numbers)
        || numbers.isEmpty()
        || numbers.size() > DIMENSIONS_MAX) {
      throw each.invalid("embedding", "must be 1 to " + DIMENSIONS_MAX + " numbers");
    }
    Number[] vector = new Number[numbers.size()];
    for (int i = 0; i < vector.length; i++) {
      if (!(numbers.get(i) instanceof Number number) || !Double.isFinite(number.doubleValue())) {
        throw each.invalid("embedding", "must be numbers");
      }
      vector[i] = number.doubleValue();
    }
    return Arrays.asList(vector);
  }

  @Override
  public Outcome.Spent atMost(Syscall syscall) {
    try {
      Texts asked = read(syscall, providers.settings());
      ModelSettings.Model model = providers.modelKnown(asked.model());
      long tokens = Tokens.atMost(asked.bytes()) + asked.texts().size();
      return model == null
          ? Outcome.Spent.NOTHING
          : new Outcome.Spent(ModelGenerate.dearest(model.routes(), tokens, 0), tokens, 0);
    } catch (Refused refusedLater) {
      return Outcome.Spent.NOTHING;
    }
  }
}
