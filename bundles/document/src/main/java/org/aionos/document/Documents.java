package org.aionos.document;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamWriteConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.util.Map;
import org.aionos.document.InvalidDocument.Fault;
import org.jspecify.annotations.Nullable;

/** Turns bytes into plain values: text, number, boolean, list, map, null. Threads may share it. */
public final class Documents {

  /** No honest request nests deeper; each level costs a stack frame. */
  public static final int DEPTH_MAX = 64;

  /** The time to read a number grows with the square of its length. */
  static final int NUMBER_LENGTH_MAX = 100;

  private static final ObjectMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(DEPTH_MAX)
                          .maxNumberLength(NUMBER_LENGTH_MAX)
                          .maxNameLength(1_000)
                          .maxStringLength(16 << 20)
                          .build())
                  .build())
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final ObjectReader ANY = JSON.readerFor(Object.class);

  /** As deep as can be written. */
  private static final ObjectReader KEPT =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(StreamWriteConstraints.DEFAULT_MAX_DEPTH)
                          .maxNumberLength(Integer.MAX_VALUE)
                          .maxNameLength(Integer.MAX_VALUE)
                          .maxStringLength(Integer.MAX_VALUE)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build()
          .readerFor(Object.class);

  private Documents() {}

  /**
   * Reads one JSON object.
   *
   * @throws InvalidDocument for bad UTF-8, bad JSON, duplicate keys, nesting beyond {@link
   *     #DEPTH_MAX}, values that could not be written again, or anything but an object
   */
  public static Fields json(byte[] bytes) throws InvalidDocument {
    Object value = jsonValue(text(bytes));
    Unwritable.refuse(value);
    return Fields.of(value, "");
  }

  /**
   * Reads one JSON object that {@link #write} has written. The limits are those of writing: what
   * was taken from a request nests deeper once it stands within something else.
   *
   * @throws InvalidDocument if it is damaged
   */
  public static Fields kept(byte[] bytes) throws InvalidDocument {
    try {
      return Fields.of(KEPT.readValue(bytes), "");
    } catch (IOException damaged) {
      throw new InvalidDocument(Fault.MALFORMED, "", "is damaged");
    }
  }

  /**
   * Reads one YAML (or JSON) mapping; the same limits hold. Of YAML's types it knows those that
   * JSON has: a date is text.
   */
  public static Fields yaml(byte[] bytes) throws InvalidDocument {
    return yaml(text(bytes));
  }

  /** As {@link #yaml(byte[])}, of a text. */
  public static Fields yaml(String text) throws InvalidDocument {
    Object value = PlainYaml.read(text);
    Unwritable.refuse(value);
    return Fields.of(value, "");
  }

  /** Writes plain values as JSON bytes. */
  public static byte[] write(Map<String, ?> object) {
    try {
      return JSON.writeValueAsBytes(object);
    } catch (JsonProcessingException impossible) {
      throw new IllegalArgumentException("not plain JSON values", impossible);
    }
  }

  private static @Nullable Object jsonValue(String text) throws InvalidDocument {
    try (JsonParser parser = JSON.getFactory().createParser(text)) {
      return ANY.readValue(parser);
    } catch (StreamConstraintsException limit) {
      boolean depth = String.valueOf(limit.getMessage()).contains("nesting depth");
      throw new InvalidDocument(
          depth ? Fault.TOO_DEEP : Fault.MALFORMED,
          "",
          depth ? "nested deeper than " + DEPTH_MAX + " levels" : limit.getOriginalMessage());
    } catch (JsonProcessingException malformed) {
      String why = malformed.getOriginalMessage();
      if (why.startsWith("Duplicate field")) {
        throw new InvalidDocument(
            Fault.DUPLICATE_KEY, "", why.replace("Duplicate field", "duplicate key"));
      }
      throw new InvalidDocument(
          Fault.MALFORMED, "", "not valid JSON" + at(malformed) + ": " + firstLine(why));
    } catch (IOException impossible) {
      throw new InvalidDocument(Fault.MALFORMED, "", "not valid JSON");
    }
  }

  private static String text(byte[] bytes) throws InvalidDocument {
    // Spares the copies that a decoder makes. It puts U+FFFD for what is malformed, so only a text
    // with that character in it has to be looked at again.
    String lenient = new String(bytes, UTF_8);
    if (lenient.indexOf('\ufffd') < 0) {
      return lenient;
    }
    try {
      return UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(bytes))
          .toString();
    } catch (CharacterCodingException notUtf8) {
      throw new InvalidDocument(Fault.NOT_UTF8, "", "the body is not valid UTF-8");
    }
  }

  private static String at(JsonProcessingException malformed) {
    var location = malformed.getLocation();
    return location == null
        ? ""
        : " at line " + location.getLineNr() + " column " + location.getColumnNr();
  }

  private static String firstLine(String message) {
    return message.lines().findFirst().orElse("");
  }
}
