package org.aionos.tool.websearch;

import java.util.regex.Pattern;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.jspecify.annotations.Nullable;

/**
 * What an agent asked for, checked.
 *
 * @param text 1 to 400 characters, not blank
 * @param limit items wanted at most, 1 to 50
 * @param language a language tag such as {@code fa} or {@code pt-BR}; null for any
 */
record SearchRequest(String text, int limit, @Nullable String language) {

  static final int TEXT_CHARS_MAX = 400;
  static final int LIMIT_MAX = 50;
  private static final int LIMIT = 8;
  private static final Pattern LANGUAGE = Pattern.compile("[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?");

  static SearchRequest of(ToolCall call) throws ToolFailure {
    String text = call.text("query").strip();
    if (text.isEmpty() || text.length() > TEXT_CHARS_MAX) {
      throw wrong("query", "must have 1 to " + TEXT_CHARS_MAX + " characters");
    }
    return new SearchRequest(text, call.wholeNumber("limit", LIMIT, 1, LIMIT_MAX), language(call));
  }

  private static @Nullable String language(ToolCall call) throws ToolFailure {
    if (call.arguments().get("language") == null) {
      return null;
    }
    String tag = call.text("language");
    if (!LANGUAGE.matcher(tag).matches()) {
      throw wrong("language", "must be a language tag such as en, fa or pt-BR");
    }
    return tag;
  }

  private static ToolFailure wrong(String argument, String rule) {
    return new ToolFailure(ToolFailure.Code.BAD_ARGUMENT, "argument '" + argument + "' " + rule);
  }
}
