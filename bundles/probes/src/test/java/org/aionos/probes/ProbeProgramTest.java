package org.aionos.probes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program that this bundle carries, on the host that runs the test; and impostors. */
final class ProbeProgramTest {

  @TempDir Path folder;

  private Path script(String text) throws IOException {
    Path file = Files.writeString(folder.resolve("program"), "#!/bin/sh\n" + text + "\n");
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }

  @Test
  void counts_what_a_group_does_or_says_why_this_host_does_not_admit_it() throws Exception {
    Path program = ProbeProgram.unpack(folder);
    assertThat(Files.getPosixFilePermissions(program))
        .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    Path unified =
        Stream.of(Path.of("/sys/fs/cgroup/unified"), Path.of("/sys/fs/cgroup"))
            .filter(each -> Files.isWritable(each.resolve("cgroup.procs")))
            .findFirst()
            .orElse(null);
    Counters loaded;
    try {
      loaded = ProbeProgram.load(program, 50_000_000);
    } catch (IOException notAdmitted) {
      assertThat(notAdmitted).hasMessageContaining("this host does not ");
      return;
    }
    try (Counters counters = loaded) {
      assertThat(counters.watch(1, folder.resolve("nothing here"))).isFalse();
      if (unified != null) {
        assertCounts(counters, unified.resolve("aion-test-" + ProcessHandle.current().pid()));
      }
    }
  }

  private void assertCounts(Counters counters, Path group) throws Exception {
    Files.createDirectories(group);
    try {
      assertThat(counters.watch(2, group)).isTrue();
      assertThat(counters.read().get(2L)).isEqualTo(Counts.NONE);
      Path file = Files.write(folder.resolve("some file"), new byte[100_000]);

      int exit =
          new ProcessBuilder(
                  "/bin/sh",
                  "-c",
                  "echo $$ > "
                      + group
                      + "/cgroup.procs; exec cat '"
                      + file
                      + "' > '"
                      + file
                      + ".copy'")
              .start()
              .waitFor();

      assertThat(exit).isZero();
      Counts counts = counters.read().get(2L);
      assertThat(counts.readBytes()).isBetween(100_000L, 200_000L);
      assertThat(counts.writtenBytes()).isEqualTo(100_000);
      assertThat(counts.calls()).isGreaterThan(10);
      assertThat(counts.timedCalls()).isBetween(5L, counts.calls());
      assertThat(counts.buckets().stream().mapToLong(Long::longValue).sum())
          .isEqualTo(counts.timedCalls());
      assertThat(counts.microsP99()).isPositive();
      counters.unwatch(2);
      assertThat(counters.read()).isEmpty();
    } finally {
      Files.delete(group);
    }
  }

  @Test
  void what_it_says_on_a_host_that_does_not_admit_probes_is_the_reason() throws Exception {
    Path refused = script("echo '{\"error\":\"this host does not load the probes: x\"}'; exit 2");

    assertThatThrownBy(() -> ProbeProgram.load(refused, 1))
        .isInstanceOf(IOException.class)
        .hasMessage("this host does not load the probes: x");
  }

  @Test
  void a_program_that_speaks_nonsense_or_ends_is_no_probe() throws Exception {
    for (String text : List.of("echo hello", "exit 0", "echo '{}'", "echo '[1]'")) {
      Path impostor = script(text);
      assertThatThrownBy(() -> ProbeProgram.load(impostor, 1)).isInstanceOf(IOException.class);
    }
    Path endless = script("echo '{\"ready\":true}'; read line; echo '{\"groups\":[{\"key\":1}]}'");
    try (Counters counters = ProbeProgram.load(endless, 1)) {
      assertThatThrownBy(counters::read)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("nonsense");
    }
    Path none = folder.resolve("none");
    assertThatThrownBy(() -> ProbeProgram.load(none, 1)).isInstanceOf(IOException.class);
  }
}
