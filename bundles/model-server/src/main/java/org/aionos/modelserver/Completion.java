package org.aionos.modelserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All of one answer of {@code /v1/chat/completions}, before any of it is said. */
final class Completion {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int TOKENS_MAX = 4_096;

  private final String model;

  /** What is said, or the arguments of the call after its name. */
  private final List<String> pieces = new ArrayList<>();

  private final StringBuilder text = new StringBuilder();
  private final Conversation.@Nullable ToolCall toolCall;
  private final String finishReason;
  private final int promptTokens;
  private int tokens;

  Completion(JsonNode request, @Nullable String scripted) {
    this.model = request.path("model").asText();
    this.promptTokens = Pieces.ofPrompt(request);
    Conversation conversation = new Conversation(request);
    this.toolCall = scripted == null ? conversation.toolCall() : null;
    int tokensMax =
        request.path("max_tokens").asInt(request.path("max_completion_tokens").asInt(TOKENS_MAX));
    this.finishReason =
        toolCall == null ? say(conversation.text(scripted), tokensMax) : call(toolCall);
  }

  private String say(String whole, int tokensMax) {
    List<String> all = Pieces.of(whole);
    for (String piece : all.subList(0, Math.min(tokensMax, all.size()))) {
      text.append(piece);
      pieces.add(piece);
    }
    tokens = pieces.size();
    return all.size() > tokensMax ? "length" : "stop";
  }

  private String call(Conversation.ToolCall call) {
    pieces.add("");
    pieces.addAll(Pieces.of(call.arguments()));
    tokens = pieces.size();
    return "tool_calls";
  }

  int size() {
    return pieces.size();
  }

  /** A line of the stream with one delta. */
  byte[] delta(int index) {
    ObjectNode delta = JSON.createObjectNode();
    if (toolCall == null) {
      delta.put("content", pieces.get(index));
    } else {
      callDelta(delta, toolCall.name(), index);
    }
    return event(chunk(delta, null));
  }

  /** Its name first, then its arguments piece by piece, as real servers do. */
  private void callDelta(ObjectNode delta, String name, int index) {
    ObjectNode call = delta.putArray("tool_calls").addObject().put("index", 0);
    ObjectNode function =
        index == 0
            ? call.put("id", "call_1")
                .put("type", "function")
                .putObject("function")
                .put("name", name)
            : call.putObject("function");
    function.put("arguments", pieces.get(index));
  }

  byte[] role() {
    return event(chunk(JSON.createObjectNode().put("role", "assistant").put("content", ""), null));
  }

  byte[] finish() {
    return event(chunk(JSON.createObjectNode(), finishReason));
  }

  byte[] usageAlone() {
    ObjectNode chunk = envelope("chat.completion.chunk");
    chunk.putArray("choices");
    chunk.set("usage", usage());
    return event(chunk);
  }

  private ObjectNode chunk(ObjectNode delta, @Nullable String finish) {
    ObjectNode chunk = envelope("chat.completion.chunk");
    chunk
        .putArray("choices")
        .addObject()
        .put("index", 0)
        .put("finish_reason", finish)
        .set("delta", delta);
    return chunk;
  }

  /** The answer to who does not want a stream. */
  byte[] whole(boolean withUsage) {
    ObjectNode answer = envelope("chat.completion");
    ObjectNode message =
        answer
            .putArray("choices")
            .addObject()
            .put("index", 0)
            .put("finish_reason", finishReason)
            .putObject("message")
            .put("role", "assistant")
            .put("content", toolCall == null ? text.toString() : null);
    if (toolCall != null) {
      message
          .putArray("tool_calls")
          .addObject()
          .put("id", "call_1")
          .put("type", "function")
          .putObject("function")
          .put("name", toolCall.name())
          .put("arguments", toolCall.arguments());
    }
    if (withUsage) {
      answer.set("usage", usage());
    }
    return Wire.bytes(answer);
  }

  private ObjectNode usage() {
    return JSON.createObjectNode()
        .put("prompt_tokens", promptTokens)
        .put("completion_tokens", tokens)
        .put("total_tokens", promptTokens + tokens);
  }

  private ObjectNode envelope(String kind) {
    return JSON.createObjectNode()
        .put("id", "chatcmpl-1")
        .put("object", kind)
        .put("created", 0)
        .put("model", model);
  }

  private static byte[] event(ObjectNode chunk) {
    return Wire.event(Wire.bytes(chunk));
  }
}
