package org.aionos.policies;

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
import org.aionos.document.Fields;
import org.jspecify.annotations.Nullable;

/**
 * The JSON Schema (2020-12) of one kind of file, as it stands beside this class. Read when it is
 * first wanted: most policies have few of the files, and a kernel that starts waits for this one.
 * Threads may share it.
 */
final class FileSchema {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final SchemaRegistry REGISTRY =
      SchemaRegistry.withDefaultDialect(
          SpecificationVersion.DRAFT_2020_12,
          registry ->
              registry
                  .schemaLoader(loader -> loader.block(anywhere -> true))
                  .schemaRegistryConfig(
                      SchemaRegistryConfig.builder()
                          .locale(Locale.ENGLISH)
                          .pathType(PathType.JSON_POINTER)
                          .build()));

  private final String file;

  /** Guarded by this; null until it is wanted. */
  private @Nullable Schema schema;

  /**
   * @param file for example {@code quotas.yaml}, whose schema is {@code quotas.schema.json}
   */
  FileSchema(String file) {
    this.file = file;
  }

  private synchronized Schema schema() {
    Schema known = schema;
    if (known == null) {
      known = read(file.substring(0, file.length() - ".yaml".length()) + ".schema.json");
      schema = known;
    }
    return known;
  }

  private static Schema read(String resource) {
    try (InputStream in = FileSchema.class.getResourceAsStream(resource)) {
      Schema schema = REGISTRY.getSchema(JSON.readTree(in));
      schema.initializeValidators();
      return schema;
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  /** What is wrong with a document, the first things only; empty if nothing is. */
  List<InvalidPolicy.Fault> faults(Fields root) {
    return schema().validate(JSON.<JsonNode>valueToTree(root.values())).stream()
        .limit(InvalidPolicy.FAULTS_MAX)
        .map(this::fault)
        .toList();
  }

  private InvalidPolicy.Fault fault(Error error) {
    String at = String.valueOf(error.getInstanceLocation());
    boolean unknown = "additionalProperties".equals(error.getKeyword());
    boolean names = unknown || "required".equals(error.getKeyword());
    return new InvalidPolicy.Fault(
        file,
        names ? at + "/" + escaped(error.getProperty()) : at,
        unknown ? "unknown field" : names ? "is missing" : error.getMessage());
  }

  private static String escaped(@Nullable String name) {
    return String.valueOf(name).replace("~", "~0").replace("/", "~1");
  }
}
