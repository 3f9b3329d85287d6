package org.aionos.brain;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import com.networknt.schema.path.PathType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.aionos.document.Documents;
import org.aionos.document.InvalidDocument;
import org.jspecify.annotations.Nullable;

/** A JSON Schema (2020-12) that stands beside this class. Threads may share it. */
final class ResourceSchema {

  private static final int WHY_LENGTH_MAX = 300;

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final SchemaRegistry REGISTRY =
      SchemaRegistry.withDefaultDialect(
          SpecificationVersion.DRAFT_2020_12,
          registry ->
              registry
                  .schemaLoader(loader -> loader.block(anywhere -> true))
                  .schemaRegistryConfig(
                      SchemaRegistryConfig.builder()
                          .failFast(true)
                          .locale(Locale.ENGLISH)
                          .pathType(PathType.JSON_POINTER)
                          .build()));

  private final Map<String, @Nullable Object> values;
  private final Schema schema;

  private ResourceSchema(Map<String, @Nullable Object> values) {
    this.values = values;
    this.schema = REGISTRY.getSchema(JSON.<JsonNode>valueToTree(values));
    schema.initializeValidators();
  }

  /**
   * The first thing that is wrong.
   *
   * @param missing whether it is wrong by not being there
   */
  record Fault(String pointer, String why, boolean missing) {}

  static ResourceSchema of(String resource) {
    try (InputStream in = ResourceSchema.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("there is no " + resource);
      }
      return new ResourceSchema(Documents.json(in.readAllBytes()).values());
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    } catch (InvalidDocument broken) {
      throw new IllegalStateException(broken);
    }
  }

  /** The schema itself, as plain values. */
  Map<String, @Nullable Object> values() {
    return values;
  }

  Optional<Fault> fault(Map<String, @Nullable Object> document) {
    List<Error> errors = schema.validate(JSON.<JsonNode>valueToTree(document));
    return errors.isEmpty() ? Optional.empty() : Optional.of(fault(errors.get(0)));
  }

  private static Fault fault(Error error) {
    String at = String.valueOf(error.getInstanceLocation());
    boolean unknown = "additionalProperties".equals(error.getKeyword());
    boolean missing = "required".equals(error.getKeyword());
    String why = unknown ? "unknown field" : missing ? "is missing" : error.getMessage();
    return new Fault(
        missing || unknown ? at + "/" + escaped(error.getProperty()) : at, cut(why), missing);
  }

  private static String cut(String why) {
    return why.length() <= WHY_LENGTH_MAX ? why : why.substring(0, WHY_LENGTH_MAX) + "…";
  }

  private static String escaped(@Nullable String name) {
    return String.valueOf(name).replace("~", "~0").replace("/", "~1");
  }
}
