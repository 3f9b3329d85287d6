package org.aionos.router;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.tool.ToolResult;
import org.junit.jupiter.api.Test;

final class ToolTableTest {

  private final ToolTable tools = new ToolTable(Duration.ofSeconds(5), VersionTrialTest.RULES);

  private void install(String version, String origin) {
    tools.install(
        manifest("echo", version, Set.of(), 2),
        origin,
        (call, agent, effects) -> ToolResult.of(Map.of()));
  }

  static ToolManifest manifest(String name, String version, Set<String> needs, int concurrency) {
    return new ToolManifest(
        name,
        version,
        "",
        "bundle",
        "x",
        null,
        null,
        needs,
        Map.of(),
        Map.of(),
        1_000,
        concurrency);
  }

  private String leased(String name) {
    try (ToolLease lease = tools.lease(name).orElseThrow()) {
      return lease.installed().manifest().version() + "#" + lease.installed().origin();
    }
  }

  @Test
  void leases_the_highest_version_by_number_not_by_letters() {
    install("1.10.0", "1");
    install("1.9.0", "2");

    assertThat(leased("echo")).isEqualTo("1.10.0#1");
  }

  @Test
  void leases_the_version_that_is_named() {
    install("1.0.0", "1");
    install("2.0.0", "2");

    assertThat(leased("echo@1.0.0")).isEqualTo("1.0.0#1");
    assertThat(tools.lease("echo@3.0.0")).isEmpty();
    assertThat(tools.lease("other")).isEmpty();
  }

  @Test
  void of_two_of_one_version_the_younger_wins() {
    install("1.0.0", "1");
    install("1.0.0", "2");

    assertThat(leased("echo")).isEqualTo("1.0.0#2");
  }

  @Test
  void a_refusal_is_kept_until_the_tool_gets_in() {
    tools.refuse("1", Problem.of(Code.TIER_UNAVAILABLE, "no sandbox here"));
    assertThat(tools.refusal("1").orElseThrow().message()).isEqualTo("no sandbox here");

    install("1.0.0", "1");

    assertThat(tools.refusal("1")).isEmpty();
    assertThat(tools.holds("1")).isTrue();
  }

  @Test
  void a_tool_that_drains_waits_for_the_call_in_flight_and_takes_no_other() throws Exception {
    install("1.0.0", "1");
    InstalledTool draining = tools.lease("echo").orElseThrow().installed();

    CompletableFuture<Boolean> drained =
        CompletableFuture.supplyAsync(() -> draining.holders.drain(Duration.ofSeconds(5)));
    while (draining.holders.enter()) {
      draining.holders.leave();
    }
    assertThat(drained).isNotDone();
    draining.holders.leave();

    assertThat(drained.get(5, TimeUnit.SECONDS)).isTrue();
    assertThat(draining.holders.enter()).isFalse();
  }

  @Test
  void a_tool_that_is_replaced_again_and_again_is_never_missing() throws Exception {
    install("1.0.0", "0");
    AtomicBoolean over = new AtomicBoolean();
    List<CompletableFuture<Integer>> callers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      callers.add(
          CompletableFuture.supplyAsync(
              () -> {
                int missing = 0;
                while (!over.get()) {
                  ToolLease lease = tools.lease("echo").orElse(null);
                  if (lease == null) {
                    missing++;
                  } else {
                    lease.close();
                  }
                }
                return missing;
              }));
    }

    for (int i = 1; i <= 2_000; i++) {
      install("1.0.0", String.valueOf(i));
      tools.uninstall(String.valueOf(i - 1));
    }
    over.set(true);

    for (CompletableFuture<Integer> caller : callers) {
      assertThat(caller.get(10, TimeUnit.SECONDS)).isZero();
    }
  }

  @Test
  void a_drain_gives_up_after_its_time() {
    Holders holders = new Holders();
    holders.enter();

    assertThat(holders.drain(Duration.ofMillis(1))).isFalse();
    assertThat(holders.count()).isEqualTo(1);
  }
}
