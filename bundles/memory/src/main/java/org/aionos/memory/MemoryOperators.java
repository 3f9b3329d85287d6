package org.aionos.memory;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.aionos.document.Documents;
import org.aionos.document.InvalidDocument;
import org.aionos.items.ItemRows;
import org.aionos.items.Items;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Hit;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.MemoryControl;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Probe;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** What operators do with memory, past whose it is. Every change is in the journal. */
@Component(service = MemoryControl.class)
public final class MemoryOperators implements MemoryControl {

  private static final int READ_AT_ONCE = 500;
  private static final Duration HELD_MAX = Duration.ofMinutes(1);

  private final Memory memory;
  private final Journal journal;
  private final InstantSource clock;

  @Activate
  public MemoryOperators(
      @Reference(name = "memory") Memory memory, @Reference(name = "journal") Journal journal) {
    this(memory, journal, InstantSource.system());
  }

  MemoryOperators(Memory memory, Journal journal, InstantSource clock) {
    this.memory = memory;
    this.journal = journal;
    this.clock = clock;
  }

  @Override
  public List<Usage> usage() {
    List<Usage> usage = new ArrayList<>();
    for (Kind kind : memory.kinds()) {
      try {
        MemorySettings.Collecting marks = memory.settings().collecting();
        kind.use(ItemStore::bytes)
            .forEach(
                (tenant, bytes) -> {
                  long max = memory.bytesMax(tenant);
                  long collected = marks.adaptive() ? (long) (marks.high() * max) : 0;
                  usage.add(new Usage(kind.name, tenant, bytes, max, collected));
                });
      } catch (Refused away) {
        // Left out; kept() says why.
      }
    }
    usage.sort(Comparator.comparingLong(Usage::bytes).reversed());
    return usage;
  }

  @Override
  public List<Kept> kept() {
    return memory.kinds().stream()
        .map(
            kind -> {
              String fault = kind.unavailable();
              return new Kept(
                  kind.name,
                  memory.settings().backend(kind.name).driver(),
                  fault == null,
                  fault != null ? fault : memory.rejected());
            })
        .toList();
  }

  private Kind known(String type) {
    Kind kind = memory.kind(type);
    if (kind == null) {
      throw new Refused(Problem.of(Code.INVALID_FIELD, "there is no memory of the type " + type));
    }
    return kind;
  }

  @Override
  public List<Item> look(
      String type, AgentId agent, @Nullable String text, String filter, int limit) {
    Kind kind = known(type);
    Filter which = filter(filter);
    Embeddings own = memory.embeddings(kind);
    if (text != null && own == null) {
      throw new Refused(
          Problem.of(Code.INVALID_FIELD, type + " memory is not found by what it says"));
    }
    if (text != null && own != null) {
      Probe probe = new Probe(text, null, own.probe(text), limit, Probe.Boosts.NONE);
      return kind.use(store -> store.find(agent, which, probe, clock.instant())).stream()
          .map(Hit::item)
          .toList();
    }
    List<Item> found = new ArrayList<>();
    String after = null;
    do {
      String from = after;
      Page page = kind.use(store -> store.all(agent.tenant(), from, READ_AT_ONCE));
      page.items().stream()
          .filter(item -> item.place().agent().equals(agent) && which.admits(item))
          .limit(limit - found.size())
          .forEach(found::add);
      after = page.next();
    } while (after != null && found.size() < limit);
    return found;
  }

  private static Filter filter(String json) {
    try {
      return json.isBlank()
          ? Filter.ANY
          : new FilterReader().read(Documents.json(json.getBytes(StandardCharsets.UTF_8)));
    } catch (InvalidDocument invalid) {
      throw new Refused(
          Problem.at(invalid.pointer(), Code.INVALID_FIELD, "the filter: " + invalid.why()));
    }
  }

  @Override
  public List<Collected> collect(@Nullable String tenant, boolean dry) {
    List<Collected> collected = new ArrayList<>();
    for (Kind kind : memory.kinds()) {
      for (String each : kind.use(ItemStore::bytes).keySet()) {
        if (tenant == null || tenant.equals(each)) {
          collected.add(memory.collector().collect(kind, each, dry));
        }
      }
    }
    return collected;
  }

  @Override
  public Optional<Item> quarantine(String type, Place place) {
    record("memory.quarantined", type, place);
    return known(type)
        .use(store -> new Items(store, Duration.ZERO).quarantine(place, clock.instant()));
  }

  @Override
  public Optional<Item> release(String type, Place place) {
    record("memory.released", type, place);
    return known(type)
        .use(store -> new Items(store, Duration.ZERO).release(place, clock.instant()));
  }

  private void record(String kind, String type, Place place) {
    journal.record(
        new Journal.Event(
            "kernel.memory",
            kind,
            place.agent().tenant(),
            Map.of(
                "type", type,
                "agent", place.agent().toString(),
                "task", place.task(),
                "key", place.key())));
  }

  @Override
  public long export(String type, String tenant, OutputStream out) throws IOException {
    Kind kind = known(type);
    long written = 0;
    String after = null;
    do {
      String from = after;
      Page page = kind.use(store -> store.all(tenant, from, READ_AT_ONCE));
      for (Item item : page.items()) {
        out.write(ItemRows.line(item));
        out.write('\n');
        written++;
      }
      after = page.next();
    } while (after != null);
    return written;
  }

  @Override
  public long read(String type, InputStream in) throws IOException {
    Kind kind = known(type);
    journal.record(
        new Journal.Event("kernel.memory", "memory.imported", null, Map.of("type", type)));
    BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
    long written = 0;
    int number = 0;
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      number++;
      if (!line.isBlank()) {
        written += put(kind, item(line, number)) ? 1 : 0;
      }
    }
    return written;
  }

  private static Item item(String line, int number) {
    try {
      return ItemRows.ofLine(line.getBytes(StandardCharsets.UTF_8));
    } catch (InvalidDocument invalid) {
      throw new Refused(
          Problem.of(Code.INVALID_FIELD, "line " + number + ": " + invalid.describe()));
    }
  }

  private boolean put(Kind kind, Item item) {
    Place place = item.place();
    boolean[] written = {false};
    kind.use(
        store -> {
          store.change(
              List.of(place),
              memory.bytesMax(place.agent().tenant()),
              stored -> {
                Item there = stored.get(place);
                written[0] = there == null || there.version() < item.version();
                return written[0] ? Map.of(place, Optional.of(item)) : Map.of();
              });
          return true;
        });
    return written[0];
  }

  @Override
  public Migrated migrate(String type, String driver, Consumer<String> progress) {
    Kind kind = known(type);
    MemorySettings.Backend now = memory.settings().backend(type);
    if (driver.equals(now.driver())) {
      throw new Refused(Problem.of(Code.INVALID_FIELD, type + " memory is kept there already"));
    }
    Supplier<ItemStore> opening = memory.openingOf(type, driver);
    journal.record(
        new Journal.Event(
            "kernel.memory",
            "memory.migrating",
            null,
            Map.of("type", type, "from", now.driver(), "to", driver)));
    try (ItemStore target = opening.get()) {
      Migration migration = new Migration(kind, target, progress);
      Migrated migrated = migration.run();
      // The configuration names the other driver within this time, or all is as it was.
      memory.later(migration::giveUp, HELD_MAX);
      return migrated;
    }
  }
}
