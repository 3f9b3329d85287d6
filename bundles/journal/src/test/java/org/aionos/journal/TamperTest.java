package org.aionos.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.aionos.journal.Fixture.bytesOf;
import static org.aionos.journal.Fixture.event;
import static org.aionos.journal.Fixture.folderOf;
import static org.aionos.journal.Fixture.with;
import static org.aionos.journal.Fixture.without;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.CRC32C;
import org.aionos.kernel.JournalReader.Verification;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whoever changes what was written is found out. */
final class TamperTest {

  private static final String FIRST = "journal-0000000000000001.log";

  @TempDir Path folder;
  @TempDir Path copy;

  @BeforeEach
  void write() throws IOException {
    try (JournalStore store = Fixture.open(folder)) {
      store.append(event("one"));
      store.append(event("two"));
      store.checkpoint();
      store.append(event("three"));
    }
  }

  @Test
  void an_untouched_journal_is_whole() {
    Verification result = Fixture.verify(folder);

    assertThat(result.fault()).isEmpty();
    assertThat(result.entries()).isEqualTo(3);
    assertThat(result.checkpoints()).isEqualTo(2);
  }

  @Test
  void every_flipped_byte_is_found() throws IOException {
    folderOf(copy, Map.of());
    try (JournalStore store = Fixture.open(copy)) {
      store.append(event("one"));
      store.append(event("two"));
    }
    Map<String, byte[]> files = without(bytesOf(copy), "checkpoint-key.pk8");
    for (String name : files.keySet()) {
      Path changed = folderOf(copy, files).resolve(name);
      byte[] bytes = files.get(name);
      for (int at = 0; at < bytes.length; at++) {
        byte[] flipped = bytes.clone();
        // Also the change of case, which lenient parsers overlook.
        flipped[at] ^= (byte) (at % 2 == 0 ? 0x20 : 1 << (at / 2 % 8));
        Files.write(changed, flipped);

        assertThat(Fixture.verify(copy).whole()).as("%s byte %d", name, at).isFalse();
      }
    }
  }

  @Test
  void a_length_set_to_zero_does_not_hide_what_follows() throws IOException {
    byte[] bytes = bytesOf(folder).get(FIRST);
    int at = Format.HEADER_BYTES;
    while (at < bytes.length) {
      byte[] hidden = bytes.clone();
      Format.putInt(hidden, at, 0);
      folderOf(copy, with(bytesOf(folder), FIRST, hidden));

      assertThat(Fixture.verify(copy).whole()).as("at byte %d", at).isFalse();
      at += Format.PAYLOAD_AT + Format.intAt(bytes, at);
    }
  }

  @Test
  void every_cut_of_what_a_checkpoint_covers_is_found() throws IOException {
    byte[] bytes = bytesOf(folder).get(FIRST);
    for (int length = 0; length < bytes.length; length++) {
      folderOf(copy, with(bytesOf(folder), FIRST, Arrays.copyOf(bytes, length)));

      assertThat(Fixture.verify(copy).whole()).as("length %d", length).isFalse();
    }
  }

  @Test
  void a_cut_is_still_found_after_a_kernel_has_started_on_it() throws IOException {
    byte[] bytes = bytesOf(folder).get(FIRST);
    int end = frameEnd(bytes, frameEnd(bytes, Format.HEADER_BYTES));
    folderOf(copy, with(bytesOf(folder), FIRST, Arrays.copyOf(bytes, end)));

    try (JournalStore store = Fixture.open(copy)) {
      assertThat(store.append(event("after"))).isEqualTo(5);
      assertThat(store.query(Fixture.query(2)).entries())
          .extracting(entry -> entry.kind())
          .containsExactly("after", "journal.fault");
    }

    assertThat(Fixture.verify(copy).fault()).contains("records 3 to 3 are missing");
  }

  @Test
  void a_record_rewritten_with_new_hashes_and_checksums_is_found_by_the_checkpoints()
      throws IOException {
    byte[] forged = forge(bytesOf(folder).get(FIRST), "\"two\"", "\"2wo\"");

    folderOf(copy, with(bytesOf(folder), FIRST, forged));
    assertThat(Fixture.verify(copy).fault())
        .contains("record 2 is not the one that was signed")
        .contains("rewritten");

    folderOf(copy, without(with(bytesOf(folder), FIRST, forged), Checkpoint.FILE));
    assertThat(Fixture.verify(copy).whole()).as("without checkpoints it could pass").isTrue();
  }

  @Test
  void a_checkpoint_signed_by_a_stranger_does_not_count() throws IOException {
    try (JournalStore stranger = Fixture.open(copy)) {
      stranger.append(event("one"));
    }
    byte[] foreign = bytesOf(copy).get(Checkpoint.FILE);

    folderOf(copy, with(bytesOf(folder), Checkpoint.FILE, foreign));

    assertThat(Fixture.verify(copy).fault()).contains("line 1 has no good signature");
  }

  @Test
  void a_lost_segment_is_found_wherever_it_was() throws IOException {
    folderOf(copy, Map.of());
    try (JournalStore store =
        Fixture.open(copy, Fixture.settings(Sync.PROCESS, 1 << 10), new LocalDisk())) {
      for (int at = 0; at < 12; at++) {
        store.append(event("event " + at));
      }
    }
    Map<String, byte[]> whole = bytesOf(copy);
    assertThat(Fixture.verify(copy).fault()).isEmpty();
    assertThat(whole.keySet()).filteredOn(name -> name.endsWith(".log")).hasSizeGreaterThan(2);

    for (String name : whole.keySet()) {
      if (name.endsWith(".log")) {
        folderOf(copy, without(whole, name));
        assertThat(Fixture.verify(copy).whole()).as(name).isFalse();
      }
    }
  }

  @Test
  void damage_before_the_end_does_not_keep_the_kernel_from_starting() throws IOException {
    byte[] bytes = bytesOf(folder).get(FIRST);
    for (int at = 0; at < bytes.length; at += 7) {
      byte[] flipped = bytes.clone();
      flipped[at] ^= 0x10;
      folderOf(copy, with(bytesOf(folder), FIRST, flipped));

      try (JournalStore store = Fixture.open(copy)) {
        assertThat(store.append(event("after"))).as("byte %d", at).isGreaterThan(3);
        assertThat(store.query(Fixture.query(1)).entries().get(0).kind()).isEqualTo("after");
        assertThat(store.verify().whole()).isFalse();
      }
      assertThat(Fixture.verify(copy).whole()).as("byte %d", at).isFalse();
      try (JournalStore again = Fixture.open(copy)) {
        assertThat(again.append(event("later"))).isGreaterThan(4);
      }
    }
  }

  @Test
  void a_forged_record_with_good_checksums_cannot_stop_a_kernel() throws IOException {
    byte[] bytes = bytesOf(folder).get(FIRST);
    for (String[] change :
        new String[][] {
          {"\"time\":\"2026", "\"time\":\"20x6"},
          {"\"audit_id\":\"ev-0", "\"audit_id\":\"sc-z"},
          {"{\"seq\":2", "{\"seq\":9"},
          {"\"facts\"", "\"fucts\""},
          {"\"facts\":{", "\"facts\":["},
        }) {
      folderOf(copy, with(bytesOf(folder), FIRST, forge(bytes, change[0], change[1])));

      try (JournalStore store = Fixture.open(copy)) {
        assertThat(store.append(event("after"))).as(change[1]).isGreaterThan(3);
        assertThat(store.verify().whole()).as(change[1]).isFalse();
      }
    }
  }

  @Test
  void a_lost_private_key_is_replaced_and_what_it_signed_is_still_good() throws IOException {
    Files.delete(folder.resolve(SigningKey.PRIVATE_FILE));

    try (JournalStore store = Fixture.open(folder)) {
      store.append(event("four"));
    }

    assertThat(Fixture.verify(folder).fault()).isEmpty();
    assertThat(Fixture.verify(folder).checkpoints()).isEqualTo(3);
    assertThat(folder.resolve("checkpoint-key-1.pem")).exists();
  }

  /** Changes each payload that has a text, and makes hashes and checksums fit again. */
  private static byte[] forge(byte[] segment, String text, String other) {
    byte[] forged = segment.clone();
    byte[] needle = text.getBytes(UTF_8);
    for (int at = 0; at + needle.length <= forged.length; at++) {
      if (Arrays.equals(forged, at, at + needle.length, needle, 0, needle.length)) {
        System.arraycopy(other.getBytes(UTF_8), 0, forged, at, needle.length);
      }
    }
    Chain chain = new Chain(Format.GENESIS);
    for (int at = Format.HEADER_BYTES; at < forged.length; at = frameEnd(forged, at)) {
      int length = Format.intAt(forged, at);
      chain.link(forged, at + Format.PAYLOAD_AT, length);
      chain.copyHead(forged, at + Format.HASH_AT);
      CRC32C crc = new CRC32C();
      crc.update(forged, at + Format.HASH_AT, Format.HASH_BYTES + length);
      Format.putInt(forged, at + Format.CHECKSUM_AT, (int) crc.getValue());
    }
    return forged;
  }

  private static int frameEnd(byte[] segment, int frame) {
    return frame + Format.PAYLOAD_AT + Format.intAt(segment, frame);
  }
}
