package org.aionos.router;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;
import java.util.function.IntToLongFunction;
import org.aionos.kernel.ToolCanaries;
import org.aionos.kernel.ToolCatalog;
import org.aionos.tool.ToolResult;
import org.junit.jupiter.api.Test;

final class VersionTrialTest {

  static final VersionTrial.Rules RULES = new VersionTrial.Rules(50, 5, 0.02, 1.5);

  private final ToolTable tools = new ToolTable(Duration.ofSeconds(1), RULES);
  private final List<String> deviations = new ArrayList<>();

  private void install(String version) {
    tools.install(
        ToolTableTest.manifest("t", version, Set.of(), 8),
        "test:" + version,
        InstalledTool.trusted((call, effects) -> ToolResult.of(Map.of())));
  }

  private VersionTrial trial(int percent) {
    install("1.0.0");
    ToolCatalog.Trial trial = tools.trial("t", "1.1.0", percent, deviations::add);
    install("1.1.0");
    return (VersionTrial) trial;
  }

  private String versionOfNextCall(String name) {
    try (ToolLease lease = tools.lease(name).orElseThrow()) {
      return lease.installed().manifest().version();
    }
  }

  private long shareOfNew(int calls) {
    long taken = 0;
    for (int i = 0; i < calls; i++) {
      taken += versionOfNextCall("t").equals("1.1.0") ? 1 : 0;
    }
    return taken;
  }

  /** So many calls of each version, one after the other. */
  private void calls(
      VersionTrial trial,
      int count,
      IntPredicate newFails,
      IntPredicate oldFails,
      IntToLongFunction newMillis) {
    InstalledTool old;
    InstalledTool fresh;
    try (ToolLease first = tools.lease("t@1.0.0").orElseThrow();
        ToolLease second = tools.lease("t@1.1.0").orElseThrow()) {
      old = first.installed();
      fresh = second.installed();
    }
    for (int i = 0; i < count && deviations.isEmpty(); i++) {
      trial.ended(old, oldFails.test(i), TimeUnit.MILLISECONDS.toNanos(20));
      trial.ended(fresh, newFails.test(i), TimeUnit.MILLISECONDS.toNanos(newMillis.applyAsLong(i)));
    }
  }

  @Test
  void takes_exactly_its_share_of_the_calls_that_name_no_version() {
    trial(20);

    assertThat(shareOfNew(1_000)).isEqualTo(200);
    assertThat(versionOfNextCall("t@1.0.0")).isEqualTo("1.0.0");
    assertThat(versionOfNextCall("t@1.1.0")).isEqualTo("1.1.0");
  }

  @Test
  void the_highest_version_takes_all_once_the_trial_is_closed() {
    trial(1).close();

    assertThat(shareOfNew(10)).isEqualTo(10);
  }

  @Test
  void calls_never_fail_for_want_of_one_of_the_two() {
    trial(50);

    tools.uninstall("test:1.1.0");
    assertThat(shareOfNew(10)).isZero();

    install("1.1.0");
    tools.uninstall("test:1.0.0");
    assertThat(shareOfNew(10)).isEqualTo(10);
  }

  @Test
  void a_tool_has_one_trial_and_closing_a_former_one_does_not_end_it() {
    VersionTrial former = trial(10);
    tools.trial("t", "1.1.0", 50, deviations::add);

    former.close();

    assertThat(shareOfNew(100)).isEqualTo(50);
  }

  @Test
  void another_share_counts_anew() {
    VersionTrial trial = trial(10);
    calls(trial, 4, call -> true, call -> false, call -> 20);

    trial.weigh(50);

    assertThat(trial.onTrial()).isEqualTo(ToolCanaries.Figures.NONE);
    assertThat(shareOfNew(100)).isEqualTo(50);
  }

  @Test
  void failures_in_a_row_end_it_early_and_it_gets_no_more_calls() {
    VersionTrial trial = trial(50);

    calls(trial, 10, call -> true, call -> false, call -> 20);

    assertThat(deviations).containsExactly("its last 5 calls failed");
    assertThat(trial.onTrial().calls()).isEqualTo(5);
    assertThat(shareOfNew(100)).isZero();
  }

  @Test
  void what_makes_both_fail_is_not_held_against_the_new_one() {
    calls(trial(50), 1_000, call -> true, call -> true, call -> 20);

    assertThat(deviations).isEmpty();
  }

  @Test
  void failing_significantly_more_ends_it_after_the_least_number_of_calls() {
    VersionTrial trial = trial(50);

    calls(trial, 1_000, call -> call % 4 == 0, call -> call % 50 == 0, call -> 20);

    assertThat(deviations).hasSize(1);
    assertThat(deviations.get(0)).contains("% of its calls fail");
    assertThat(trial.onTrial().calls()).isEqualTo(50);
  }

  @Test
  void chance_does_not_end_a_trial_of_two_equal_versions() {
    int returned = 0;
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      deviations.clear();
      VersionTrial trial = new VersionTrial("1.1.0", 50, RULES, deviations::add, ended -> {});
      install("1.0.0");
      install("1.1.0");
      calls(
          trial,
          500,
          call -> random.nextInt(100) < 5,
          call -> random.nextInt(100) < 5,
          call -> 15 + random.nextInt(10));
      returned += deviations.size();
    }
    // Looked at after each call, a test at 0.1 % errs more often than in 0.1 % of the trials.
    assertThat(returned).isLessThan(6);
  }

  @Test
  void being_slower_by_half_ends_it_and_being_slower_by_noise_does_not() {
    calls(trial(50), 1_000, call -> false, call -> false, call -> 24);
    assertThat(deviations).isEmpty();

    VersionTrial trial = new VersionTrial("1.1.0", 50, RULES, deviations::add, ended -> {});
    calls(trial, 1_000, call -> false, call -> false, call -> 31);

    assertThat(deviations)
        .containsExactly("95 % of its calls take up to 31.0 ms, of the others' 20.0 ms");
    assertThat(trial.onTrial().calls()).isEqualTo(50);
  }

  @Test
  void without_calls_of_the_old_one_most_must_fail() {
    install("1.0.0");
    install("1.1.0");
    VersionTrial trial = new VersionTrial("1.1.0", 99, RULES, deviations::add, ended -> {});
    try (ToolLease lease = tools.lease("t@1.1.0").orElseThrow()) {
      for (int i = 0; i < 50; i++) {
        trial.ended(lease.installed(), i % 3 != 0, 1);
      }
    }

    assertThat(deviations).containsExactly("66 % of its calls fail");
  }
}
