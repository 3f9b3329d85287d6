package org.aionos.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.aionos.kernel.Journal.Event;
import org.aionos.kernel.JournalReader.Entry;
import org.aionos.kernel.JournalReader.Page;
import org.aionos.kernel.JournalReader.Query;

final class JournalContentTest {

  @Property(tries = 60)
  void what_was_recorded_is_read_after_reopening_and_the_chain_is_whole(
      @ForAll("events") List<Event> events, @ForAll("segmentBytes") int segmentBytes)
      throws IOException {
    Path folder = Files.createTempDirectory("journal");
    Settings settings = Fixture.settings(Sync.PROCESS, segmentBytes);
    try {
      int half = events.size() / 2;
      record(folder, settings, events.subList(0, half));
      record(folder, settings, events.subList(half, events.size()));

      try (JournalStore store = Fixture.open(folder, settings, new FakeDisk())) {
        List<Entry> found = readAll(store);
        assertThat(found).extracting(Entry::sequence).isEqualTo(sequences(events.size()));
        assertThat(found.stream().map(JournalContentTest::content).toList())
            .isEqualTo(events.stream().map(JournalContentTest::content).toList());
        assertThat(store.verify().fault()).isEmpty();
        assertThat(store.verify().entries()).isEqualTo(events.size());
      }
      assertThat(Fixture.verify(folder).fault()).isEmpty();
    } finally {
      delete(folder);
    }
  }

  @Provide
  Arbitrary<Integer> segmentBytes() {
    return Arbitraries.of(1 << 10, 4 << 10, 1 << 20);
  }

  @Provide
  Arbitrary<List<Event>> events() {
    Arbitrary<Map<String, Object>> facts =
        Arbitraries.maps(Arbitraries.strings().alpha().ofMaxLength(8), values()).ofMaxSize(5);
    return Combinators.combine(
            Arbitraries.of("kernel.a", "kernel.b"),
            Arbitraries.of("x.happened", "y.happened"),
            Arbitraries.of("tenantA", "tenantB").injectNull(0.3),
            facts)
        .as(Event::new)
        .list()
        .ofMaxSize(30);
  }

  private static Arbitrary<Object> values() {
    return Arbitraries.oneOf(
        Arbitraries.strings().ofMaxLength(200).map(text -> wellFormed(text)),
        Arbitraries.longs().map(number -> number),
        Arbitraries.bigDecimals().map(number -> number),
        Arbitraries.of(true, false),
        Arbitraries.longs().list().ofMaxSize(3).map(list -> list));
  }

  private static Object wellFormed(String text) {
    StringBuilder kept = new StringBuilder();
    text.codePoints()
        .filter(point -> point < 0xd800 || point > 0xdfff)
        .forEach(kept::appendCodePoint);
    return kept.toString();
  }

  private static List<Object> content(Event event) {
    List<Object> content = new ArrayList<>();
    Collections.addAll(content, event.topic(), event.kind(), event.tenant(), plain(event.facts()));
    return content;
  }

  private static List<Object> content(Entry entry) {
    List<Object> content = new ArrayList<>();
    Collections.addAll(content, entry.topic(), entry.kind(), entry.tenant(), plain(entry.facts()));
    return content;
  }

  /** A number is a number, whatever its scale: 1.0 comes back as it was, 5 may come as a long. */
  private static String plain(Map<String, Object> facts) {
    StringBuilder plain = new StringBuilder();
    facts.forEach(
        (name, value) ->
            plain
                .append(name)
                .append('=')
                .append(
                    value instanceof java.math.BigDecimal exact
                        ? exact.stripTrailingZeros()
                        : value instanceof Long whole
                            ? java.math.BigDecimal.valueOf(whole).stripTrailingZeros()
                            : value)
                .append(';'));
    return plain.toString();
  }

  private static List<Long> sequences(int count) {
    List<Long> sequences = new ArrayList<>();
    for (long sequence = 1; sequence <= count; sequence++) {
      sequences.add(sequence);
    }
    return sequences;
  }

  private static void record(Path folder, Settings settings, List<Event> events)
      throws IOException {
    try (JournalStore store = Fixture.open(folder, settings, new FakeDisk())) {
      events.forEach(event -> store.append(Draft.event(event)));
    }
  }

  private static List<Entry> readAll(JournalStore store) {
    List<Entry> all = new ArrayList<>();
    Long before = null;
    do {
      Page page = store.query(new Query(null, null, null, null, null, null, null, before, 7));
      all.addAll(page.entries());
      before = page.next();
    } while (before != null);
    Collections.reverse(all);
    return all;
  }

  private static void delete(Path folder) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        Files.delete(file);
      }
      Files.delete(folder);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
