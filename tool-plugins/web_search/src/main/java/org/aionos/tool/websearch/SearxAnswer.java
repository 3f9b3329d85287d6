package org.aionos.tool.websearch;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads the JSON answer of a SearXNG instance. The instance is not trusted: the whole must be one
 * JSON object with a {@code results} array of objects, every text is cut, and a result without a
 * title or a web address is left out.
 */
final class SearxAnswer {

  private static final int TITLE_CHARS_MAX = 300;
  private static final int SNIPPET_CHARS_MAX = 600;

  /** What browsers and proxies agree to carry. */
  private static final Pattern WEB_URL = Pattern.compile("https?://[\\x21-\\x{10FFFF}]{1,2040}");

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(32)
                  .maxNumberLength(100)
                  .maxNameLength(1_000)
                  .maxStringLength(1 << 18)
                  .build())
          .build();

  private SearxAnswer() {}

  /** Returns the first {@code limit} usable results, in the order of the answer. */
  static List<SearchItem> read(byte[] body, int limit, String source) throws EndpointFailure {
    try (JsonParser json = JSON.createParser(body)) {
      List<SearchItem> items = answer(json, limit, source);
      if (items != null && json.nextToken() == null) {
        return items;
      }
    } catch (IOException notJson) {
      // Told below: a parser's message would quote the answer.
    }
    throw new EndpointFailure("its answer is not the JSON of a SearXNG instance");
  }

  private static @Nullable List<SearchItem> answer(JsonParser json, int limit, String source)
      throws IOException {
    List<SearchItem> items = null;
    if (json.nextToken() != JsonToken.START_OBJECT) {
      return null;
    }
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      boolean results = json.currentName().equals("results");
      JsonToken value = json.nextToken();
      if (!results) {
        json.skipChildren();
      } else if (value != JsonToken.START_ARRAY) {
        return null;
      } else {
        items = results(json, limit, source);
      }
    }
    return items;
  }

  private static @Nullable List<SearchItem> results(JsonParser json, int limit, String source)
      throws IOException {
    List<SearchItem> items = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      if (json.currentToken() != JsonToken.START_OBJECT) {
        return null;
      }
      SearchItem item = item(texts(json), source);
      if (item != null && items.size() < limit) {
        items.add(item);
      }
    }
    return items;
  }

  private static Map<String, String> texts(JsonParser json) throws IOException {
    Map<String, String> texts = new HashMap<>();
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String name = json.currentName();
      if (json.nextToken() == JsonToken.VALUE_STRING && wanted(name)) {
        texts.put(name, json.getText());
      } else {
        json.skipChildren();
      }
    }
    return texts;
  }

  private static boolean wanted(String name) {
    return name.equals("title") || name.equals("url") || name.equals("content");
  }

  private static @Nullable SearchItem item(Map<String, String> texts, String source) {
    String title = PlainText.oneLine(texts.getOrDefault("title", ""), TITLE_CHARS_MAX);
    String url = texts.getOrDefault("url", "");
    if (title.isEmpty() || !WEB_URL.matcher(url).matches()) {
      return null;
    }
    String snippet = PlainText.oneLine(texts.getOrDefault("content", ""), SNIPPET_CHARS_MAX);
    return new SearchItem(title, url, snippet, source);
  }
}
