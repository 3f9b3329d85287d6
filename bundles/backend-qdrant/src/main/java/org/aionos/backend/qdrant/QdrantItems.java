package org.aionos.backend.qdrant;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.qdrant.client.ConditionFactory;
import io.qdrant.client.PointIdFactory;
import io.qdrant.client.QueryFactory;
import io.qdrant.client.WithPayloadSelectorFactory;
import io.qdrant.client.grpc.Common.PointId;
import io.qdrant.client.grpc.JsonWithInt.Value;
import io.qdrant.client.grpc.Points.DeletePoints;
import io.qdrant.client.grpc.Points.Direction;
import io.qdrant.client.grpc.Points.FacetCounts;
import io.qdrant.client.grpc.Points.GetPoints;
import io.qdrant.client.grpc.Points.OrderBy;
import io.qdrant.client.grpc.Points.PointStruct;
import io.qdrant.client.grpc.Points.PointsSelector;
import io.qdrant.client.grpc.Points.QueryBatchPoints;
import io.qdrant.client.grpc.Points.QueryPoints;
import io.qdrant.client.grpc.Points.RetrievedPoint;
import io.qdrant.client.grpc.Points.ScrollPoints;
import io.qdrant.client.grpc.Points.ScrollResponse;
import io.qdrant.client.grpc.Points.SparseVector;
import io.qdrant.client.grpc.Points.UpsertPoints;
import io.qdrant.client.grpc.Points.VectorInput;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.aionos.items.Fusion;
import org.aionos.items.ItemRows;
import org.aionos.items.Items;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Hit;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Probe;
import org.aionos.kernel.memory.Selection;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.memory.Vector;
import org.jspecify.annotations.Nullable;

/**
 * Items in Qdrant, each a point, found by their words and vectors.
 *
 * <p>Writers of one tenant take turns within this kernel. Of those in others only the revision of
 * each point keeps us apart: a point that another has written since it was read stays as that one
 * wrote it, and the change is made anew.
 */
final class QdrantItems implements ItemStore {

  /** Lines of one answer; at 256 KiB for a value these are 20 MiB. */
  private static final int LINES_MAX = 64;

  /** Points of one answer without their lines. */
  private static final int POINTS_MAX = 1_000;

  /** As many as there may be. */
  private static final int TENANTS_MAX = 10_000;

  private static final Comparator<Place> ORDER =
      Comparator.comparing((Place place) -> place.agent().tenant())
          .thenComparing(place -> place.agent().name())
          .thenComparing(Place::task)
          .thenComparing(Place::key);

  /**
   * What stands at a place.
   *
   * @param revisions the newest first
   */
  private record Stored(Item item, List<String> revisions) {

    /** With one more, and without the oldest. */
    List<String> and(String revision) {
      List<String> all = new ArrayList<>(List.of(revision));
      revisions.stream().limit(ItemPoints.REVISIONS_MAX - 1).forEach(all::add);
      return all;
    }
  }

  private final ItemCollection collection;
  private final WordVectors words = new WordVectors();
  private final long retryNanosMax;
  private final Consumer<QdrantItems> onClose;
  private final Map<String, Object> turns = new ConcurrentHashMap<>();
  private final Map<String, Long> counted = new ConcurrentHashMap<>();

  QdrantItems(ItemCollection collection, Duration retryMax, Consumer<QdrantItems> onClose) {
    this.collection = collection;
    this.retryNanosMax = retryMax.toNanos();
    this.onClose = onClose;
  }

  private Object turnOf(String tenant) {
    return turns.computeIfAbsent(tenant, name -> new Object());
  }

  // --- changes --------------------------------------------------------------------------------

  @Override
  public void change(Collection<Place> places, long bytesMax, Change change) {
    List<Place> read = places.stream().distinct().toList();
    String tenant = read.get(0).agent().tenant();
    long begun = System.nanoTime();
    synchronized (turnOf(tenant)) {
      while (!changed(tenant, read, bytesMax, change)) {
        if (System.nanoTime() - begun > retryNanosMax) {
          throw new StoreUnavailable("others change the same items of long memory all the time");
        }
      }
    }
  }

  /** Whether no other writer came between. */
  private boolean changed(String tenant, List<Place> places, long bytesMax, Change change) {
    Map<Place, Stored> stored = stored(places);
    Map<Place, Item> items = new HashMap<>();
    stored.forEach((place, each) -> items.put(place, each.item()));
    Map<Place, Optional<Item>> wanted = change.of(items);
    if (wanted.isEmpty()) {
      return true;
    }
    long grown = 0;
    for (Map.Entry<Place, Optional<Item>> each : wanted.entrySet()) {
      grown += each.getValue().map(ItemRows::size).orElse(0L);
      grown -= items.containsKey(each.getKey()) ? ItemRows.size(items.get(each.getKey())) : 0;
    }
    long bytes = bytes(tenant) + grown;
    if (grown > 0 && bytes > bytesMax) {
      throw Items.noRoom(bytesMax);
    }
    // Until it is known what was written.
    counted.remove(tenant);
    boolean written = written(wanted, stored);
    if (written) {
      counted.put(tenant, bytes);
    }
    return written;
  }

  private boolean written(Map<Place, Optional<Item>> wanted, Map<Place, Stored> stored) {
    String revision = UUID.randomUUID().toString();
    List<PointStruct> fresh = new ArrayList<>();
    Map<String, String> gone = new HashMap<>();
    wanted.forEach(
        (place, item) -> {
          Stored before = stored.get(place);
          if (item.isPresent()) {
            ItemPoints.spaces(item.get())
                .forEach((space, vector) -> collection.need(space, vector.dimensions()));
            List<String> revisions = before == null ? List.of(revision) : before.and(revision);
            fresh.add(ItemPoints.point(item.get(), revisions, words));
          } else if (before != null) {
            gone.put(ItemPoints.id(place).toString(), before.revisions().get(0));
          }
        });
    List<String> read =
        stored.values().stream().map(each -> each.revisions().get(0)).distinct().toList();
    upsert(fresh, read);
    delete(ids(gone.keySet()), read);
    return isWritten(fresh, revision) && isGone(gone);
  }

  private static List<PointId> ids(Collection<String> uuids) {
    return uuids.stream().map(UUID::fromString).map(PointIdFactory::id).toList();
  }

  /** One operation, so that all of them are in the server's log or none. */
  private void upsert(List<PointStruct> points, List<String> revisions) {
    if (!points.isEmpty()) {
      UpsertPoints request =
          UpsertPoints.newBuilder()
              .setCollectionName(collection.name())
              .setWait(true)
              .addAllPoints(points)
              .setUpdateFilter(PointFilter.written(revisions))
              .build();
      collection.ask(client -> client.points().upsert(request));
    }
  }

  private void delete(List<PointId> points, List<String> revisions) {
    if (!points.isEmpty()) {
      DeletePoints request =
          DeletePoints.newBuilder()
              .setCollectionName(collection.name())
              .setWait(true)
              .setPoints(
                  PointsSelector.newBuilder()
                      .setFilter(
                          PointFilter.written(revisions).toBuilder()
                              .addMust(ConditionFactory.hasId(points))))
              .build();
      collection.ask(client -> client.points().delete(request));
    }
  }

  /** Another may have written over it since; then it stands among the latest. */
  private boolean isWritten(List<PointStruct> fresh, String revision) {
    List<PointId> ids = fresh.stream().map(PointStruct::getId).toList();
    List<RetrievedPoint> there = points(ids, ItemPoints.REVISIONS);
    return there.size() == fresh.size()
        && there.stream().allMatch(point -> revisions(point).contains(revision));
  }

  /** Another may have made it anew since; then it has nothing of what it was. */
  private boolean isGone(Map<String, String> revisions) {
    return points(ids(revisions.keySet()), ItemPoints.REVISIONS).stream()
        .noneMatch(point -> revisions(point).contains(revisions.get(point.getId().getUuid())));
  }

  private static List<String> revisions(RetrievedPoint point) {
    return point
        .getPayloadOrDefault(ItemPoints.REVISIONS, Value.getDefaultInstance())
        .getListValue()
        .getValuesList()
        .stream()
        .map(Value::getStringValue)
        .toList();
  }

  // --- reading by place -------------------------------------------------------------------------

  private Map<Place, Stored> stored(List<Place> places) {
    Map<Place, Stored> stored = new HashMap<>();
    for (int from = 0; from < places.size(); from += LINES_MAX) {
      List<Place> some = places.subList(from, Math.min(places.size(), from + LINES_MAX));
      List<PointId> ids = some.stream().map(ItemPoints::pointId).toList();
      for (RetrievedPoint point : points(ids, ItemPoints.LINE, ItemPoints.REVISIONS)) {
        Item item = item(point.getId(), point.getPayloadMap());
        List<String> revisions = revisions(point);
        if (revisions.isEmpty()) {
          throw new IllegalStateException("a point of memory is damaged: " + item.place());
        }
        stored.put(item.place(), new Stored(item, revisions));
      }
    }
    return stored;
  }

  private List<RetrievedPoint> points(List<PointId> ids, String... fields) {
    if (ids.isEmpty()) {
      return List.of();
    }
    GetPoints request =
        GetPoints.newBuilder()
            .setCollectionName(collection.name())
            .addAllIds(ids)
            .setWithPayload(WithPayloadSelectorFactory.include(List.of(fields)))
            .build();
    return collection.ask(client -> client.points().get(request)).getResultList();
  }

  /** A line that stands at another place than it says was not written here. */
  private static Item item(PointId id, Map<String, Value> payload) {
    Item item = ItemPoints.item(payload);
    if (!id.getUuid().equals(ItemPoints.id(item.place()).toString())) {
      throw new IllegalStateException("a point of memory names another place: " + item.place());
    }
    return item;
  }

  private static String text(Map<String, Value> payload, String field) {
    return payload.getOrDefault(field, Value.getDefaultInstance()).getStringValue();
  }

  @Override
  public Optional<Item> get(Place place) {
    return Optional.ofNullable(stored(List.of(place)).get(place)).map(Stored::item);
  }

  // --- pages ------------------------------------------------------------------------------------

  /**
   * Qdrant does not order by texts. So the places of all that may be meant are read, a few bytes
   * each, and of the next ones their items.
   */
  @Override
  public Page query(Selection selection, Instant now) {
    AgentId agent = selection.agent();
    Place after = selection.after() == null ? null : place(agent, selection.after());
    List<Place> next = next(agent, selection, after, now);
    boolean isLast = next.size() <= selection.limit();
    List<Place> asked = isLast ? next : next.subList(0, selection.limit());
    Map<Place, Stored> stored = stored(asked);
    List<Item> found =
        asked.stream()
            .flatMap(place -> Optional.ofNullable(stored.get(place)).stream())
            .map(Stored::item)
            .filter(item -> item.isThere(now) && selection.filter().admits(item))
            .toList();
    return new Page(found, isLast ? null : token(asked.get(asked.size() - 1)));
  }

  /** One more than are wanted, in order. */
  private List<Place> next(AgentId agent, Selection selection, @Nullable Place after, Instant now) {
    PriorityQueue<Place> first = new PriorityQueue<>(ORDER.reversed());
    eachPoint(
        PointFilter.superset(agent, selection.filter(), now),
        List.of(ItemPoints.TASK, ItemPoints.KEY),
        payload -> {
          Place place =
              new Place(agent, text(payload, ItemPoints.TASK), text(payload, ItemPoints.KEY));
          if (after == null || ORDER.compare(place, after) > 0) {
            first.add(place);
            if (first.size() > selection.limit() + 1) {
              first.remove();
            }
          }
        });
    return first.stream().sorted(ORDER).toList();
  }

  private void eachPoint(
      io.qdrant.client.grpc.Common.Filter filter,
      List<String> fields,
      Consumer<Map<String, Value>> reader) {
    PointId from = null;
    do {
      ScrollResponse page = scroll(filter, fields, from, POINTS_MAX);
      page.getResultList().forEach(point -> reader.accept(point.getPayloadMap()));
      from = page.hasNextPageOffset() ? page.getNextPageOffset() : null;
    } while (from != null);
  }

  private ScrollResponse scroll(
      io.qdrant.client.grpc.Common.Filter filter,
      List<String> fields,
      @Nullable PointId from,
      int limit) {
    ScrollPoints.Builder request =
        ScrollPoints.newBuilder()
            .setCollectionName(collection.name())
            .setFilter(filter)
            .setLimit(limit)
            .setWithPayload(WithPayloadSelectorFactory.include(fields));
    if (from != null) {
      request.setOffset(from);
    }
    return collection.ask(client -> client.points().scroll(request.build()));
  }

  private static String token(Place place) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(ItemRows.key(place));
  }

  private static Place place(AgentId agent, String token) {
    String[] parts = parts(token);
    if (parts.length != 4 || !parts[0].equals(agent.tenant()) || !parts[1].equals(agent.name())) {
      throw notOurs();
    }
    return new Place(agent, parts[2], parts[3]);
  }

  private static String[] parts(String token) {
    try {
      return new String(Base64.getUrlDecoder().decode(token), UTF_8).split("\0", -1);
    } catch (IllegalArgumentException noBase64) {
      throw notOurs();
    }
  }

  private static Refused notOurs() {
    return new Refused(
        Problem.at("/params/after", Code.INVALID_FIELD, "must be what a page said as next"));
  }

  @Override
  public Page all(String tenant, @Nullable String after, int limit) {
    PointId from = after == null ? null : point(tenant, after);
    List<String> fields = List.of(ItemPoints.LINE);
    ScrollResponse page = scroll(PointFilter.of(tenant), fields, from, Math.min(limit, LINES_MAX));
    List<Item> items =
        page.getResultList().stream()
            .map(point -> item(point.getId(), point.getPayloadMap()))
            .toList();
    return new Page(
        items,
        page.hasNextPageOffset()
            ? Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(
                    (tenant + "\0" + page.getNextPageOffset().getUuid()).getBytes(UTF_8))
            : null);
  }

  private static PointId point(String tenant, String token) {
    String[] parts = parts(token);
    try {
      if (parts.length == 2 && parts[0].equals(tenant)) {
        return PointIdFactory.id(UUID.fromString(parts[1]));
      }
    } catch (IllegalArgumentException noPoint) {
      // Refused below.
    }
    throw notOurs();
  }

  @Override
  public List<Place> expired(Instant now, int max) {
    ScrollPoints request =
        ScrollPoints.newBuilder()
            .setCollectionName(collection.name())
            .setFilter(PointFilter.expired(now))
            .setLimit(Math.min(max, POINTS_MAX))
            .setWithPayload(
                WithPayloadSelectorFactory.include(
                    List.of(ItemPoints.TENANT, ItemPoints.AGENT, ItemPoints.TASK, ItemPoints.KEY)))
            .setOrderBy(OrderBy.newBuilder().setKey(ItemPoints.EXPIRES).setDirection(Direction.Asc))
            .build();
    return collection.ask(client -> client.points().scroll(request)).getResultList().stream()
        .map(RetrievedPoint::getPayloadMap)
        .map(
            payload ->
                new Place(
                    new AgentId(text(payload, ItemPoints.TENANT), text(payload, ItemPoints.AGENT)),
                    text(payload, ItemPoints.TASK),
                    text(payload, ItemPoints.KEY)))
        .toList();
  }

  // --- bytes ------------------------------------------------------------------------------------

  @Override
  public Map<String, Long> bytes() {
    FacetCounts request =
        FacetCounts.newBuilder()
            .setCollectionName(collection.name())
            .setKey(ItemPoints.TENANT)
            .setLimit(TENANTS_MAX)
            .setExact(true)
            .build();
    Map<String, Long> bytes = new HashMap<>();
    collection
        .ask(client -> client.points().facet(request))
        .getHitsList()
        .forEach(hit -> bytes.put(hit.getValue().getStringValue(), 0L));
    bytes.replaceAll((tenant, unknown) -> bytes(tenant));
    bytes.values().removeIf(each -> each == 0);
    return bytes;
  }

  /** Counted once by looking at all, then by what is written here. */
  @Override
  public long bytes(String tenant) {
    Long known = counted.get(tenant);
    if (known != null) {
      return known;
    }
    synchronized (turnOf(tenant)) {
      Long meanwhile = counted.get(tenant);
      long bytes = meanwhile == null ? sum(tenant) : meanwhile;
      counted.put(tenant, bytes);
      return bytes;
    }
  }

  private long sum(String tenant) {
    long[] sum = {0};
    eachPoint(
        PointFilter.of(tenant),
        List.of(ItemPoints.SIZE),
        payload ->
            sum[0] +=
                payload
                    .getOrDefault(ItemPoints.SIZE, Value.getDefaultInstance())
                    .getIntegerValue());
    return sum[0];
  }

  // --- finding ----------------------------------------------------------------------------------

  @Override
  public List<Hit> find(AgentId agent, Filter filter, Probe probe, Instant now) {
    QueryBatchPoints.Builder batch =
        QueryBatchPoints.newBuilder().setCollectionName(collection.name());
    QueryPoints.Builder each =
        QueryPoints.newBuilder()
            .setCollectionName(collection.name())
            .setFilter(PointFilter.superset(agent, filter, now))
            .setLimit(Fusion.asked(probe.k()))
            .setWithPayload(WithPayloadSelectorFactory.enable(false));
    SparseVector text =
        probe.text() == null ? SparseVector.getDefaultInstance() : words.asked(probe.text());
    boolean hasText = text.getIndicesCount() > 0;
    if (hasText) {
      batch.addQueryPoints(
          each.setUsing(ItemPoints.WORDS)
              .setQuery(QueryFactory.nearest(VectorInput.newBuilder().setSparse(text).build()))
              .build());
    }
    spaces(probe)
        .forEach(
            (space, vector) ->
                batch.addQueryPoints(
                    each.setUsing(space).setQuery(QueryFactory.nearest(vector.numbers())).build()));
    List<List<Fusion.Found<UUID>>> lists = lists(batch.build(), hasText);
    Lines lines = new Lines(lists);
    return Fusion.best(
        hasText ? lists.get(0) : List.of(),
        lists.subList(hasText ? 1 : 0, lists.size()),
        id ->
            lines
                .read(id)
                .filter(item -> item.place().agent().equals(agent))
                .filter(item -> item.isThere(now) && filter.admits(item)),
        probe,
        now);
  }

  private Map<String, Vector> spaces(Probe probe) {
    Map<String, Vector> spaces = new HashMap<>();
    if (probe.vector() != null) {
      spaces.put(ItemPoints.space(probe.vector()), probe.vector());
    }
    if (probe.embedding() != null) {
      spaces.put(ItemPoints.space(probe.embedding()), probe.embedding().vector());
    }
    spaces.keySet().removeIf(space -> !collection.has(space));
    return spaces;
  }

  private List<List<Fusion.Found<UUID>>> lists(QueryBatchPoints batch, boolean wordsFirst) {
    List<List<Fusion.Found<UUID>>> lists = new ArrayList<>();
    if (batch.getQueryPointsCount() == 0) {
      return lists;
    }
    collection
        .ask(client -> client.points().queryBatch(batch))
        .getResultList()
        .forEach(
            result -> {
              boolean isWords = wordsFirst && lists.isEmpty();
              lists.add(
                  result.getResultList().stream()
                      .map(
                          point ->
                              new Fusion.Found<>(
                                  UUID.fromString(point.getId().getUuid()),
                                  isWords ? point.getScore() : (1 + point.getScore()) / 2))
                      .toList());
            });
    return lists;
  }

  /** Reads items of what was found, the likely ones ahead and many at a time. */
  private final class Lines {

    private final Set<UUID> unread = new LinkedHashSet<>();
    private final Map<UUID, Item> read = new HashMap<>();

    Lines(List<List<Fusion.Found<UUID>>> lists) {
      int longest = lists.stream().mapToInt(List::size).max().orElse(0);
      for (int rank = 0; rank < longest; rank++) {
        for (List<Fusion.Found<UUID>> list : lists) {
          if (rank < list.size()) {
            unread.add(list.get(rank).id());
          }
        }
      }
    }

    Optional<Item> read(UUID id) {
      if (unread.remove(id)) {
        List<UUID> some = new ArrayList<>(List.of(id));
        unread.stream().limit(LINES_MAX - 1).forEach(some::add);
        some.forEach(unread::remove);
        points(some.stream().map(PointIdFactory::id).toList(), ItemPoints.LINE)
            .forEach(
                point ->
                    read.put(
                        UUID.fromString(point.getId().getUuid()),
                        item(point.getId(), point.getPayloadMap())));
      }
      return Optional.ofNullable(read.get(id));
    }
  }

  @Override
  public void close() {
    collection.close();
    words.close();
    onClose.accept(this);
  }
}
