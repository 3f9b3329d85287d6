package org.aionos.memory;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.items.ItemRows;
import org.aionos.items.Items;
import org.aionos.kernel.Admitted;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.SyscallHandler;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Hit;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Probe;
import org.aionos.kernel.memory.Selection;
import org.aionos.kernel.memory.Trust;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Serves {@code memory.*}. An agent has its own items; those of other agents of its tenant it may
 * read if it holds {@value Requests#TENANT_MEMORY}, and none of another tenant, whatever it asks
 * for. What a task reads here lowers what it writes.
 */
@Component(
    service = SyscallHandler.class,
    property = {
      SyscallHandler.NAMES + "=memory.put",
      SyscallHandler.NAMES + "=memory.get",
      SyscallHandler.NAMES + "=memory.query",
      SyscallHandler.NAMES + "=memory.list",
      SyscallHandler.NAMES + "=memory.rag",
      SyscallHandler.NAMES + "=memory.pin",
      SyscallHandler.NAMES + "=memory.delete",
      SyscallHandler.NAMES + "=memory.restore"
    })
public final class MemoryCalls implements SyscallHandler {

  private static final int BATCH_MAX = 100;
  private static final int PAGE_MAX = 200;
  private static final int PAGE = 50;
  private static final int PART = 20;
  private static final long RESULT_BYTES_MAX = 4 << 20;

  private final Memory memory;
  private final Requests requests;
  private final InstantSource clock;

  @Activate
  public MemoryCalls(@Reference(name = "memory") Memory memory) {
    this(memory, InstantSource.system());
  }

  MemoryCalls(Memory memory, InstantSource clock) {
    this.memory = memory;
    this.requests = new Requests(memory);
    this.clock = clock;
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
            case "memory.query" ->
                params.has("knn") ? find(call, params) : page(call, params, true);
            case "memory.list" -> page(call, params, false);
            case "memory.rag" -> rag(call, params);
            case "memory.pin" -> pin(call, params);
            case "memory.delete" -> delete(call, params);
            case "memory.restore" -> restore(call, params);
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

  private <T> T with(Kind kind, BiFunction<Items, Instant, T> work) {
    Duration undoFor = memory.settings().undoFor();
    return kind.use(store -> work.apply(new Items(store, undoFor), clock.instant()));
  }

  // --- writing --------------------------------------------------------------------------------

  private Map<String, @Nullable Object> put(Admitted call, Fields params) throws InvalidDocument {
    Kind kind = requests.kind(params);
    boolean batch = params.has("items");
    List<Fields> wanted = batch ? params.only("type", "items").list("items") : List.of(params);
    if (wanted.isEmpty() || wanted.size() > BATCH_MAX) {
      throw params.invalid("items", "must be 1 to " + BATCH_MAX);
    }
    List<Items.Wish> wishes = new ArrayList<>();
    for (Fields item : wanted) {
      wishes.add(requests.wish(call, kind, item, batch, clock.instant()));
    }
    long bytesMax = memory.bytesMax(call.syscall().agent().tenant());
    List<Items.Wish> embedded = requests.embedded(kind, wishes);
    List<Item> written;
    try {
      written = with(kind, (items, now) -> items.put(embedded, bytesMax, now));
    } catch (Refused refused) {
      throw batch ? refused : ofOne(refused);
    }
    List<Map<String, @Nullable Object>> shown =
        written.stream().map(item -> Answers.about(kind, item)).toList();
    return batch ? Map.of("items", shown) : shown.get(0);
  }

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

  private Map<String, @Nullable Object> pin(Admitted call, Fields params) throws InvalidDocument {
    Kind kind = requests.kind(params.only("type", "key", "task", "pinned"));
    Place place = Requests.place(call.syscall().agent(), call, params);
    boolean pinned = params.flag("pinned", true);
    return Answers.about(
        kind, present(place, with(kind, (items, now) -> items.pin(place, pinned, now))));
  }

  private Map<String, @Nullable Object> delete(Admitted call, Fields params)
      throws InvalidDocument {
    Kind kind = requests.kind(params.only("type", "key", "task"));
    Place place = Requests.place(call.syscall().agent(), call, params);
    return Map.of("deleted", with(kind, (items, now) -> items.delete(place, now)));
  }

  private Map<String, @Nullable Object> restore(Admitted call, Fields params)
      throws InvalidDocument {
    Kind kind = requests.kind(params.only("type", "key", "task"));
    Place place = Requests.place(call.syscall().agent(), call, params);
    return Answers.about(
        kind, present(place, with(kind, (items, now) -> items.restore(place, now))));
  }

  // --- reading --------------------------------------------------------------------------------

  private Map<String, @Nullable Object> get(Admitted call, Fields params) throws InvalidDocument {
    Kind kind = requests.kind(params.only("type", "key", "task", "filter"));
    AgentId whose = Requests.whose(call, params.objectOrEmpty("filter"));
    Place place = Requests.place(whose, call, params);
    Item item = present(place, with(kind, (items, now) -> items.get(place, now)));
    wereRead(call, List.of(item));
    return Answers.whole(kind, item);
  }

  private static Item present(Place place, Optional<Item> item) {
    return item.orElseThrow(
        () ->
            new Refused(
                Problem.at(
                    "/params/key",
                    Code.NOT_FOUND,
                    "there is no item '"
                        + place.key()
                        + "'"
                        + (place.task().isEmpty() ? "" : " of the task '" + place.task() + "'"))));
  }

  private Map<String, @Nullable Object> page(Admitted call, Fields params, boolean whole)
      throws InvalidDocument {
    Kind kind = requests.kind(params.only("type", "filter", "limit", "after"));
    Fields filter = params.objectOrEmpty("filter");
    Page page =
        page(
            kind,
            new Selection(
                Requests.whose(call, filter),
                new FilterReader().read(filter),
                params.textOrNull("after"),
                (int) params.wholeNumber("limit", PAGE, 1, PAGE_MAX)));
    if (whole) {
      wereRead(call, page.items());
    }
    Map<String, @Nullable Object> result = new LinkedHashMap<>();
    result.put(
        "items",
        page.items().stream()
            .map(item -> whole ? Answers.whole(kind, item) : Answers.about(kind, item))
            .toList());
    result.put("next", page.next());
    return result;
  }

  /** Read in small parts, and ended early where values are large: a result stands in memory. */
  private Page page(Kind kind, Selection wanted) {
    List<Item> items = new ArrayList<>();
    String after = wanted.after();
    long bytes = 0;
    do {
      int part = Math.min(PART, wanted.limit() - items.size());
      Selection next = new Selection(wanted.agent(), wanted.filter(), after, part);
      Page page = kind.use(store -> store.query(next, clock.instant()));
      items.addAll(page.items());
      bytes += page.items().stream().mapToLong(ItemRows::size).sum();
      after = page.next();
      if (page.items().size() < part) {
        // It says where to go on, having looked at much: so does this one.
        break;
      }
    } while (after != null && items.size() < wanted.limit() && bytes < RESULT_BYTES_MAX);
    return new Page(items, after);
  }

  /** By words, by vector, or by both: then scores are fused. */
  private Map<String, @Nullable Object> find(Admitted call, Fields params) throws InvalidDocument {
    Kind kind = requests.kind(params.only("type", "filter", "knn"));
    List<Distinct> hits = hits(call, kind, params);
    Instant now = clock.instant();
    return Map.of("items", hits.stream().map(hit -> Answers.hit(kind, hit, now)).toList());
  }

  /** What is found, packed as the context of a question to a model. */
  private Map<String, @Nullable Object> rag(Admitted call, Fields params) throws InvalidDocument {
    Kind kind = requests.kind(params.only("type", "filter", "knn", "tokens_max"));
    int tokensMax = (int) params.wholeNumber("tokens_max", 1_000, 50, 100_000);
    return Packing.pack(hits(call, kind, params), tokensMax);
  }

  private List<Distinct> hits(Admitted call, Kind kind, Fields params) throws InvalidDocument {
    Fields filter = params.objectOrEmpty("filter");
    AgentId whose = Requests.whose(call, filter);
    Filter which = new FilterReader().read(filter);
    Probe probe = requests.probe(kind, params);
    // More than asked for, because what says the same is shown once.
    Probe wider =
        new Probe(probe.text(), probe.vector(), probe.embedding(), probe.k() * 2, probe.boosts());
    List<Hit> hits = kind.use(store -> store.find(whose, which, wider, clock.instant()));
    List<Distinct> distinct = fitting(Distinct.of(hits, probe.k()));
    wereRead(call, distinct.stream().map(each -> each.best().item()).toList());
    return distinct;
  }

  /** The best, as many as a result may hold; at least one. */
  private static List<Distinct> fitting(List<Distinct> found) {
    long bytes = 0;
    int count = 0;
    while (count < found.size() && bytes < RESULT_BYTES_MAX) {
      bytes += ItemRows.size(found.get(count++).best().item());
    }
    return found.subList(0, count);
  }

  private void wereRead(Admitted call, List<Item> items) {
    Instant now = clock.instant();
    Trust lowest = Trust.HIGH;
    for (Item item : items) {
      memory.uses().read(item.place(), now);
      lowest = lowest.and(item.provenance().trust());
    }
    memory.read(call.syscall().agent(), call.syscall().context().taskId(), lowest);
  }
}
