package org.aionos.journal;

import static org.aionos.journal.Fixture.event;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.aionos.kernel.JournalReader;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class VerifyTest {

  @TempDir Path folder;
  @TempDir Path elsewhere;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @BeforeEach
  void write() throws IOException {
    try (JournalStore store = Fixture.open(folder)) {
      store.append(event("one"));
      store.append(event("two"));
    }
  }

  @Test
  void says_that_a_whole_journal_is_whole() {
    assertThat(verify(folder.toString())).isEqualTo(Verify.WHOLE);

    assertThat(out.toString()).contains("entries:     2, from 1", "checkpoints: 1", "whole");
  }

  @Test
  void says_what_is_wrong_and_where() throws IOException {
    Path segment = folder.resolve("journal-0000000000000001.log");
    byte[] bytes = Files.readAllBytes(segment);
    bytes[bytes.length - 3] ^= 1;
    Files.write(segment, bytes);

    assertThat(verify(folder.toString(), "--json")).isEqualTo(Verify.FAULTY);

    assertThat(out.toString())
        .contains("\"whole\":false", "\"entries\":1", "journal-0000000000000001.log: record 2");
  }

  @Test
  void trusts_only_the_key_that_it_is_given() throws IOException {
    Path key = Files.copy(folder.resolve("checkpoint-key.pem"), elsewhere.resolve("mine.pem"));
    assertThat(verify(folder.toString(), "--public-key", key.toString())).isEqualTo(Verify.WHOLE);

    Map<String, byte[]> files = Fixture.bytesOf(folder);
    Path forged = elsewhere.resolve("forged");
    try (JournalStore forger = Fixture.open(forged)) {
      forger.append(event("one"));
    }
    assertThat(files).isNotEmpty();
    assertThat(verify(forged.toString())).isEqualTo(Verify.WHOLE);
    assertThat(verify(forged.toString(), "--public-key", key.toString())).isEqualTo(Verify.FAULTY);
  }

  @Test
  void shows_help_when_it_is_not_told_what_to_verify() {
    for (String[] args :
        new String[][] {
          {},
          {"--help"},
          {folder.resolve("absent").toString()},
          {folder.toString(), "--public-key"},
          {folder.toString(), "--jsn"},
        }) {
      assertThat(Verify.run(args, new PrintStream(out), new PrintStream(err)))
          .isEqualTo(Verify.BAD_USAGE);
    }
    assertThat(err.toString()).contains("usage: Verify <journal dir>");
    assertThat(out.size()).isZero();
  }

  @Test
  void a_folder_that_holds_no_journal_is_not_whole() throws IOException {
    assertThat(verify(elsewhere.toString())).isEqualTo(Verify.FAULTY);
    assertThat(out.toString()).contains("entries:     0", "there are no segments");
  }

  @Test
  void leaves_the_folder_as_it_was() throws IOException {
    Map<String, byte[]> before = Fixture.bytesOf(folder);

    verify(folder.toString());

    assertThat(Fixture.bytesOf(folder)).containsExactlyEntriesOf(before);
  }

  @Test
  void works_while_a_kernel_writes_rotates_signs_and_prunes() throws Exception {
    Settings settings =
        new Settings(
            Sync.PROCESS,
            16 << 10,
            java.time.Duration.ofDays(1),
            256 << 10,
            java.time.Duration.ofDays(1),
            50);
    AtomicBoolean done = new AtomicBoolean();
    try (JournalStore store = Fixture.open(folder, settings, new LocalDisk())) {
      Thread kernel =
          new Thread(
              () -> {
                while (!done.get()) {
                  store.append(event("k"));
                }
              });
      kernel.start();
      for (int at = 0; at < 8; at++) {
        assertThat(verify(folder.toString())).as(out + "%n" + err).isEqualTo(Verify.WHOLE);
        assertThat(store.verify().fault()).isEmpty();
        store.prune();
      }
      done.set(true);
      kernel.join();
    }
  }

  @Test
  void runs_with_nothing_but_this_bundle_kernel_api_and_jackson() throws Exception {
    String classPath =
        String.join(
            File.pathSeparator,
            place(Verify.class),
            place(JournalReader.class),
            place(JsonFactory.class));

    Process verify =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classPath,
                Verify.class.getName(),
                folder.toString())
            .redirectErrorStream(true)
            .start();

    assertThat(new String(verify.getInputStream().readAllBytes())).contains("whole");
    assertThat(verify.waitFor()).isZero();
  }

  private int verify(String... args) {
    out.reset();
    err.reset();
    return Verify.run(args, new PrintStream(out), new PrintStream(err));
  }

  private static String place(Class<?> type) throws Exception {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }
}
