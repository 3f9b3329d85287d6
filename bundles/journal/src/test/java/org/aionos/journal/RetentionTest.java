package org.aionos.journal;

import static org.aionos.journal.Fixture.bytesOf;
import static org.aionos.journal.Fixture.event;
import static org.aionos.journal.Fixture.folderOf;
import static org.aionos.journal.Fixture.without;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.aionos.journal.Fixture.FakeClock;
import org.aionos.kernel.JournalReader.Entry;
import org.aionos.kernel.JournalReader.Verification;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Old segments go; the journal says so and stays verifiable. */
final class RetentionTest {

  @TempDir Path folder;
  @TempDir Path copy;
  private final FakeClock clock = new FakeClock();

  @Test
  void the_oldest_segments_go_when_the_journal_is_too_large() throws IOException {
    try (JournalStore store = open(4 << 10)) {
      write(store, 40);

      store.prune();

      Entry note = store.query(Fixture.query(1)).entries().get(0);
      assertThat(note.kind()).isEqualTo("journal.pruned");
      assertThat(note.facts()).containsEntry("reason", "size").containsKey("first_kept");
      store.checkpoint();
      Verification result = store.verify();
      assertThat(result.fault()).isEmpty();
      assertThat(result.firstSequence()).isEqualTo(note.facts().get("first_kept"));
      assertThat(result.checkpoints()).isPositive();
    }
    assertThat(logs(folder)).isLessThanOrEqualTo(6L << 10);
    assertThat(Fixture.verify(folder).fault()).isEmpty();
  }

  @Test
  void segments_go_once_what_follows_them_is_too_old() throws IOException {
    try (JournalStore store = open(1 << 30)) {
      write(store, 10);
      clock.advance(Duration.ofDays(29));
      write(store, 10);
      store.prune();
      assertThat(store.verify().firstSequence()).isEqualTo(1);

      clock.advance(Duration.ofDays(2));
      store.prune();

      assertThat(store.verify().fault()).isEmpty();
      assertThat(store.verify().firstSequence()).isBetween(4L, 11L);
      assertThat(store.query(Fixture.query(1)).entries().get(0).facts())
          .containsEntry("reason", "age");
    }
  }

  @Test
  void prunes_again_and_again_and_opens_again() throws IOException {
    for (int run = 0; run < 4; run++) {
      try (JournalStore store = open(4 << 10)) {
        write(store, 30);
        store.prune();
        assertThat(store.verify().fault()).isEmpty();
      }
      assertThat(Fixture.verify(folder).fault()).isEmpty();
    }
  }

  @Test
  void a_beginning_without_anchor_is_a_fault() throws IOException {
    try (JournalStore store = open(4 << 10)) {
      write(store, 40);
      store.prune();
    }
    Map<String, byte[]> files = bytesOf(folder);

    folderOf(copy, without(files, Anchor.FILE));
    assertThat(Fixture.verify(copy).fault()).contains("no anchor allows that");

    byte[] forged = files.get(Anchor.FILE).clone();
    forged[15] ^= 1;
    folderOf(copy, Fixture.with(files, Anchor.FILE, forged));
    assertThat(Fixture.verify(copy).fault()).contains("line 1 has no good signature");
  }

  @Test
  void a_crash_between_two_deletions_leaves_a_journal_that_begins_at_an_anchor()
      throws IOException {
    try (JournalStore store = open(4 << 10)) {
      write(store, 40);
      Map<String, byte[]> before = bytesOf(folder);
      SigningKey key = SigningKey.in(folder);
      Retention dying =
          new Retention(
              settings(4 << 10),
              new FakeDisk() {
                @Override
                public void delete(Path file) throws IOException {
                  if (file.toString().endsWith("1.log")) {
                    super.delete(file);
                  } else {
                    throw new IOException("killed");
                  }
                }
              },
              Recovery.in(folder, new LocalDisk(), null).segments(),
              new SignedFile(folder.resolve(Anchor.FILE), key));

      assertThat(before).doesNotContainKey(Anchor.FILE);
      org.assertj.core.api.Assertions.assertThatThrownBy(() -> dying.prune(clock.instant()))
          .hasMessage("killed");
    }

    assertThat(Fixture.verify(folder).fault()).isEmpty();
    assertThat(Fixture.verify(folder).firstSequence()).isGreaterThan(1);
  }

  @Test
  void checkpoints_of_deleted_records_go_too() throws IOException {
    try (JournalStore store = open(4 << 10)) {
      for (int at = 0; at < 20; at++) {
        write(store, 2);
        store.checkpoint();
      }
      long before = bytesOf(folder).get(Checkpoint.FILE).length;
      store.prune();
      assertThat((long) bytesOf(folder).get(Checkpoint.FILE).length).isLessThan(before);
      write(store, 2);
      store.checkpoint();
      assertThat(store.verify().fault()).isEmpty();
    }
    assertThat(Fixture.verify(folder).fault()).isEmpty();
  }

  private static void write(JournalStore store, int count) {
    for (int at = 0; at < count; at++) {
      store.append(event("event " + at));
    }
  }

  private static long logs(Path folder) throws IOException {
    return bytesOf(folder).entrySet().stream()
        .filter(file -> file.getKey().endsWith(".log"))
        .mapToLong(file -> file.getValue().length)
        .sum();
  }

  private static Settings settings(long bytesMax) {
    return new Settings(
        Sync.PROCESS, 1 << 10, Duration.ofDays(30), bytesMax, Duration.ofDays(1), 10_000);
  }

  private JournalStore open(long bytesMax) throws IOException {
    return Fixture.open(folder, settings(bytesMax), new FakeDisk(), clock);
  }
}
