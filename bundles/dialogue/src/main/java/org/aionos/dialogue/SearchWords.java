package org.aionos.dialogue;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.tool.Found;
import org.aionos.tool.Search;
import org.jspecify.annotations.Nullable;

/** A search of this host's documents and what it found, as JSON. */
final class SearchWords {

  /** What a search may say. */
  static final String[] NAMES = {"effect", "id", "query", "limit", "language"};

  private static final int LIMIT = 8;

  private SearchWords() {}

  static Search request(Fields words) throws InvalidDocument {
    String query = words.text("query");
    if (query.isBlank() || query.length() > Search.TEXT_LENGTH_MAX) {
      throw words.invalid("query", "must have 1 to " + Search.TEXT_LENGTH_MAX + " characters");
    }
    return new Search(
        query,
        (int) words.wholeNumber("limit", LIMIT, 1, Search.LIMIT_MAX),
        words.textOrNull("language"));
  }

  static List<Map<String, @Nullable Object>> result(List<Found> found) {
    return found.stream().map(SearchWords::result).toList();
  }

  private static Map<String, @Nullable Object> result(Found found) {
    Map<String, @Nullable Object> words = new LinkedHashMap<>();
    words.put("title", found.title());
    words.put("url", found.url());
    words.put("snippet", found.snippet());
    return words;
  }
}
