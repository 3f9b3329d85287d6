package org.aionos.model;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Refused;
import org.aionos.schemas.ValueSchema;
import org.jspecify.annotations.Nullable;

/**
 * What is asked of a model, checked.
 *
 * @param model null for the default
 * @param messages as they go to the provider
 * @param settings temperature and the like, as they go to the provider
 * @param schema of the answer; null for text
 * @param tokensMax null for as many as the model may say
 * @param cached whether an answer that is kept will do
 */
record Generation(
    @Nullable String model,
    List<Map<String, @Nullable Object>> messages,
    Map<String, @Nullable Object> settings,
    @Nullable Map<String, @Nullable Object> schema,
    @Nullable ValueSchema check,
    @Nullable Integer tokensMax,
    boolean cached,
    boolean allowCloud) {

  private static final int MESSAGES_MAX = 2_000;
  private static final int TOOLS_MAX = 128;
  private static final int STOPS_MAX = 4;
  private static final int STOP_LENGTH_MAX = 256;
  private static final int TOKENS_MAX = 10_000_000;
  private static final int NAME_LENGTH_MAX = 256;
  private static final int PARTS_MAX = 1_000;
  private static final Set<String> ROLES =
      Set.of("system", "developer", "user", "assistant", "tool");
  private static final Pattern TOOL = Pattern.compile("[A-Za-z0-9_.-]{1,64}");

  /** What stands around a message, and around them all, in tokens; generous. */
  private static final int AROUND_A_MESSAGE = 8;

  /** Besides its words, the second try repeats the first answer. */
  private static final int AROUND_A_SECOND_TRY = 300;

  /**
   * @throws InvalidDocument with the pointer of the bad field
   * @throws Refused {@code INVALID_FIELD} if the schema is none
   */
  static Generation of(Fields params, int bytesMax) throws InvalidDocument {
    params.only(
        "model",
        "messages",
        "prompt",
        "system",
        "max_tokens",
        "temperature",
        "top_p",
        "stop",
        "seed",
        "tools",
        "tool_choice",
        "schema",
        "cache",
        "allow_cloud");
    Long tokensMax = params.wholeNumberOrNull("max_tokens", 1, TOKENS_MAX);
    Map<String, @Nullable Object> schema =
        params.has("schema") ? params.object("schema").values() : null;
    Generation generation =
        new Generation(
            modelName(params),
            messages(params),
            settings(params),
            schema,
            schema == null ? null : check(params, schema),
            tokensMax == null ? null : tokensMax.intValue(),
            params.flag("cache", false),
            params.flag("allow_cloud", true));
    if (generation.bytes() > bytesMax) {
      throw params.invalid(
          params.has("prompt") ? "prompt" : "messages",
          "with tools and schema it has more than "
              + bytesMax
              + " bytes (limits.messages_bytes_max)");
    }
    if (generation.cached && !generation.isRepeatable()) {
      throw params.invalid("cache", "needs temperature 0 or a seed: else no answer is the answer");
    }
    return generation;
  }

  static @Nullable String modelName(Fields params) throws InvalidDocument {
    String model = params.textOrNull("model", NAME_LENGTH_MAX);
    if (model != null && !ModelSettings.isModelName(model)) {
      throw params.invalid("model", "is no name of a model");
    }
    return model;
  }

  private static ValueSchema check(Fields params, Map<String, @Nullable Object> schema)
      throws InvalidDocument {
    try {
      return ValueSchema.of(schema, "schema");
    } catch (Refused invalid) {
      throw params.invalid("schema", invalid.problem().message());
    }
  }

  // --- messages -------------------------------------------------------------------------------

  private static List<Map<String, @Nullable Object>> messages(Fields params)
      throws InvalidDocument {
    if (params.has("prompt")) {
      if (params.has("messages")) {
        throw params.invalid("prompt", "and messages cannot both be given");
      }
      List<Map<String, @Nullable Object>> messages = new ArrayList<>();
      if (params.has("system")) {
        messages.add(Map.of("role", "system", "content", params.text("system")));
      }
      messages.add(Map.of("role", "user", "content", params.text("prompt")));
      return List.copyOf(messages);
    }
    if (params.has("system")) {
      throw params.invalid("system", "goes with prompt; among messages it is one of role system");
    }
    List<Fields> written = params.list("messages");
    if (written.isEmpty()) {
      throw params.has("messages")
          ? params.invalid("messages", "must have at least one message")
          : params.missing("messages");
    }
    if (written.size() > MESSAGES_MAX) {
      throw params.invalid("messages", "must be at most " + MESSAGES_MAX);
    }
    List<Map<String, @Nullable Object>> messages = new ArrayList<>();
    for (Fields each : written) {
      messages.add(message(each));
    }
    return List.copyOf(messages);
  }

  private static Map<String, @Nullable Object> message(Fields message) throws InvalidDocument {
    message.only("role", "content", "tool_calls", "tool_call_id", "name");
    String role = message.text("role");
    if (!ROLES.contains(role)) {
      throw message.invalid("role", "must be one of system, developer, user, assistant, tool");
    }
    boolean calls = message.has("tool_calls");
    if (calls && !role.equals("assistant")) {
      throw message.invalid("tool_calls", "are the assistant's alone");
    }
    if (!message.has("content") && !calls) {
      throw message.missing("content");
    }
    Map<String, @Nullable Object> kept = new LinkedHashMap<>();
    kept.put("role", role);
    kept.put("content", content(message));
    if (calls) {
      kept.put("tool_calls", toolCalls(message));
    }
    for (String name : List.of("tool_call_id", "name")) {
      String value = message.textOrNull(name, NAME_LENGTH_MAX);
      if (value != null) {
        kept.put(name, value);
      }
    }
    return kept;
  }

  /**
   * Text, or parts of text. No image by its address: the provider would fetch it, on behalf of who
   * may not.
   */
  private static @Nullable Object content(Fields message) throws InvalidDocument {
    if (!(message.value("content") instanceof List<?>)) {
      return message.textOrNull("content");
    }
    List<Fields> parts = message.list("content");
    if (parts.size() > PARTS_MAX) {
      throw message.invalid("content", "must have at most " + PARTS_MAX + " parts");
    }
    StringBuilder text = new StringBuilder();
    for (Fields part : parts) {
      part.only("type", "text");
      if (!part.text("type").equals("text")) {
        throw part.invalid("type", "must be text: other parts are not taken");
      }
      text.append(part.text("text"));
    }
    return text.toString();
  }

  private static Object toolCalls(Fields message) throws InvalidDocument {
    List<Fields> calls = message.list("tool_calls");
    if (calls.isEmpty() || calls.size() > TOOLS_MAX) {
      throw message.invalid("tool_calls", "must be 1 to " + TOOLS_MAX);
    }
    for (Fields call : calls) {
      call.only("id", "type", "function", "index");
      call.text("id");
      Fields function = call.object("function").only("name", "arguments");
      function.text("name");
      function.text("arguments");
    }
    return calls.stream().map(Fields::values).toList();
  }

  // --- the rest -------------------------------------------------------------------------------

  private static Map<String, @Nullable Object> settings(Fields params) throws InvalidDocument {
    Map<String, @Nullable Object> settings = new LinkedHashMap<>();
    put(settings, "temperature", params.numberOrNull("temperature", 0, 2));
    put(settings, "top_p", params.numberOrNull("top_p", 0, 1));
    put(settings, "seed", params.wholeNumberOrNull("seed", Long.MIN_VALUE, Long.MAX_VALUE));
    put(settings, "stop", stops(params));
    put(settings, "tools", tools(params));
    Object choice = params.value("tool_choice");
    if (choice != null && !(choice instanceof String || choice instanceof Map)) {
      throw params.invalid("tool_choice", "must be text or an object");
    }
    if (choice != null && !params.has("tools")) {
      throw params.invalid("tool_choice", "needs tools");
    }
    put(settings, "tool_choice", choice);
    return settings;
  }

  private static void put(
      Map<String, @Nullable Object> settings, String name, @Nullable Object value) {
    if (value != null) {
      settings.put(name, value);
    }
  }

  private static @Nullable List<String> stops(Fields params) throws InvalidDocument {
    if (!params.has("stop")) {
      return null;
    }
    List<String> stops =
        params.value("stop") instanceof String one
            ? List.of(one)
            : List.copyOf(params.texts("stop", STOPS_MAX));
    if (stops.stream().anyMatch(each -> each.isEmpty() || each.length() > STOP_LENGTH_MAX)) {
      throw params.invalid("stop", "must be texts of 1 to " + STOP_LENGTH_MAX + " characters");
    }
    return stops;
  }

  private static @Nullable List<Map<String, @Nullable Object>> tools(Fields params)
      throws InvalidDocument {
    if (!params.has("tools")) {
      return null;
    }
    List<Fields> tools = params.list("tools");
    if (tools.isEmpty() || tools.size() > TOOLS_MAX) {
      throw params.invalid("tools", "must be 1 to " + TOOLS_MAX);
    }
    for (Fields tool : tools) {
      tool.only("type", "function");
      if (!tool.text("type").equals("function")) {
        throw tool.invalid("type", "must be function");
      }
      Fields function = tool.object("function").only("name", "description", "parameters", "strict");
      if (!TOOL.matcher(function.text("name")).matches()) {
        throw function.invalid("name", "must match " + TOOL.pattern());
      }
      function.textOrNull("description");
      function.objectOrEmpty("parameters");
    }
    return tools.stream().map(Fields::values).toList();
  }

  /** Whether the same question has the same answer, as far as can be wished for. */
  private boolean isRepeatable() {
    return settings.containsKey("seed")
        || (settings.get("temperature") instanceof BigDecimal temperature
            && temperature.signum() == 0);
  }

  /** Whether an answer that was broken off can be gone on with: text can, JSON and calls cannot. */
  boolean canGoOn() {
    return schema == null;
  }

  // --- its size -------------------------------------------------------------------------------

  private int bytes() {
    return Documents.write(asked()).length;
  }

  /** All that is said to the model, whichever it is. */
  Map<String, @Nullable Object> asked() {
    Map<String, @Nullable Object> asked = new LinkedHashMap<>();
    asked.put("messages", messages);
    asked.putAll(settings);
    if (schema != null) {
      asked.put("schema", schema);
    }
    return asked;
  }

  /** Tokens of the prompt, as texts have them on average. */
  long tokensIn() {
    return Tokens.about(bytes());
  }

  /**
   * What it may take at most, as far as can be told without the model's own way of counting.
   *
   * @param tokensOutMax of one answer
   */
  long[] tokensAtMost(int tokensOutMax) {
    long in = Tokens.atMost(bytes()) + (long) AROUND_A_MESSAGE * (messages.size() + 1);
    long out = tokensMax == null ? tokensOutMax : Math.min(tokensMax, tokensOutMax);
    return schema == null
        ? new long[] {in, out}
        : new long[] {in + in + out + AROUND_A_SECOND_TRY, out + out};
  }
}
