package org.aionos.config;

import static java.util.stream.Collectors.joining;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.jspecify.annotations.Nullable;
import org.osgi.service.metatype.AttributeDefinition;
import org.osgi.service.metatype.ObjectClassDefinition;

/**
 * One section of the configuration and the bundle that it configures. What is valid stands in the
 * bundle itself, as metatype: names, types and bounds are declared once, where they are used.
 */
final class Section {

  private final String pid;
  private final String name;
  private final Map<String, AttributeDefinition> attributes = new LinkedHashMap<>();

  Section(String name, String pid, ObjectClassDefinition declared) {
    this.name = name;
    this.pid = pid;
    for (AttributeDefinition attribute :
        declared.getAttributeDefinitions(ObjectClassDefinition.ALL)) {
      attributes.put(snakeCase(attribute.getID()), attribute);
    }
  }

  String pid() {
    return pid;
  }

  String name() {
    return name;
  }

  Set<String> keys() {
    return attributes.keySet();
  }

  /**
   * Checks what a file and the environment say and gives the configuration, by property name.
   *
   * @throws InvalidDocument with the pointer of the setting
   */
  Map<String, Object> read(Fields fields, Map<String, Environment.Decided> decided)
      throws InvalidDocument {
    fields.only(attributes.keySet().toArray(String[]::new));
    Map<String, Object> values = new LinkedHashMap<>();
    for (Map.Entry<String, AttributeDefinition> each : attributes.entrySet()) {
      String key = each.getKey();
      AttributeDefinition attribute = each.getValue();
      Environment.Decided variable = decided.get(key);
      if (variable != null) {
        values.put(
            attribute.getID(),
            value(fields, key, attribute, Arrays.asList(variable.value().split(","))));
      } else if (fields.has(key)) {
        Object written = fields.value(key);
        List<?> items = written instanceof List<?> list ? list : Arrays.asList(written);
        values.put(attribute.getID(), value(fields, key, attribute, items));
      }
    }
    return values;
  }

  private static Object value(
      Fields fields, String key, AttributeDefinition attribute, List<?> items)
      throws InvalidDocument {
    if (attribute.getCardinality() == 0) {
      if (items.size() != 1) {
        throw fields.invalid(key, "must be one value");
      }
      return typed(fields, key, attribute, items.get(0));
    }
    String[] texts = new String[items.size()];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = String.valueOf(typed(fields, key, attribute, items.get(i)));
    }
    return texts;
  }

  private static Object typed(
      Fields fields, String key, AttributeDefinition attribute, @Nullable Object item)
      throws InvalidDocument {
    String text = String.valueOf(item);
    try {
      Object value =
          switch (attribute.getType()) {
            case AttributeDefinition.BOOLEAN -> flag(fields, key, text);
            case AttributeDefinition.INTEGER -> Integer.valueOf(text);
            case AttributeDefinition.LONG -> Long.valueOf(text);
            case AttributeDefinition.DOUBLE -> Double.valueOf(text);
            default -> text;
          };
      String fault = attribute.validate(text);
      if (fault != null && !fault.isEmpty()) {
        throw fields.invalid(key, text + " is out of bounds: " + fault);
      }
      return value;
    } catch (NumberFormatException notANumber) {
      throw fields.invalid(key, "must be a whole number, not " + text);
    }
  }

  private static Boolean flag(Fields fields, String key, String text) throws InvalidDocument {
    if (text.equals("true") || text.equals("false")) {
      return Boolean.valueOf(text);
    }
    throw fields.invalid(key, "must be true or false, not " + text);
  }

  /** Every setting in force, defaults included, for people to look at. */
  Map<String, Object> inForce(Map<String, Object> values) {
    Map<String, Object> shown = new LinkedHashMap<>();
    attributes.forEach(
        (key, attribute) -> {
          Object value = values.get(attribute.getID());
          String[] defaults = attribute.getDefaultValue();
          shown.put(
              key,
              value instanceof String[] texts
                  ? String.join(",", texts)
                  : value != null ? value : defaults == null ? "" : String.join(",", defaults));
        });
    return shown;
  }

  /** {@code bodyBytesMax} in code is {@code body_bytes_max} in a file. */
  static String snakeCase(String camelCase) {
    return Stream.of(camelCase.split("(?=[A-Z])"))
        .map(word -> word.toLowerCase(Locale.ROOT))
        .collect(joining("_"));
  }
}
