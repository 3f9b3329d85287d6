package org.aionos.model;

import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.jspecify.annotations.Nullable;

/**
 * What {@code config/models.yaml} and {@code OLLAMA_URL} say.
 *
 * @param standard the model that is asked where none is named; null for the first that a provider
 *     with {@code any_model} lists
 */
record ModelSettings(
    Map<String, Provider> providers,
    Map<String, Model> models,
    @Nullable String standard,
    Retries retries,
    Breaking breaking,
    Limits limits) {

  static final String OLLAMA = "ollama";

  private static final String OLLAMA_URL = "OLLAMA_URL";
  private static final String API = "/v1";

  /** Each is a client with connections of its own, and a label of metrics. */
  private static final int PROVIDERS_MAX = 64;

  private static final int MODELS_MAX = 1_000;
  private static final int ROUTES_MAX = 16;
  private static final int TOKENS_MAX = 10_000_000;
  private static final int USD_MAX = 1_000_000;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

  /** As servers name them, for example {@code meta-llama/Llama-3.1-8B} or {@code qwen3:0.6b}. */
  private static final Pattern MODEL = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}");

  /** How a provider is made to go on from a text that it, or another, has begun. */
  enum Continuation {
    /** A trailing message of the assistant is gone on with; so Ollama does. */
    ASSISTANT,
    /** It is, once asked for by {@code continue_final_message}; so vLLM does. */
    VLLM,
    /** It cannot. */
    NONE
  }

  /**
   * @param url up to and with {@code /v1}
   * @param local whether it is one of this organisation's own hosts
   * @param anyModel whether {@code name/any-model} may be asked for, at {@code price}
   * @param key goes into the Authorization header of this provider, and nowhere else
   * @param connectMax to connect
   * @param silenceMax that it may say nothing while an answer is awaited, the first token included
   */
  record Provider(
      String name,
      URI url,
      boolean local,
      boolean anyModel,
      @Nullable String key,
      @Nullable Path caFile,
      Duration connectMax,
      Duration silenceMax,
      int concurrencyMax,
      Continuation continuation,
      Price price,
      int tokensOutMax) {

    /** Without the key. */
    @Override
    public String toString() {
      return name;
    }
  }

  /** In USD, of a million tokens. */
  record Price(BigDecimal in, BigDecimal out) {

    static final Price NOTHING = new Price(BigDecimal.ZERO, BigDecimal.ZERO);

    /** Exactly: a price per million is but a shift of the point. */
    BigDecimal of(long tokensIn, long tokensOut) {
      return in.multiply(BigDecimal.valueOf(tokensIn))
          .add(out.multiply(BigDecimal.valueOf(tokensOut)))
          .movePointLeft(6)
          .stripTrailingZeros();
    }
  }

  /** One model of one provider. */
  record Route(Provider provider, String model, Price price) {

    String name() {
      return provider.name() + "/" + model;
    }
  }

  /**
   * @param routes what is tried, in this order
   * @param tokensOutMax of one answer
   */
  record Model(String name, List<Route> routes, int tokensOutMax) {}

  /**
   * How a request that failed before it said anything is made again, at the same route.
   *
   * @param backoff before the second attempt; twice as long before each further one
   * @param waitMax a server that wants a longer wait is passed over
   */
  record Retries(int attemptsMax, Duration backoff, Duration waitMax) {}

  /**
   * When a route is left alone.
   *
   * @param calls the last ones of it, which are looked at
   * @param callsMin so many must have been made
   * @param failurePercent of these, that failed
   * @param open how long it is left alone before one call tries it
   */
  record Breaking(int calls, int callsMin, int failurePercent, Duration open) {}

  /**
   * @param messagesBytesMax of the messages, tools and schema of one call
   * @param answerBytesMax of the text and the tool calls of one answer
   * @param lineBytesMax of one event of a stream
   * @param streamsMax answers that are awaited at once, whoever asked
   * @param cacheBytesMax of all answers that are kept
   * @param cached how long one is kept
   */
  record Limits(
      int messagesBytesMax,
      int answerBytesMax,
      int lineBytesMax,
      int streamsMax,
      long cacheBytesMax,
      Duration cached) {}

  /** A model by the name that a caller writes; empty if there is none of that name. */
  Optional<Model> model(String name) {
    Model named = models.get(name);
    return named == null ? direct(name) : Optional.of(named);
  }

  private Optional<Model> direct(String name) {
    int slash = name.indexOf('/');
    Provider provider = slash < 0 ? null : providers.get(name.substring(0, slash));
    String model = name.substring(slash + 1);
    if (provider == null || !provider.anyModel() || !MODEL.matcher(model).matches()) {
      return Optional.empty();
    }
    Route route = new Route(provider, model, provider.price());
    return Optional.of(new Model(name, List.of(route), provider.tokensOutMax()));
  }

  /** Whether a text can be the name of a model at all. */
  static boolean isModelName(String text) {
    return MODEL.matcher(text).matches();
  }

  // --- reading --------------------------------------------------------------------------------

  /**
   * @param environment decides where Ollama is; a variable that is empty says nothing
   * @throws InvalidDocument with the pointer of the setting
   */
  static ModelSettings read(byte[] yaml, Map<String, String> environment) throws InvalidDocument {
    Fields root =
        Documents.yaml(yaml)
            .only(
                "apiVersion",
                "kind",
                "providers",
                "models",
                "default",
                "retry",
                "circuit",
                "limits");
    expect(root, "apiVersion", "aion.os/v1");
    expect(root, "kind", "ModelConfig");
    Map<String, Provider> providers = providers(root, environment);
    Map<String, Model> models = models(root, providers);
    ModelSettings settings =
        new ModelSettings(
            providers,
            models,
            root.textOrNull("default"),
            retries(root.objectOrEmpty("retry")),
            breaking(root.objectOrEmpty("circuit")),
            limits(root.objectOrEmpty("limits")));
    if (settings.standard != null && settings.model(settings.standard).isEmpty()) {
      throw root.invalid("default", "names no model that is configured here");
    }
    return settings;
  }

  private static void expect(Fields root, String name, String value) throws InvalidDocument {
    if (!root.text(name, value).equals(value)) {
      throw root.invalid(name, "must be " + value);
    }
  }

  private static Map<String, Provider> providers(Fields root, Map<String, String> environment)
      throws InvalidDocument {
    String ollama = environment.getOrDefault(OLLAMA_URL, "");
    Map<String, Provider> providers = new LinkedHashMap<>();
    for (Map.Entry<String, Fields> each : root.objects("providers").entrySet()) {
      if (!NAME.matcher(each.getKey()).matches() || providers.size() == PROVIDERS_MAX) {
        throw root.invalid(
            "providers", "are at most " + PROVIDERS_MAX + ", each named like " + NAME.pattern());
      }
      providers.put(each.getKey(), provider(each.getKey(), each.getValue(), environment));
    }
    if (!ollama.isEmpty() && !providers.containsKey(OLLAMA)) {
      providers.put(
          OLLAMA,
          provider(
              OLLAMA,
              Documents.yaml("{}".getBytes(java.nio.charset.StandardCharsets.UTF_8)),
              environment));
    }
    return java.util.Collections.unmodifiableMap(providers);
  }

  private static Provider provider(String name, Fields fields, Map<String, String> environment)
      throws InvalidDocument {
    fields.only(
        "url",
        "local",
        "any_model",
        "key_variable",
        "key_file",
        "ca_file",
        "connect_ms",
        "silence_ms",
        "concurrency_max",
        "continue",
        "usd_per_million_tokens_in",
        "usd_per_million_tokens_out",
        "tokens_out_max");
    boolean isOllama = name.equals(OLLAMA);
    String caFile = fields.textOrNull("ca_file");
    if (caFile != null && !Files.isReadable(Path.of(caFile))) {
      throw fields.invalid("ca_file", "cannot be read");
    }
    return new Provider(
        name,
        url(fields, isOllama ? environment.getOrDefault(OLLAMA_URL, "") : ""),
        fields.flag("local", isOllama),
        fields.flag("any_model", isOllama),
        key(fields, environment),
        caFile == null ? null : Path.of(caFile),
        Duration.ofMillis(fields.wholeNumber("connect_ms", 5_000, 10, 60_000)),
        Duration.ofMillis(fields.wholeNumber("silence_ms", 120_000, 10, 3_600_000)),
        (int) fields.wholeNumber("concurrency_max", 512, 1, 10_000),
        continuation(fields, isOllama),
        price(fields),
        (int) fields.wholeNumber("tokens_out_max", 4_096, 1, TOKENS_MAX));
  }

  /** With {@code /v1} at its end, whether it was written or not. */
  private static URI url(Fields fields, String decided) throws InvalidDocument {
    String written = decided.isEmpty() ? fields.text("url") : decided;
    String bare = written.strip().replaceAll("/+$", "");
    try {
      URI url = new URI(bare.endsWith(API) ? bare : bare + API);
      String scheme = String.valueOf(url.getScheme()).toLowerCase(Locale.ROOT);
      if (url.getHost() == null
          || url.getRawUserInfo() != null
          || url.getRawQuery() != null
          || url.getRawFragment() != null
          || !(scheme.equals("http") || scheme.equals("https"))) {
        throw fields.invalid("url", "must be http(s)://host[:port][/path]; a key goes elsewhere");
      }
      return url;
    } catch (URISyntaxException malformed) {
      // Without its words, which quote it: somebody may have written a key into it.
      throw fields.invalid("url", "is no URL");
    }
  }

  private static @Nullable String key(Fields fields, Map<String, String> environment)
      throws InvalidDocument {
    String variable = fields.textOrNull("key_variable");
    String file = fields.textOrNull("key_file");
    if (variable != null && file != null) {
      throw fields.invalid("key_file", "and key_variable cannot both be given");
    }
    String key = null;
    if (variable != null) {
      key = environment.getOrDefault(variable, "").strip();
      if (key.isEmpty()) {
        throw fields.invalid("key_variable", "there is no variable of this name, or it is empty");
      }
    } else if (file != null) {
      key = keyOf(fields, Path.of(file));
    }
    if (key != null && !key.chars().allMatch(each -> each > ' ' && each < 0x7f)) {
      throw fields.invalid(
          variable == null ? "key_file" : "key_variable", "must hold one line of plain characters");
    }
    return key;
  }

  private static String keyOf(Fields fields, Path file) throws InvalidDocument {
    try {
      String key = Files.readString(file).strip();
      if (key.isEmpty()) {
        throw fields.invalid("key_file", "is empty");
      }
      return key;
    } catch (IOException unreadable) {
      throw fields.invalid("key_file", "cannot be read");
    }
  }

  private static Continuation continuation(Fields fields, boolean isOllama) throws InvalidDocument {
    return switch (fields.text("continue", isOllama ? "assistant" : "none")) {
      case "assistant" -> Continuation.ASSISTANT;
      case "vllm" -> Continuation.VLLM;
      case "none" -> Continuation.NONE;
      default -> throw fields.invalid("continue", "must be assistant, vllm or none");
    };
  }

  private static Price price(Fields fields) throws InvalidDocument {
    return new Price(
        usd(fields, "usd_per_million_tokens_in"), usd(fields, "usd_per_million_tokens_out"));
  }

  private static BigDecimal usd(Fields fields, String name) throws InvalidDocument {
    BigDecimal price = fields.numberOrNull(name, 0, USD_MAX);
    if (price != null && price.scale() > 12) {
      throw fields.invalid(name, "has more than twelve places");
    }
    return price == null ? BigDecimal.ZERO : price;
  }

  private static Map<String, Model> models(Fields root, Map<String, Provider> providers)
      throws InvalidDocument {
    Map<String, Model> models = new LinkedHashMap<>();
    for (Map.Entry<String, Fields> each : root.objects("models").entrySet()) {
      if (!NAME.matcher(each.getKey()).matches() || models.size() == MODELS_MAX) {
        throw root.invalid(
            "models", "are at most " + MODELS_MAX + ", each named like " + NAME.pattern());
      }
      Fields fields = each.getValue().only("routes", "tokens_out_max");
      models.put(
          each.getKey(),
          new Model(
              each.getKey(),
              routes(fields, providers),
              (int) fields.wholeNumber("tokens_out_max", 4_096, 1, TOKENS_MAX)));
    }
    return java.util.Collections.unmodifiableMap(models);
  }

  private static List<Route> routes(Fields fields, Map<String, Provider> providers)
      throws InvalidDocument {
    if (!(fields.value("routes") instanceof List<?> written)
        || written.isEmpty()
        || written.size() > ROUTES_MAX) {
      throw fields.invalid("routes", "must be a list of 1 to " + ROUTES_MAX + " provider/model");
    }
    List<Route> routes = new ArrayList<>();
    for (int i = 0; i < written.size(); i++) {
      routes.add(route(written.get(i), fields.at("routes") + "/" + i, providers));
    }
    return List.copyOf(routes);
  }

  /** Either {@code provider/model}, at the provider's price, or {@code {route, price …}}. */
  private static Route route(
      @Nullable Object written, String pointer, Map<String, Provider> providers)
      throws InvalidDocument {
    Fields fields =
        Fields.of(written instanceof String name ? Map.of("route", name) : written, pointer)
            .only("route", "usd_per_million_tokens_in", "usd_per_million_tokens_out");
    String name = fields.text("route");
    int slash = name.indexOf('/');
    Provider provider = slash < 0 ? null : providers.get(name.substring(0, slash));
    if (provider == null || !MODEL.matcher(name.substring(slash + 1)).matches()) {
      throw fields.invalid("route", "must be provider/model, of a provider that stands here");
    }
    boolean priced =
        fields.has("usd_per_million_tokens_in") || fields.has("usd_per_million_tokens_out");
    return new Route(
        provider, name.substring(slash + 1), priced ? price(fields) : provider.price());
  }

  private static Retries retries(Fields fields) throws InvalidDocument {
    fields.only("attempts_max", "backoff_ms", "wait_ms_max");
    return new Retries(
        (int) fields.wholeNumber("attempts_max", 3, 1, 10),
        Duration.ofMillis(fields.wholeNumber("backoff_ms", 200, 0, 60_000)),
        Duration.ofMillis(fields.wholeNumber("wait_ms_max", 10_000, 0, 600_000)));
  }

  private static Breaking breaking(Fields fields) throws InvalidDocument {
    fields.only("calls", "calls_min", "failure_percent", "open_ms");
    int calls = (int) fields.wholeNumber("calls", 20, 1, 1_000);
    return new Breaking(
        calls,
        (int) fields.wholeNumber("calls_min", Math.min(5, calls), 1, calls),
        (int) fields.wholeNumber("failure_percent", 50, 1, 100),
        Duration.ofMillis(fields.wholeNumber("open_ms", 15_000, 10, 3_600_000)));
  }

  private static Limits limits(Fields fields) throws InvalidDocument {
    fields.only(
        "messages_bytes_max",
        "answer_bytes_max",
        "line_bytes_max",
        "streams_max",
        "cache_bytes_max",
        "cache_s");
    return new Limits(
        (int) fields.wholeNumber("messages_bytes_max", 1_048_576, 1_024, 16_777_216),
        (int) fields.wholeNumber("answer_bytes_max", 1_048_576, 1_024, 16_777_216),
        (int) fields.wholeNumber("line_bytes_max", 262_144, 1_024, 16_777_216),
        (int) fields.wholeNumber("streams_max", 512, 1, 10_000),
        fields.wholeNumber("cache_bytes_max", 33_554_432, 0, 1L << 32),
        Duration.ofSeconds(fields.wholeNumber("cache_s", 3_600, 1, 604_800)));
  }
}
