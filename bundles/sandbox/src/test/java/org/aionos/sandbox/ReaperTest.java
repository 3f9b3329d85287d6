package org.aionos.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Groups are folders here; with real ones, and a kernel that is killed, LauncherIT does it. */
final class ReaperTest {

  @TempDir Path folder;

  @Test
  void ends_what_is_in_the_groups_once_its_kernel_is_gone() throws Exception {
    Process deaf = new ProcessBuilder("/bin/sh", "-c", "trap '' TERM; read -r never").start();
    Path group = Files.createDirectories(folder.resolve("a b/tools/worker-1"));
    Path procs = Files.writeString(group.resolve("cgroup.procs"), deaf.pid() + "\n");
    Path empty = Files.createDirectories(folder.resolve("a b/tools/worker-2"));
    Path another = Files.createDirectories(folder.resolve("a b/tools/kernel"));

    Reaper reaper = new Reaper(List.of(folder.resolve("a b")));
    assertThat(deaf.isAlive()).isTrue();
    reaper.kernelIsGone();

    assertThat(Patience.await(Duration.ofSeconds(10), () -> !deaf.isAlive())).isTrue();
    assertThat(Patience.await(Duration.ofSeconds(10), () -> !Files.exists(empty))).isTrue();
    Files.delete(procs);
    assertThat(Patience.await(Duration.ofSeconds(10), () -> !Files.exists(group))).isTrue();
    assertThat(another).exists();
    assertThat(Patience.await(Duration.ofSeconds(10), () -> !reaper.isAlive())).isTrue();
  }

  @Test
  void ends_with_a_kernel_that_has_cleaned_up() throws Exception {
    Path group = Files.createDirectories(folder.resolve("tools/worker-1"));
    Reaper reaper = new Reaper(List.of(folder));

    reaper.close();

    assertThat(Patience.await(Duration.ofSeconds(10), () -> !reaper.isAlive())).isTrue();
    assertThat(group).exists();
  }
}
