package org.aionos.memory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiPredicate;
import org.aionos.items.ItemRows;
import org.aionos.items.Items;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.ObjectStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Selection;
import org.aionos.kernel.memory.StoreUnavailable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Items as lines of segments, which are the truth: files that only grow, then go to an object store
 * where there is one. Beside them stands an index of where each item is.
 *
 * <p>A change is written to its agent's segment of the day, then to the index, and then
 * acknowledged. What a crash leaves in a segment and not in the index is read again at the next
 * start; what it leaves in part is cut off.
 */
final class EpisodicItems implements ItemStore {

  private static final Logger log = LoggerFactory.getLogger(EpisodicItems.class);

  /** For segments that are read again; not for a bucket that is known to be away. */
  private static final Duration READY_WAIT_MAX = Duration.ofSeconds(2);

  private static final Duration CLOSE_WAIT_MAX = Duration.ofSeconds(10);

  /**
   * @param segmentBytesMax a segment that has as many is sealed
   * @param segmentAgeMax so is one that is as old, or of another day
   * @param waitingBytesMax what may wait for an object store; then nothing more is taken
   * @param localBytesMax what stays on this disk of what the object store has
   */
  record Limits(
      int segmentBytesMax, Duration segmentAgeMax, long waitingBytesMax, long localBytesMax) {

    static final Limits USUAL = new Limits(8 << 20, Duration.ofHours(1), 256L << 20, 1L << 30);
  }

  private final SegmentFiles files;
  private final EpisodicIndex index;
  private final @Nullable ObjectStore objects;
  private final Limits limits;
  private final InstantSource clock;
  private final OpenSegments open = new OpenSegments();
  private final SegmentReader reader;
  private final SegmentCare care;
  private final CompletableFuture<Void> ready = new CompletableFuture<>();
  private volatile boolean objectsAway;
  private final ScheduledExecutorService tending =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "aion-memory-episodic");
            thread.setDaemon(true);
            return thread;
          });

  private EpisodicItems(
      SegmentFiles files,
      EpisodicIndex index,
      @Nullable ObjectStore objects,
      Limits limits,
      InstantSource clock) {
    this.files = files;
    this.index = index;
    this.objects = objects;
    this.limits = limits;
    this.clock = clock;
    this.reader = new SegmentReader(files, objects, index);
    this.care = new SegmentCare(files, index, objects, limits, open, reader);
  }

  /**
   * @param folder of segments, as {@code episodic/<tenant>/<agent>/<day>/<uuid>.jsonl}
   * @param index folder of the index alone
   * @param sync whether a write survives a power loss too, at the price of a disk flush
   * @param objects where sealed segments go; null to keep them here
   * @param pause between two looks at what is to be done for segments
   */
  static EpisodicItems open(
      Path folder,
      Path index,
      boolean sync,
      @Nullable ObjectStore objects,
      Limits limits,
      Duration pause,
      InstantSource clock) {
    EpisodicItems items =
        new EpisodicItems(
            new SegmentFiles(folder, sync), new EpisodicIndex(index), objects, limits, clock);
    items.begin(pause);
    return items;
  }

  private void begin(Duration pause) {
    SegmentRecovery recovery = new SegmentRecovery(files, index, objects, open, clock);
    try {
      if (recovery.recover()) {
        ready.complete(null);
      } else if (objects == null) {
        recovery.rebuild();
        ready.complete(null);
      }
    } catch (IOException unusable) {
      index.close();
      throw new UncheckedIOException("episodic memory cannot be opened", unusable);
    }
    tending.scheduleWithFixedDelay(
        () -> rebuildOrLog(recovery), 0, pause.toMillis(), TimeUnit.MILLISECONDS);
    tending.scheduleWithFixedDelay(
        this::tendOrLog, pause.toMillis(), pause.toMillis(), TimeUnit.MILLISECONDS);
  }

  // --- in the background ----------------------------------------------------------------------

  private void rebuildOrLog(SegmentRecovery recovery) {
    if (ready.isDone()) {
      return;
    }
    try {
      recovery.rebuild();
      ready.complete(null);
      objectsAre(false, null);
    } catch (StoreUnavailable away) {
      objectsAre(true, away);
    } catch (IOException | RuntimeException failed) {
      log.error("episodic memory cannot be read again from its segments", failed);
    }
  }

  private void tendOrLog() {
    try {
      tend(clock.instant());
    } catch (IOException | RuntimeException failed) {
      log.error("segments of episodic memory cannot be looked after", failed);
    }
  }

  /** Seals, uploads, deletes and rewrites what is due. */
  synchronized void tend(Instant now) throws IOException {
    if (!ready.isDone()) {
      return;
    }
    try {
      care.tend(now);
      objectsAre(false, null);
    } catch (StoreUnavailable away) {
      objectsAre(true, away);
    }
  }

  /** Whether the index is complete. */
  boolean isReady() {
    return ready.isDone();
  }

  /** What is on this disk alone. */
  long waitingBytes() {
    return open.waitingBytes().get();
  }

  private void objectsAre(boolean away, @Nullable StoreUnavailable why) {
    if (away && !objectsAway) {
      log.warn("episodic memory waits for its object store", why);
    } else if (!away && objectsAway) {
      log.info("the object store of episodic memory is back");
    }
    objectsAway = away;
  }

  private void awaitReady() {
    if (ready.isDone()) {
      return;
    }
    if (objectsAway) {
      throw new StoreUnavailable("the object store of episodic memory is away");
    }
    try {
      ready.get(READY_WAIT_MAX.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException late) {
      throw new StoreUnavailable("episodic memory is being read again from its object store", late);
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
      throw new StoreUnavailable("interrupted while episodic memory was opened", hurry);
    } catch (ExecutionException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  // --- changes --------------------------------------------------------------------------------

  @Override
  public void change(Collection<Place> places, long bytesMax, Change change) {
    awaitReady();
    String tenant = places.iterator().next().agent().tenant();
    Map<SegmentId, Long> written = null;
    while (written == null) {
      // Not in the turn: this may wait for the object store.
      Map<Place, EpisodicIndex.Entry> before = entries(places);
      Map<Place, Item> stored = whole(before);
      synchronized (open.turnOf(tenant)) {
        if (entries(places).equals(before)) {
          Map<Place, Optional<Item>> after = change.of(stored);
          written = after.isEmpty() ? Map.of() : write(tenant, before, after, bytesMax);
        }
      }
    }
    written.forEach(this::flush);
  }

  private Map<Place, EpisodicIndex.Entry> entries(Collection<Place> places) {
    Map<Place, EpisodicIndex.Entry> entries = new LinkedHashMap<>();
    for (Place place : places) {
      index.entry(place).ifPresent(entry -> entries.put(place, entry));
    }
    return entries;
  }

  private Map<Place, Item> whole(Map<Place, EpisodicIndex.Entry> entries) {
    Map<Place, Item> items = new LinkedHashMap<>();
    entries.forEach(
        (place, entry) -> whole(place, entry).ifPresent(item -> items.put(place, item)));
    return items;
  }

  /** Ends of the segments that were written to. */
  private Map<SegmentId, Long> write(
      String tenant,
      Map<Place, EpisodicIndex.Entry> before,
      Map<Place, Optional<Item>> after,
      long bytesMax) {
    checkRoom(tenant, before, after, bytesMax);
    Map<AgentId, Map<Place, Optional<Item>>> byAgent = new LinkedHashMap<>();
    after.forEach(
        (place, item) ->
            byAgent
                .computeIfAbsent(place.agent(), absent -> new LinkedHashMap<>())
                .put(place, item));
    long change = index.totals(tenant).lastChange() + 1;
    try (EpisodicIndex.Writing writing = index.write(tenant)) {
      Map<SegmentId, SegmentLines> lines = new LinkedHashMap<>();
      byAgent.forEach(
          (agent, items) -> {
            Segment segment = segmentFor(agent, change, writing);
            lines.put(segment.id(), SegmentLines.of(change, items, segment.length()));
          });
      append(tenant, lines, writing);
      writing.commit();
      if (lines.size() > 1) {
        index.forgetPromises(tenant);
      }
      Map<SegmentId, Long> ends = new LinkedHashMap<>();
      for (SegmentId id : lines.keySet()) {
        open.opened(id);
        ends.put(id, writing.segment(id).length());
      }
      return ends;
    }
  }

  private void checkRoom(
      String tenant,
      Map<Place, EpisodicIndex.Entry> before,
      Map<Place, Optional<Item>> after,
      long bytesMax) {
    long had = index.totals(tenant).bytes();
    long bytes = had;
    boolean removesOnly = true;
    for (Map.Entry<Place, Optional<Item>> each : after.entrySet()) {
      EpisodicIndex.Entry entry = before.get(each.getKey());
      bytes -= entry == null ? 0 : entry.spot().bytes();
      bytes += each.getValue().map(ItemRows::size).orElse(0L);
      removesOnly &= each.getValue().isEmpty();
    }
    if (bytes > bytesMax && bytes > had) {
      throw Items.noRoom(bytesMax);
    }
    // What is taken away is less than it was.
    if (objects != null && !removesOnly && open.waitingBytes().get() > limits.waitingBytesMax()) {
      throw new StoreUnavailable(
          "too much of episodic memory waits for its object store; it takes no more");
    }
  }

  /** The one of today, or a new one. */
  private Segment segmentFor(AgentId agent, long change, EpisodicIndex.Writing writing) {
    Instant now = clock.instant();
    LocalDate today = LocalDate.ofInstant(now, ZoneOffset.UTC);
    Segment current = open.of(agent).map(writing::segment).orElse(null);
    if (current != null) {
      if (current.state() == Segment.State.OPEN
          && current.id().day().equals(today)
          && current.length() < limits.segmentBytesMax()) {
        return current;
      }
      if (current.state() == Segment.State.OPEN) {
        writing.put(current.is(Segment.State.SEALED, true));
      }
    }
    Segment fresh = Segment.begun(SegmentId.of(agent, today, change), now);
    writing.put(fresh);
    return fresh;
  }

  private void append(
      String tenant, Map<SegmentId, SegmentLines> lines, EpisodicIndex.Writing writing) {
    if (lines.size() > 1) {
      List<EpisodicIndex.Promise> promises = new ArrayList<>();
      lines.forEach(
          (id, each) ->
              promises.add(
                  new EpisodicIndex.Promise(id, writing.segment(id).length(), each.bytes())));
      index.promise(tenant, promises);
    }
    try {
      for (Map.Entry<SegmentId, SegmentLines> each : lines.entrySet()) {
        SegmentId id = each.getKey();
        byte[] bytes = each.getValue().bytes();
        Segment segment = writing.segment(id);
        files.append(id, segment.length(), bytes);
        writing.put(segment.until(segment.length() + bytes.length));
        each.getValue().lines().forEach(line -> writing.apply(id, line));
        open.waitingBytes().addAndGet(bytes.length);
      }
    } catch (IOException failed) {
      takeBack(tenant, lines);
      throw new StoreUnavailable("episodic memory cannot be written", failed);
    }
  }

  /** What fails here too is cut off by the next write, or kept whole by the next start. */
  private void takeBack(String tenant, Map<SegmentId, SegmentLines> lines) {
    if (lines.size() == 1) {
      return;
    }
    try {
      for (Map.Entry<SegmentId, SegmentLines> each : lines.entrySet()) {
        files.truncate(each.getKey(), each.getValue().lines().get(0).offset());
      }
      index.forgetPromises(tenant);
    } catch (IOException failed) {
      log.error("a change of episodic memory could not be taken back", failed);
    }
  }

  private void flush(SegmentId id, long end) {
    try {
      files.flush(id, end);
    } catch (IOException failed) {
      throw new StoreUnavailable("episodic memory cannot be put on the disk", failed);
    }
  }

  // --- reading --------------------------------------------------------------------------------

  @Override
  public Optional<Item> get(Place place) {
    awaitReady();
    return index.entry(place).flatMap(entry -> whole(place, entry));
  }

  /** Empty if it was taken away meanwhile. */
  private Optional<Item> whole(Place place, EpisodicIndex.Entry seen) {
    EpisodicIndex.Entry entry = seen;
    while (true) {
      Optional<byte[]> line = reader.line(entry.spot());
      if (line.isPresent()) {
        return line.map(SegmentLines::item);
      }
      // Its segment was rewritten meanwhile: then it stands elsewhere.
      EpisodicIndex.Entry now = index.entry(place).orElse(null);
      if (now == null) {
        return Optional.empty();
      }
      if (now.spot().equals(entry.spot())) {
        throw new IllegalStateException("a segment of episodic memory is missing");
      }
      entry = now;
    }
  }

  @Override
  public Page query(Selection selection, Instant now) {
    return page(
        EpisodicIndex.whose(selection.agent()),
        selection.after(),
        selection.limit(),
        (place, outline) -> outline.isThere(now) && selection.filter().admits(outline));
  }

  @Override
  public Page all(String tenant, @Nullable String after, int limit) {
    return page(tenant + "\0", after, limit, (place, outline) -> true);
  }

  private Page page(
      String whose, @Nullable String after, int limit, BiPredicate<Place, Item> which) {
    awaitReady();
    EpisodicIndex.Entries entries = index.entries(whose, after, limit, which);
    List<Item> items = new ArrayList<>();
    for (EpisodicIndex.Entry entry : entries.found()) {
      // It may be another one by now, which nobody has looked at.
      whole(entry.outline().place(), entry)
          .filter(item -> which.test(item.place(), item))
          .ifPresent(items::add);
    }
    return new Page(items, entries.next());
  }

  @Override
  public List<Place> expired(Instant now, int max) {
    return ready.isDone() ? index.expired(now, max) : List.of();
  }

  @Override
  public Map<String, Long> bytes() {
    awaitReady();
    Map<String, Long> bytes = new LinkedHashMap<>();
    index
        .totals()
        .forEach(
            (tenant, totals) -> {
              if (totals.bytes() > 0) {
                bytes.put(tenant, totals.bytes());
              }
            });
    return bytes;
  }

  @Override
  public long bytes(String tenant) {
    awaitReady();
    return index.totals(tenant).bytes();
  }

  @Override
  public void close() {
    tending.shutdownNow();
    try {
      if (!tending.awaitTermination(CLOSE_WAIT_MAX.toSeconds(), TimeUnit.SECONDS)) {
        log.warn("the care of episodic memory does not end");
      }
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
    index.close();
    if (objects != null) {
      objects.close();
    }
  }
}
