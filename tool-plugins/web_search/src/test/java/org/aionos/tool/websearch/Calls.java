package org.aionos.tool.websearch;

import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.tool.Effects;
import org.aionos.tool.ToolCall;

/** Calls as the kernel makes them, at a time that stands still. */
final class Calls {

  static final Instant NOW = Instant.parse("2026-05-01T12:00:00Z");
  static final InstantSource CLOCK = InstantSource.fixed(NOW);

  /** The tool has no business with the caller's files. */
  static final Effects NO_EFFECTS =
      new Effects() {
        @Override
        public String readText(String path) {
          throw new AssertionError("reads " + path);
        }

        @Override
        public void writeText(String path, String text) {
          throw new AssertionError("writes " + path);
        }

        @Override
        public List<String> list(String path) {
          throw new AssertionError("lists " + path);
        }

        @Override
        public org.aionos.tool.Fetched fetch(org.aionos.tool.Fetch request) {
          throw new AssertionError("not to be used");
        }
      };

  private Calls() {}

  static ToolCall query(String text) {
    return with(Map.of("query", text));
  }

  static ToolCall with(Map<String, Object> arguments) {
    return call(arguments, NOW.plusSeconds(30), null);
  }

  static ToolCall call(Map<String, Object> arguments, Instant deadline, String traceId) {
    return new ToolCall("sc-1", "web_search", new LinkedHashMap<>(arguments), deadline, traceId);
  }
}
