package org.aionos.memory;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.items.Items;
import org.aionos.kernel.Admitted;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Code;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.SyscallHandler;
import org.aionos.kernel.memory.Hit;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Probe;
import org.aionos.kernel.memory.Provenance;
import org.aionos.kernel.memory.Selection;
import org.aionos.kernel.memory.Vector;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves {@code memory.*}. An agent has its own items; those of other agents of its tenant it may
 * read if it holds {@value #TENANT_MEMORY}, and none of another tenant, whatever it asks for.
 */
@Component(
    service = SyscallHandler.class,
    configurationPid = "org.aionos.memory",
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    property = {
      SyscallHandler.NAMES + "=memory.put",
      SyscallHandler.NAMES + "=memory.get",
      SyscallHandler.NAMES + "=memory.query",
      SyscallHandler.NAMES + "=memory.list",
      SyscallHandler.NAMES + "=memory.pin",
      SyscallHandler.NAMES + "=memory.delete"
    })
@Designate(ocd = MemoryConfig.class)
public final class MemoryCalls implements SyscallHandler {

  static final String TENANT_MEMORY = "tenant_memory";

  private static final Logger log = LoggerFactory.getLogger(MemoryCalls.class);

  private static final int KEY_LENGTH_MAX = 512;
  private static final int TASK_LENGTH_MAX = 256;
  private static final int META_BYTES_MAX = 16_384;
  private static final int TAGS_MAX = 32;
  private static final int TAG_LENGTH_MAX = 128;
  private static final int BATCH_MAX = 100;
  private static final int PAGE_MAX = 200;
  private static final int PAGE = 50;
  private static final long TTL_SECONDS_MAX = 315_360_000;
  private static final int DIMENSIONS_MAX = 1_024;
  private static final int PROBE_LENGTH_MAX = 4_000;
  private static final int NEIGHBOURS = 8;
  private static final int NEIGHBOURS_MAX = 100;
  private static final int SWEPT_AT_ONCE = 1_000;

  /**
   * @param tenantBytesMax of all items of a tenant, of each type
   */
  record Limits(long tenantBytesMax, int valueBytesMax) {}

  private final Map<String, Kind> kinds = new LinkedHashMap<>();
  private final Limits limits;
  private final InstantSource clock;
  private final Meters.Counter gcEvents;
  private final ScheduledExecutorService sweeping =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "aion-memory-sweep");
            thread.setDaemon(true);
            return thread;
          });

  @Activate
  public MemoryCalls(
      MemoryConfig config, BundleContext context, @Reference(name = "meters") Meters meters)
      throws IOException {
    this(
        kinds(config, context),
        new Limits(config.tenantBytesMax(), config.valueBytesMax()),
        meters,
        InstantSource.system());
    sweeping.scheduleWithFixedDelay(
        this::sweepOrLog, config.sweepMillis(), config.sweepMillis(), TimeUnit.MILLISECONDS);
  }

  MemoryCalls(List<Kind> kinds, Limits limits, Meters meters, InstantSource clock) {
    kinds.forEach(kind -> this.kinds.put(kind.name, kind));
    this.limits = limits;
    this.clock = clock;
    this.gcEvents =
        meters.counter("aion_memory_gc_events_total", "Items taken away, by the reason", "kind");
  }

  private static List<Kind> kinds(MemoryConfig config, BundleContext context) throws IOException {
    Path state = Path.of(String.valueOf(context.getProperty("aion.state")), "memory");
    NativeLibrary.load(
        state.resolve("native"),
        ProcessHandle.current().pid() + "-" + context.getBundle().getLastModified());
    return List.of(
        new Kind(
            "short",
            Duration.ofSeconds(config.shortTtlSeconds()),
            false,
            () -> RocksItems.open(state.resolve("short"), config.sync())),
        new Kind(
            "long",
            Duration.ofSeconds(config.longTtlSeconds()),
            true,
            () -> FoundItems.open(state.resolve("long"), config.sync())));
  }

  @Deactivate
  void close() {
    sweeping.shutdownNow();
    try {
      // The store must not be closed under a sweep.
      if (!sweeping.awaitTermination(10, TimeUnit.SECONDS)) {
        log.warn("the sweep of memory does not end");
      }
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
    kinds.values().forEach(Kind::close);
  }

  private void sweepOrLog() {
    try {
      sweep();
    } catch (RuntimeException failed) {
      log.error("expired items could not be taken away", failed);
    }
  }

  void sweep() {
    for (Kind kind : kinds.values()) {
      ItemStore store = kind.storeIfOpen();
      if (store != null) {
        sweep(items(store));
      }
    }
  }

  private void sweep(Items items) {
    int taken;
    do {
      taken = items.sweep(clock.instant(), SWEPT_AT_ONCE).size();
      if (taken > 0) {
        gcEvents.add(taken, "expired");
      }
    } while (taken == SWEPT_AT_ONCE && !Thread.currentThread().isInterrupted());
  }

  @Override
  public Outcome.Ok run(Admitted call) {
    String name = call.syscall().name();
    try {
      Fields params = Fields.of(call.syscall().params(), "/params");
      return Outcome.Ok.ofKernel(
          name,
          switch (name) {
            case "memory.put" -> put(call, params);
            case "memory.get" -> get(call, params);
            case "memory.query", "memory.list" -> query(call, params, name.equals("memory.query"));
            case "memory.pin" -> pin(call, params);
            case "memory.delete" -> delete(call, params);
            default -> throw new IllegalStateException("not served here: " + name);
          });
    } catch (InvalidDocument invalid) {
      throw new Refused(
          Problem.at(
              invalid.pointer(),
              invalid.fault() == InvalidDocument.Fault.MISSING
                  ? Code.MISSING_FIELD
                  : Code.INVALID_FIELD,
              invalid.why()));
    }
  }

  // --- syscalls -------------------------------------------------------------------------------

  private Map<String, @Nullable Object> put(Admitted call, Fields params) throws InvalidDocument {
    Kind kind = kind(params);
    boolean batch = params.has("items");
    List<Items.Wish> wishes = new ArrayList<>();
    if (batch) {
      for (Fields item : params.only("type", "items").list("items")) {
        wishes.add(wish(call, kind, item.only(ITEM)));
      }
      if (wishes.isEmpty() || wishes.size() > BATCH_MAX) {
        throw params.invalid("items", "must be 1 to " + BATCH_MAX);
      }
    } else {
      params.only(ONE_ITEM);
      wishes.add(wish(call, kind, params));
    }
    List<Item> written;
    try {
      written = items(kind.store()).put(wishes, limits.tenantBytesMax(), clock.instant());
    } catch (Refused refused) {
      throw batch ? refused : ofOne(refused);
    }
    List<Map<String, @Nullable Object>> shown =
        written.stream().map(item -> about(kind, item)).toList();
    return batch ? Map.of("items", shown) : shown.get(0);
  }

  private static final String[] ITEM = {
    "key", "task", "value", "meta", "tags", "vector", "ttl_s", "if_version", "pinned"
  };

  private static final String[] ONE_ITEM = {
    "type", "key", "task", "value", "meta", "tags", "vector", "ttl_s", "if_version", "pinned"
  };

  /** The store names the wish of a batch; where there was none, the pointer is shorter. */
  private static Refused ofOne(Refused refused) {
    Problem problem = refused.problem();
    String pointer = problem.pointer();
    return pointer == null
        ? refused
        : new Refused(
            Problem.at(
                pointer.replace("/params/items/0/", "/params/"),
                problem.code(),
                problem.message()));
  }

  private Items.Wish wish(Admitted call, Kind kind, Fields item) throws InvalidDocument {
    if (!item.has("value")) {
      throw item.missing("value");
    }
    Object value = item.value("value");
    if (bytes(Map.of("v", value == null ? "" : value)) > limits.valueBytesMax()) {
      throw new Refused(
          Code.BODY_TOO_LARGE,
          "a value has at most " + limits.valueBytesMax() + " bytes (memory.value_bytes_max)");
    }
    Fields meta = item.objectOrEmpty("meta");
    if (bytes(meta.values()) > META_BYTES_MAX) {
      throw item.invalid("meta", "has more than " + META_BYTES_MAX + " bytes");
    }
    List<String> tags = List.copyOf(item.texts("tags", TAGS_MAX));
    if (tags.stream().anyMatch(tag -> tag.length() > TAG_LENGTH_MAX)) {
      throw item.invalid("tags", "are at most " + TAG_LENGTH_MAX + " characters each");
    }
    return new Items.Wish(
        place(call.syscall().agent(), call, item),
        new Item.Content(value, meta.values(), tags, vector(kind, item)),
        item.flag("pinned", false),
        ttl(call.agent(), kind, item),
        item.wholeNumberOrNull("if_version", 0, Long.MAX_VALUE),
        Provenance.own(call.asked().auditId()),
        null);
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

  private static Duration ttl(AgentProcess agent, Kind kind, Fields item) throws InvalidDocument {
    Long own = item.wholeNumberOrNull("ttl_s", 1, TTL_SECONDS_MAX);
    if (own != null) {
      return Duration.ofSeconds(own);
    }
    if (agent.manifest().get("spec") instanceof Map<?, ?> spec
        && spec.get("memory") instanceof Map<?, ?> memory
        && memory.get(kind.ttlField) instanceof Number seconds) {
      return Duration.ofSeconds(seconds.longValue());
    }
    return kind.ttl;
  }

  private Map<String, @Nullable Object> get(Admitted call, Fields params) throws InvalidDocument {
    Kind kind = kind(params.only("type", "key", "task", "filter"));
    Place place = place(whose(call, params.objectOrEmpty("filter")), call, params);
    return shown(
        kind, items(kind.store()).get(place, clock.instant()).orElseThrow(() -> absent(place)));
  }

  private Map<String, @Nullable Object> query(Admitted call, Fields params, boolean whole)
      throws InvalidDocument {
    Kind kind = kind(params);
    if (whole && params.has("knn")) {
      return find(call, kind, params);
    }
    params.only("type", "filter", "limit", "after");
    Fields filter = params.objectOrEmpty("filter");
    Page page =
        kind.store()
            .query(
                new Selection(
                    whose(call, filter),
                    new FilterReader().read(filter),
                    params.textOrNull("after"),
                    (int) params.wholeNumber("limit", PAGE, 1, PAGE_MAX)),
                clock.instant());
    Map<String, @Nullable Object> result = new LinkedHashMap<>();
    result.put(
        "items",
        page.items().stream().map(item -> whole ? shown(kind, item) : about(kind, item)).toList());
    result.put("next", page.next());
    return result;
  }

  /** By words, by vector, or by both: then ranks are fused. */
  private Map<String, @Nullable Object> find(Admitted call, Kind kind, Fields params)
      throws InvalidDocument {
    params.only("type", "filter", "knn");
    Fields knn = params.object("knn").only("text", "vector", "k");
    if (!kind.finds) {
      throw params.invalid("knn", "is of long memory; leave it out, or ask for the type long");
    }
    String text = knn.textOrNull("text", PROBE_LENGTH_MAX);
    Vector vector = vector(kind, knn);
    if (text == null && vector == null) {
      throw knn.missing("text");
    }
    Fields filter = params.objectOrEmpty("filter");
    List<Hit> hits =
        kind.store()
            .find(
                whose(call, filter),
                new FilterReader().read(filter),
                new Probe(
                    text,
                    vector,
                    null,
                    (int) knn.wholeNumber("k", NEIGHBOURS, 1, NEIGHBOURS_MAX),
                    Probe.Boosts.NONE),
                clock.instant());
    return Map.of("items", hits.stream().map(hit -> shown(kind, hit)).toList());
  }

  private Map<String, @Nullable Object> pin(Admitted call, Fields params) throws InvalidDocument {
    Kind kind = kind(params.only("type", "key", "task", "pinned"));
    Place place = place(call.syscall().agent(), call, params);
    return about(
        kind,
        items(kind.store())
            .pin(place, params.flag("pinned", true), clock.instant())
            .orElseThrow(() -> absent(place)));
  }

  private Map<String, @Nullable Object> delete(Admitted call, Fields params)
      throws InvalidDocument {
    Kind kind = kind(params.only("type", "key", "task"));
    Place place = place(call.syscall().agent(), call, params);
    return Map.of("deleted", items(kind.store()).delete(place, clock.instant()));
  }

  // --- whose, and where -----------------------------------------------------------------------

  private static AgentId whose(Admitted call, Fields filter) throws InvalidDocument {
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

  private static Place place(AgentId agent, Admitted call, Fields item) throws InvalidDocument {
    String key = item.text("key");
    String context = call.syscall().context().taskId();
    String task = item.text("task", context == null ? "" : context);
    checkName(item, "key", key, KEY_LENGTH_MAX);
    if (key.isEmpty()) {
      throw item.invalid("key", "must not be empty");
    }
    checkName(item, "task", task, TASK_LENGTH_MAX);
    return new Place(agent, task, key);
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

  private Kind kind(Fields params) throws InvalidDocument {
    String type = params.text("type");
    Kind kind = kinds.get(type);
    if (kind != null) {
      return kind;
    }
    if (type.equals("episodic")) {
      throw new Refused(
          Problem.at(
              "/params/type",
              Code.NOT_INSTALLED,
              "episodic memory is not in this release; short and long are"));
    }
    throw params.invalid("type", "must be short, long or episodic");
  }

  private static Refused absent(Place place) {
    return new Refused(
        Problem.at(
            "/params/key",
            Code.NOT_FOUND,
            "there is no item '"
                + place.key()
                + "'"
                + (place.task().isEmpty() ? "" : " of the task '" + place.task() + "'")));
  }

  private Items items(ItemStore store) {
    return new Items(store, Duration.ZERO);
  }

  private static int bytes(Map<String, ?> values) {
    return Documents.write(values).length;
  }

  // --- results --------------------------------------------------------------------------------

  private static Map<String, @Nullable Object> shown(Kind kind, Item item) {
    Map<String, @Nullable Object> shown = about(kind, item);
    shown.put("value", item.content().value());
    return shown;
  }

  private static Map<String, @Nullable Object> shown(Kind kind, Hit hit) {
    Map<String, @Nullable Object> why = new LinkedHashMap<>();
    why.put("lexical", hit.lexical());
    why.put("dense", hit.dense());
    Map<String, @Nullable Object> shown = shown(kind, hit.item());
    shown.put("score", hit.score());
    shown.put("why", why);
    return shown;
  }

  /** All but the value. */
  private static Map<String, @Nullable Object> about(Kind kind, Item item) {
    Instant expires = item.expiresAt();
    Map<String, @Nullable Object> about = new LinkedHashMap<>();
    about.put("type", kind.name);
    about.put("agent", item.place().agent().toString());
    about.put("task", item.place().task());
    about.put("key", item.place().key());
    about.put("meta", item.content().meta());
    about.put("tags", item.content().tags());
    about.put("version", item.version());
    about.put("pinned", item.pinned());
    about.put("created_at", item.createdAt().toString());
    about.put("updated_at", item.updatedAt().toString());
    about.put("expires_at", expires == null ? null : expires.toString());
    about.put("written_by", item.provenance().writtenBy());
    return about;
  }
}
