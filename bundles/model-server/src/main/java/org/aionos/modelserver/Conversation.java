package org.aionos.modelserver;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What is said to a conversation: always the same to the same. An assistant's message at its end is
 * the beginning of the answer, which then goes on where that ends.
 */
final class Conversation {

  /** Each of four characters, so that each is one token. */
  private static final String[] WORDS = {
    "the ", "sun ", "sea ", "and ", "old ", "man ", "saw ", "red ", "sky ", "ran ", "far ", "off ",
    "few ", "men ", "who ", "can ", "see ", "all ", "day ", "ago ", "für ", "été ", "кот ", "日本語 "
  };

  private static final Pattern LENGTH = Pattern.compile("\\b(\\d{1,6}) tokens\\b");
  private static final Pattern CALL =
      Pattern.compile("call ([A-Za-z0-9_.-]{1,64}) (\\{.*})", Pattern.DOTALL);

  private final JsonNode request;
  private final List<JsonNode> messages = new ArrayList<>();
  private final String begun;

  Conversation(JsonNode request) {
    this.request = request;
    request.path("messages").forEach(messages::add);
    JsonNode last = messages.isEmpty() ? null : messages.get(messages.size() - 1);
    boolean goesOn =
        last != null && last.path("role").asText().equals("assistant") && !last.has("tool_calls");
    this.begun = goesOn ? messages.remove(messages.size() - 1).path("content").asText("") : "";
  }

  /** A call of a tool that the caller wants made. */
  record ToolCall(String name, String arguments) {}

  /** The call that the last message of the user asks for, if there is such a tool. */
  @Nullable ToolCall toolCall() {
    Matcher asked = CALL.matcher(lastOfUser());
    if (!asked.matches() || lastRole().equals("tool")) {
      return null;
    }
    for (JsonNode tool : request.path("tools")) {
      if (tool.at("/function/name").asText().equals(asked.group(1))) {
        return new ToolCall(asked.group(1), asked.group(2));
      }
    }
    return null;
  }

  /** What is still to be said. */
  String text(@Nullable String scripted) {
    String whole = stopped(scripted == null ? composed() : scripted);
    return whole.startsWith(begun) ? whole.substring(begun.length()) : whole;
  }

  private String composed() {
    JsonNode schema = request.at("/response_format/json_schema/schema");
    if (schema.isObject()) {
      return Example.of(schema).toString();
    }
    Random random = new Random(seed());
    int length = length(random);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append(WORDS[random.nextInt(WORDS.length)]);
    }
    return text.toString();
  }

  /** The user may ask for so many tokens. */
  private int length(Random random) {
    int standard = 8 + random.nextInt(56);
    Matcher asked = LENGTH.matcher(lastOfUser());
    return asked.find() ? Integer.parseInt(asked.group(1)) : standard;
  }

  private long seed() {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (JsonNode message : messages) {
        digest.update(message.path("role").asText().getBytes(StandardCharsets.UTF_8));
        digest.update(message.path("content").asText("").getBytes(StandardCharsets.UTF_8));
      }
      byte[] bytes = digest.digest(request.path("model").asText().getBytes(StandardCharsets.UTF_8));
      return new java.math.BigInteger(bytes).longValue() + request.path("seed").asLong(0);
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  private String stopped(String whole) {
    JsonNode stop = request.path("stop");
    String text = whole;
    for (JsonNode each : stop.isTextual() ? List.of(stop) : stop) {
      int at = text.indexOf(each.asText());
      text = at >= 0 && !each.asText().isEmpty() ? text.substring(0, at) : text;
    }
    return text;
  }

  private String lastOfUser() {
    for (int i = messages.size() - 1; i >= 0; i--) {
      if (messages.get(i).path("role").asText().equals("user")) {
        return messages.get(i).path("content").asText("");
      }
    }
    return "";
  }

  private String lastRole() {
    return messages.isEmpty() ? "" : messages.get(messages.size() - 1).path("role").asText();
  }
}
