package org.aionos.document;

import static java.util.stream.Collectors.joining;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.aionos.document.InvalidDocument.Fault;
import org.jspecify.annotations.Nullable;

/**
 * One object of a document, and where it stands. Each accessor gives a checked value or says which
 * field is wrong and how. A field that is {@code null} counts as absent.
 */
public final class Fields {

  private final Map<String, @Nullable Object> values;
  private final String pointer;

  private Fields(Map<String, @Nullable Object> values, String pointer) {
    this.values = values;
    this.pointer = pointer;
  }

  /** Reads a value found at {@code pointer} as an object. */
  public static Fields of(@Nullable Object value, String pointer) throws InvalidDocument {
    if (!(value instanceof Map<?, ?> map)) {
      throw new InvalidDocument(Fault.INVALID, pointer, "must be an object, not " + kind(value));
    }
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      values.put(String.valueOf(entry.getKey()), entry.getValue());
    }
    return new Fields(values, pointer);
  }

  /** Refuses fields that nobody reads: most are misspelt. */
  public Fields only(String... known) throws InvalidDocument {
    if (List.of(known).containsAll(values.keySet())) {
      return this;
    }
    Set<String> unknown = new TreeSet<>(values.keySet());
    List.of(known).forEach(unknown::remove);
    throw new InvalidDocument(
        Fault.INVALID,
        at(unknown.iterator().next()),
        "unknown field; known here: "
            + new TreeSet<>(List.of(known)).stream().collect(joining(", ")));
  }

  public boolean has(String name) {
    return values.get(name) != null;
  }

  public String text(String name) throws InvalidDocument {
    String text = textOrNull(name);
    if (text == null) {
      throw missing(name);
    }
    return text;
  }

  public String text(String name, String absent) throws InvalidDocument {
    String text = textOrNull(name);
    return text == null ? absent : text;
  }

  public @Nullable String textOrNull(String name) throws InvalidDocument {
    Object value = values.get(name);
    if (value == null || value instanceof String) {
      return (String) value;
    }
    throw wrong(name, "text", value);
  }

  /** A text of at most so many UTF-16 units. */
  public @Nullable String textOrNull(String name, int lengthMax) throws InvalidDocument {
    String text = textOrNull(name);
    if (text != null && text.length() > lengthMax) {
      throw invalid(name, "must be at most " + lengthMax + " characters long");
    }
    return text;
  }

  public boolean flag(String name, boolean absent) throws InvalidDocument {
    Object value = values.get(name);
    if (value == null) {
      return absent;
    }
    if (value instanceof Boolean flag) {
      return flag;
    }
    throw wrong(name, "true or false", value);
  }

  public @Nullable Long wholeNumberOrNull(String name, long min, long max) throws InvalidDocument {
    Object value = values.get(name);
    if (value == null) {
      return null;
    }
    if (!(value instanceof Integer || value instanceof Long)) {
      throw wrong(name, "a whole number", value);
    }
    long number = ((Number) value).longValue();
    if (number < min || number > max) {
      throw invalid(name, "must be from " + min + " to " + max);
    }
    return number;
  }

  public long wholeNumber(String name, long absent, long min, long max) throws InvalidDocument {
    Long number = wholeNumberOrNull(name, min, max);
    return number == null ? absent : number;
  }

  public @Nullable BigDecimal numberOrNull(String name, long min, long max) throws InvalidDocument {
    Object value = values.get(name);
    if (value == null) {
      return null;
    }
    if (!(value instanceof Number)) {
      throw wrong(name, "a number", value);
    }
    BigDecimal number;
    try {
      number = new BigDecimal(value.toString());
    } catch (NumberFormatException notFinite) {
      throw invalid(name, "must be a finite number");
    }
    if (number.compareTo(BigDecimal.valueOf(min)) < 0
        || number.compareTo(BigDecimal.valueOf(max)) > 0) {
      throw invalid(name, "must be from " + min + " to " + max);
    }
    return number;
  }

  /** A list of texts without duplicates; null where it is absent. */
  public @Nullable Set<String> textsOrNull(String name, int countMax) throws InvalidDocument {
    Object value = values.get(name);
    if (value == null) {
      return null;
    }
    if (!(value instanceof List<?> list)) {
      throw wrong(name, "a list of texts", value);
    }
    if (list.size() > countMax) {
      throw invalid(name, "must have at most " + countMax + " items");
    }
    Set<String> texts = new LinkedHashSet<>();
    for (int i = 0; i < list.size(); i++) {
      if (!(list.get(i) instanceof String text)) {
        throw new InvalidDocument(
            Fault.INVALID, at(name) + "/" + i, "must be text, not " + kind(list.get(i)));
      }
      texts.add(text);
    }
    return texts;
  }

  public Set<String> texts(String name, int countMax) throws InvalidDocument {
    Set<String> texts = textsOrNull(name, countMax);
    return texts == null ? Set.of() : texts;
  }

  public Fields object(String name) throws InvalidDocument {
    if (!has(name)) {
      throw missing(name);
    }
    return of(values.get(name), at(name));
  }

  /** The object, or an empty one where it is absent. */
  public Fields objectOrEmpty(String name) throws InvalidDocument {
    return has(name) ? of(values.get(name), at(name)) : new Fields(Map.of(), at(name));
  }

  /** The objects of a map of objects, in order. */
  public Map<String, Fields> objects(String name) throws InvalidDocument {
    Map<String, Fields> objects = new LinkedHashMap<>();
    Fields all = objectOrEmpty(name);
    for (String key : all.names()) {
      objects.put(key, all.objectOrEmpty(key));
    }
    return objects;
  }

  /** The objects of a list of objects, in order. */
  public List<Fields> list(String name) throws InvalidDocument {
    Object value = values.get(name);
    if (value == null) {
      return List.of();
    }
    if (!(value instanceof List<?> list)) {
      throw wrong(name, "a list", value);
    }
    List<Fields> objects = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      objects.add(of(list.get(i), at(name) + "/" + i));
    }
    return objects;
  }

  public Set<String> names() {
    return values.keySet();
  }

  public @Nullable Object value(String name) {
    return values.get(name);
  }

  /** All values, as read. */
  public Map<String, @Nullable Object> values() {
    return Collections.unmodifiableMap(values);
  }

  /** The pointer of a field of this object. */
  public String at(String name) {
    return pointer + "/" + escaped(name);
  }

  /** A name as a step of a JSON pointer. */
  static String escaped(String name) {
    return name.replace("~", "~0").replace("/", "~1");
  }

  public String pointer() {
    return pointer;
  }

  public InvalidDocument missing(String name) {
    return new InvalidDocument(Fault.MISSING, at(name), "is missing");
  }

  public InvalidDocument invalid(String name, String message) {
    return new InvalidDocument(Fault.INVALID, at(name), message);
  }

  private InvalidDocument wrong(String name, String wanted, Object value) {
    return invalid(name, "must be " + wanted + ", not " + kind(value));
  }

  private static String kind(@Nullable Object value) {
    if (value == null) {
      return "null";
    }
    if (value instanceof String) {
      return "text";
    }
    if (value instanceof Boolean) {
      return "a boolean";
    }
    if (value instanceof Integer
        || value instanceof Long
        || value instanceof java.math.BigInteger) {
      return "a whole number";
    }
    if (value instanceof Number) {
      return "a number";
    }
    return value instanceof List ? "a list" : "an object";
  }
}
