package org.aionos.journal;

import static org.aionos.journal.Fixture.bytesOf;
import static org.aionos.journal.Fixture.crashed;
import static org.aionos.journal.Fixture.event;
import static org.aionos.journal.Fixture.folderOf;
import static org.aionos.journal.Fixture.syscall;
import static org.aionos.journal.Fixture.with;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.Asked;
import org.aionos.kernel.JournalReader.Entry;
import org.aionos.kernel.JournalReader.Query;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is found after a crash, and what is made of it. */
final class RecoveryTest {

  private static final String FIRST = "journal-0000000000000001.log";

  @TempDir Path folder;
  @TempDir Path copy;

  @Test
  void a_journal_cut_anywhere_opens_with_the_records_before_the_cut() throws IOException {
    Map<String, byte[]> files = crashedWith("one", "two", "three");
    List<String> all = List.of("one", "two", "three");
    byte[] bytes = files.get(FIRST);
    for (int length = 0; length < bytes.length; length++) {
      folderOf(copy, with(files, FIRST, Arrays.copyOf(bytes, length)));

      try (JournalStore store = Fixture.open(copy)) {
        List<String> kept = kinds(store);
        kept.remove("journal.recovered");
        assertThat(kept).as("length %d", length).isEqualTo(all.subList(0, kept.size()));
        store.append(event("after"));
        assertThat(store.verify().fault()).as("length %d", length).isEmpty();
      }
      assertThat(Fixture.verify(copy).fault()).as("length %d", length).isEmpty();
    }
  }

  @Test
  void a_torn_record_is_cut_off_and_noted() throws IOException {
    Map<String, byte[]> files = crashedWith("one", "two");
    byte[] bytes = files.get(FIRST);
    folderOf(copy, with(files, FIRST, Arrays.copyOf(bytes, bytes.length - 5)));

    try (JournalStore store = Fixture.open(copy)) {
      assertThat(kinds(store)).containsExactly("one", "journal.recovered");
      Entry note = store.query(Fixture.query(1)).entries().get(0);
      assertThat(note.sequence()).isEqualTo(2);
      assertThat(note.facts()).containsEntry("after_sequence", 1L).containsEntry("segment", FIRST);
    }
  }

  @Test
  void a_tail_of_garbage_is_cut_off_as_a_power_loss_leaves_it() throws IOException {
    Map<String, byte[]> files = crashedWith("one", "two");
    byte[] bytes = Arrays.copyOf(files.get(FIRST), files.get(FIRST).length + 5_000);
    Arrays.fill(bytes, bytes.length - 2_000, bytes.length, (byte) 'x');
    folderOf(copy, with(files, FIRST, bytes));

    try (JournalStore store = Fixture.open(copy)) {
      assertThat(kinds(store)).containsExactly("one", "two", "journal.recovered");
      assertThat(store.verify().fault()).isEmpty();
    }
  }

  @Test
  void room_for_more_records_is_no_fault_and_not_worth_a_note() throws IOException {
    Map<String, byte[]> files = crashedWith("one", "two");
    folderOf(copy, with(files, FIRST, withRoom(files.get(FIRST))));
    assertThat(Fixture.verify(copy).fault()).isEmpty();

    try (JournalStore store = Fixture.open(copy)) {
      assertThat(kinds(store)).containsExactly("one", "two");
      assertThat(store.append(event("three"))).isEqualTo(3);
      assertThat(store.verify().fault()).isEmpty();
    }
    assertThat(bytesOf(copy).get(FIRST)).hasSize(endOf(bytesOf(copy).get(FIRST)));
  }

  @Test
  void a_record_whose_length_was_not_yet_written_is_cut_off() throws IOException {
    Map<String, byte[]> files = crashedWith("one", "two");
    byte[] bytes = withRoom(files.get(FIRST));
    int second = Format.HEADER_BYTES + Format.PAYLOAD_AT + Format.intAt(bytes, Format.HEADER_BYTES);
    Format.putInt(bytes, second, 0);
    folderOf(copy, with(files, FIRST, bytes));
    assertThat(Fixture.verify(copy).fault()).contains("record 2", "torn");

    try (JournalStore store = Fixture.open(copy)) {
      assertThat(kinds(store)).containsExactly("one", "journal.recovered");
      assertThat(store.verify().fault()).isEmpty();
    }
    assertThat(Fixture.verify(copy).fault()).isEmpty();
  }

  @Test
  void a_segment_that_was_only_begun_is_begun_again() throws IOException {
    Map<String, byte[]> files = crashedWith("one", "two");
    for (int length = 0; length <= Format.HEADER_BYTES - 1; length++) {
      folderOf(copy, with(files, "journal-0000000000000003.log", new byte[length]));

      try (JournalStore store = Fixture.open(copy)) {
        assertThat(store.append(event("three"))).isEqualTo(3);
        assertThat(store.verify().fault()).isEmpty();
      }
    }
  }

  @Test
  void names_the_calls_that_a_crash_left_without_outcome_once() throws IOException {
    try (JournalStore store = Fixture.open(folder)) {
      Asked done = asked(store);
      asked(store);
      store.checkpoint();
      asked(store);
      ended(store, done);
      crashed(folder, copy);
    }

    try (JournalStore store = Fixture.open(copy)) {
      Entry note = store.query(Fixture.query(1)).entries().get(0);
      assertThat(note.kind()).isEqualTo("syscalls.interrupted");
      assertThat(note.facts())
          .containsEntry("count", 2L)
          .containsEntry("audit_ids", List.of("sc-000000000002", "sc-000000000003"));
      assertThat(store.find("sc-000000000001").orElseThrow().ended()).isNotNull();
      assertThat(store.find("sc-000000000002").orElseThrow().ended()).isNull();
    }
    try (JournalStore again = Fixture.open(copy)) {
      assertThat(kinds(again)).filteredOn("syscalls.interrupted"::equals).hasSize(1);
    }
  }

  @Test
  void lists_at_most_a_thousand_interrupted_calls_but_counts_all() throws IOException {
    try (JournalStore store = Fixture.open(folder)) {
      for (int at = 0; at < 1_003; at++) {
        asked(store);
      }
      crashed(folder, copy);
    }

    try (JournalStore store = Fixture.open(copy)) {
      Map<String, ?> facts = store.query(Fixture.query(1)).entries().get(0).facts();
      assertThat(facts.get("count")).isEqualTo(1_003L);
      assertThat((List<?>) facts.get("audit_ids")).hasSize(1_000);
    }
  }

  @Test
  void an_outcome_is_found_long_after_and_from_another_run() throws IOException {
    Settings settings = Fixture.settings(Sync.PROCESS, 16 << 10);
    String id;
    try (JournalStore store = Fixture.open(folder, settings, new FakeDisk())) {
      Asked asked = asked(store);
      for (int at = 0; at < 2_000; at++) {
        store.append(event("noise"));
      }
      ended(store, asked);
      id = asked.auditId();
      for (int at = 0; at < 500; at++) {
        store.append(event("noise"));
      }
    }

    try (JournalStore store = Fixture.open(folder, settings, new FakeDisk())) {
      Entry ended = store.find(id).orElseThrow().ended();
      assertThat(ended).isNotNull();
      assertThat(ended.sequence()).isEqualTo(2_002);
    }
  }

  @Test
  void a_torn_checkpoint_line_is_cut_off() throws IOException {
    Map<String, byte[]> files;
    try (JournalStore store = Fixture.open(folder)) {
      store.append(event("one"));
      store.checkpoint();
      store.append(event("two"));
      store.checkpoint();
      files = bytesOf(folder);
    }
    byte[] lines = files.get(Checkpoint.FILE);
    folderOf(copy, with(files, Checkpoint.FILE, Arrays.copyOf(lines, lines.length - 9)));

    try (JournalStore store = Fixture.open(copy)) {
      store.append(event("three"));
    }

    assertThat(Fixture.verify(copy).fault()).isEmpty();
    assertThat(Fixture.verify(copy).checkpoints()).isEqualTo(2);
  }

  private Map<String, byte[]> crashedWith(String... kinds) throws IOException {
    try (JournalStore store = Fixture.open(folder)) {
      for (String kind : kinds) {
        store.append(event(kind));
      }
      return with(bytesOf(folder), FIRST, withoutRoom(bytesOf(folder).get(FIRST)));
    }
  }

  private static byte[] withoutRoom(byte[] segment) {
    return Arrays.copyOf(segment, endOf(segment));
  }

  private static int endOf(byte[] segment) {
    int end = segment.length;
    while (segment[end - 1] == 0) {
      end--;
    }
    return end;
  }

  /** As a process that is killed leaves it: zeros behind the last record, for those to come. */
  private static byte[] withRoom(byte[] segment) {
    return Arrays.copyOf(segment, segment.length + 70_000);
  }

  private static Asked asked(JournalStore store) {
    long sequence = store.append(Draft.asked(syscall("tool.invoke", Map.of())));
    return new Asked(AuditId.ofCall(sequence), sequence, syscall("tool.invoke", Map.of()));
  }

  private static void ended(JournalStore store, Asked asked) {
    store.appendOutcome(
        asked.sequence(), Draft.ended(asked, null, Fixture.ok(), Duration.ofMillis(1)));
  }

  private static List<String> kinds(JournalStore store) {
    List<String> newestFirst =
        store
            .query(new Query(null, null, null, null, null, null, null, null, 1_000))
            .entries()
            .stream()
            .map(Entry::kind)
            .toList();
    List<String> kinds = new ArrayList<>(newestFirst);
    Collections.reverse(kinds);
    return kinds;
  }
}
