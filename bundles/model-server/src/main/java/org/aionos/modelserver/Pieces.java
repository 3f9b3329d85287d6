package org.aionos.modelserver;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** What this server takes for a token: four characters, or what is left. */
final class Pieces {

  private static final int LENGTH = 4;

  /** As real servers count what stands around each message. */
  private static final int AROUND_A_MESSAGE = 3;

  private Pieces() {}

  static List<String> of(String text) {
    List<String> pieces = new ArrayList<>();
    int from = 0;
    while (from < text.length()) {
      int to = from;
      for (int i = 0; i < LENGTH && to < text.length(); i++) {
        to += Character.charCount(text.codePointAt(to));
      }
      pieces.add(text.substring(from, to));
      from = to;
    }
    return pieces;
  }

  static int count(String text) {
    return (text.codePointCount(0, text.length()) + LENGTH - 1) / LENGTH;
  }

  /** Of a whole request: its messages and its tools. */
  static int ofPrompt(JsonNode request) {
    int count = AROUND_A_MESSAGE;
    for (JsonNode message : request.path("messages")) {
      count += AROUND_A_MESSAGE + count(message.path("content").asText(""));
      count += message.has("tool_calls") ? count(message.path("tool_calls").toString()) : 0;
    }
    return request.has("tools") ? count + count(request.path("tools").toString()) : count;
  }
}
