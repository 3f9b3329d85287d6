package org.aionos.journal;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Journal.Event;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Syscall;
import org.jspecify.annotations.Nullable;

/**
 * What a record says, encoded before any lock is taken: everything but the head, which depends on
 * the record's place. Callers choose some of the texts; each is cut to a length that keeps one
 * record small.
 */
final class Draft {

  static final String ASKED = "syscall.asked";
  static final String ENDED = "syscall.ended";
  static final String SYSCALLS = "kernel.syscalls";

  /** The longest name of a tool that is quoted. */
  static final int TOOL_CHARS_MAX = 128;

  /** Ids that callers make up: a UUID or two, a W3C trace parent. */
  static final int ID_CHARS_MAX = 256;

  /** A sentence or two: what is wrong and what to do. */
  static final int MESSAGE_CHARS_MAX = 512;

  /** More capabilities than any policy names. */
  static final int CAPABILITIES_MAX = 64;

  /** Facts are flat, or nearly so; each level costs a stack frame, here and in every reader. */
  static final int DEPTH_MAX = 32;

  /** The JSON of nearly all records. */
  private static final int TYPICAL_BYTES = 768;

  /** JSON parsers refuse longer numbers. */
  private static final int NUMBER_CHARS_MAX = 500;

  private static final JsonFactory JSON = new JsonFactory();

  private static final class Buffer extends ByteArrayOutputStream {
    Buffer() {
      super(TYPICAL_BYTES);
    }

    byte[] bytes() {
      return buf;
    }
  }

  @FunctionalInterface
  private interface Facts {
    void write(JsonGenerator json) throws IOException;
  }

  private final Buffer buffer = new Buffer();
  private final boolean begins;
  private final boolean call;
  private final long asked;

  private Draft(
      boolean begins,
      boolean call,
      long asked,
      String topic,
      String kind,
      @Nullable String tenant,
      Facts facts) {
    this.begins = begins;
    this.call = call;
    this.asked = asked;
    try (JsonGenerator json = JSON.createGenerator(buffer)) {
      json.writeStartObject();
      json.writeStringField("topic", text(topic, ID_CHARS_MAX));
      json.writeStringField("kind", text(kind, ID_CHARS_MAX));
      writeText(json, "tenant", tenant, ID_CHARS_MAX);
      json.writeObjectFieldStart("facts");
      facts.write(json);
      json.writeEndObject();
      json.writeEndObject();
    } catch (IOException impossible) {
      throw new UncheckedIOException("a buffer in memory does not fail", impossible);
    }
    if (buffer.size() > Format.RECORD_BYTES_MAX - Payload.HEAD_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a record of kind " + kind + " has more than " + Format.RECORD_BYTES_MAX + " bytes");
    }
  }

  static Draft asked(Syscall syscall) {
    return new Draft(
        true, true, 0, SYSCALLS, ASKED, syscall.agent().tenant(), json -> write(json, syscall));
  }

  static Draft ended(Asked asked, @Nullable Decision by, Outcome outcome, Duration took) {
    return new Draft(
        false,
        true,
        asked.sequence(),
        SYSCALLS,
        ENDED,
        asked.syscall().agent().tenant(),
        json -> write(json, asked, by, outcome, took));
  }

  static Draft event(Event event) {
    return new Draft(
        false,
        false,
        0,
        event.topic(),
        event.kind(),
        event.tenant(),
        json -> writeFields(json, event.facts(), 1));
  }

  /** Whether this is the intent of a syscall. */
  boolean begins() {
    return begins;
  }

  /** The bytes that follow the head, from {@link #offset}, {@link #length} of them. */
  byte[] bytes() {
    return buffer.bytes();
  }

  int offset() {
    return 1; // The head brings the opening brace.
  }

  int length() {
    return buffer.size() - 1;
  }

  /** The sequence number that the record's audit id is made from; 0 for an event. */
  long callSequence(long own) {
    if (!call) {
      return 0;
    }
    return begins ? own : asked;
  }

  private static void write(JsonGenerator json, Syscall syscall) throws IOException {
    writeText(json, "syscall", syscall.name(), TOOL_CHARS_MAX);
    json.writeStringField("agent", syscall.agent().toString());
    String kind = syscall.caller().kind().name().toLowerCase(Locale.ROOT);
    writeText(json, "caller", kind + "/" + syscall.caller().keyId(), ID_CHARS_MAX);
    writeText(json, "tool", tool(syscall), TOOL_CHARS_MAX);
    writeText(json, "task_id", syscall.context().taskId(), ID_CHARS_MAX);
    writeText(json, "trace_id", syscall.context().traceId(), ID_CHARS_MAX);
    json.writeArrayFieldStart("caps_required");
    int left = CAPABILITIES_MAX;
    for (String capability : syscall.capsRequired()) {
      if (left-- == 0) {
        break;
      }
      json.writeString(text(capability, TOOL_CHARS_MAX));
    }
    json.writeEndArray();
    writeText(json, "idempotency_key", syscall.context().idempotencyKey(), ID_CHARS_MAX);
    writeText(json, "body_sha256", syscall.bodyDigest(), ID_CHARS_MAX);
  }

  private static void write(
      JsonGenerator json, Asked asked, @Nullable Decision by, Outcome outcome, Duration took)
      throws IOException {
    json.writeStringField("asked", asked.auditId());
    json.writeStringField("agent", asked.syscall().agent().toString());
    writeText(json, "syscall", asked.syscall().name(), TOOL_CHARS_MAX);
    writeText(json, "tool", tool(asked.syscall()), TOOL_CHARS_MAX);
    json.writeStringField("code", outcome.code().name());
    json.writeNumberField("number", outcome.code().number());
    if (by != null) {
      writeText(json, "rule", by.rule(), ID_CHARS_MAX);
      writeText(json, "policy_version", by.policyVersion(), ID_CHARS_MAX);
    }
    if (outcome instanceof Outcome.Ok ok) {
      writeText(json, "engine", ok.engine().name(), ID_CHARS_MAX);
      write(json, ok.spent());
    } else if (outcome instanceof Outcome.Failed failed) {
      if (by == null) {
        writeText(json, "rule", failed.problem().rule(), ID_CHARS_MAX);
        writeText(json, "policy_version", failed.problem().policyVersion(), ID_CHARS_MAX);
      }
      if (failed.engine() != null) {
        writeText(json, "engine", failed.engine().name(), ID_CHARS_MAX);
      }
      writeText(json, "message", failed.problem().message(), MESSAGE_CHARS_MAX);
      if (!failed.spent().equals(Outcome.Spent.NOTHING)) {
        write(json, failed.spent());
      }
    }
    json.writeNumberField("latency_ms", Math.round(took.toNanos() / 1e3) / 1e3);
  }

  private static void write(JsonGenerator json, Outcome.Spent spent) throws IOException {
    json.writeFieldName("cost_usd");
    writeNumber(json, spent.costUsd());
    json.writeNumberField("tokens_in", spent.tokensIn());
    json.writeNumberField("tokens_out", spent.tokensOut());
  }

  private static @Nullable String tool(Syscall syscall) {
    return syscall.params().get("tool") instanceof String name ? name : null;
  }

  private static void writeFields(JsonGenerator json, Map<?, ?> fields, int depth)
      throws IOException {
    for (Map.Entry<?, ?> field : fields.entrySet()) {
      json.writeFieldName(text(String.valueOf(field.getKey()), ID_CHARS_MAX));
      writeValue(json, field.getValue(), depth);
    }
  }

  private static void writeValue(JsonGenerator json, @Nullable Object value, int depth)
      throws IOException {
    if (depth > DEPTH_MAX) {
      throw new IllegalArgumentException("facts are nested deeper than " + DEPTH_MAX);
    }
    if (value == null) {
      json.writeNull();
    } else if (value instanceof Boolean flag) {
      json.writeBoolean(flag);
    } else if (value instanceof Number number) {
      writeNumber(json, number);
    } else if (value instanceof Map<?, ?> map) {
      json.writeStartObject();
      writeFields(json, map, depth + 1);
      json.writeEndObject();
    } else if (value instanceof Iterable<?> items) {
      json.writeStartArray();
      for (Object item : items) {
        writeValue(json, item, depth + 1);
      }
      json.writeEndArray();
    } else {
      json.writeString(text(value.toString(), Integer.MAX_VALUE));
    }
  }

  private static void writeNumber(JsonGenerator json, Number number) throws IOException {
    if (number instanceof Integer || number instanceof Long) {
      json.writeNumber(number.longValue());
    } else if (number instanceof Double || number instanceof Float) {
      json.writeNumber(number.doubleValue());
    } else if (number instanceof BigDecimal exact && exact.precision() < NUMBER_CHARS_MAX) {
      json.writeNumber(exact);
    } else if (number instanceof BigInteger whole && whole.bitLength() < NUMBER_CHARS_MAX) {
      json.writeNumber(whole);
    } else {
      json.writeString(number.toString());
    }
  }

  private static void writeText(
      JsonGenerator json, String name, @Nullable String value, int charsMax) throws IOException {
    if (value != null) {
      json.writeStringField(name, text(value, charsMax));
    }
  }

  /**
   * A text that can be written as UTF-8: half a surrogate pair, which a caller may send as {@code
   * "\ud800"}, must not be able to stop the journal.
   */
  private static String text(String value, int charsMax) {
    String cut = value.length() > charsMax ? value.substring(0, charsMax) : value;
    for (int at = 0; at < cut.length(); at++) {
      if (Character.isSurrogate(cut.charAt(at))) {
        return wellFormed(cut);
      }
    }
    return cut;
  }

  private static String wellFormed(String text) {
    StringBuilder kept = new StringBuilder(text.length());
    text.codePoints()
        .map(point -> point >= 0xd800 && point <= 0xdfff ? 0xfffd : point)
        .forEach(kept::appendCodePoint);
    return kept.toString();
  }
}
