package org.aionos.modelserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/** A value that a simple JSON Schema lets pass. */
final class Example {

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private Example() {}

  static JsonNode of(JsonNode schema) {
    if (schema.has("const")) {
      return schema.get("const");
    }
    if (schema.path("enum").size() > 0) {
      return schema.get("enum").get(0);
    }
    JsonNode type = schema.path("type");
    return switch (type.isArray() ? type.path(0).asText() : type.asText("object")) {
      case "string" -> JSON.textNode("word".repeat(1 + schema.path("minLength").asInt(0) / 4));
      case "integer" -> JSON.numberNode(schema.path("minimum").asLong(1));
      case "number" -> JSON.numberNode(schema.path("minimum").asDouble(1.5));
      case "boolean" -> JSON.booleanNode(true);
      case "null" -> JSON.nullNode();
      case "array" -> array(schema);
      default -> object(schema);
    };
  }

  private static ArrayNode array(JsonNode schema) {
    ArrayNode array = JSON.arrayNode();
    int length = Math.max(1, schema.path("minItems").asInt(1));
    for (int i = 0; i < length; i++) {
      array.add(of(schema.path("items")));
    }
    return array;
  }

  private static ObjectNode object(JsonNode schema) {
    ObjectNode object = JSON.objectNode();
    for (Map.Entry<String, JsonNode> property : schema.path("properties").properties()) {
      object.set(property.getKey(), of(property.getValue()));
    }
    return object;
  }
}
