package org.aionos.gateway;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Reply;
import org.jspecify.annotations.Nullable;

/** Writes answers as JSON bytes. One shape for success, one for every failure. */
final class Answers {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonFactory FACTORY = JSON.getFactory();

  private Answers() {}

  /** Writes part of an answer. */
  private interface Writing {
    void to(JsonGenerator json) throws IOException;
  }

  /** The R2 response: status, result, usage, engine, audit_id. */
  static byte[] of(Reply reply) {
    if (reply.outcome() instanceof Outcome.Failed failed) {
      return of(failed.problem(), reply.auditId(), reply.took(), failed.spent());
    }
    Outcome.Ok ok = (Outcome.Ok) reply.outcome();
    return object(
        json -> {
          json.writeStringField("status", "ok");
          json.writeFieldName("result");
          JSON.writeValue(json, ok.result());
          usage(json, reply.took(), ok.spent());
          json.writeObjectFieldStart("engine");
          json.writeStringField("kind", ok.engine().kind());
          json.writeStringField("name", ok.engine().name());
          json.writeEndObject();
          json.writeStringField("audit_id", reply.auditId());
        });
  }

  /** A failure that has used nothing; otherwise as below. */
  static byte[] of(Problem problem, String auditId, @Nullable Duration took) {
    return of(problem, auditId, took, Outcome.Spent.NOTHING);
  }

  /**
   * The one shape of failure.
   *
   * @param auditId empty where nothing could be recorded, because the journal itself is away
   * @param took null where no call was begun
   */
  private static byte[] of(
      Problem problem, String auditId, @Nullable Duration took, Outcome.Spent spent) {
    return object(
        json -> {
          json.writeStringField("status", "error");
          json.writeObjectFieldStart("error");
          json.writeStringField("code", problem.code().name());
          json.writeNumberField("number", problem.code().number());
          json.writeStringField("blame", lower(problem.code().blame()));
          json.writeStringField("message", problem.message());
          optional(json, "pointer", problem.pointer());
          optional(json, "rule", problem.rule());
          optional(json, "policy_version", problem.policyVersion());
          optional(json, "admit", problem.admit());
          json.writeStringField("retry", lower(problem.code().retry()));
          Duration retryAfter = problem.retryAfter();
          if (retryAfter != null) {
            json.writeNumberField("retry_after_ms", retryAfter.toMillis());
          }
          json.writeEndObject();
          if (took != null) {
            usage(json, took, spent);
          }
          json.writeStringField("audit_id", auditId);
        });
  }

  /** Any other answer. */
  static byte[] of(Map<String, ?> values) {
    try {
      return JSON.writeValueAsBytes(values);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  private static byte[] object(Writing writing) {
    ByteArrayBuilder bytes = new ByteArrayBuilder(512);
    try (JsonGenerator json = FACTORY.createGenerator(bytes)) {
      json.writeStartObject();
      writing.to(json);
      json.writeEndObject();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return bytes.toByteArray();
  }

  private static void usage(JsonGenerator json, Duration took, Outcome.Spent spent)
      throws IOException {
    json.writeObjectFieldStart("usage");
    // Milliseconds with microseconds behind the point: most kernel calls take less than one.
    json.writeNumberField("latency_ms", BigDecimal.valueOf(took.toNanos() / 1_000, 3));
    json.writeNumberField("cost_usd", spent.costUsd());
    json.writeNumberField("tokens_in", spent.tokensIn());
    json.writeNumberField("tokens_out", spent.tokensOut());
    json.writeEndObject();
  }

  private static void optional(JsonGenerator json, String name, @Nullable String value)
      throws IOException {
    if (value != null) {
      json.writeStringField(name, value);
    }
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
