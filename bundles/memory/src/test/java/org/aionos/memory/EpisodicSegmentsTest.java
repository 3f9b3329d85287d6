package org.aionos.memory;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.aionos.items.Items;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ObjectStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Provenance;
import org.aionos.kernel.memory.Selection;
import org.aionos.kernel.memory.StoreUnavailable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of segments: in crashes, over time, and with an object store behind them. */
final class EpisodicSegmentsTest {

  private static final AgentId ANN = new AgentId("acme", "ann");
  private static final AgentId BOB = new AgentId("acme", "bob");
  private static final Instant START = Instant.parse("2030-01-01T10:00:00Z");
  private static final Duration NEVER = Duration.ofDays(1);
  private static final EpisodicItems.Limits SMALL =
      new EpisodicItems.Limits(2_000, Duration.ofHours(1), 1 << 20, 4_000);

  @TempDir static Path library;
  @TempDir Path temporary;

  private Path folder;
  private Instant now = START;
  private final InstantSource clock = () -> now;
  private @Nullable EpisodicItems store;
  private Items items;

  @BeforeAll
  static void load() throws IOException {
    NativeLibrary.load(library, "test");
  }

  @AfterEach
  void close() {
    if (store != null) {
      store.close();
      store = null;
    }
  }

  private EpisodicItems open(
      Path segments, @Nullable ObjectStore objects, EpisodicItems.Limits limits) {
    close();
    folder = segments;
    EpisodicItems opened =
        EpisodicItems.open(folder, folder.resolve("index"), false, objects, limits, NEVER, clock);
    store = opened;
    items = new Items(opened, Duration.ZERO);
    return opened;
  }

  private Item put(AgentId agent, String key, Object value, @Nullable Duration ttl) {
    return items
        .put(List.of(wish(new Place(agent, "", key), value, ttl)), Long.MAX_VALUE, now)
        .get(0);
  }

  private static Items.Wish wish(Place place, Object value, @Nullable Duration ttl) {
    return new Items.Wish(
        place,
        new Item.Content(value, Map.of(), List.of(), null),
        false,
        ttl,
        null,
        Provenance.own("sc-1"),
        null);
  }

  private static Map<Place, Item> all(EpisodicItems store) {
    Map<Place, Item> all = new HashMap<>();
    String after = null;
    do {
      Page page = store.all("acme", after, 7);
      page.items().forEach(item -> all.put(item.place(), item));
      after = page.next();
    } while (after != null);
    return all;
  }

  private static List<Path> files(Path folder) throws IOException {
    if (!Files.exists(folder.resolve("episodic"))) {
      return List.of();
    }
    try (Stream<Path> walk = Files.walk(folder.resolve("episodic"))) {
      return walk.filter(Files::isRegularFile).sorted().toList();
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> walk = Files.walk(from)) {
      for (Path each : walk.toList()) {
        Path target = to.resolve(from.relativize(each).toString());
        if (Files.isDirectory(each)) {
          Files.createDirectories(target);
        } else {
          Files.copy(each, target);
        }
      }
    }
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> walk = Files.walk(folder)) {
      for (Path each : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }

  @Test
  void segments_are_named_by_tenant_agent_and_day_and_hold_lines_of_json() throws Exception {
    open(temporary, null, EpisodicItems.Limits.USUAL);
    put(ANN, "../k", "v", null);
    now = now.plus(Duration.ofDays(1));
    put(ANN, "other", "w", null);
    items.takeAway(List.of(new Place(ANN, "", "../k")), any -> true);

    List<Path> files = files(temporary);
    assertThat(files)
        .extracting(file -> temporary.relativize(file).toString())
        .satisfiesExactly(
            first ->
                assertThat(first)
                    .matches("episodic/acme/ann/2030-01-01/[0-9a-f]{8}-[0-9a-f-]{27}\\.jsonl"),
            second -> assertThat(second).startsWith("episodic/acme/ann/2030-01-02/"));
    assertThat(Files.readAllLines(files.get(0)))
        .singleElement()
        .asString()
        .startsWith(
            "{\"change\":1,\"tenant\":\"acme\",\"agent\":\"ann\",\"task\":\"\",\"key\":\"../k\",\"value\":\"v\"");
    assertThat(Files.readAllLines(files.get(1)))
        .last()
        .isEqualTo(
            "{\"change\":3,\"tenant\":\"acme\",\"agent\":\"ann\",\"task\":\"\",\"key\":\"../k\",\"removed\":true}");
  }

  /** What a life was at one moment. */
  private record Moment(Path folder, Map<Path, Long> lengths, Map<Place, Item> items) {}

  /**
   * Cut at any byte behind what was acknowledged, with an index that is as old as it may be, or
   * none: what was acknowledged is there, and the last change is there whole or not at all.
   */
  @Test
  void a_crash_loses_nothing_acknowledged_and_leaves_no_part_of_a_change() throws Exception {
    for (long seed = 0; seed < 6; seed++) {
      Random random = new Random(seed);
      List<Moment> moments = live(random, temporary.resolve("life-" + seed));
      for (int crash = 0; crash < 25; crash++) {
        int last = random.nextInt(moments.size() - 1);
        crash(random, moments, last, temporary.resolve("crash-" + seed + "-" + crash));
      }
    }
  }

  private List<Moment> live(Random random, Path life) throws Exception {
    now = START;
    EpisodicItems.Limits limits =
        new EpisodicItems.Limits(900, Duration.ofHours(1), 1 << 20, 1 << 20);
    EpisodicItems living = open(life.resolve("now"), null, limits);
    List<Moment> moments = new ArrayList<>();
    for (int step = 0; step < 12; step++) {
      now = now.plus(Duration.ofHours(random.nextInt(10)));
      AgentId agent = random.nextBoolean() ? ANN : BOB;
      List<Items.Wish> wishes = new ArrayList<>();
      for (int i = 0; i <= random.nextInt(4); i++) {
        wishes.add(wish(new Place(agent, "", "k" + random.nextInt(5)), "v" + step + i, null));
      }
      if (random.nextInt(4) == 0) {
        items.takeAway(List.of(new Place(agent, "", "k" + random.nextInt(5))), any -> true);
      } else {
        items.put(wishes, Long.MAX_VALUE, now);
      }
      Path then = life.resolve("then-" + step);
      copy(folder, then);
      Map<Path, Long> lengths = new TreeMap<>();
      for (Path file : files(then)) {
        lengths.put(then.relativize(file), Files.size(file));
      }
      moments.add(new Moment(then, lengths, all(living)));
    }
    close();
    return moments;
  }

  private void crash(Random random, List<Moment> moments, int last, Path crashed) throws Exception {
    Moment acknowledged = moments.get(last);
    Moment next = moments.get(last + 1);
    copy(next.folder().resolve("episodic"), crashed.resolve("episodic"));
    for (Map.Entry<Path, Long> each : next.lengths().entrySet()) {
      long safe = acknowledged.lengths().getOrDefault(each.getKey(), 0L);
      long cut = safe + random.nextInt((int) (each.getValue() - safe) + 1);
      try (FileChannel file =
          FileChannel.open(crashed.resolve(each.getKey()), StandardOpenOption.WRITE)) {
        file.truncate(cut);
      }
    }
    if (random.nextBoolean()) {
      copy(
          moments.get(random.nextInt(last + 1)).folder().resolve("index"),
          crashed.resolve("index"));
    }
    EpisodicItems after = open(crashed, null, EpisodicItems.Limits.USUAL);

    assertThat(all(after)).as(crashed.toString()).isIn(acknowledged.items(), next.items());
    // What comes after a crash is as safe as what came before.
    Item more = put(ANN, "more", "after", null);
    EpisodicItems again = open(crashed, null, EpisodicItems.Limits.USUAL);
    assertThat(again.get(more.place())).contains(more);
    assertThat(again.bytes("acme"))
        .isEqualTo(all(again).values().stream().mapToLong(org.aionos.items.ItemRows::size).sum());
    close();
  }

  @Test
  void a_change_to_two_agents_that_a_crash_left_in_one_segment_is_whole_after_it()
      throws Exception {
    open(temporary.resolve("a"), null, EpisodicItems.Limits.USUAL);
    put(ANN, "k", 1, null);
    put(BOB, "k", 1, null);
    close();
    List<EpisodicIndex.Promise> parts = new ArrayList<>();
    try (EpisodicIndex index = new EpisodicIndex(folder.resolve("index"))) {
      for (Segment segment : index.segments()) {
        Place place = new Place(segment.id().agent(), "", "both");
        Item item =
            new Item(
                place,
                new Item.Content("v", Map.of(), List.of(), null),
                1,
                false,
                START,
                START,
                null,
                Provenance.own("sc-1"),
                null,
                null);
        SegmentLines lines = SegmentLines.of(3, Map.of(place, Optional.of(item)), segment.length());
        parts.add(new EpisodicIndex.Promise(segment.id(), segment.length(), lines.bytes()));
      }
      index.promise("acme", parts);
    }
    Path half = folder.resolve(parts.get(0).segment().objectName());
    Files.write(half, java.util.Arrays.copyOf(parts.get(0).lines(), 20), StandardOpenOption.APPEND);
    EpisodicItems after = open(folder, null, EpisodicItems.Limits.USUAL);

    assertThat(after.get(new Place(ANN, "", "both"))).isPresent();
    assertThat(after.get(new Place(BOB, "", "both"))).isPresent();
    assertThat(all(after)).hasSize(4);
  }

  /** One seed is one life: whatever happens to segments and index, the items are as in a map. */
  @Test
  void items_are_as_in_a_plain_map_whatever_happens_to_segments_and_index() throws Exception {
    for (long seed = 0; seed < 12; seed++) {
      live(seed, seed % 2 == 0 ? null : temporary.resolve("objects-" + seed));
    }
  }

  private void live(long seed, @Nullable Path bucket) throws Exception {
    Random random = new Random(seed);
    now = START;
    Path home = temporary.resolve("life-" + seed);
    EpisodicItems living = open(home, objects(bucket), SMALL);
    Map<Place, Item> model = new HashMap<>();
    for (int step = 0; step < 400; step++) {
      now = now.plusSeconds(random.nextInt(600));
      AgentId agent = random.nextInt(3) == 0 ? BOB : ANN;
      Place place = new Place(agent, "", "k" + random.nextInt(12));
      switch (random.nextInt(12)) {
        case 0, 1, 2, 3, 4 -> {
          Duration ttl = random.nextBoolean() ? null : Duration.ofMinutes(random.nextInt(300) + 1);
          String value = "x".repeat(random.nextInt(300)) + step;
          model.put(place, put(agent, place.key(), value, ttl));
        }
        case 5, 6 -> {
          items.takeAway(List.of(place), any -> true);
          model.remove(place);
        }
        case 7 -> {
          items.sweep(now, 99);
          model.values().removeIf(item -> item.isExpired(now));
        }
        case 8, 9 -> living.tend(now);
        case 10 -> living = open(home, objects(bucket), SMALL);
        default -> {
          close();
          if (random.nextBoolean() && bucket != null) {
            living = open(home, objects(bucket), SMALL);
            now = now.plus(Duration.ofHours(2));
            living.tend(now);
            close();
            // All of it is in the object store.
            delete(home);
          } else {
            delete(home.resolve("index"));
          }
          living = open(home, objects(bucket), SMALL);
        }
      }
      assertThat(all(living)).as("seed %d step %d", seed, step).isEqualTo(model);
    }
    for (Place place : List.copyOf(model.keySet())) {
      items.takeAway(List.of(place), any -> true);
    }
    assertThat(living.bytes()).isEmpty();
    now = now.plus(Duration.ofDays(1));
    for (int i = 0; i < 50; i++) {
      living.tend(now);
    }
    assertThat(files(home)).as("seed %d", seed).isEmpty();
    if (bucket != null) {
      assertThat(objects(bucket).names("", null, 9)).isEmpty();
    }
  }

  private static @Nullable ObjectStore objects(@Nullable Path bucket) {
    return bucket == null ? null : new FolderObjects(bucket);
  }

  @Test
  void a_segment_of_which_most_is_gone_is_written_again_without_it() throws Exception {
    EpisodicItems living = open(temporary, null, SMALL);
    for (int i = 0; i < 10; i++) {
      put(ANN, "k" + i, "x".repeat(300), i < 8 ? Duration.ofMinutes(1) : null);
    }
    long before = bytesOf(files(temporary));
    now = now.plus(Duration.ofHours(2));
    items.sweep(now, 99);
    for (int i = 0; i < 20; i++) {
      living.tend(now);
    }

    assertThat(bytesOf(files(temporary))).isLessThan(before / 2);
    assertThat(all(living)).hasSize(2);
  }

  private static long bytesOf(List<Path> files) throws IOException {
    long bytes = 0;
    for (Path file : files) {
      bytes += Files.size(file);
    }
    return bytes;
  }

  /** Objects of a folder that can be away. */
  private static final class AwayObjects implements ObjectStore {

    private final FolderObjects there;
    private volatile boolean away;
    private volatile int asked;

    AwayObjects(Path folder) {
      this.there = new FolderObjects(folder);
    }

    private FolderObjects there() {
      asked++;
      if (away) {
        throw new StoreUnavailable("away");
      }
      return there;
    }

    @Override
    public void put(String name, byte[] bytes) {
      there().put(name, bytes);
    }

    @Override
    public Optional<byte[]> get(String name) {
      return there().get(name);
    }

    @Override
    public Optional<byte[]> get(String name, long from, int length) {
      return there().get(name, from, length);
    }

    @Override
    public void delete(String name) {
      there().delete(name);
    }

    @Override
    public List<String> names(String prefix, @Nullable String after, int limit) {
      return there().names(prefix, after, limit);
    }

    @Override
    public void close() {}
  }

  @Test
  void an_object_store_that_is_away_stalls_nobody_until_too_much_waits_and_nothing_is_lost()
      throws Exception {
    AwayObjects objects = new AwayObjects(temporary.resolve("bucket"));
    EpisodicItems.Limits limits =
        new EpisodicItems.Limits(2_000, Duration.ofHours(1), 10_000, 3_000);
    Path home = temporary.resolve("home");
    EpisodicItems living = open(home, objects, limits);
    Map<Place, Item> acknowledged = new LinkedHashMap<>();
    assertThat(living.bytes()).isEmpty();
    objects.away = true;
    assertThatThrownBy(
            () -> {
              for (int i = 0; i < 100; i++) {
                Item item = put(ANN, "k" + i, "x".repeat(300), null);
                acknowledged.put(item.place(), item);
                store.tend(now);
              }
            })
        .isInstanceOf(StoreUnavailable.class);
    assertThat(acknowledged).hasSizeBetween(15, 30);

    // Reading, and making room, go on; so does all after a restart.
    living = open(home, objects, limits);
    assertThat(all(living)).isEqualTo(acknowledged);
    Place first = new Place(ANN, "", "k0");
    items.takeAway(List.of(first), any -> true);
    acknowledged.remove(first);
    assertThatThrownBy(() -> put(ANN, "more", 1, null)).isInstanceOf(StoreUnavailable.class);

    objects.away = false;
    now = now.plus(Duration.ofHours(2));
    living.tend(now);
    Item more = put(ANN, "more", 1, null);
    acknowledged.put(more.place(), more);
    now = now.plus(Duration.ofHours(2));
    living.tend(now);
    assertThat(bytesOf(files(home))).isLessThanOrEqualTo(3_000);
    int asked = objects.asked;
    assertThat(all(living)).isEqualTo(acknowledged);
    assertThat(objects.asked).isGreaterThan(asked);

    // Another machine, with nothing but the bucket.
    EpisodicItems elsewhere = open(temporary.resolve("elsewhere"), objects, limits);
    assertThat(all(elsewhere)).isEqualTo(acknowledged);
    assertThat(elsewhere.query(new Selection(BOB, Filter.ANY, null, 9), now).items()).isEmpty();
  }

  @Test
  void an_empty_folder_before_a_bucket_that_is_away_is_unavailable_not_empty() throws Exception {
    AwayObjects objects = new AwayObjects(temporary.resolve("bucket"));
    EpisodicItems living = open(temporary.resolve("home"), objects, SMALL);
    put(ANN, "k", "v", null);
    now = now.plus(Duration.ofHours(2));
    living.tend(now);
    objects.away = true;
    EpisodicItems elsewhere = open(temporary.resolve("elsewhere"), objects, SMALL);

    assertThatThrownBy(() -> elsewhere.get(new Place(ANN, "", "k")))
        .isInstanceOf(StoreUnavailable.class);
    assertThat(elsewhere.expired(now, 9)).isEmpty();
  }

  @Test
  void names_that_are_none_of_a_segment_are_passed_over() throws Exception {
    EpisodicItems living = open(temporary.resolve("home"), null, SMALL);
    put(ANN, "k", "v", null);
    close();
    Path strange = temporary.resolve("home/episodic/acme/ann/notes.txt");
    Files.write(strange, "not ours".getBytes(UTF_8));
    delete(temporary.resolve("home/index"));
    living = open(temporary.resolve("home"), null, SMALL);

    assertThat(all(living)).hasSize(1);
    assertThat(strange).exists();
  }
}
