package org.aionos.schemas;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaException;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import com.networknt.schema.path.PathType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;

/**
 * What the arguments of a tool, its result, or the answer of a model must look like: JSON Schema
 * 2020-12, or its short form {@code query:string, limit:integer?}. Threads may share it.
 *
 * <p>A schema comes from a stranger and is applied to the words of another, on our thread, where no
 * deadline reaches it. So its work is bounded beforehand: references stay inside and do not go in
 * circles, what they unfold to is counted, and patterns are of the kind that matches in linear
 * time.
 */
public final class ValueSchema {

  /** A large tool's schema has a few hundred. */
  private static final int NODES_MAX = 2_000;

  private static final String DIALECT = SpecificationVersion.DRAFT_2020_12.getDialectId();

  private static final Map<String, String> SHORT_TYPES =
      Map.ofEntries(
          Map.entry("string", "string"),
          Map.entry("text", "string"),
          Map.entry("number", "number"),
          Map.entry("integer", "integer"),
          Map.entry("boolean", "boolean"),
          Map.entry("list", "array"),
          Map.entry("array", "array"),
          Map.entry("map", "object"),
          Map.entry("object", "object"));

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final SchemaRegistry REGISTRY =
      SchemaRegistry.withDefaultDialect(
          SpecificationVersion.DRAFT_2020_12,
          registry ->
              registry
                  .schemaCacheEnabled(false)
                  .schemaLoader(loader -> loader.block(anywhere -> true))
                  .schemaRegistryConfig(
                      SchemaRegistryConfig.builder()
                          .failFast(true)
                          .locale(java.util.Locale.ENGLISH)
                          .pathType(PathType.JSON_POINTER)
                          .regularExpressionFactory(
                              pattern -> {
                                Pattern linear = Pattern.compile(pattern);
                                return text -> linear.matcher(text).find();
                              })
                          .build()));

  private final @Nullable Schema schema;

  private ValueSchema(@Nullable Schema schema) {
    this.schema = schema;
  }

  /**
   * What is wrong with a value.
   *
   * @param pointer JSON pointer of the bad field, within the value
   * @param missing whether it is wrong by not being there
   */
  public record Fault(String pointer, String message, boolean missing) {}

  /**
   * Reads a schema.
   *
   * @param written as in {@code tool.yml}; null lets everything pass
   * @param where it stands, for messages
   * @throws Refused {@code INVALID_FIELD} if it is none, or cannot be bounded
   */
  public static ValueSchema of(@Nullable Object written, String where) {
    if (written == null) {
      return new ValueSchema(null);
    }
    try {
      JsonNode node = JSON.valueToTree(written instanceof String text ? unfolded(text) : written);
      checkBounded(node);
      Schema schema = REGISTRY.getSchema(node);
      schema.initializeValidators();
      return new ValueSchema(schema);
    } catch (PatternSyntaxException | SchemaException | IllegalArgumentException invalid) {
      throw new Refused(Code.INVALID_FIELD, where + ": " + invalid.getMessage());
    }
  }

  /** The first fault found; empty if there is none. */
  public Optional<Fault> fault(@Nullable Object value) {
    if (schema == null) {
      return Optional.empty();
    }
    List<Error> errors = schema.validate(JSON.<JsonNode>valueToTree(value));
    return errors.isEmpty() ? Optional.empty() : Optional.of(fault(errors.get(0)));
  }

  private static Fault fault(Error error) {
    String at = String.valueOf(error.getInstanceLocation());
    boolean missing = "required".equals(error.getKeyword());
    boolean names = missing || "additionalProperties".equals(error.getKeyword());
    String pointer = names ? at + "/" + escaped(error.getProperty()) : at;
    return new Fault(pointer, error.getMessage(), missing);
  }

  private static String escaped(@Nullable String name) {
    return String.valueOf(name).replace("~", "~0").replace("/", "~1");
  }

  private static Map<String, Object> unfolded(String text) {
    Map<String, Object> properties = new LinkedHashMap<>();
    List<String> required = new java.util.ArrayList<>();
    for (String field : text.split(",", -1)) {
      String[] parts = field.strip().split("\\s*:\\s*", -1);
      boolean optional = parts.length == 2 && parts[1].endsWith("?");
      String type =
          parts.length == 2
              ? SHORT_TYPES.get(optional ? parts[1].substring(0, parts[1].length() - 1) : parts[1])
              : null;
      if (type == null || parts[0].isEmpty()) {
        throw new IllegalArgumentException(
            "'"
                + field.strip()
                + "' is not <name>:<type>, with a type of "
                + String.join(", ", new java.util.TreeSet<>(SHORT_TYPES.keySet()))
                + ", and ? behind it if the field may be absent");
      }
      properties.put(parts[0], Map.of("type", type));
      if (!optional) {
        required.add(parts[0]);
      }
    }
    return Map.of("type", "object", "properties", properties, "required", required);
  }

  private static void checkBounded(JsonNode schema) {
    if (!schema.isObject()) {
      throw new IllegalArgumentException("a schema is a mapping, or its short form as text");
    }
    String dialect = schema.path("$schema").asText(DIALECT);
    if (!dialect.equals(DIALECT)) {
      throw new IllegalArgumentException("this kernel reads " + DIALECT);
    }
    new Unfolding(schema).count(schema, 0);
  }

  /** Counts what a schema comes to once each reference is replaced by what it names. */
  private static final class Unfolding {

    /** Deeper is a circle, or as bad. */
    private static final int DEPTH_MAX = 64;

    private final JsonNode root;
    private int nodes;

    Unfolding(JsonNode root) {
      this.root = root;
    }

    void count(JsonNode node, int depth) {
      if (++nodes > NODES_MAX || depth > DEPTH_MAX) {
        throw new IllegalArgumentException(
            "it unfolds to more than " + NODES_MAX + " nodes, or its references go in a circle");
      }
      if (node.has("$dynamicRef") || node.has("$id")) {
        throw new IllegalArgumentException("$dynamicRef and $id are not read here");
      }
      JsonNode reference = node.get("$ref");
      if (reference != null && reference.isTextual()) {
        count(referred(reference.asText()), depth + 1);
      }
      for (Map.Entry<String, JsonNode> field : node.properties()) {
        if (!field.getKey().equals("$defs") && !field.getKey().equals("definitions")) {
          count(field.getValue(), depth + 1);
        }
      }
      if (node.isArray()) {
        node.forEach(item -> count(item, depth + 1));
      }
    }

    private JsonNode referred(String reference) {
      JsonNode found =
          reference.equals("#")
              ? root
              : reference.startsWith("#/") ? root.at(reference.substring(1)) : null;
      if (found == null || found.isMissingNode()) {
        throw new IllegalArgumentException(
            "$ref " + reference + " names nothing in this schema; it may not name anything else");
      }
      return found;
    }
  }
}
