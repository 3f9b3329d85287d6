package org.aionos.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class WholeFileTest {

  private static final byte[] OLD = "old".getBytes();
  private static final byte[] NEW = "new content".getBytes();

  @TempDir private Path folder;
  private Path file;
  private Path written;

  @BeforeEach
  void name() {
    file = folder.resolve("file");
    written = folder.resolve(".file.writing");
  }

  @Test
  void creates_and_replaces_and_leaves_nothing_else() throws IOException {
    WholeFile.write(file, OLD);
    WholeFile.write(file, NEW);

    assertThat(file).hasBinaryContent(NEW);
    assertThat(folder.toFile().list()).containsExactly("file");
  }

  @Test
  void creates_the_folders_above() throws IOException {
    Path deep = folder.resolve("a").resolve("b").resolve("file");

    WholeFile.write(deep, NEW);

    assertThat(deep).hasBinaryContent(NEW);
  }

  @Test
  void a_folder_may_be_a_link() throws IOException {
    Path real = Files.createDirectory(folder.resolve("real"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), real);

    WholeFile.write(link.resolve("file"), NEW);

    assertThat(real.resolve("file")).hasBinaryContent(NEW);
  }

  @Test
  void an_empty_file_is_a_file() throws IOException {
    WholeFile.write(file, new byte[0]);

    assertThat(file).isEmptyFile();
  }

  @Test
  void a_secret_is_for_its_owner_alone() throws IOException {
    WholeFile.writeSecret(file, OLD);
    assertThat(mode()).isEqualTo("rw-------");

    WholeFile.writeSecret(file, NEW);
    assertThat(mode()).isEqualTo("rw-------");
    assertThat(file).hasBinaryContent(NEW);
  }

  @Test
  void a_secret_takes_the_place_of_an_open_file() throws IOException {
    WholeFile.write(file, OLD);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));

    WholeFile.writeSecret(file, NEW);

    assertThat(mode()).isEqualTo("rw-------");
  }

  @Test
  void what_a_crash_left_behind_is_overwritten_and_lends_a_secret_nothing() throws IOException {
    Files.writeString(written, "half of something longer than what comes now");
    Files.setPosixFilePermissions(written, PosixFilePermissions.fromString("rw-rw-rw-"));

    WholeFile.writeSecret(file, NEW);

    assertThat(file).hasBinaryContent(NEW);
    assertThat(mode()).isEqualTo("rw-------");
    assertThat(written).doesNotExist();
  }

  @Test
  void a_link_left_in_the_way_is_not_followed() throws IOException {
    Path victim = Files.write(folder.resolve("victim"), OLD);
    Files.createSymbolicLink(written, victim);

    WholeFile.write(file, NEW);

    assertThat(victim).hasBinaryContent(OLD);
    assertThat(file).hasBinaryContent(NEW);
  }

  @Test
  void what_cannot_be_replaced_stays() throws IOException {
    Files.createDirectory(file);
    Files.write(file.resolve("inside"), OLD);

    assertThatThrownBy(() -> WholeFile.write(file, NEW)).isInstanceOf(IOException.class);

    assertThat(file.resolve("inside")).hasBinaryContent(OLD);
  }

  @Test
  void a_reader_sees_the_old_file_or_the_new_one() throws Exception {
    byte[] ones = "1".repeat(100_000).getBytes();
    byte[] twos = "2".repeat(100_000).getBytes();
    WholeFile.write(file, ones);
    AtomicBoolean done = new AtomicBoolean();
    Thread writer =
        new Thread(
            () -> {
              try {
                for (int i = 0; i < 50; i++) {
                  WholeFile.write(file, i % 2 == 0 ? twos : ones);
                }
              } catch (IOException failed) {
                throw new AssertionError(failed);
              } finally {
                done.set(true);
              }
            });
    writer.start();

    while (!done.get()) {
      assertThat(Files.readAllBytes(file))
          .satisfiesAnyOf(
              seen -> assertThat(seen).isEqualTo(ones), seen -> assertThat(seen).isEqualTo(twos));
    }
    writer.join();
  }

  private String mode() throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }
}
