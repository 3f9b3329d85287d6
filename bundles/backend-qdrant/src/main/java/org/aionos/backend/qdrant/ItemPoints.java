package org.aionos.backend.qdrant;

import static io.qdrant.client.ValueFactory.list;
import static io.qdrant.client.ValueFactory.value;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.qdrant.client.PointIdFactory;
import io.qdrant.client.ValueFactory;
import io.qdrant.client.VectorFactory;
import io.qdrant.client.VectorsFactory;
import io.qdrant.client.grpc.Common.PointId;
import io.qdrant.client.grpc.JsonWithInt.Value;
import io.qdrant.client.grpc.Points.PointStruct;
import io.qdrant.client.grpc.Points.SparseVector;
import io.qdrant.client.grpc.Points.Vector;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.aionos.document.InvalidDocument;
import org.aionos.items.ItemRows;
import org.aionos.items.ItemTexts;
import org.aionos.items.MetaTerms;
import org.aionos.kernel.memory.Embedding;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.Place;
import org.jspecify.annotations.Nullable;

/** Items as points: what is searched and filtered stands in fields, the whole of it in one line. */
final class ItemPoints {

  static final String TENANT = "tenant";
  static final String AGENT = "agent";
  static final String TASK = "task";
  static final String KEY = "key";
  static final String TAGS = "tags";
  static final String TRUST = "trust";
  static final String HIDDEN = "hidden";
  static final String CREATED = "created";

  /** When it was last changed. */
  static final String UPDATED = "ts";

  static final String EXPIRES = "expires";
  static final String SIZE = "size";

  /** Names the latest writing; by it a writer sees whether another came between. */
  static final String REVISION = "rev";

  /** The latest writings, the newest first; by it a writer sees whether his was among them. */
  static final String REVISIONS = "revs";

  /** More than come between a writing and the look at what became of it. */
  static final int REVISIONS_MAX = 16;

  /** Fields of meta with their values, each as one term. */
  static final String META = "meta";

  /** Those that are numbers, which can be compared. */
  static final String NUMBERS = "numbers";

  static final String NUMBER_NAME = "name";
  static final String NUMBER_VALUE = "value";
  static final String LINE = "line";

  static final String WORDS = "words";

  /** The end of the year 9999. */
  static final long NEVER = 253_402_300_799_999L;

  private ItemPoints() {}

  /** A place is one point: two items of one place are one item. */
  static UUID id(Place place) {
    ByteBuffer digest = ByteBuffer.wrap(sha256(ItemRows.key(place)));
    return new UUID(digest.getLong(), digest.getLong());
  }

  static PointId pointId(Place place) {
    return PointIdFactory.id(id(place));
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  // --- vectors ----------------------------------------------------------------------------------

  static String space(org.aionos.kernel.memory.Vector vector) {
    return "vector_" + vector.dimensions();
  }

  /** Models have names that a vector may not have. */
  static String space(Embedding embedding) {
    String model =
        HexFormat.of().formatHex(sha256(embedding.model().getBytes(UTF_8)), 0, Long.BYTES);
    return "embedding_" + model + "_" + embedding.vector().dimensions();
  }

  /** The spaces that an item has vectors in, with what these are. */
  static Map<String, org.aionos.kernel.memory.Vector> spaces(Item item) {
    Map<String, org.aionos.kernel.memory.Vector> spaces = new LinkedHashMap<>();
    org.aionos.kernel.memory.Vector own = item.content().vector();
    if (own != null) {
      spaces.put(space(own), own);
    }
    Embedding embedding = item.embedding();
    if (embedding != null) {
      spaces.put(space(embedding), embedding.vector());
    }
    return spaces;
  }

  // --- there and back ---------------------------------------------------------------------------

  /**
   * @param revisions the newest first
   */
  static PointStruct point(Item item, List<String> revisions, WordVectors words) {
    Map<String, Vector> vectors = new HashMap<>();
    spaces(item)
        .forEach((space, vector) -> vectors.put(space, VectorFactory.vector(vector.numbers())));
    SparseVector text = words.of(ItemTexts.of(item.content().value()));
    if (text.getIndicesCount() > 0) {
      vectors.put(WORDS, Vector.newBuilder().setSparse(text).build());
    }
    return PointStruct.newBuilder()
        .setId(pointId(item.place()))
        .setVectors(VectorsFactory.namedVectors(vectors))
        .putAllPayload(payload(item, revisions))
        .build();
  }

  private static Map<String, Value> payload(Item item, List<String> revisions) {
    Map<String, Value> payload = new HashMap<>();
    payload.put(TENANT, value(item.place().agent().tenant()));
    payload.put(AGENT, value(item.place().agent().name()));
    payload.put(TASK, value(item.place().task()));
    payload.put(KEY, value(item.place().key()));
    payload.put(TAGS, texts(item.content().tags()));
    payload.put(TRUST, value(item.provenance().trust().word()));
    payload.put(CREATED, value(item.createdAt().toEpochMilli()));
    payload.put(UPDATED, value(item.updatedAt().toEpochMilli()));
    payload.put(EXPIRES, value(millisFrom(item.expiresAt())));
    payload.put(SIZE, value(ItemRows.size(item)));
    payload.put(REVISION, value(revisions.get(0)));
    payload.put(REVISIONS, texts(revisions));
    payload.put(LINE, value(new String(ItemRows.line(item), UTF_8)));
    if (item.hidden() != null) {
      payload.put(HIDDEN, value(true));
    }
    putMeta(payload, item.content().meta());
    return payload;
  }

  private static Value texts(List<String> texts) {
    return list(texts.stream().map(ValueFactory::value).toList());
  }

  private static void putMeta(Map<String, Value> payload, Map<String, @Nullable Object> meta) {
    List<Value> terms = new ArrayList<>();
    List<Value> numbers = new ArrayList<>();
    meta.forEach(
        (name, held) -> {
          String term = MetaTerms.term(name, held);
          if (term != null) {
            terms.add(value(term));
          }
          if (held instanceof Number number && Double.isFinite(number.doubleValue())) {
            numbers.add(
                value(Map.of(NUMBER_NAME, value(name), NUMBER_VALUE, value(number.doubleValue()))));
          }
        });
    payload.put(META, list(terms));
    payload.put(NUMBERS, list(numbers));
  }

  /** The first whole millisecond at which it has expired. */
  private static long millisFrom(@Nullable Instant expires) {
    return expires == null ? NEVER : Math.min(NEVER, expires.plusNanos(999_999).toEpochMilli());
  }

  /**
   * @throws IllegalStateException if it was not written here
   */
  static Item item(Map<String, Value> payload) {
    Value line = payload.getOrDefault(LINE, Value.getDefaultInstance());
    try {
      return ItemRows.ofLine(line.getStringValue().getBytes(UTF_8));
    } catch (InvalidDocument damaged) {
      throw new IllegalStateException("a point of memory is damaged", damaged);
    }
  }
}
