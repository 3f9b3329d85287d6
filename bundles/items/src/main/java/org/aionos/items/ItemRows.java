package org.aionos.items;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Embedding;
import org.aionos.kernel.memory.Hidden;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Provenance;
import org.aionos.kernel.memory.Trust;
import org.aionos.kernel.memory.Vector;
import org.jspecify.annotations.Nullable;

/**
 * Items as bytes. A row is JSON; its vectors stand apart, since most readers do not want them. A
 * line is all of it in one JSON object, as in segments and exports.
 */
public final class ItemRows {

  /** More than any agent may write, so that every row that was written can be read. */
  private static final int TEXTS_MAX = 10_000;

  private ItemRows() {}

  // --- places ---------------------------------------------------------------------------------

  /** Tenant, agent, task and key; none of them holds a zero, so that no name runs into another. */
  public static byte[] key(Place place) {
    AgentId agent = place.agent();
    return String.join("\0", agent.tenant(), agent.name(), place.task(), place.key())
        .getBytes(UTF_8);
  }

  public static Place place(byte[] key) {
    String[] parts = new String(key, UTF_8).split("\0", -1);
    return new Place(new AgentId(parts[0], parts[1]), parts[2], parts[3]);
  }

  // --- rows -----------------------------------------------------------------------------------

  /** All but place and vectors. */
  public static byte[] row(Item item) {
    return Documents.write(fields(item));
  }

  /** The vectors of an item; no bytes if it has none. */
  public static byte[] vectors(Item item) {
    Vector own = item.content().vector();
    Embedding embedding = item.embedding();
    if (own == null && embedding == null) {
      return new byte[0];
    }
    byte[] model = embedding == null ? new byte[0] : embedding.model().getBytes(UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(
            3 * Integer.BYTES
                + model.length
                + Float.BYTES * (dimensions(own) + dimensions(vector(embedding))));
    write(bytes, own);
    bytes.putInt(model.length).put(model);
    write(bytes, vector(embedding));
    return bytes.array();
  }

  private static @Nullable Vector vector(@Nullable Embedding embedding) {
    return embedding == null ? null : embedding.vector();
  }

  private static int dimensions(@Nullable Vector vector) {
    return vector == null ? 0 : vector.dimensions();
  }

  private static void write(ByteBuffer bytes, @Nullable Vector vector) {
    bytes.putInt(dimensions(vector));
    if (vector != null) {
      for (float number : vector.numbers()) {
        bytes.putFloat(number);
      }
    }
  }

  /** What an item takes of its tenant's room: key, row and vectors. */
  public static long size(Item item) {
    return key(item.place()).length + (long) row(item).length + vectors(item).length;
  }

  /**
   * @param vectors no bytes for none, or for not wanting them
   * @throws IllegalStateException if the row was not written here
   */
  public static Item read(Place place, byte[] row, byte[] vectors) {
    try {
      return item(place, Documents.json(row), ByteBuffer.wrap(vectors));
    } catch (InvalidDocument | DateTimeException | IllegalArgumentException damaged) {
      throw new IllegalStateException("a row of memory is damaged: " + place, damaged);
    }
  }

  // --- lines ----------------------------------------------------------------------------------

  /** An item whole, on one line, without a line break. */
  public static byte[] line(Item item) {
    Map<String, @Nullable Object> line = new LinkedHashMap<>(place(item.place()));
    line.putAll(fields(item));
    byte[] vectors = vectors(item);
    if (vectors.length > 0) {
      line.put("vectors", Base64.getEncoder().encodeToString(vectors));
    }
    return Documents.write(line);
  }

  /** A place as the fields of a line. */
  public static Map<String, @Nullable Object> place(Place place) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("tenant", place.agent().tenant());
    fields.put("agent", place.agent().name());
    fields.put("task", place.task());
    fields.put("key", place.key());
    return fields;
  }

  /**
   * @throws InvalidDocument if a person changed it
   */
  public static Item ofLine(byte[] line) throws InvalidDocument {
    return ofLine(Documents.json(line));
  }

  /** Of a line that may hold more than the item. */
  public static Item ofLine(Fields line) throws InvalidDocument {
    try {
      return item(
          place(line), line, ByteBuffer.wrap(Base64.getDecoder().decode(line.text("vectors", ""))));
    } catch (DateTimeException | IllegalArgumentException malformed) {
      throw new InvalidDocument(
          InvalidDocument.Fault.INVALID, "", "not an item: " + malformed.getMessage());
    }
  }

  /**
   * @throws IllegalArgumentException for what names no agent
   */
  public static Place place(Fields line) throws InvalidDocument {
    return new Place(
        new AgentId(line.text("tenant"), line.text("agent")), line.text("task"), line.text("key"));
  }

  // --- fields ---------------------------------------------------------------------------------

  private static Map<String, @Nullable Object> fields(Item item) {
    Map<String, @Nullable Object> row = new LinkedHashMap<>();
    row.put("value", item.content().value());
    if (!item.content().meta().isEmpty()) {
      row.put("meta", item.content().meta());
    }
    if (!item.content().tags().isEmpty()) {
      row.put("tags", item.content().tags());
    }
    row.put("version", item.version());
    // One length for both, so that a pin takes no room.
    row.put("pinned", item.pinned() ? 1 : 0);
    row.put("created", item.createdAt().toString());
    row.put("updated", item.updatedAt().toString());
    row.put("expires", text(item.expiresAt()));
    write(row, item.provenance());
    Hidden hidden = item.hidden();
    if (hidden != null) {
      row.put("hidden", hidden.reason().name().toLowerCase(Locale.ROOT));
      row.put("hidden_since", hidden.since().toString());
      row.put("hidden_expires", text(hidden.expiresAt()));
    }
    return row;
  }

  private static void write(Map<String, @Nullable Object> row, Provenance provenance) {
    row.put("by", provenance.writtenBy());
    row.put("trust", provenance.trust().word());
    if (provenance.tool() != null) {
      row.put("tool", provenance.tool());
    }
    if (!provenance.sources().isEmpty()) {
      row.put("sources", provenance.sources());
    }
  }

  private static @Nullable String text(@Nullable Instant time) {
    return time == null ? null : time.toString();
  }

  private static Item item(Place place, Fields row, ByteBuffer vectors) throws InvalidDocument {
    Vector own = vectors.hasRemaining() ? vector(vectors) : null;
    return new Item(
        place,
        new Item.Content(
            row.value("value"),
            row.objectOrEmpty("meta").values(),
            List.copyOf(row.texts("tags", TEXTS_MAX)),
            own),
        row.wholeNumber("version", 1, 1, Long.MAX_VALUE),
        row.wholeNumber("pinned", 0, 0, 1) == 1,
        Instant.parse(row.text("created")),
        Instant.parse(row.text("updated")),
        time(row, "expires"),
        new Provenance(
            row.text("by"),
            row.textOrNull("tool"),
            List.copyOf(row.texts("sources", TEXTS_MAX)),
            Trust.valueOf(row.text("trust", Trust.LOW.word()).toUpperCase(Locale.ROOT))),
        hidden(row),
        vectors.hasRemaining() ? embedding(vectors) : null);
  }

  private static @Nullable Instant time(Fields row, String name) throws InvalidDocument {
    String text = row.textOrNull(name);
    return text == null ? null : Instant.parse(text);
  }

  private static @Nullable Hidden hidden(Fields row) throws InvalidDocument {
    String reason = row.textOrNull("hidden");
    return reason == null
        ? null
        : new Hidden(
            Hidden.Reason.valueOf(reason.toUpperCase(Locale.ROOT)),
            Instant.parse(row.text("hidden_since")),
            time(row, "hidden_expires"));
  }

  private static @Nullable Vector vector(ByteBuffer bytes) {
    int dimensions = bytes.getInt();
    if (dimensions > bytes.remaining() / Float.BYTES) {
      throw new IllegalArgumentException("vectors are cut short");
    }
    float[] numbers = new float[dimensions];
    for (int i = 0; i < dimensions; i++) {
      numbers[i] = bytes.getFloat();
    }
    return dimensions == 0 ? null : Vector.of(numbers);
  }

  private static @Nullable Embedding embedding(ByteBuffer bytes) {
    byte[] model = new byte[Math.min(bytes.getInt(), bytes.remaining())];
    bytes.get(model);
    Vector vector = vector(bytes);
    return vector == null ? null : new Embedding(new String(model, UTF_8), vector);
  }
}
