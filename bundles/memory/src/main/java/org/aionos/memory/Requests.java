package org.aionos.memory;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.items.Items;
import org.aionos.kernel.Admitted;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.Embedding;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Probe;
import org.aionos.kernel.memory.Provenance;
import org.aionos.kernel.memory.Trust;
import org.aionos.kernel.memory.Vector;
import org.jspecify.annotations.Nullable;

/** Reads what calls ask for, checked. Whose memory is meant is decided here, and nowhere else. */
final class Requests {

  static final String TENANT_MEMORY = "tenant_memory";

  private static final int KEY_LENGTH_MAX = 512;
  private static final int TASK_LENGTH_MAX = 256;
  private static final int META_BYTES_MAX = 16_384;
  private static final int TAGS_MAX = 32;
  private static final int TAG_LENGTH_MAX = 128;
  private static final int SOURCES_MAX = 32;
  private static final int TOOL_LENGTH_MAX = 128;
  private static final long TTL_SECONDS_MAX = 315_360_000;
  private static final int DIMENSIONS_MAX = 1_024;
  private static final int PROBE_LENGTH_MAX = 4_000;
  private static final int NEIGHBOURS = 8;
  private static final int NEIGHBOURS_MAX = 100;
  private static final String[] ITEM = {
    "key",
    "task",
    "value",
    "meta",
    "tags",
    "vector",
    "ttl_s",
    "if_version",
    "pinned",
    "trust",
    "from"
  };
  private static final String[] ONE_ITEM =
      Stream.concat(Stream.of("type"), Stream.of(ITEM)).toArray(String[]::new);

  private final Memory memory;

  Requests(Memory memory) {
    this.memory = memory;
  }

  Kind kind(Fields params) throws InvalidDocument {
    Kind kind = memory.kind(params.text("type"));
    if (kind == null) {
      throw params.invalid("type", "must be short, long or episodic");
    }
    return kind;
  }

  // --- what to write --------------------------------------------------------------------------

  /**
   * @param batch whether the type stands above the items
   */
  Items.Wish wish(Admitted call, Kind kind, Fields item, boolean batch, Instant now)
      throws InvalidDocument {
    item.only(batch ? ITEM : ONE_ITEM);
    if (!item.has("value")) {
      throw item.missing("value");
    }
    Object value = item.value("value");
    byte[] bytes = Documents.write(Map.of("v", value == null ? "" : value));
    int bytesMax = memory.settings().valueBytesMax();
    if (bytes.length > bytesMax) {
      throw new Refused(
          Problem.at(
              item.at("value"),
              Code.BODY_TOO_LARGE,
              "has at most " + bytesMax + " bytes (limits.value_bytes_max of memory.yaml)"));
    }
    return new Items.Wish(
        item.has("key")
            ? place(call.syscall().agent(), call, item)
            : new Place(call.syscall().agent(), task(call, item), digest(bytes)),
        new Item.Content(value, meta(item), tags(item), vector(kind, item)),
        item.flag("pinned", false),
        ttl(call.agent(), kind, item),
        item.wholeNumberOrNull("if_version", 0, Long.MAX_VALUE),
        provenance(call, item, now),
        null);
  }

  /** The key of an item that has none of its own: what is the same is one item. */
  private static String digest(byte[] value) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(value);
      return "sha256-" + HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  private static Map<String, @Nullable Object> meta(Fields item) throws InvalidDocument {
    Map<String, @Nullable Object> meta = item.objectOrEmpty("meta").values();
    if (Documents.write(meta).length > META_BYTES_MAX) {
      throw item.invalid("meta", "has more than " + META_BYTES_MAX + " bytes");
    }
    return meta;
  }

  private static List<String> tags(Fields item) throws InvalidDocument {
    List<String> tags = List.copyOf(item.texts("tags", TAGS_MAX));
    if (tags.stream().anyMatch(tag -> tag.length() > TAG_LENGTH_MAX)) {
      throw item.invalid("tags", "are at most " + TAG_LENGTH_MAX + " characters each");
    }
    return tags;
  }

  private static @Nullable Vector vector(Kind kind, Fields item) throws InvalidDocument {
    if (!item.has("vector")) {
      return null;
    }
    if (!kind.finds) {
      throw item.invalid("vector", "long memory alone has vectors");
    }
    List<?> numbers = item.value("vector") instanceof List<?> some ? some : List.of();
    float[] vector = new float[numbers.size()];
    double length = 0;
    for (int i = 0; i < vector.length; i++) {
      vector[i] = numbers.get(i) instanceof Number number ? number.floatValue() : Float.NaN;
      length += vector[i] * (double) vector[i];
    }
    // Neither a direction nor a number: what is infinite, no number, or nothing but zeros.
    if (vector.length < 2
        || vector.length > DIMENSIONS_MAX
        || !(length > 0 && length <= Float.MAX_VALUE)) {
      throw item.invalid(
          "vector", "must be 2 to " + DIMENSIONS_MAX + " numbers, not all of them zero");
    }
    return Vector.of(vector);
  }

  private Duration ttl(AgentProcess agent, Kind kind, Fields item) throws InvalidDocument {
    Long own = item.wholeNumberOrNull("ttl_s", 1, TTL_SECONDS_MAX);
    if (own != null) {
      return Duration.ofSeconds(own);
    }
    if (agent.manifest().get("spec") instanceof Map<?, ?> spec
        && spec.get("memory") instanceof Map<?, ?> ttls
        && ttls.get(kind.ttlField) instanceof Number seconds) {
      return Duration.ofSeconds(seconds.longValue());
    }
    return memory.settings().ttl(kind.name, agent.id().tenant());
  }

  /** Worth no more than the least that it is made of: what the task read, and what it names. */
  private Provenance provenance(Admitted call, Fields item, Instant now) throws InvalidDocument {
    Fields from = item.objectOrEmpty("from").only("tool", "items");
    Trust trust =
        memory
            .of(call.syscall().agent(), call.syscall().context().taskId())
            .and(item.has("trust") ? FilterReader.trust(item, "trust") : Trust.HIGH);
    String tool = from.textOrNull("tool", TOOL_LENGTH_MAX);
    if (tool != null) {
      trust = trust.and(Trust.MEDIUM);
    }
    List<Fields> items = from.list("items");
    if (items.size() > SOURCES_MAX) {
      throw from.invalid("items", "are at most " + SOURCES_MAX);
    }
    List<String> sources = new ArrayList<>();
    for (Fields source : items) {
      Kind kind = kind(source.only("type", "task", "key"));
      Place place = place(call.syscall().agent(), call, source);
      Item read =
          kind.use(store -> new Items(store, Duration.ZERO).get(place, now))
              .orElseThrow(
                  () ->
                      new Refused(
                          Problem.at(source.at("key"), Code.NOT_FOUND, "there is no such item")));
      sources.add(kind.name + ":" + place.task() + ":" + place.key());
      trust = trust.and(read.provenance().trust());
    }
    return new Provenance(call.asked().auditId(), tool, sources, trust);
  }

  /** With the embeddings of their texts, made at once. */
  List<Items.Wish> embedded(Kind kind, List<Items.Wish> wishes) {
    Embeddings embeddings = memory.embeddings(kind);
    if (embeddings == null) {
      return wishes;
    }
    List<@Nullable Embedding> made =
        embeddings.of(wishes.stream().map(Items.Wish::content).toList());
    List<Items.Wish> embedded = new ArrayList<>();
    for (int i = 0; i < wishes.size(); i++) {
      Items.Wish wish = wishes.get(i);
      embedded.add(
          new Items.Wish(
              wish.place(),
              wish.content(),
              wish.pinned(),
              wish.ttl(),
              wish.ifVersion(),
              wish.provenance(),
              made.get(i)));
    }
    return embedded;
  }

  // --- what to find ---------------------------------------------------------------------------

  Probe probe(Kind kind, Fields params) throws InvalidDocument {
    Fields knn = params.object("knn").only("text", "vector", "k", "boost");
    Embeddings embeddings = memory.embeddings(kind);
    if (embeddings == null) {
      throw params.invalid("knn", "is of long memory; leave it out, or ask for the type long");
    }
    String text = knn.textOrNull("text", PROBE_LENGTH_MAX);
    Vector vector = vector(kind, knn);
    if (text == null && vector == null) {
      throw knn.missing("text");
    }
    return new Probe(
        text,
        vector,
        // Whoever brings a vector has a model of their own.
        text == null || vector != null ? null : embeddings.probe(text),
        (int) knn.wholeNumber("k", NEIGHBOURS, 1, NEIGHBOURS_MAX),
        boosts(knn.objectOrEmpty("boost")));
  }

  private static Probe.Boosts boosts(Fields boost) throws InvalidDocument {
    boost.only("recency", "half_life_s", "pin");
    return new Probe.Boosts(
        factor(boost, "recency"),
        Duration.ofSeconds(boost.wholeNumber("half_life_s", 86_400, 1, TTL_SECONDS_MAX)),
        factor(boost, "pin"));
  }

  private static double factor(Fields boost, String name) throws InvalidDocument {
    var factor = boost.numberOrNull(name, 0, 10);
    return factor == null ? 0 : factor.doubleValue();
  }

  // --- whose, and where -----------------------------------------------------------------------

  /**
   * Whose items a filter means.
   *
   * @throws Refused {@code TENANT_MISMATCH}, {@code CAPABILITY_DENIED}
   */
  static AgentId whose(Admitted call, Fields filter) throws InvalidDocument {
    AgentId own = call.syscall().agent();
    String tenant = filter.textOrNull("tenant");
    if (tenant != null && !tenant.equals(own.tenant())) {
      throw new Refused(
          Problem.at(
              filter.invalid("tenant", "").pointer(),
              Code.TENANT_MISMATCH,
              "memory of another tenant cannot be asked for"));
    }
    String named = filter.textOrNull("agent");
    AgentId asked = named == null ? own : agent(named, own.tenant(), filter);
    if (!asked.tenant().equals(own.tenant())) {
      throw new Refused(
          Problem.at(
              filter.invalid("agent", "").pointer(),
              Code.TENANT_MISMATCH,
              "memory of another tenant cannot be asked for"));
    }
    if (!asked.equals(own) && !call.permit().grants().contains(TENANT_MEMORY)) {
      throw new Refused(
          Problem.at(
                  filter.invalid("agent", "").pointer(),
                  Code.CAPABILITY_DENIED,
                  own + " does not hold " + TENANT_MEMORY)
              .admittedBy("the capability " + TENANT_MEMORY + " in policy and registration"));
    }
    return asked;
  }

  /** An agent's whole name, or what stands behind the tenant in it. */
  private static AgentId agent(String named, String tenant, Fields filter) throws InvalidDocument {
    try {
      return named.startsWith("agent://") ? AgentId.parse(named) : new AgentId(tenant, named);
    } catch (IllegalArgumentException malformed) {
      throw filter.invalid("agent", "names no agent");
    }
  }

  static Place place(AgentId agent, Admitted call, Fields item) throws InvalidDocument {
    String key = item.text("key");
    checkName(item, "key", key, KEY_LENGTH_MAX);
    if (key.isEmpty()) {
      throw item.invalid("key", "must not be empty");
    }
    return new Place(agent, task(call, item), key);
  }

  /** The item's own, or that of the call, or none. */
  private static String task(Admitted call, Fields item) throws InvalidDocument {
    String context = call.syscall().context().taskId();
    String task = item.text("task", context == null ? "" : context);
    checkName(item, "task", task, TASK_LENGTH_MAX);
    return task;
  }

  private static void checkName(Fields item, String field, String name, int lengthMax)
      throws InvalidDocument {
    if (name.length() > lengthMax || name.chars().anyMatch(Character::isISOControl)) {
      throw item.invalid(
          field, "must be at most " + lengthMax + " characters, none of them a control character");
    }
    if (!UTF_8.newEncoder().canEncode(name)) {
      throw item.invalid(field, "holds half a character");
    }
  }
}
