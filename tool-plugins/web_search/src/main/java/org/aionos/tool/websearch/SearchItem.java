package org.aionos.tool.websearch;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One thing found.
 *
 * @param source {@code searxng:<host>} or {@code offline:<file>}
 */
record SearchItem(String title, String url, String snippet, String source) {

  Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("title", title);
    json.put("url", url);
    json.put("snippet", snippet);
    json.put("source", source);
    return json;
  }
}
