package org.aionos.it;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/** A tool that does whatever a bad tool does, as its argument {@code do} says. */
final class TroublesomeTool {

  static final String NAME = "trouble";

  private static final String SOURCE =
      """
      import java.util.*;
      import org.aionos.tool.*;
      public final class TheTool implements Tool {
        public ToolResult invoke(ToolCall call, Effects effects)
            throws ToolFailure, InterruptedException {
          long millis = ((Number) call.arguments().getOrDefault("millis", 0)).longValue();
          switch (String.valueOf(call.arguments().get("do"))) {
            case "sleep" -> Thread.sleep(millis);
            case "ignore interrupts" -> {
              long end = System.nanoTime() + millis * 1_000_000;
              while (System.nanoTime() < end) {
                try {
                  Thread.sleep(10);
                } catch (InterruptedException ignored) {
                }
              }
            }
            case "report" -> {
              effects.progress(0.25, "a quarter");
              effects.partial(Map.of("lines", List.of("one\\ntwo")));
              effects.progress(null, "who knows");
              Thread.sleep(millis);
            }
            case "flood" -> {
              for (int i = 0; i < 1_000; i++) {
                effects.partial(Map.of("text", "x".repeat(60_000)));
              }
            }
            case "throw an exception" -> throw new IllegalStateException("SECRET of the tool");
            case "throw an error" -> throw new Error("SECRET of the tool");
            case "throw a checked exception" ->
                TheTool.<RuntimeException>sneak(new java.io.IOException("SECRET of the tool"));
            case "overflow the stack" -> overflow(0);
            case "return nothing" -> { return null; }
            case "return too much" -> { return ToolResult.of(Map.of("text", "x".repeat(5_000_000))); }
            case "return no JSON" -> { return ToolResult.of(Map.of("thing", new Object())); }
            case "return itself" -> {
              Map<String, Object> loop = new HashMap<>();
              loop.put("loop", loop);
              return ToolResult.of(loop);
            }
            case "return a key of null" -> {
              Map<String, Object> inner = new HashMap<>();
              inner.put(null, 1);
              return ToolResult.of(Map.of("inner", inner));
            }
            case "return a broken number" -> {
              return ToolResult.of(Map.of("number", new Number() {
                public int intValue() { throw new IllegalStateException(); }
                public long longValue() { throw new IllegalStateException(); }
                public float floatValue() { throw new IllegalStateException(); }
                public double doubleValue() { throw new IllegalStateException(); }
                public String toString() { throw new IllegalStateException(); }
              }));
            }
            default -> { }
          }
          return ToolResult.of(Map.of("at", Long.toString(System.nanoTime())));
        }
        static int overflow(int depth) { return overflow(depth + 1) + 1; }
        @SuppressWarnings("unchecked")
        static <T extends Throwable> void sneak(Throwable thrown) throws T { throw (T) thrown; }
      }
      """;

  private TroublesomeTool() {}

  static byte[] jar() {
    return ToolJars.tool(NAME, "1.0.0", 20_000, SOURCE)
        .header("Import-Package", "org.aionos.tool;version=\"[1.0,2)\"")
        .bytes();
  }

  static void installIn(RunningKernel kernel) {
    kernel.allowAndDrop(jar(), "trouble-1.0.0.jar");
    kernel.awaitTool("trouble@1.0.0");
  }

  static ObjectNode call(String what, long millis) {
    ObjectNode body = RunningKernel.syscall("tool.invoke", RunningKernel.RESEARCHER);
    body.withObject("/params").put("tool", NAME).put("do", what).put("millis", millis);
    return body;
  }

  static Answer of(RunningKernel kernel, ObjectNode body) {
    return kernel.call(RunningKernel.RESEARCHER_V1, "POST", "/v1/syscall/tool.invoke", body);
  }

  static Map<String, String> codes() {
    return Map.of(
        "throw an exception", "TOOL_FAULT",
        "throw an error", "TOOL_FAULT",
        "throw a checked exception", "TOOL_FAULT",
        "overflow the stack", "TOOL_FAULT",
        "return nothing", "TOOL_FAULT",
        "return too much", "RESULT_TOO_LARGE",
        "return no JSON", "RESULT_INVALID",
        "return itself", "RESULT_INVALID",
        "return a key of null", "RESULT_INVALID",
        "return a broken number", "RESULT_INVALID");
  }
}
