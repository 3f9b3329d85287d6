package org.aionos.router;

import static org.aionos.router.FakeKernel.AGENT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.aionos.kernel.Admitted;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Code;
import org.aionos.kernel.Interim;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.SearchIndex;
import org.aionos.kernel.ToolCanaries;
import org.aionos.kernel.ToolCatalog;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.kernel.memory.TaskTrust;
import org.aionos.kernel.memory.Trust;
import org.aionos.tool.Effects;
import org.aionos.tool.Found;
import org.aionos.tool.Search;
import org.aionos.tool.Tool;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ToolCallsTest {

  private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");

  @TempDir Path folder;

  private final FakeKernel kernel = new FakeKernel();
  private final ToolTable tools = new ToolTable(Duration.ofSeconds(1), VersionTrialTest.RULES);
  private final Watchdog watchdog = new Watchdog(() -> 0);
  private final List<Interim> said = new ArrayList<>();
  private final AtomicLong nanos = new AtomicLong();
  private final TaintedTasks tasks = new TaintedTasks();
  private final FakeApprovals approvals = new FakeApprovals();
  private @Nullable SearchIndex documents;
  private ToolSettings settings;

  @BeforeEach
  void openSettings() {
    settings = new ToolSettings(folder, kernel);
  }

  @AfterEach
  void closeSettings() {
    settings.close();
  }

  private Outcome.Ok invoke(Map<String, Object> params) throws InterruptedException {
    return calls()
        .run(
            new Admitted(
                new Asked("sc-1", 1, FakeKernel.call("tool.invoke", params)),
                kernel.allow(),
                kernel.agents.get(AGENT),
                NOW.plusSeconds(30),
                said::add));
  }

  private ToolCalls calls() {
    ToolCalls calls =
        new ToolCalls(
            tools,
            kernel,
            approvals,
            tasks,
            new Workspaces(folder, new Workspace.Limits(1_000, 10, 1_000)),
            settings,
            watchdog,
            InstantSource.fixed(NOW),
            nanos::get,
            1_000);
    calls.documents = documents;
    return calls;
  }

  private void install(Tool tool, String... needs) {
    tools.install(
        ToolTableTest.manifest("t", "1.2.0", Set.of(needs), 1),
        "test:t",
        InstalledTool.trusted(tool));
  }

  private static Code refusal(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    return ((Refused) org.assertj.core.api.Assertions.catchThrowable(call)).problem().code();
  }

  @Test
  void gives_the_tool_its_arguments_without_its_own_name_and_the_nearer_deadline()
      throws Exception {
    AtomicReference<ToolCall> seen = new AtomicReference<>();
    install(
        (call, effects) -> {
          seen.set(call);
          return ToolResult.of(Map.of("n", 1));
        });

    Outcome.Ok outcome = invoke(Map.of("tool", "t@1.2.0", "query", "q"));

    assertThat(seen.get().arguments()).isEqualTo(Map.of("query", "q"));
    assertThat(seen.get().deadline()).isEqualTo(NOW.plusMillis(1_000));
    assertThat(outcome.engine()).isEqualTo(new Outcome.Engine("module", "tooling/t@1.2.0"));
    assertThat(outcome.result()).isEqualTo(Map.of("n", 1));
  }

  @Test
  void refuses_a_tool_that_needs_what_the_agent_does_not_hold() {
    install((call, effects) -> ToolResult.of(Map.of()), "gpu");

    assertThat(refusal(() -> invoke(Map.of("tool", "t")))).isEqualTo(Code.CAPABILITY_DENIED);
  }

  /** Knows one task, as memory does. */
  private static final class OneTask implements TaskTrust {

    private Trust lowest = Trust.HIGH;

    @Override
    public Trust of(AgentId agent, @Nullable String task) {
      return lowest;
    }

    @Override
    public void read(AgentId agent, @Nullable String task, Trust trust) {
      lowest = lowest.and(trust);
    }
  }

  @Test
  void a_task_that_has_been_outside_is_kept_from_tools_that_want_more_trust() throws Exception {
    OneTask memory = new OneTask();
    tasks.setMemory(memory);
    kernel.trustMin = Trust.MEDIUM;
    kernel.grants = Set.of("network");
    install((call, effects) -> ToolResult.of(Map.of()));
    invoke(Map.of("tool", "t"));
    assertThat(memory.lowest).isEqualTo(Trust.HIGH);

    install(
        (call, effects) -> {
          assertThat(memory.lowest).as("before it can read").isEqualTo(Trust.LOW);
          return ToolResult.of(Map.of());
        },
        "network");
    invoke(Map.of("tool", "t"));
    assertThat(refusal(() -> invoke(Map.of("tool", "t")))).isEqualTo(Code.CAPABILITY_DENIED);
  }

  @Test
  void while_memory_is_away_no_task_is_trusted_and_what_was_read_is_told_later() throws Exception {
    kernel.grants = Set.of("network");
    install((call, effects) -> ToolResult.of(Map.of()), "network");
    invoke(Map.of("tool", "t"));
    kernel.trustMin = Trust.MEDIUM;
    assertThat(refusal(() -> invoke(Map.of("tool", "t")))).isEqualTo(Code.CAPABILITY_DENIED);

    OneTask memory = new OneTask();
    tasks.setMemory(memory);
    assertThat(memory.lowest).isEqualTo(Trust.LOW);
  }

  @Test
  void names_what_is_wrong_with_the_tool_param() {
    assertThat(refusal(() -> invoke(Map.of()))).isEqualTo(Code.MISSING_FIELD);
    assertThat(refusal(() -> invoke(Map.of("tool", 7)))).isEqualTo(Code.INVALID_FIELD);
    assertThat(refusal(() -> invoke(Map.of("tool", "none")))).isEqualTo(Code.UNKNOWN_TOOL);
  }

  @Test
  void a_failure_is_told_and_a_fault_is_withheld() {
    install(
        (call, effects) -> {
          throw new ToolFailure(ToolFailure.Code.NOT_FOUND, "no such page");
        });
    assertThatThrownBy(() -> invoke(Map.of("tool", "t")))
        .hasMessageContaining("not_found: no such page");

    tools.install(
        ToolTableTest.manifest("f", "1.0.0", Set.of(), 1),
        "test:f",
        (call, agent, effects) -> {
          throw new NoClassDefFoundError("secret/Path");
        });
    assertThatThrownBy(() -> invoke(Map.of("tool", "f")))
        .hasMessageContaining("TOOL_FAULT")
        .hasMessageNotContaining("secret");
  }

  private void installChecked(Object input, Object output, Map<String, Object> result) {
    ToolManifest plain = ToolTableTest.manifest("s", "1.0.0", Set.of(), 1);
    tools.install(
        new ToolManifest(
            plain.name(),
            plain.version(),
            "",
            "bundle",
            "x",
            input,
            output,
            Set.of(),
            Map.of(),
            Map.of(),
            1_000,
            1),
        "test:s",
        (call, agent, effects) -> ToolResult.of(result));
  }

  @Test
  void arguments_that_the_schema_does_not_admit_do_not_reach_the_tool() {
    installChecked("query:string, limit:integer?", null, Map.of());

    assertThat(problem(() -> invoke(Map.of("tool", "s"))))
        .extracting(Problem::code, Problem::pointer)
        .containsExactly(Code.MISSING_FIELD, "/params/query");
    assertThat(problem(() -> invoke(Map.of("tool", "s", "query", "x", "limit", "many"))))
        .extracting(Problem::code, Problem::pointer)
        .containsExactly(Code.INVALID_FIELD, "/params/limit");
  }

  @Test
  void a_result_that_breaks_the_tools_own_schema_is_the_tools_fault() throws Exception {
    installChecked(null, "items:list", Map.of("items", "none"));
    assertThat(problem(() -> invoke(Map.of("tool", "s"))).code()).isEqualTo(Code.RESULT_INVALID);

    installChecked(null, "items:list", Map.of("items", List.of()));
    assertThat(invoke(Map.of("tool", "s")).result()).containsEntry("items", List.of());
  }

  private static Problem problem(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    return ((Refused) org.assertj.core.api.Assertions.catchThrowable(call)).problem();
  }

  @Test
  void a_result_must_be_json_of_bounded_size_and_depth() {
    Map<String, Object> loop = new HashMap<>();
    loop.put("self", loop);
    Map<String, Map<String, Object>> results =
        Map.of(
            "object", Map.of("x", new Object()),
            "large", Map.of("x", "y".repeat(2_000)),
            "loop", Map.of("x", "loop"));
    install(
        (call, effects) ->
            call.text("which").equals("loop")
                ? ToolResult.of(loop)
                : ToolResult.of(results.get(call.text("which"))));

    assertThat(refusal(() -> invoke(Map.of("tool", "t", "which", "object"))))
        .isEqualTo(Code.RESULT_INVALID);
    assertThat(refusal(() -> invoke(Map.of("tool", "t", "which", "large"))))
        .isEqualTo(Code.RESULT_TOO_LARGE);
    assertThat(refusal(() -> invoke(Map.of("tool", "t", "which", "loop"))))
        .isEqualTo(Code.RESULT_INVALID);
  }

  @Test
  void effects_are_bounded_by_the_grants_and_dead_after_the_call() throws Exception {
    AtomicReference<Effects> kept = new AtomicReference<>();
    install(
        (call, effects) -> {
          kept.set(effects);
          effects.writeText("a.txt", "hello");
          return ToolResult.of(Map.of("files", effects.list("")));
        },
        "filesystem");

    assertThat(invoke(Map.of("tool", "t")).result()).isEqualTo(Map.of("files", List.of("a.txt")));
    assertThatThrownBy(() -> kept.get().readText("a.txt"))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void a_tool_gets_no_more_than_its_manifest_asks_for() {
    install(
        (call, effects) -> {
          effects.writeText("a.txt", "hello");
          return ToolResult.of(Map.of());
        });

    assertThatThrownBy(() -> invoke(Map.of("tool", "t"))).hasMessageContaining("not_permitted");
  }

  private void installSearching(String... needs) {
    install(
        (call, effects) ->
            ToolResult.of(Map.of("title", effects.search(new Search("q", 1, null)).get(0).title())),
        needs);
  }

  @Test
  void a_search_takes_the_network_grant_and_reaches_the_documents() throws Exception {
    installSearching();
    documents = query -> List.of(new Found("about " + query.text(), "a.md", ""));
    assertThatThrownBy(() -> invoke(Map.of("tool", "t"))).hasMessageContaining("not_permitted");

    installSearching("network");
    assertThat(invoke(Map.of("tool", "t")).result()).isEqualTo(Map.of("title", "about q"));
  }

  @Test
  void documents_that_are_away_or_broken_are_a_failure_that_a_tool_can_act_on() {
    installSearching("network");
    assertThatThrownBy(() -> invoke(Map.of("tool", "t")))
        .hasMessageContaining("upstream_unavailable");

    documents =
        query -> {
          throw new Refused(Code.UPSTREAM_UNAVAILABLE, "cannot be read");
        };
    assertThatThrownBy(() -> invoke(Map.of("tool", "t"))).hasMessageContaining("cannot be read");
  }

  @Test
  void a_tool_sees_the_settings_that_are_its_own() throws Exception {
    Files.writeString(
        folder.resolve("tools.yaml"),
        "apiVersion: aion.os/v1\nkind: ToolSettings\ntools: { t: { a: 1 }, other: { b: 2 } }\n");
    settings.reload();
    install((call, effects) -> ToolResult.of(effects.settings()));

    assertThat(invoke(Map.of("tool", "t")).result()).isEqualTo(Map.of("a", 1));
  }

  @Test
  void a_tool_runs_no_more_calls_at_once_than_its_manifest_says() throws Exception {
    AtomicReference<Code> inner = new AtomicReference<>();
    install(
        (call, effects) -> {
          inner.set(refusal(() -> invoke(Map.of("tool", "t"))));
          return ToolResult.of(Map.of());
        });

    invoke(Map.of("tool", "t"));

    assertThat(inner).hasValue(Code.TOOL_BUSY);
  }

  @Test
  void the_context_class_loader_is_the_tools_own_and_is_given_back() throws Exception {
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    AtomicReference<ClassLoader> inside = new AtomicReference<>();
    Tool tool =
        (call, effects) -> {
          inside.set(Thread.currentThread().getContextClassLoader());
          return ToolResult.of(Map.of());
        };
    install(tool);

    invoke(Map.of("tool", "t"));

    assertThat(inside.get()).isSameAs(tool.getClass().getClassLoader());
    assertThat(Thread.currentThread().getContextClassLoader()).isSameAs(before);
  }

  @Test
  void passes_on_what_a_tool_says_before_its_end_and_no_more_than_is_admitted() throws Exception {
    Map<String, Object> part = new HashMap<>(Map.of("n", 1));
    install(
        (call, effects) -> {
          effects.progress(null, "x".repeat(499) + "\ud83d\ude00");
          effects.partial(part);
          part.put("n", 2);
          for (double no : new double[] {-0.1, 1.1, Double.NaN}) {
            assertThatThrownBy(() -> effects.progress(no, "")).hasMessageContaining("from 0 to 1");
          }
          assertThatThrownBy(() -> effects.partial(Map.of("text", "x".repeat(70_000))))
              .isInstanceOfSatisfying(
                  ToolFailure.class,
                  failure -> assertThat(failure.code()).isEqualTo(ToolFailure.Code.TOO_LARGE));
          assertThatThrownBy(() -> effects.partial(Map.of("thing", new Object())))
              .isInstanceOfSatisfying(
                  ToolFailure.class,
                  failure -> assertThat(failure.code()).isEqualTo(ToolFailure.Code.BAD_ARGUMENT));
          return ToolResult.of(Map.of());
        });

    invoke(Map.of("tool", "t"));

    assertThat(said)
        .containsExactly(
            new Interim.Progress(null, "x".repeat(499)), new Interim.Partial(Map.of("n", 1)));
  }

  @Test
  void a_version_on_trial_is_told_how_its_calls_end_and_nothing_that_callers_do() throws Exception {
    List<String> deviations = new ArrayList<>();
    ToolCatalog.Trial trial = tools.trial("t", "1.2.0", 99, deviations::add);
    AtomicReference<Tool> does = new AtomicReference<>();
    install((call, effects) -> does.get().invoke(call, effects));

    does.set(
        (call, effects) -> {
          nanos.addAndGet(7_000_000);
          return ToolResult.of(Map.of());
        });
    invoke(Map.of("tool", "t"));
    assertThat(trial.onTrial()).isEqualTo(new ToolCanaries.Figures(1, 0, 7));

    does.set(
        (call, effects) -> {
          throw new ToolFailure(ToolFailure.Code.NOT_FOUND, "no such page");
        });
    refusal(() -> invoke(Map.of("tool", "t")));
    assertThat(trial.onTrial().failedPercent()).isZero();

    does.set(
        (call, effects) -> {
          throw new InterruptedException();
        });
    org.assertj.core.api.Assertions.catchThrowable(() -> invoke(Map.of("tool", "t")));
    assertThat(trial.onTrial().calls()).as("a cancelled call does not count").isEqualTo(2);

    does.set(
        (call, effects) -> {
          nanos.addAndGet(1_000_000_000);
          throw new InterruptedException();
        });
    org.assertj.core.api.Assertions.catchThrowable(() -> invoke(Map.of("tool", "t")));
    assertThat(trial.onTrial().calls()).as("a timeout does").isEqualTo(3);

    does.set(
        (call, effects) -> {
          throw new IllegalStateException("broken");
        });
    for (int i = 0; i < 4; i++) {
      refusal(() -> invoke(Map.of("tool", "t@1.2.0")));
      assertThat(deviations).as("who names a version is not part of the trial").isEmpty();
    }
    for (int i = 0; i < 4; i++) {
      refusal(() -> invoke(Map.of("tool", "t")));
    }
    assertThat(deviations).containsExactly("its last 5 calls failed");
    assertThat(trial.others()).isEqualTo(ToolCanaries.Figures.NONE);
  }

  @Test
  void asks_a_person_before_a_tool_that_wants_one_and_runs_it_once_for_each_approval()
      throws Exception {
    AtomicInteger ran = new AtomicInteger();
    install((call, effects) -> ToolResult.of(Map.of("ran", ran.incrementAndGet())));
    kernel.toolWantsPerson = true;

    assertThat(refusal(() -> invoke(Map.of("tool", "t")))).isEqualTo(Code.APPROVAL_REQUIRED);
    approvals.approved.add("t@1.2.0 test:t");
    invoke(Map.of("tool", "t"));

    assertThat(refusal(() -> invoke(Map.of("tool", "t")))).isEqualTo(Code.APPROVAL_REQUIRED);
    assertThat(ran).hasValue(1);
  }

  @Test
  void charges_the_price_that_the_operator_has_set() throws Exception {
    Files.writeString(
        folder.resolve("tools.yaml"),
        """
        apiVersion: aion.os/v1
        kind: ToolSettings
        tools: { t: { price_usd: 0.002 } }
        """);
    settings.reload();
    install((call, effects) -> ToolResult.of(Map.of()));

    assertThat(invoke(Map.of("tool", "t")).spent().costUsd()).isEqualByComparingTo("0.002");
    assertThat(calls().atMost(FakeKernel.call("tool.invoke", Map.of("tool", "t@1.2.0"))).costUsd())
        .isEqualByComparingTo("0.002");
    assertThat(calls().atMost(FakeKernel.call("tool.invoke", Map.of("tool", 7))).costUsd())
        .isZero();
  }
}
