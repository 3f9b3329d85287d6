package org.aionos.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.jspecify.annotations.Nullable;

/** What a provider has said so far, in one answer. Threads may look while it is being said. */
final class Said {

  /** Calls of tools in one answer. */
  private static final int CALLS_MAX = 128;

  private static final long TOKENS_MAX = 1_000_000_000L;

  private final int bytesMax;
  private final StringBuilder text = new StringBuilder();
  private final Map<Integer, Call> calls = new TreeMap<>();
  private long bytes;
  private long deltas;
  private @Nullable String finishReason;
  private @Nullable Long tokensIn;
  private @Nullable Long tokensOut;

  Said(int bytesMax) {
    this.bytesMax = bytesMax;
  }

  /** One call of a tool, as it grows. */
  private static final class Call {
    private String id = "";
    private String name = "";
    private final StringBuilder arguments = new StringBuilder();

    Map<String, @Nullable Object> shown() {
      return Map.of(
          "id",
          id,
          "type",
          "function",
          "function",
          Map.of("name", name, "arguments", arguments.toString()));
    }
  }

  /**
   * Takes one event of the stream.
   *
   * @return what it says that is new; empty for nothing
   * @throws ProviderFailure {@code UNAVAILABLE} if it says that it failed, {@code TOO_LARGE}
   * @throws InvalidDocument if it is not of the form that it should be
   */
  synchronized Map<String, @Nullable Object> take(Fields event)
      throws ProviderFailure, InvalidDocument {
    if (event.has("error")) {
      throw new ProviderFailure(
          ProviderFailure.Kind.UNAVAILABLE, "said in the midst of its answer that it failed");
    }
    if (event.has("usage")) {
      Fields usage = event.object("usage");
      tokensIn = usage.wholeNumberOrNull("prompt_tokens", 0, TOKENS_MAX);
      tokensOut = usage.wholeNumberOrNull("completion_tokens", 0, TOKENS_MAX);
    }
    List<Fields> choices = event.list("choices");
    if (choices.isEmpty()) {
      return Map.of();
    }
    Fields choice = choices.get(0);
    String finish = choice.textOrNull("finish_reason", 64);
    finishReason = finish == null ? finishReason : finish;
    return delta(choice.objectOrEmpty("delta"));
  }

  private Map<String, @Nullable Object> delta(Fields delta)
      throws ProviderFailure, InvalidDocument {
    Map<String, @Nullable Object> said = new LinkedHashMap<>();
    String more = delta.text("content", "");
    if (!more.isEmpty()) {
      count(more);
      text.append(more);
      said.put("text", more);
    }
    List<Fields> moreCalls = delta.list("tool_calls");
    if (!moreCalls.isEmpty()) {
      List<Map<String, @Nullable Object>> grown = new ArrayList<>();
      for (Fields each : moreCalls) {
        grown.add(call(each));
      }
      said.put("tool_calls", grown);
    }
    deltas += said.isEmpty() ? 0 : 1;
    return said;
  }

  private Map<String, @Nullable Object> call(Fields delta) throws ProviderFailure, InvalidDocument {
    // Some servers leave the index out, and send each call whole.
    int index = (int) delta.wholeNumber("index", calls.size(), 0, CALLS_MAX - 1);
    Call call = calls.computeIfAbsent(index, absent -> new Call());
    Fields function = delta.objectOrEmpty("function");
    String arguments = function.text("arguments", "");
    String name = function.text("name", "");
    String id = delta.text("id", "");
    count(arguments + name + id);
    call.id = id.isEmpty() ? call.id : id;
    call.name = name.isEmpty() ? call.name : name;
    call.arguments.append(arguments);
    Map<String, @Nullable Object> shown = new LinkedHashMap<>();
    shown.put("index", index);
    if (!name.isEmpty()) {
      shown.put("id", call.id);
      shown.put("name", name);
    }
    shown.put("arguments", arguments);
    return shown;
  }

  private void count(String more) throws ProviderFailure {
    bytes += more.getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
    if (bytes > bytesMax) {
      throw new ProviderFailure(
          ProviderFailure.Kind.TOO_LARGE,
          "says more than " + bytesMax + " bytes (limits.answer_bytes_max)");
    }
  }

  synchronized String text() {
    return text.toString();
  }

  synchronized List<Map<String, @Nullable Object>> toolCalls() {
    return calls.values().stream().map(Call::shown).toList();
  }

  synchronized boolean hasToolCalls() {
    return !calls.isEmpty();
  }

  synchronized boolean hasBegun() {
    return deltas > 0;
  }

  /** How many pieces it came in: most providers send each token by itself. */
  synchronized long deltas() {
    return deltas;
  }

  /** Null until it has ended. */
  synchronized @Nullable String finishReason() {
    return finishReason;
  }

  synchronized boolean isCounted() {
    return tokensIn != null && tokensOut != null;
  }

  /**
   * @param about what the prompt has, where the provider has not counted
   */
  synchronized long tokensIn(long about) {
    return tokensIn == null ? about : tokensIn;
  }

  /** As the provider counted, else by length. */
  synchronized long tokensOut() {
    if (tokensOut != null) {
      return tokensOut;
    }
    long characters = text.length();
    for (Call call : calls.values()) {
      characters += call.name.length() + call.arguments.length();
    }
    return Tokens.about(characters);
  }
}
