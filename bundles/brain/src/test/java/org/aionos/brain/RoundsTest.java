package org.aionos.brain;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.policy.Brain;
import org.aionos.kernel.policy.PolicyVersions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RoundsTest {

  @TempDir Path folder;
  private final FakeVersions versions = new FakeVersions();
  private Instant now = Instant.parse("2026-11-29T12:00:00Z");
  private @Nullable String proposed;
  private List<String> needsOperator = List.of();
  private @Nullable Refused refusal;

  private final Brain brain =
      new Brain() {
        @Override
        public Proposal propose(@Nullable Map<String, @Nullable Object> snapshot, String by) {
          if (refusal != null) {
            throw refusal;
          }
          return new Proposal(
              proposed, List.of(), "", Map.of(), List.of(), needsOperator, "optimiser");
        }

        @Override
        public Simulation simulate(String version) {
          throw new UnsupportedOperationException();
        }
      };

  @BeforeEach
  void begin() {
    versions.inForce(Kernel.files());
    proposed = versions.current;
  }

  private Rounds rounds(boolean tries) {
    return new Rounds(brain, versions, tries, 15, folder.resolve("tried.json"), () -> now);
  }

  @Test
  void what_needs_no_operator_is_tried_on_some_bound_to_its_content() throws Exception {
    assertThat(rounds(true).round()).isEqualTo("tries " + proposed);

    assertThat(versions.activated).containsExactly(proposed);
    assertThat(versions.activations)
        .containsExactly(
            new PolicyVersions.Activation(
                versions.find(String.valueOf(proposed)).version().sha256(), 15, Set.of()));
  }

  @Test
  void what_needs_an_operator_is_not_tried() throws Exception {
    needsOperator = List.of("quotas.yaml /tenants/acme/calls_per_hour: …");

    assertThat(rounds(true).round()).contains("needs an operator");
    assertThat(versions.activated).isEmpty();
  }

  @Test
  void who_only_proposes_tries_nothing() throws Exception {
    assertThat(rounds(false).round()).isEqualTo("proposed " + proposed);
    assertThat(versions.activated).isEmpty();
  }

  @Test
  void nothing_is_tried_while_something_is_being_judged() throws Exception {
    versions.trial =
        new PolicyVersions.Trial(
            "a",
            "b",
            10,
            Set.of(),
            false,
            now,
            0,
            0,
            false,
            "",
            PolicyVersions.Figures.NONE,
            PolicyVersions.Figures.NONE);

    assertThat(rounds(true).round()).contains("being judged");
    assertThat(versions.activated).isEmpty();
  }

  @Test
  void what_was_tried_is_not_tried_again_within_a_day_though_the_kernel_was_restarted()
      throws Exception {
    rounds(true).round();
    now = now.plus(Duration.ofHours(23));
    assertThat(rounds(true).round()).contains("within a day");
    assertThat(versions.activated).hasSize(1);

    now = now.plus(Duration.ofHours(2));
    assertThat(rounds(true).round()).isEqualTo("tries " + proposed);
    assertThat(versions.activated).hasSize(2);
  }

  @Test
  void nothing_is_tried_that_could_not_be_remembered() throws Exception {
    Files.writeString(folder.resolve("tried.json"), "{\"torn");

    assertThat(rounds(true).round()).contains("nothing is");
    assertThat(versions.activated).isEmpty();
  }

  @Test
  void a_refusal_ends_the_round_and_not_the_rounds() throws Exception {
    refusal = new Refused(Code.IN_PROGRESS, "later");
    assertThat(rounds(true).round()).contains("later");

    refusal = null;
    proposed = null;
    assertThat(rounds(true).round()).isEqualTo("nothing better found");
  }
}
