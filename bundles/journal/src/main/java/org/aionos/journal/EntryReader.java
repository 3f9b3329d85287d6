package org.aionos.journal;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.JournalReader.Entry;
import org.jspecify.annotations.Nullable;

/** Turns the JSON of one record back into an entry. Whole numbers come as long, others exact. */
final class EntryReader {

  private static final JsonFactory JSON = new JsonFactory();

  private EntryReader() {}

  /**
   * Reads one payload.
   *
   * @throws IOException if it is not the JSON of a record
   */
  // The nullness of a record component's type argument is lost in kernel-api's class file.
  @SuppressWarnings("NullAway")
  static Entry read(byte[] bytes, int offset, int length) throws IOException {
    try (JsonParser parser = JSON.createParser(bytes, offset, length)) {
      parser.nextToken();
      Map<String, @Nullable Object> fields = object(parser);
      return new Entry(
          (Long) required(fields, "seq"),
          Instant.parse((String) required(fields, "time")),
          (String) required(fields, "topic"),
          (String) required(fields, "kind"),
          (String) required(fields, "audit_id"),
          (String) fields.get("tenant"),
          facts(required(fields, "facts")));
    } catch (ClassCastException | DateTimeException malformed) {
      throw new IOException("a record is not well-formed", malformed);
    }
  }

  private static Object required(Map<String, @Nullable Object> fields, String name)
      throws IOException {
    Object value = fields.get(name);
    if (value == null) {
      throw new IOException("a record has no " + name);
    }
    return value;
  }

  @SuppressWarnings("unchecked") // Whatever the parser made a map of has text for keys.
  private static Map<String, @Nullable Object> facts(Object value) {
    return (Map<String, @Nullable Object>) value;
  }

  private static @Nullable Object value(JsonParser parser) throws IOException {
    JsonToken token = parser.currentToken();
    return switch (token) {
      case START_OBJECT -> object(parser);
      case START_ARRAY -> array(parser);
      case VALUE_NUMBER_INT -> whole(parser);
      case VALUE_NUMBER_FLOAT -> parser.getDecimalValue();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      case VALUE_STRING -> parser.getText();
      case NOT_AVAILABLE, END_OBJECT, END_ARRAY, FIELD_NAME, VALUE_EMBEDDED_OBJECT ->
          throw new IOException("a record has " + token + " in place of a value");
    };
  }

  private static Map<String, @Nullable Object> object(JsonParser parser) throws IOException {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      parser.nextToken();
      fields.put(name, value(parser));
    }
    return Collections.<String, @Nullable Object>unmodifiableMap(fields);
  }

  private static List<@Nullable Object> array(JsonParser parser) throws IOException {
    List<@Nullable Object> items = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      items.add(value(parser));
    }
    return Collections.<@Nullable Object>unmodifiableList(items);
  }

  private static Number whole(JsonParser parser) throws IOException {
    return switch (parser.getNumberType()) {
      case INT, LONG -> parser.getLongValue();
      default -> parser.getBigIntegerValue();
    };
  }
}
