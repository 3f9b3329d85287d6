package org.aionos.document;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
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
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.DuplicateKeyException;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/** Turns bytes into plain values: text, number, boolean, list, map, null. Threads may share it. */
public final class Documents {

  /** No honest request nests deeper; each level costs a stack frame. */
  public static final int DEPTH_MAX = 64;

  /** Configuration and manifests are small; this stops a YAML bomb early. */
  private static final int YAML_CODE_POINTS_MAX = 1 << 20;

  /** Aliases are a convenience in a manifest, and the tool of the billion-laughs attack. */
  private static final int YAML_ALIASES_MAX = 50;

  private static final ObjectMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(DEPTH_MAX)
                          .maxNumberLength(100)
                          .maxNameLength(1_000)
                          .maxStringLength(16 << 20)
                          .build())
                  .build())
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final ObjectReader ANY = JSON.readerFor(Object.class);

  private Documents() {}

  /**
   * Reads one JSON object.
   *
   * @throws InvalidDocument for bad UTF-8, bad JSON, duplicate keys, nesting beyond {@link
   *     #DEPTH_MAX}, or anything but an object
   */
  public static Fields json(byte[] bytes) throws InvalidDocument {
    return Fields.of(jsonValue(text(bytes)), "");
  }

  /** Reads one YAML (or JSON) mapping; the same limits hold. */
  public static Fields yaml(byte[] bytes) throws InvalidDocument {
    return yaml(text(bytes));
  }

  /** Reads one YAML (or JSON) mapping; the same limits hold. */
  public static Fields yaml(String text) throws InvalidDocument {
    LoaderOptions options = new LoaderOptions();
    options.setAllowDuplicateKeys(false);
    options.setNestingDepthLimit(DEPTH_MAX);
    options.setCodePointLimit(YAML_CODE_POINTS_MAX);
    options.setMaxAliasesForCollections(YAML_ALIASES_MAX);
    try {
      Object loaded = new Yaml(new SafeConstructor(options)).load(text);
      // Dates, sets and other YAML types become the plain values that the rest of the kernel knows.
      return Fields.of(JSON.convertValue(loaded, Object.class), "");
    } catch (DuplicateKeyException duplicate) {
      throw new InvalidDocument(Fault.DUPLICATE_KEY, "", firstLines(duplicate));
    } catch (YAMLException | IllegalArgumentException | StackOverflowError malformed) {
      throw new InvalidDocument(Fault.MALFORMED, "", "not valid YAML: " + firstLines(malformed));
    }
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

  private static String firstLines(Throwable problem) {
    String message = String.valueOf(problem.getMessage());
    return message.lines().limit(3).reduce((a, b) -> a + "; " + b.strip()).orElse("");
  }

  private static String firstLine(String message) {
    return message.lines().findFirst().orElse("");
  }
}
