package org.aionos.dialogue;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.tool.Effects;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.jspecify.annotations.Nullable;

/**
 * The words. A call:
 *
 * <pre>{"id":"sc-1","tool":"t","arguments":{…},"deadline":"2026-01-01T00:00:00Z","trace_id":null}
 * </pre>
 *
 * its answer, one of
 *
 * <pre>{"result":{…},"cost_usd":0.002}    {"failure":{"code":"BAD_ARGUMENT","message":"…"}}</pre>
 *
 * an effect, one of
 *
 * <pre>{"effect":"read_text","path":"a.txt"}    {"effect":"list","path":"."}
 * {"effect":"write_text","path":"a.txt","text":"…"}
 * {"effect":"fetch","url":"https://…","method":"GET","headers":{…},"body":"…"}
 * {"effect":"progress","done":0.4,"message":"…"}    {"effect":"partial","part":{…}}</pre>
 *
 * and its result
 *
 * <pre>{"value":…}    {"error":{"code":"NOT_FOUND","message":"…"}}</pre>
 *
 * That of {@code fetch} is {@code {"status":200,"url":"…","headers":{…},"body":"…"}}; a body that
 * is no UTF-8 comes as {@code body_base64} instead, and may be sent so too.
 *
 * <p>An effect may have a number, {@code "id"}, by which a carrier names its result.
 *
 * <p>The codes are those of {@link ToolFailure.Code}. What else a tool says is malformed.
 */
public final class Dialogue {

  private static final long COST_USD_MAX = 1_000_000;

  /** A sentence or two; what is longer is cut. */
  private static final int MESSAGE_LENGTH_MAX = 1_000;

  private Dialogue() {}

  /** A call, as a tool is told it. */
  public static byte[] call(ToolCall call) {
    Map<String, @Nullable Object> words = new LinkedHashMap<>();
    words.put("id", call.id());
    words.put("tool", call.tool());
    words.put("arguments", call.arguments());
    words.put("deadline", call.deadline().toString());
    words.put("trace_id", call.traceId());
    return Documents.write(words);
  }

  /**
   * What a tool answered.
   *
   * @throws ToolFailure if that is what it says
   * @throws InvalidDocument if it is no answer
   */
  public static ToolResult answer(byte[] words) throws ToolFailure, InvalidDocument {
    return answer(Documents.json(words));
  }

  /** As {@link #answer(byte[])}, of what was read already. */
  public static ToolResult answer(Fields words) throws ToolFailure, InvalidDocument {
    words.only("result", "cost_usd", "failure");
    if (words.has("failure")) {
      throw failure(words.object("failure").only("code", "message"));
    }
    BigDecimal cost = words.numberOrNull("cost_usd", 0, COST_USD_MAX);
    return new ToolResult(words.object("result").values(), cost == null ? BigDecimal.ZERO : cost);
  }

  private static ToolFailure failure(Fields words) throws InvalidDocument {
    String message = words.text("message", "");
    return new ToolFailure(
        code(words), message.substring(0, Math.min(message.length(), MESSAGE_LENGTH_MAX)));
  }

  private static ToolFailure.Code code(Fields words) throws InvalidDocument {
    try {
      return ToolFailure.Code.valueOf(words.text("code"));
    } catch (IllegalArgumentException unknown) {
      throw words.invalid("code", "must be one of ToolFailure.Code");
    }
  }

  /**
   * Carries out an effect that a tool asks for.
   *
   * @return its result, an error included
   * @throws InvalidDocument if it is no effect
   * @throws InterruptedException when the deadline passes
   */
  public static Map<String, @Nullable Object> effect(Fields words, Effects effects)
      throws InvalidDocument, InterruptedException {
    Map<String, @Nullable Object> result = new LinkedHashMap<>();
    try {
      result.put("value", carryOut(words, effects));
    } catch (ToolFailure failure) {
      Map<String, @Nullable Object> error = new LinkedHashMap<>();
      error.put("code", failure.code().name());
      error.put("message", failure.getMessage());
      result.put("error", error);
    }
    return result;
  }

  private static @Nullable Object carryOut(Fields words, Effects effects)
      throws InvalidDocument, ToolFailure, InterruptedException {
    String effect = words.text("effect");
    switch (effect) {
      case "read_text":
        return effects.readText(words.only("effect", "id", "path").text("path"));
      case "list":
        return effects.list(words.only("effect", "id", "path").text("path"));
      case "write_text":
        words.only("effect", "id", "path", "text");
        effects.writeText(words.text("path"), words.text("text"));
        return null;
      case "progress":
        words.only("effect", "id", "done", "message");
        effects.progress(done(words), words.text("message", ""));
        return null;
      case "partial":
        effects.partial(words.only("effect", "id", "part").object("part").values());
        return null;
      case "fetch":
        return FetchWords.result(effects.fetch(FetchWords.request(words.only(FetchWords.NAMES))));
      case "search":
        return SearchWords.result(
            effects.search(SearchWords.request(words.only(SearchWords.NAMES))));
      case "settings":
        words.only("effect", "id");
        return effects.settings();
      default:
        throw words.invalid(
            "effect",
            "must be read_text, write_text, list, fetch, search, settings, progress or partial");
    }
  }

  private static @Nullable Double done(Fields words) throws InvalidDocument {
    BigDecimal done = words.numberOrNull("done", 0, 1);
    return done == null ? null : done.doubleValue();
  }
}
