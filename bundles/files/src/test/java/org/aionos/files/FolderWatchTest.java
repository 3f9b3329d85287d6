package org.aionos.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FolderWatchTest {

  @TempDir private Path root;
  private final List<String> told = new ArrayList<>();
  private Path folder;
  private FolderWatch watch;
  private long seconds;

  @BeforeEach
  void open() throws IOException {
    folder = Files.createDirectory(root.resolve("watched"));
    watch = new FolderWatch("watch", folder, ".yml", file -> told.add(name(file)));
  }

  @AfterEach
  void close() {
    watch.close();
  }

  @Test
  void what_is_there_is_told_of_once_it_has_kept_still() throws IOException {
    write("a.yml", "1");

    assertThat(told()).isEmpty();
    assertThat(told()).containsExactly("a.yml");
    assertThat(told()).isEmpty();
  }

  @Test
  void what_was_settled_is_known() throws IOException {
    write("a.yml", "1");
    watch.settle();

    assertThat(told()).isEmpty();
    write("a.yml", "2");
    assertThat(told()).isEmpty();
    assertThat(told()).containsExactly("a.yml");
  }

  @Test
  void a_file_that_is_still_being_written_is_waited_for() throws IOException {
    for (int i = 1; i < 5; i++) {
      write("a.yml", "x".repeat(i));
      assertThat(told()).isEmpty();
    }
    assertThat(told()).containsExactly("a.yml");
  }

  @Test
  void the_same_size_at_another_time_is_a_change() throws IOException {
    write("a.yml", "1");
    watch.settle();

    write("a.yml", "2");

    assertThat(told()).isEmpty();
    assertThat(told()).containsExactly("a.yml");
  }

  @Test
  void a_file_that_has_gone_is_told_of_once_it_stays_away() throws IOException {
    write("a.yml", "1");
    watch.settle();
    Path file = folder.resolve("a.yml");

    Files.delete(file);
    assertThat(told()).isEmpty();
    assertThat(told()).containsExactly("a.yml");
    assertThat(told()).isEmpty();
  }

  @Test
  void a_file_that_is_replaced_is_told_of_once() throws IOException {
    write("a.yml", "1");
    watch.settle();

    Files.delete(folder.resolve("a.yml"));
    assertThat(told()).isEmpty();
    write("a.yml", "22");
    assertThat(told()).isEmpty();
    assertThat(told()).containsExactly("a.yml");
  }

  @Test
  void a_file_that_is_back_as_it_was_is_not_told_of() throws IOException {
    write("a.yml", "1");
    watch.settle();
    Path aside = root.resolve("aside");

    Files.move(folder.resolve("a.yml"), aside);
    assertThat(told()).isEmpty();
    Files.move(aside, folder.resolve("a.yml"));

    assertThat(told()).isEmpty();
    assertThat(told()).isEmpty();
  }

  @Test
  void several_are_told_of_in_order() throws IOException {
    write("b.yml", "1");
    write("a.yml", "1");
    watch.compare();

    assertThat(told()).containsExactly("a.yml", "b.yml");
  }

  @Test
  void other_files_hidden_ones_and_folders_are_passed_over() throws IOException {
    write("a.yaml", "1");
    write(".a.yml", "1");
    write(".a.yml.writing", "1");
    Files.createDirectory(folder.resolve("folder.yml"));
    watch.compare();

    assertThat(told()).isEmpty();
  }

  @Test
  void a_link_to_nowhere_hides_no_other_file() throws IOException {
    for (int i = 0; i < 20; i++) {
      write("a" + i + ".yml", "1");
      Files.createSymbolicLink(folder.resolve("l" + i + ".yml"), root.resolve("nowhere"));
    }
    watch.compare();

    assertThat(told()).hasSize(20).allMatch(name -> name.startsWith("a"));
  }

  @Test
  void a_link_is_told_of_when_what_it_leads_to_changes() throws IOException {
    Path target = Files.writeString(root.resolve("target"), "1");
    Files.createSymbolicLink(folder.resolve("a.yml"), target);
    watch.settle();

    Files.writeString(target, "22");
    watch.compare();

    assertThat(told()).containsExactly("a.yml");
  }

  @Test
  void a_folder_may_come_and_go() throws IOException {
    write("a.yml", "1");
    watch.settle();
    Files.delete(folder.resolve("a.yml"));
    Files.delete(folder);

    assertThat(told()).isEmpty();
    assertThat(told()).containsExactly("a.yml");
    Files.createDirectory(folder);
    write("a.yml", "1");
    watch.compare();
    assertThat(told()).containsExactly("a.yml");
  }

  @Test
  void what_is_no_folder_is_an_error() throws IOException {
    Path file = Files.writeString(root.resolve("file"), "");

    try (FolderWatch none = new FolderWatch("watch", file, "", told -> {})) {
      assertThatThrownBy(none::compare).isInstanceOf(java.io.UncheckedIOException.class);
    }
  }

  @Test
  void a_listener_that_fails_is_told_of_the_next_change_all_the_same() throws Exception {
    CountDownLatch both = new CountDownLatch(2);
    AtomicInteger calls = new AtomicInteger();
    write("a.yml", "1");
    write("b.yml", "1");
    try (FolderWatch failing =
        new FolderWatch(
            "watch",
            folder,
            ".yml",
            file -> {
              both.countDown();
              if (calls.incrementAndGet() == 1) {
                throw new IllegalStateException("on purpose");
              }
            })) {
      failing.start(Duration.ofMillis(1));

      assertThat(both.await(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  private List<String> told() {
    told.clear();
    watch.compare();
    return List.copyOf(told);
  }

  /** Each write is a second later than the one before, whatever the file system can tell apart. */
  private void write(String name, String content) throws IOException {
    Path file = Files.writeString(folder.resolve(name), content);
    Files.setLastModifiedTime(
        file, FileTime.from(Instant.ofEpochSecond(1_000_000_000 + ++seconds)));
  }

  private static String name(Path file) {
    return file.getFileName().toString();
  }
}
