package org.aionos.memory;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.aionos.items.ItemRows;
import org.aionos.items.Items;
import org.aionos.items.MapItems;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.Embedder;
import org.aionos.kernel.memory.Embedding;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.MemoryControl;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Provenance;
import org.aionos.kernel.memory.StoreDriver;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.memory.Trust;
import org.aionos.kernel.memory.Vector;
import org.aionos.kernel.policy.Tuning;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The service below the syscalls: settings, drivers, collection, embeddings, migration. */
final class MemoryTest {

  private static final AgentId ANN = new AgentId("acme", "ann");
  private static final AtomicInteger LIVES = new AtomicInteger();

  @TempDir Path folder;
  private Instant now = Instant.parse("2030-01-01T00:00:00Z");
  private final Facts facts = new Facts();
  private Memory memory;
  private MemoryControl control;

  @BeforeEach
  void open() throws Exception {
    memory = opened();
    control = new MemoryOperators(memory, facts, () -> now);
  }

  private Memory opened() throws Exception {
    return new Memory(
        folder,
        folder.resolve("state"),
        "life" + LIVES.incrementAndGet(),
        Map.of("REDIS_URL", ""),
        facts,
        new NoMeters(),
        () -> now);
  }

  @AfterEach
  void close() {
    memory.close();
  }

  private void configure(String yaml) throws Exception {
    Files.writeString(folder.resolve("memory.yaml"), yaml);
    memory.reload();
  }

  private Kind kind(String type) {
    return memory.kind(type);
  }

  private Item put(String type, String key, Object value) {
    return put(type, key, value, false);
  }

  private Item put(String type, String key, Object value, boolean pinned) {
    Items.Wish wish =
        new Items.Wish(
            new Place(ANN, "", key),
            new Item.Content(value, Map.of(), List.of(), null),
            pinned,
            Duration.ofDays(30),
            null,
            Provenance.own("sc-1"),
            null);
    return kind(type)
        .use(
            store ->
                new Items(store, Duration.ofSeconds(60))
                    .put(List.of(wish), memory.bytesMax("acme"), now)
                    .get(0));
  }

  private Item item(String key) {
    return kind("short").use(store -> store.get(new Place(ANN, "", key)).orElseThrow());
  }

  private boolean isThere(String type, String key) {
    return kind(type).use(store -> store.get(new Place(ANN, "", key)).isPresent());
  }

  private long bytes(String type) {
    return kind(type).use(store -> store.bytes("acme"));
  }

  // --- collection -----------------------------------------------------------------------------

  @Test
  void room_is_made_before_it_is_full_and_the_least_worth_goes_first() throws Exception {
    configure("limits: { tenant_bytes_max: 100000 }");
    put("short", "pinned", "x".repeat(5_000), true);
    put("short", "used", "x".repeat(5_000));
    for (int i = 0; i < 14; i++) {
      now = now.plusSeconds(10);
      put("short", "k" + (10 + i), "x".repeat(5_000));
    }
    for (int i = 0; i < 20; i++) {
      memory.uses().read(new Place(ANN, "", "used"), now);
    }
    memory.tend(kind("short"));
    assertThat(bytes("short")).as("below the high watermark").isGreaterThan(80_000);

    put("short", "more", "x".repeat(5_000));
    MemoryControl.Collected dry = control.collect("acme", true).get(0);
    memory.tend(kind("short"));

    assertThat(bytes("short")).isLessThanOrEqualTo(60_000).isGreaterThan(50_000);
    assertThat(isThere("short", "pinned")).isTrue();
    assertThat(isThere("short", "used")).isTrue();
    assertThat(isThere("short", "more")).isTrue();
    assertThat(isThere("short", "k10")).as("the longest idle").isFalse();
    assertThat(dry.items()).isEqualTo(6);
    assertThat(dry.first()).extracting(Place::key).startsWith("k10", "k11");
    assertThat(facts.named("memory.collected"))
        .containsExactlyInAnyOrder("k10", "k11", "k12", "k13", "k14", "k15");
  }

  /** A policy that gives one tenant so much room. */
  private record Room(String tenant, Long bytesMax) implements Tuning {

    @Override
    public Scheduling scheduling() {
      return Scheduling.UNSAID;
    }

    @Override
    public Quota quota(String tenant) {
      return Quota.UNSAID;
    }

    @Override
    public Quota quota(AgentId agent) {
      return Quota.UNSAID;
    }

    @Override
    public Models models(String tenant) {
      return Models.UNSAID;
    }

    @Override
    public Memory memory(String asked) {
      return asked.equals(tenant) ? new Memory(bytesMax) : Memory.UNSAID;
    }

    @Override
    public AutoCloseable listen(Runnable changed) {
      return () -> {};
    }
  }

  @Test
  void the_policy_may_give_a_tenant_less_room_and_never_more() throws Exception {
    configure("limits: { tenant_bytes_max: 100000 }");
    memory.tuning = new Room("acme", 70_000L);
    assertThat(memory.bytesMax("acme")).isEqualTo(70_000);
    assertThat(memory.bytesMax("other")).isEqualTo(100_000);
    for (int i = 0; i < 13; i++) {
      now = now.plusSeconds(10);
      put("short", "k" + (10 + i), "x".repeat(5_000));
    }

    memory.tend(kind("short"));
    assertThat(bytes("short")).isLessThanOrEqualTo(42_000);

    memory.tuning = new Room("acme", 700_000L);
    assertThat(memory.bytesMax("acme")).isEqualTo(100_000);
    memory.tuning = null;
    assertThat(memory.bytesMax("acme")).isEqualTo(100_000);
  }

  @Test
  void expired_and_deleted_items_are_taken_away() {
    put("short", "k", 1);
    kind("short")
        .use(
            store -> new Items(store, Duration.ofSeconds(60)).delete(new Place(ANN, "", "k"), now));
    memory.tend(kind("short"));
    assertThat(isThere("short", "k")).as("it can be restored").isTrue();

    now = now.plusSeconds(60);
    memory.tend(kind("short"));
    assertThat(bytes("short")).isZero();
  }

  // --- settings and drivers -------------------------------------------------------------------

  @Test
  void an_invalid_file_changes_nothing_and_is_said() throws Exception {
    configure("undo_s: 7");
    configure("undo_s: seven");

    assertThat(memory.settings().undoFor()).isEqualTo(Duration.ofSeconds(7));
    assertThat(control.kept().get(0).fault()).contains("/undo_s");
    put("short", "k", 1);
  }

  @Test
  void a_type_whose_driver_is_missing_is_unavailable_until_it_comes_and_others_go_on()
      throws Exception {
    configure("backends: { short: { driver: redis, url: 'redis://r' } }");
    assertThatThrownBy(() -> put("short", "k", 1))
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> {
              assertThat(refused.problem().code()).isEqualTo(Code.BACKEND_UNAVAILABLE);
              assertThat(refused.problem().message()).contains("aion-backend-redis");
            });
    put("long", "k", "others go on");

    MapItems elsewhere = new MapItems();
    StoreDriver driver = opening -> elsewhere;
    memory.addDriver(driver, Map.of(StoreDriver.DRIVER, "redis"));
    put("short", "k", 1);
    assertThat(elsewhere.get(new Place(ANN, "", "k"))).isPresent();
    memory.removeDriver(driver, Map.of(StoreDriver.DRIVER, "redis"));
    assertThatThrownBy(() -> put("short", "k", 1)).isInstanceOf(Refused.class);
  }

  // --- embeddings -----------------------------------------------------------------------------

  /** Its vectors say how long a text is. */
  private static final class Lengths implements Embedder {

    private final String identity;
    private boolean away;

    Lengths(String identity) {
      this.identity = identity;
    }

    @Override
    public String identity() {
      return identity;
    }

    @Override
    public boolean knows(String text) {
      return !text.startsWith("?");
    }

    @Override
    public List<Vector> embed(List<String> texts) {
      if (away) {
        throw new StoreUnavailable("away");
      }
      return texts.stream().map(text -> Vector.of(1, text.length())).toList();
    }

    @Override
    public Vector probe(String text) {
      return embed(List.of(text)).get(0);
    }
  }

  private String model(String key) {
    return kind("long")
        .use(store -> store.get(new Place(ANN, "", key)))
        .map(Item::embedding)
        .map(Embedding::model)
        .orElse("none");
  }

  @Test
  void what_was_written_without_the_model_is_embedded_later_and_again_by_another_model() {
    put("long", "k", "text");
    put("long", "unknown", "? in no language");
    assertThat(model("k")).isEqualTo("none");

    Lengths first = new Lengths("first");
    memory.setEmbedder(first);
    first.away = true;
    memory.tend(kind("long"));
    assertThat(model("k")).isEqualTo("none");
    first.away = false;
    memory.tend(kind("long"));
    assertThat(model("k")).isEqualTo("first");
    assertThat(model("unknown")).isEqualTo("none");

    memory.setEmbedder(new Lengths("second"));
    memory.unsetEmbedder(first);
    memory.tend(kind("long"));
    assertThat(model("k")).isEqualTo("second");
  }

  @Test
  void a_model_that_is_away_keeps_nobody_from_writing() {
    Lengths model = new Lengths("model");
    memory.setEmbedder(model);
    Embeddings embeddings = memory.embeddings(kind("long"));
    List<Item.Content> contents = List.of(new Item.Content("text", Map.of(), List.of(), null));

    assertThat(embeddings.of(contents).get(0)).isEqualTo(new Embedding("model", Vector.of(1, 4)));
    model.away = true;
    assertThat(embeddings.of(contents)).containsExactly((Embedding) null);
    assertThat(embeddings.probe("text")).isNull();
  }

  // --- migration, export ----------------------------------------------------------------------

  private void giveDriver(ItemStore target) {
    StoreDriver driver = opening -> target;
    memory.addDriver(driver, Map.of(StoreDriver.DRIVER, "redis"));
  }

  @Test
  void a_migration_copies_all_holds_callers_and_lets_them_in_where_all_is_now() throws Exception {
    configure("backends: { short: { driver: embedded, url: 'redis://r' } }");
    for (int i = 0; i < 700; i++) {
      put("short", "k" + i, i);
    }
    MapItems target = new MapItems();
    Item stray =
        new Item(
            new Place(ANN, "", "stray"),
            new Item.Content(1, Map.of(), List.of(), null),
            1,
            false,
            now,
            now,
            null,
            Provenance.own("sc-0"),
            null,
            null);
    target.change(
        List.of(stray.place()),
        Long.MAX_VALUE,
        stored -> Map.of(stray.place(), java.util.Optional.of(stray)));
    giveDriver(target);

    List<String> progress = new ArrayList<>();
    MemoryControl.Migrated migrated = control.migrate("short", "redis", progress::add);

    assertThat(migrated).isEqualTo(new MemoryControl.Migrated(700, 701));
    assertThat(progress).containsExactly("round 1: 701 items copied", "round 2: 0 items copied");
    assertThat(target.get(stray.place())).isEmpty();
    assertThatThrownBy(() -> put("short", "k", 1))
        .hasMessageContaining("short memory is being moved");
    configure("backends: { short: { driver: redis, url: 'redis://r' } }");
    put("short", "fresh", 1);
    assertThat(target.bytes("acme")).isEqualTo(bytes("short"));
    assertThat(target.get(new Place(ANN, "", "fresh"))).isPresent();
  }

  @Test
  void a_migration_that_fails_lets_callers_in_again() throws Exception {
    configure("backends: { short: { driver: embedded, url: 'redis://r' } }");
    put("short", "k", 1);
    giveDriver(new Away());

    assertThatThrownBy(() -> control.migrate("short", "redis", said -> {}))
        .isInstanceOf(Refused.class);
    put("short", "k", 2);
  }

  @Test
  void what_is_exported_is_imported_as_it_was_and_a_later_version_stays() throws Exception {
    put("short", "a", "سلام");
    put("short", "b", 1);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThat(control.export("short", "acme", out)).isEqualTo(2);
    Item exported = item("a");
    put("short", "b", 2);
    kind("short").use(s -> new Items(s, Duration.ZERO).delete(new Place(ANN, "", "a"), now));

    assertThat(control.read("short", new ByteArrayInputStream(out.toByteArray()))).isEqualTo(1);
    assertThat(item("a")).isEqualTo(exported);
    assertThat(item("b").content().value()).isEqualTo(2);
    assertThatThrownBy(
            () -> control.read("short", new ByteArrayInputStream("\n{}".getBytes(UTF_8))))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("line 2");
  }

  // --- trust ----------------------------------------------------------------------------------

  @Test
  void the_trust_of_a_task_falls_never_rises_and_is_known_after_a_restart() throws Exception {
    memory.read(ANN, "t", Trust.MEDIUM);
    memory.read(ANN, "t", Trust.HIGH);
    memory.read(ANN, null, Trust.LOW);
    assertThat(memory.of(ANN, "t")).isEqualTo(Trust.MEDIUM);

    memory.close();
    Files.writeString(
        folder.resolve("state/tasks.jsonl"),
        Files.readString(folder.resolve("state/tasks.jsonl")) + "{\"agent\":\"agent://acme/ann\",");
    memory = opened();

    assertThat(memory.of(ANN, "t")).isEqualTo(Trust.MEDIUM);
    assertThat(memory.of(ANN, null)).isEqualTo(Trust.LOW);
    assertThat(memory.of(ANN, "other")).isEqualTo(Trust.HIGH);
    memory.read(ANN, "t", Trust.LOW);
    assertThat(Files.readAllLines(folder.resolve("state/tasks.jsonl")))
        .allSatisfy(line -> assertThat(line).endsWith("}"));
  }

  @Test
  void operators_see_usage_and_what_agents_do_not() {
    put("short", "k", "v");
    Place place = new Place(ANN, "", "k");
    assertThat(control.quarantine("short", place)).isPresent();

    assertThat(control.look("short", ANN, null, "", 10)).hasSize(1);
    assertThat(control.look("short", ANN, null, "{\"task\":\"none\"}", 10)).isEmpty();
    assertThat(control.usage())
        .containsExactly(
            new MemoryControl.Usage(
                "short",
                "acme",
                ItemRows.size(control.look("short", ANN, null, "", 1).get(0)),
                268_435_456,
                228_170_137));
    assertThat(facts.kinds()).containsExactly("memory.quarantined");
    assertThat(control.release("short", place)).isPresent();
  }
}
