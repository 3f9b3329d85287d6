package org.aionos.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.aionos.kernel.policy.PolicyVersions.Activation;
import org.aionos.kernel.policy.PolicyVersions.Origin;
import org.aionos.kernel.policy.PolicyVersions.Proposal;
import org.aionos.kernel.policy.PolicyVersions.State;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A process dies before each single file operation; the next one finds a version that is whole. */
final class CrashTest {

  private static final long SECONDS_MAX = 60;

  @TempDir Path folder;

  private static VersionedPolicy open(Path folder) {
    return Opened.policy(
        folder.resolve("policies"),
        folder.resolve("state"),
        Duration.ofHours(1),
        new EventList(),
        System::nanoTime);
  }

  /** A kernel with a version in force, one that was, and one that never was. */
  private Path prepared() throws IOException {
    Path base = folder.resolve("base");
    Files.createDirectories(base.resolve("policies"));
    Files.writeString(
        base.resolve("policies").resolve(VersionedPolicy.FILE_NAME), PolicyVersionsTest.WIDE);
    VersionedPolicy policy = open(base);
    for (String name : List.of("former-1", "now-1", "narrow-1")) {
      String text =
          name.equals("narrow-1")
              ? PolicyVersionsTest.NARROW
              : PolicyVersionsTest.WIDE + "# " + name + "\n";
      policy.add(
          new Proposal(
              name, Map.of(VersionedPolicy.FILE_NAME, text), null, Origin.OPERATOR, "", Map.of()),
          Opened.OPERATOR);
    }
    policy.activate("former-1", Activation.FOR_ALL, Opened.OPERATOR);
    policy.activate("now-1", Activation.FOR_ALL, Opened.OPERATOR);
    policy.close();
    return base;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path each : all.toList()) {
        Files.copy(
            each,
            to.resolve(from.relativize(each).toString()),
            java.nio.file.LinkOption.NOFOLLOW_LINKS);
      }
    }
  }

  /** How a process ended that was to die before an operation. */
  private static int run(Path life, String what, int dies) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                DyingPolicy.class.getName(),
                life.toString(),
                what,
                Integer.toString(dies))
            .redirectErrorStream(true)
            .redirectOutput(life.resolve("output").toFile())
            .start();
    assertThat(process.waitFor(SECONDS_MAX, TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"activate", "rollback", "file"})
  void whenever_it_dies_a_whole_version_is_in_force_the_one_before_or_the_one_after(String what)
      throws Exception {
    Path base = prepared();
    Set<String> seen = new HashSet<>();
    int dies = 1;
    for (int exit = DyingPolicy.DEAD; exit == DyingPolicy.DEAD; dies++) {
      Path life = folder.resolve(what + dies);
      copy(base, life);
      exit = run(life, what, dies);
      assertThat(exit).as(Files.readString(life.resolve("output"))).isIn(DyingPolicy.DEAD, 0);

      Path current = life.resolve("policies/current");
      assertThat(current.toRealPath().resolve("version.json")).exists();
      String link = current.toRealPath().getFileName().toString();
      VersionedPolicy after = open(life);
      // What the operator has written is taken in by the next life.
      String expected = what.equals("file") ? after.version().id() : link;
      assertThat(after.version().id()).isEqualTo(expected);
      assertThat(after.current()).get().extracting("state").isEqualTo(State.CURRENT);
      assertThat(after.list(null, 100)).noneMatch(each -> each.state() == State.DAMAGED);
      after.close();
      seen.add(link.startsWith("wide") ? "edited" : link);
      if (exit == 0) {
        assertThat(link).isNotEqualTo("now-1");
      }
    }

    assertThat(dies).as("operations").isGreaterThan(8);
    assertThat(seen)
        .containsExactlyInAnyOrder(
            "now-1",
            switch (what) {
              case "activate" -> "narrow-1";
              case "rollback" -> "former-1";
              default -> "edited";
            });
  }

  @Test
  void whenever_it_dies_what_was_taken_away_is_so_or_was_never_said_to_be() throws Exception {
    Path base = prepared();
    int dies = 1;
    for (int exit = DyingPolicy.DEAD; exit == DyingPolicy.DEAD; dies++) {
      Path life = folder.resolve("revoke" + dies);
      copy(base, life);
      exit = run(life, "revoke", dies);
      VersionedPolicy after = open(life);
      assertThat(after.revocations().size()).isBetween(exit == 0 ? 1 : 0, 1);
      assertThat(after.version().rejected()).isEmpty();
      after.close();
    }
    assertThat(dies).isGreaterThan(8);
  }
}
