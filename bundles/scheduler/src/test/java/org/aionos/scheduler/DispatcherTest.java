package org.aionos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.Scheduler.Accepted;
import org.aionos.kernel.task.Scheduler.Submission;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore.Filter;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.TaskStore.Row;
import org.aionos.kernel.task.Tier;
import org.aionos.scheduler.FakeLauncher.FakeAgent;
import org.aionos.scheduler.FakeLauncher.FakeDoors;
import org.aionos.scheduler.FaultyTasks.Fault;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class DispatcherTest {

  @TempDir Path folder;
  private World world;

  @BeforeEach
  void begin() {
    world = new World(folder);
  }

  @AfterEach
  void end() {
    world.close();
  }

  private static Code refusal(Runnable call) {
    Refused refused = catchThrowableOfType(Refused.class, call::run);
    return refused == null ? Code.OK : refused.problem().code();
  }

  private static Outcome failure(Code code) {
    return Outcome.failed(Problem.of(code, "no"));
  }

  private Submission with(
      String id,
      Map<String, @Nullable Object> quota,
      Map<String, @Nullable Object> retry,
      @Nullable Long deadline) {
    return new Submission(
        id, World.AGENT, "syscall:tool.invoke", null, quota, retry, Map.of("n", 1), deadline);
  }

  // --- submit ---------------------------------------------------------------------------------

  @Test
  void a_call_is_carried_out_and_its_result_is_the_tasks() {
    world.start();

    Key key = world.call("t1", Map.of("n", 7));

    world.awaitState(key, TaskState.SUCCEEDED);
    assertThat(World.at(world.task(key), "result", "echo", "n")).isEqualTo(7);
    assertThat(World.at(world.task(key), "usage", "calls")).isEqualTo(1L);
    assertThat(world.journal.kinds())
        .containsExactly("task.submitted", "task.started", "task.succeeded");
  }

  @Test
  void the_same_submission_is_the_same_task_also_once_it_has_ended_or_its_deadline_passed() {
    world.start();
    long deadline = world.clock.millis() + 60_000;
    Submission same = with("t1", Map.of(), Map.of(), deadline);
    Key key = world.submit(same);
    world.awaitState(key, TaskState.SUCCEEDED);
    world.advance(Duration.ofMinutes(2));

    Accepted again = world.scheduler.submit(same, World.SECRET);

    assertThat(again.created()).isFalse();
    assertThat(again.task().state()).isEqualTo(TaskState.SUCCEEDED);
    assertThat(world.router.carriedOut).hasSize(1);
  }

  @Test
  void another_submission_of_an_id_is_a_conflict() {
    world.start();
    world.call("t1", Map.of("n", 1));

    assertThat(refusal(() -> world.call("t1", Map.of("n", 2)))).isEqualTo(Code.CONFLICT);
    assertThat(refusal(() -> world.submit(with("t1", Map.of("calls_max", 3), Map.of(), null))))
        .isEqualTo(Code.CONFLICT);
  }

  @Test
  void an_agent_that_is_not_registered_gets_nothing_done() {
    world.start();
    AgentId nobody = new AgentId("acme", "nobody");
    Submission asked =
        new Submission("t", nobody, "syscall:a.b", null, Map.of(), Map.of(), Map.of(), null);

    assertThat(refusal(() -> world.submit(asked))).isEqualTo(Code.UNKNOWN_AGENT);
    assertThat(refusal(() -> world.scheduler.submit(asked, Caller.tenantSecret("other", true))))
        .isEqualTo(Code.NOT_YOUR_AGENT);
  }

  @Test
  void a_queue_that_is_full_takes_no_more_until_one_has_ended() {
    world.settings("slots: 1\nlimits: {tenant_queued_max: 2}\n").start();
    CountDownLatch release = world.router.hold("a");
    Key a = world.workflow("a", 5, "a");
    world.awaitState(a, TaskState.RUNNING);
    world.call("b", Map.of());
    assertThat(refusal(() -> world.call("c", Map.of()))).isEqualTo(Code.QUEUE_FULL);

    release.countDown();
    world.awaitState(a, TaskState.SUCCEEDED);
    world.awaitState(new Key("acme", "b"), TaskState.SUCCEEDED);

    assertThat(refusal(() -> world.call("c", Map.of()))).isEqualTo(Code.OK);
  }

  @Test
  void what_cannot_be_put_on_record_is_not_done() {
    world.start();
    world.journal.away = true;

    assertThat(refusal(() -> world.call("t1", Map.of()))).isEqualTo(Code.JOURNAL_UNAVAILABLE);

    assertThat(world.scheduler.find(new Key("acme", "t1"))).isEmpty();
  }

  // --- attempts -------------------------------------------------------------------------------

  @Test
  void a_failure_that_may_pass_is_tried_again_after_a_longer_and_longer_while() {
    AtomicInteger tries = new AtomicInteger();
    world.router.handler =
        syscall ->
            tries.incrementAndGet() < 3
                ? failure(Code.UPSTREAM_UNAVAILABLE)
                : Outcome.Ok.ofKernel("x", Map.of());
    world.start();
    Key key = world.call("t1", Map.of("n", 1));
    Poll.until("the first try", () -> world.work(key).progress().notBeforeMillis > 0);
    assertThat(world.work(key).progress().notBeforeMillis).isEqualTo(world.clock.millis() + 1_000);

    world.advance(Duration.ofMillis(999));
    assertThat(tries).hasValue(1);
    world.advance(Duration.ofMillis(1));
    Poll.until("the second try", () -> world.work(key).progress().attempt == 2);
    world.awaitState(key, TaskState.QUEUED);
    assertThat(world.work(key).progress().notBeforeMillis).isEqualTo(world.clock.millis() + 2_000);
    world.advance(Duration.ofSeconds(2));

    world.awaitState(key, TaskState.SUCCEEDED);
    assertThat(world.work(key).progress().attempt).isEqualTo(3);
  }

  @Test
  void after_its_last_attempt_a_task_is_a_dead_letter_until_a_person_replays_it() {
    world.router.handler = syscall -> failure(Code.TIMED_OUT);
    world.start();
    Key key = world.submit(with("t1", Map.of(), Map.of("attempts_max", 2, "backoff_ms", 0), null));
    world.awaitState(key, TaskState.FAILED);
    assertThat(world.router.carriedOut).hasSize(2);
    assertThat(world.code(key)).isEqualTo(Code.TIMED_OUT);

    world.router.handler = syscall -> Outcome.Ok.ofKernel("x", Map.of("done", true));
    world.scheduler.replay(key, "olga");

    world.awaitState(key, TaskState.SUCCEEDED);
    assertThat(world.task(key).values()).doesNotContainKey("error");
    assertThat(refusal(() -> world.scheduler.replay(key, "olga"))).isEqualTo(Code.CONFLICT);
  }

  @Test
  void a_failure_for_ever_is_not_tried_again() {
    world.router.handler = syscall -> failure(Code.TOOL_FAULT);
    world.start();
    Key key = world.call("t1", Map.of("n", 1));

    world.awaitState(key, TaskState.FAILED);

    assertThat(world.router.carriedOut).hasSize(1);
  }

  @Test
  void a_retry_makes_only_those_steps_again_that_had_not_ended_well() {
    AtomicInteger tries = new AtomicInteger();
    world.router.handler =
        syscall ->
            syscall.params().get("n").equals("b") && tries.incrementAndGet() == 1
                ? failure(Code.UPSTREAM_UNAVAILABLE)
                : Outcome.Ok.ofKernel("x", Map.of());
    world.start();
    Key key = world.workflow("t1", 5, "a", "b", "c");
    world.awaitState(key, TaskState.QUEUED);
    Poll.until("the first try", () -> world.work(key).progress().notBeforeMillis > 0);
    world.advance(Duration.ofSeconds(2));

    world.awaitState(key, TaskState.SUCCEEDED);

    assertThat(world.router.done("n")).containsExactly("a", "b", "b", "c");
  }

  @Test
  void a_part_that_is_being_replaced_costs_no_attempt() {
    world.router.handler = syscall -> failure(Code.RESTARTING);
    world.start();
    Key key = world.call("t1", Map.of("n", 1));
    for (int i = 0; i < 5; i++) {
      world.awaitState(key, TaskState.PREEMPTED);
      int starts = world.work(key).progress().starts;
      world.advance(Duration.ofSeconds(1));
      Poll.until("another start", () -> world.work(key).progress().starts > starts);
    }
    world.router.handler = syscall -> Outcome.Ok.ofKernel("x", Map.of());
    world.awaitState(key, TaskState.PREEMPTED);
    world.advance(Duration.ofSeconds(1));

    world.awaitState(key, TaskState.SUCCEEDED);
    assertThat(world.work(key).progress().attempt).isEqualTo(1);
  }

  @Test
  void results_that_are_nested_deep_can_be_read_again_and_hide_no_others() {
    Object deep = "end";
    for (int i = 0; i < 62; i++) {
      deep = List.of(deep);
    }
    Object result = deep;
    world.router.handler = syscall -> Outcome.Ok.ofKernel("x", Map.of("value", result));
    world.start();
    Key key = world.workflow("deep", 5, 1, 2);
    world.awaitState(key, TaskState.SUCCEEDED);

    assertThat(World.at(world.task(key), "result", "steps", "s1", "value")).isEqualTo(result);
    assertThat(world.scheduler.list(new Filter(null, null, null, null), null, 10).tasks())
        .hasSize(1);
  }

  // --- cancel ---------------------------------------------------------------------------------

  @Test
  void a_waiting_task_is_cancelled_and_never_runs() {
    world.settings("slots: 1\n").start();
    CountDownLatch release = world.router.hold("a");
    Key a = world.workflow("a", 5, "a");
    world.awaitState(a, TaskState.RUNNING);
    Key b = world.call("b", Map.of("n", "b"));

    assertThat(world.scheduler.cancel(b, false, "olga").state()).isEqualTo(TaskState.CANCELLED);
    release.countDown();
    world.awaitState(a, TaskState.SUCCEEDED);

    assertThat(world.router.done("n")).containsExactly("a");
    assertThat(world.code(b)).isEqualTo(Code.CANCELLED);
    assertThat(refusal(() -> world.scheduler.cancel(new Key("acme", "no"), false, "olga")))
        .isEqualTo(Code.NOT_FOUND);
  }

  @Test
  void a_call_in_flight_is_cancelled_with_its_task() {
    world.start();
    world.router.hold("a");
    Key key = world.workflow("t", 5, "a", "b");
    Poll.until("the call", world.router::isRunning);

    world.scheduler.cancel(key, false, "olga");

    world.awaitState(key, TaskState.CANCELLED);
    assertThat(world.router.done("n")).containsExactly("a");
  }

  @Test
  void an_agent_that_is_cancelled_gets_time_unless_it_is_to_end_at_once() {
    world.start();
    world.approve();
    Key patient = world.launch("patient", 5);
    world.awaitAgents(1);
    Key hasty = world.launch("hasty", 5);
    world.awaitAgents(2);

    world.scheduler.cancel(patient, false, "olga");
    world.scheduler.cancel(hasty, true, "olga");

    world.awaitState(hasty, TaskState.CANCELLED);
    FakeAgent first = world.launcher.agents.get(0);
    assertThat(first.stopped).isTrue();
    assertThat(first.gone).isFalse();
    assertThat(world.work(patient).state()).isEqualTo(TaskState.RUNNING);
    first.exit(0);
    world.awaitState(patient, TaskState.CANCELLED);
  }

  @Test
  void a_frozen_agent_is_cancelled_too() {
    world.settings("slots: 1\nminimum_runtime_ms: 0\n").start();
    world.approve();
    Key low = world.launch("low", 1);
    world.awaitAgents(1);
    world.launch("high", 9);
    world.awaitState(low, TaskState.PREEMPTED);

    world.scheduler.cancel(low, false, "olga");

    Poll.until("it is asked to end", () -> world.launcher.agents.get(0).stopped);
    world.launcher.agents.get(0).exit(0);
    world.awaitState(low, TaskState.CANCELLED);
  }

  @Test
  void a_task_that_is_cancelled_while_it_starts_does_not_run_on() {
    for (int i = 0; i < 50; i++) {
      World each = new World(folder.resolve("w" + i)).start();
      Key key = each.call("t", Map.of("n", 1));
      each.wake();
      each.scheduler.cancel(key, false, "olga");
      Poll.until("its end", () -> each.work(key).state().isEnded());
      each.close();
    }
  }

  // --- time -----------------------------------------------------------------------------------

  @Test
  void a_task_that_waits_beyond_its_deadline_fails() {
    world.ready = false;
    world.start();
    Key key = world.submit(with("t", Map.of(), Map.of(), world.clock.millis() + 5_000));
    Poll.until("it is known", () -> world.tasks.find(key).orElseThrow().node() != null);
    world.advance(Duration.ofSeconds(5));

    world.awaitState(key, TaskState.FAILED);

    assertThat(world.code(key)).isEqualTo(Code.TIMED_OUT);
  }

  @Test
  void a_deadline_is_kept_though_the_store_was_away_when_it_passed() {
    world.ready = false;
    world.start();
    Key key = world.submit(with("t", Map.of(), Map.of(), world.clock.millis() + 5_000));
    Poll.until("it is known", () -> world.tasks.find(key).orElseThrow().node() != null);
    world.store.fail("find", 1, Fault.BEFORE);
    world.advance(Duration.ofSeconds(5));
    Poll.until(
        "it is taken up again",
        () -> {
          world.advance(Duration.ofMillis(300));
          return world.work(key).state() == TaskState.FAILED;
        });
  }

  @Test
  void a_task_that_runs_beyond_its_deadline_is_ended_and_not_tried_again() {
    world.start();
    world.router.hold("a");
    Submission asked =
        new Submission(
            "t",
            World.AGENT,
            "syscall:tool.invoke",
            null,
            Map.of(),
            Map.of(),
            Map.of("hold", "a"),
            world.clock.millis() + 5_000);
    Key key = world.submit(asked);
    Poll.until("the call", world.router::isRunning);
    world.advance(Duration.ofSeconds(5));

    world.awaitState(key, TaskState.FAILED);

    assertThat(world.code(key)).isEqualTo(Code.TIMED_OUT);
    assertThat(world.router.carriedOut).hasSize(1);
  }

  @Test
  void a_task_runs_no_longer_than_its_quota_and_is_not_tried_again() {
    world.start();
    world.approve();
    Key key =
        world.submit(
            new Submission(
                "t",
                World.AGENT,
                "agent:worker",
                5,
                Map.of("time_ms_max", 10_000),
                Map.of(),
                Map.of(),
                null));
    world.awaitAgents(1);
    world.advance(Duration.ofMillis(10_500));

    world.awaitState(key, TaskState.FAILED);

    assertThat(world.code(key)).isEqualTo(Code.BUDGET_EXHAUSTED);
    assertThat(world.launcher.agents).hasSize(1);
  }

  @Test
  void an_attempt_runs_no_longer_than_its_agents_timeout_and_frozen_time_does_not_count() {
    world.agent(World.AGENT, Map.of("timeout_ms", 10_000));
    world.settings("slots: 1\nminimum_runtime_ms: 0\nretry: {attempts_max: 2, backoff_ms: 0}\n");
    world.start();
    world.approve();
    Key key = world.launch("t", 1);
    world.awaitAgents(1);
    world.advance(Duration.ofSeconds(9));
    world.launcher.last().exit(1);
    world.awaitAgents(2);
    world.advance(Duration.ofSeconds(2));
    Key high = world.workflow("high", 9, "quick", "held");
    world.awaitState(high, TaskState.SUCCEEDED);

    world.awaitState(key, TaskState.RUNNING);

    // Frozen for long; and the attempt before does not count.
    // By a call, which makes no room for others before it has ended.
    CountDownLatch release = world.router.hold("x");
    Key other = world.call("other", Map.of("n", "x", "hold", "x"));
    world.awaitState(key, TaskState.PREEMPTED);
    world.advance(Duration.ofMinutes(1));
    release.countDown();
    world.awaitState(other, TaskState.SUCCEEDED);
    world.awaitState(key, TaskState.RUNNING);
    world.advance(Duration.ofSeconds(7));
    assertThat(world.launcher.last().gone).isFalse();

    world.advance(Duration.ofSeconds(2));
    world.awaitState(key, TaskState.FAILED);
    assertThat(world.code(key)).isEqualTo(Code.TIMED_OUT);
  }

  @Test
  void a_clock_that_is_set_back_does_not_stop_the_scheduler() {
    world.start();
    world.advance(Duration.ofHours(1));
    Key first = world.call("a", Map.of("n", 1));
    world.awaitState(first, TaskState.SUCCEEDED);
    world.advance(Duration.ofHours(-2));
    // Nothing wakes it: the look at the store does.
    world.tasks.add(Work.submitted(new Key("acme", "b"), World.AGENT, order()).row());
    Poll.until(
        "it is found",
        () -> world.tasks.find(new Key("acme", "b")).orElseThrow().state().isEnded());
  }

  private Order order() {
    return Submissions.order(
        with("b", Map.of(), Map.of(), null),
        world.processes.find(World.AGENT).orElseThrow(),
        world.settings.now(),
        "me",
        world.clock.millis());
  }

  // --- preemption -----------------------------------------------------------------------------

  @Test
  void a_higher_task_gets_the_slot_of_a_lower_one_which_goes_on_later() {
    world.settings("slots: 1\nminimum_runtime_ms: 0\n").start();
    world.approve();
    Key low = world.launch("low", 1);
    world.awaitAgents(1);
    FakeAgent agent = world.launcher.last();

    Key high = world.call("high", Map.of("n", 1));
    Poll.until("it is frozen or has been", () -> world.work(low).progress().preemptions == 1);
    world.awaitState(high, TaskState.SUCCEEDED);
    world.awaitState(low, TaskState.RUNNING);
    Poll.until("it is thawed", () -> !agent.frozen);
    agent.exit(0);

    world.awaitState(low, TaskState.SUCCEEDED);
    assertThat(world.launcher.agents).hasSize(1);
    assertThat(world.work(low).progress().preemptedBy).isEqualTo("acme/high");
    assertThat(world.scheduler.queues().preemptions()).isEqualTo(1);
    assertThat(world.meters.counts).containsEntry("aion_kernel_preemption_count[low]", 1L);
  }

  @Test
  void a_task_that_cannot_be_frozen_keeps_its_slot_and_the_other_waits() {
    world.settings("slots: 1\nminimum_runtime_ms: 0\n").start();
    world.approve();
    world.launcher.unfreezable = true;
    Key low = world.launch("low", 1);
    world.awaitAgents(1);
    Key high = world.launch("high", 9);
    Poll.until("it was tried", () -> world.task(high).state() == TaskState.QUEUED);
    world.launcher.last().exit(0);

    world.awaitState(low, TaskState.SUCCEEDED);
    world.awaitAgents(2);
    assertThat(world.work(low).progress().preemptions).isZero();
  }

  @Test
  void a_workflow_yields_between_two_calls_and_makes_none_of_them_twice() {
    world.settings("slots: 1\nminimum_runtime_ms: 0\n").start();
    CountDownLatch release = world.router.hold("0");
    world.router.handler =
        syscall -> {
          // Long enough for somebody else to say that it is to yield.
          if (!syscall.params().get("n").equals("high")) {
            Thread.sleep(2);
          }
          return Outcome.Ok.ofKernel("x", Map.of());
        };
    Integer[] steps = new Integer[60];
    Arrays.setAll(steps, i -> i);
    Key low = world.workflow("low", 1, (Object[]) steps);
    Poll.until("its first call", world.router::isRunning);
    Key high = world.call("high", Map.of("n", "high"));
    release.countDown();

    world.awaitState(low, TaskState.SUCCEEDED);
    world.awaitState(high, TaskState.SUCCEEDED);
    List<Object> done = world.router.done("n");
    assertThat(done.indexOf("high")).isLessThan(steps.length);
    assertThat(done.stream().filter(n -> !n.equals("high"))).containsExactly((Object[]) steps);
  }

  private Key generate(String id, int priority) {
    return world.submit(
        new Submission(
            id,
            World.AGENT,
            "syscall:model.generate",
            priority,
            Map.of(),
            Map.of(),
            Map.of("prompt", "a story"),
            null));
  }

  @Test
  void a_model_call_yields_in_its_middle_and_goes_on_from_its_text() {
    world.settings("slots: 1\nminimum_runtime_ms: 0\n").start();
    Key low = generate("low", 1);
    world.router.words.release(3);
    Poll.until("three words are written", () -> world.router.words.availablePermits() == 0);

    Key high = world.call("high", Map.of("n", "high"));
    world.awaitState(high, TaskState.SUCCEEDED);
    assertThat(world.work(low).progress().preemptions).isEqualTo(1);
    assertThat(world.work(low).progress().tokensOut).as("of the first part").isEqualTo(3);
    world.router.words.release(FakeRouter.WORDS);

    world.awaitState(low, TaskState.SUCCEEDED);
    assertThat(World.at(world.task(low), "result", "text"))
        .isEqualTo("word0 word1 word2 word3 word4 word5 word6 word7");
    assertThat(World.at(world.task(low), "usage", "tokens_out")).isEqualTo(8L);
    assertThat(World.at(world.task(low), "usage", "tokens_in")).as("sent twice").isEqualTo(20L);
    assertThat(World.at(world.task(low), "usage", "calls")).isEqualTo(1L);
    assertThat(world.work(low).progress().attempt).isEqualTo(1);
  }

  @Test
  void a_model_call_that_was_preempted_goes_on_from_its_text_in_the_next_life_of_the_kernel() {
    world.settings("slots: 1\nminimum_runtime_ms: 0\n").start();
    Key low = generate("low", 1);
    world.router.words.release(3);
    Poll.until("three words are written", () -> world.router.words.availablePermits() == 0);
    CountDownLatch release = world.router.hold("x");
    Key high = world.call("high", Map.of("n", "high", "hold", "x"));
    world.awaitState(low, TaskState.PREEMPTED);

    world.killAndStart();
    release.countDown();
    world.router.words.release(FakeRouter.WORDS - 3);

    world.awaitState(low, TaskState.SUCCEEDED);
    assertThat(World.at(world.task(low), "result", "text"))
        .isEqualTo("word0 word1 word2 word3 word4 word5 word6 word7");
    assertThat(World.at(world.task(low), "usage", "tokens_out")).isEqualTo(8L);
    assertThat(world.task(high).state().isEnded()).isTrue();
  }

  @Test
  void frozen_agents_beyond_the_limit_are_taken_away_and_begin_anew_without_an_attempt() {
    world.settings("slots: 1\nminimum_runtime_ms: 0\nlimits: {frozen_max: 0}\n").start();
    world.approve();
    Key low = world.launch("low", 1);
    world.awaitAgents(1);
    assertThat(world.callOf(low, "once").outcome().code()).isEqualTo(Code.OK);
    Key high = world.launch("high", 9);
    world.awaitAgents(2);
    assertThat(world.launcher.agents.get(0).gone).isTrue();
    world.awaitState(low, TaskState.PREEMPTED);
    world.launcher.last().exit(0);
    world.awaitState(high, TaskState.SUCCEEDED);
    world.awaitAgents(3);

    assertThat(world.callOf(low, "once").outcome().code()).isEqualTo(Code.OK);
    world.launcher.last().exit(0);
    world.awaitState(low, TaskState.SUCCEEDED);
    assertThat(world.router.done("n")).containsExactly("once");
    assertThat(world.work(low).progress().attempt).isEqualTo(1);
    assertThat(world.work(low).progress().evictions).isEqualTo(1);
    assertThat(world.work(low).progress().replayedCalls).isEqualTo(1);
  }

  @Test
  void a_call_that_outlives_its_agents_start_does_not_disturb_the_next_one() {
    world.settings("slots: 1\nminimum_runtime_ms: 0\nlimits: {frozen_max: 0}\n").start();
    world.approve();
    Key low = world.launch("low", 1);
    world.awaitAgents(1);
    CountDownLatch release = world.router.hold("slow");
    Thread late = new Thread(() -> world.callOf(low, "slow"));
    late.start();
    Poll.until("the call", world.router::isRunning);
    world.launch("high", 9);
    world.awaitAgents(2);
    world.launcher.last().exit(0);
    world.awaitAgents(3);

    Code told = world.callOf(low, "slow").outcome().code();
    release.countDown();
    Poll.until("the late call", () -> !late.isAlive());
    assertThat(world.callOf(low, "next").outcome().code()).isEqualTo(Code.OK);
    world.launcher.last().exit(null);
    world.awaitAgents(4);

    assertThat(told).isEqualTo(Code.OUTCOME_UNKNOWN);
    assertThat(world.callOf(low, "slow").outcome().code()).isEqualTo(told);
    assertThat(world.callOf(low, "next").outcome().code()).isEqualTo(Code.OK);
    assertThat(world.router.done("n")).containsExactly("slow", "next");
  }

  // --- agents ---------------------------------------------------------------------------------

  @Test
  void an_agent_that_nobody_has_vouched_for_does_not_run() {
    world.start();
    Key key = world.launch("t", 5);

    world.awaitState(key, TaskState.FAILED);

    assertThat(world.code(key)).isEqualTo(Code.APPROVAL_REQUIRED);
    assertThat(world.launcher.agents).isEmpty();
  }

  @Test
  void an_agent_that_crashes_is_started_again_and_its_calls_are_not_made_again() {
    world.settings("retry: {attempts_max: 2, backoff_ms: 0}\n").start();
    world.approve();
    Key key = world.launch("t", 5);
    world.awaitAgents(1);
    world.callOf(key, "a");
    world.launcher.last().stderr = "Traceback\nValueError: no\n";
    world.launcher.last().exit(1);
    world.awaitAgents(2);
    assertThat(world.callOf(key, "a").outcome().code()).isEqualTo(Code.OK);
    world.launcher.last().stderr = "Traceback\nValueError: no\n";
    world.launcher.last().exit(1);

    world.awaitState(key, TaskState.FAILED);
    assertThat(world.router.done("n")).containsExactly("a");
    assertThat(String.valueOf(World.at(world.task(key), "error", "message")))
        .contains("status 1", "ValueError: no");
  }

  @Test
  void an_unknown_outcome_is_not_tried_blindly_by_the_next_attempt() {
    world.settings("retry: {attempts_max: 5, backoff_ms: 0}\n").start();
    world.approve();
    Key key = world.launch("t", 5);
    world.awaitAgents(1);
    CountDownLatch release = world.router.hold("pay");
    Thread call = new Thread(() -> world.callOf(key, "pay"));
    call.start();
    Poll.until("the call", world.router::isRunning);
    world.killAndStart();
    world.awaitAgents(2);
    assertThat(world.callOf(key, "pay").outcome().code()).isEqualTo(Code.OUTCOME_UNKNOWN);
    // The agent falls over it.
    world.launcher.last().exit(1);
    world.awaitAgents(3);

    assertThat(world.callOf(key, "pay").outcome().code()).isEqualTo(Code.OUTCOME_UNKNOWN);
    assertThat(world.router.done("n")).containsExactly("pay");
    release.countDown();
  }

  @Test
  void a_service_is_started_again_when_it_ends_and_one_crash_does_not_end_it() {
    world.agent(World.AGENT, Map.of("restart", "always"));
    world.settings("retry: {attempts_max: 2, backoff_ms: 0}\n").start();
    world.approve();
    Key key = world.launch("t", 5);
    for (int i = 1; i <= 5; i++) {
      world.awaitAgents(i);
      world.callOf(key, "same");
      world.launcher.last().exit(0);
      world.awaitState(key, TaskState.QUEUED);
      world.advance(Duration.ofSeconds(1));
    }
    world.awaitAgents(6);
    world.launcher.last().exit(1);
    world.awaitAgents(7);

    assertThat(world.work(key).state()).isEqualTo(TaskState.RUNNING);
    assertThat(world.router.done("n")).hasSize(5);
    world.scheduler.cancel(key, true, "olga");
    world.awaitState(key, TaskState.CANCELLED);
  }

  @Test
  void an_agent_that_an_operator_stops_is_ended() {
    world.start();
    world.approve();
    Key key = world.launch("t", 5);
    world.awaitAgents(1);
    world.processes.put(World.AGENT, AgentProcess.State.STOPPED, Map.of("entry", "python x"));
    world.advance(Duration.ofSeconds(1));

    world.awaitState(key, TaskState.FAILED);

    assertThat(world.code(key)).isEqualTo(Code.AGENT_STOPPED);
    assertThat(world.launcher.alive()).isZero();
  }

  @Test
  void an_agent_waits_for_the_sandbox_and_the_gateway_however_long_they_are_away() {
    world.launcherThere = null;
    world.start();
    world.approve();
    Key key = world.launch("t", 5);
    for (int i = 1; i <= 30; i++) {
      world.awaitState(key, TaskState.PREEMPTED);
      int starts = world.work(key).progress().starts;
      world.advance(Duration.ofSeconds(1));
      Poll.until("another try", () -> world.work(key).progress().starts > starts);
    }
    world.launcherThere = world.launcher;
    world.awaitState(key, TaskState.PREEMPTED);
    world.advance(Duration.ofSeconds(1));
    world.awaitAgents(1);
    world.launcher.last().exit(0);

    world.awaitState(key, TaskState.SUCCEEDED);
    assertThat(world.work(key).progress().attempt).isEqualTo(1);
  }

  @Test
  void a_host_that_cannot_isolate_it_fails_the_agent_and_its_slot_is_free() {
    world.settings("slots: 1\n").start();
    world.approve();
    world.launcher.refusal = new Refused(Code.TIER_UNAVAILABLE, "no bubblewrap");
    Key key = world.launch("t", 5);
    world.awaitState(key, TaskState.FAILED);

    Key next = world.call("next", Map.of("n", 1));

    world.awaitState(next, TaskState.SUCCEEDED);
  }

  @Test
  void an_agent_gets_a_new_door_when_the_gateway_is_replaced() {
    FakeDoors first = (FakeDoors) world.doors;
    world.start();
    world.approve();
    Key key = world.launch("t", 5);
    world.awaitAgents(1);
    assertThat(first.open).containsExactly("t");

    FakeDoors second = new FakeDoors();
    world.doors = second;
    Poll.until(
        "the new door",
        () -> {
          world.wake();
          return second.open.contains("t");
        });
    world.launcher.last().exit(0);

    world.awaitState(key, TaskState.SUCCEEDED);
    assertThat(first.open).isEmpty();
    assertThat(second.open).isEmpty();
  }

  @Test
  void an_agent_that_does_not_do_what_it_did_is_ended_and_a_replay_makes_all_anew() {
    world.start();
    world.approve();
    Key key = world.launch("t", 5);
    world.awaitAgents(1);
    world.callOf(key, "a");
    world.launcher.last().exit(null);
    world.awaitAgents(2);

    assertThat(world.callOf(key, "b").outcome().code()).isEqualTo(Code.REPLAY_DIVERGED);
    world.awaitState(key, TaskState.FAILED);
    assertThat(world.code(key)).isEqualTo(Code.REPLAY_DIVERGED);
    assertThat(world.launcher.alive()).isZero();

    world.scheduler.replay(key, "olga");
    world.awaitAgents(3);
    assertThat(world.callOf(key, "b").outcome().code()).isEqualTo(Code.OK);
    world.launcher.last().exit(0);
    world.awaitState(key, TaskState.SUCCEEDED);
  }

  // --- the kernel dies, or stops --------------------------------------------------------------

  @Test
  void what_ran_when_the_kernel_died_goes_on_in_the_next_one_as_the_same_attempt() {
    world.start();
    CountDownLatch release = world.router.hold("b");
    Key key = world.workflow("t", 5, "a", "b", "c");
    Poll.until("its second call", () -> world.router.done("n").size() == 2);
    Key waiting = world.submit(with("later", Map.of(), Map.of(), null));
    world.awaitState(waiting, TaskState.SUCCEEDED);
    world.killAndStart();
    release.countDown();

    // The tool does not say that it may be called twice.
    world.awaitState(key, TaskState.FAILED);
    assertThat(world.code(key)).isEqualTo(Code.OUTCOME_UNKNOWN);
    assertThat(world.work(key).progress().attempt).isEqualTo(1);
    assertThat(world.work(key).progress().starts).isEqualTo(2);
    assertThat(world.router.done("n")).containsExactly("a", "b", 1);
    assertThat(world.journal.kinds()).contains("task.interrupted");
  }

  @ParameterizedTest
  @CsvSource({"99, SUCCEEDED", "100, FAILED"})
  void a_task_whose_every_start_ends_the_kernel_does_not_do_so_for_ever(
      int crashes, TaskState becomes) {
    world.settings = new SettingsFile(folder);
    Work waiting = Work.submitted(new Key("acme", "t"), World.AGENT, order());
    world.settings.close();
    world.tasks.add(waiting.row());
    Row running = waiting.with(TaskState.RUNNING, progress -> progress.crashes = crashes).row();
    world.tasks.replace(
        new Row(
            running.key(),
            running.agent(),
            running.tier(),
            running.state(),
            running.submittedMillis(),
            running.revision(),
            "dead",
            running.document()));
    world.start();

    world.awaitState(waiting.key(), becomes);

    assertThat(world.work(waiting.key()).progress().evictions).isEqualTo(1);
  }

  @Test
  void a_scheduler_that_stops_takes_away_what_runs_and_the_next_one_goes_on() {
    world.start();
    world.approve();
    Key agent = world.launch("agent", 5);
    world.awaitAgents(1);
    world.callOf(agent, "x");
    CountDownLatch release = world.router.hold("a");
    Key workflow = world.workflow("flow", 5, "a", "b");
    Poll.until("its call", world.router::isRunning);
    Thread closing = new Thread(world.scheduler::close);
    closing.start();
    world.awaitState(agent, TaskState.PREEMPTED);
    release.countDown();
    Poll.until("closed", () -> !closing.isAlive());

    assertThat(world.work(workflow).state()).isEqualTo(TaskState.PREEMPTED);
    assertThat(refusal(() -> world.call("no", Map.of()))).isEqualTo(Code.RESTARTING);
    assertThat(world.launcher.alive()).isZero();
    world.clock.advance(Duration.ofMinutes(1));
    world.start();
    world.awaitState(workflow, TaskState.SUCCEEDED);
    world.awaitAgents(2);
    assertThat(world.callOf(agent, "x").outcome().code()).isEqualTo(Code.OK);
    world.launcher.last().exit(0);
    world.awaitState(agent, TaskState.SUCCEEDED);
    assertThat(world.router.done("n")).containsExactly("x", "a", "b");
    assertThat(world.work(agent).progress().attempt).isEqualTo(1);
  }

  @Test
  void a_stop_breaks_off_a_call_that_does_not_end_and_costs_the_task_no_attempt() {
    world.settings("retry: {attempts_max: 1}\n").start();
    world.router.hold("a");
    Key key = world.workflow("flow", 5, "a");
    Poll.until("its call", world.router::isRunning);

    world.scheduler.close();

    Poll.until("taken away", () -> world.work(key).state() == TaskState.PREEMPTED);
  }

  // --- a store that comes and goes ------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(strings = {"find", "replace", "claim", "append", "log", "renew", "cut"})
  void nothing_is_lost_nor_done_twice_when_one_call_of_the_store_fails(String method) {
    for (Fault fault : List.of(Fault.BEFORE, Fault.AFTER)) {
      for (int nth = 1; nth <= 6; nth++) {
        oneFault(method, fault, nth);
      }
    }
  }

  private void oneFault(String method, Fault fault, int nth) {
    World each = new World(folder.resolve(method + fault + nth));
    each.settings("slots: 1\nretry: {attempts_max: 5, backoff_ms: 0}\n");
    AtomicInteger failing = new AtomicInteger();
    each.router.handler =
        syscall ->
            syscall.params().get("n").equals("b") && failing.incrementAndGet() == 1
                ? failure(Code.UPSTREAM_UNAVAILABLE)
                : Outcome.Ok.ofKernel("x", Map.of());
    each.start();
    AtomicInteger left = new AtomicInteger(nth);
    // From now on: what is asked for here is refused, and asked for again, by whoever asks.
    Key key = each.workflow("t", 5, "a", "b", "c");
    each.store.faults =
        called -> called.equals(method) && left.decrementAndGet() == 0 ? fault : Fault.NONE;
    Poll.until(
        () -> method + " " + fault + " " + nth + ": " + each.work(key),
        () -> {
          each.advance(Duration.ofMillis(300));
          return each.work(key).state().isEnded();
        });
    List<Object> done = each.router.done("n");
    boolean unsure = method.equals("append");
    if (each.work(key).state() == TaskState.SUCCEEDED) {
      assertThat(done).as(method + fault + nth).containsSubsequence("a", "b", "b", "c");
    } else {
      assertThat(unsure).as(method + fault + nth + each.work(key)).isTrue();
    }
    // One that failed for the store may be made again; others are made once.
    assertThat(done).as(method + fault + nth).hasSizeLessThanOrEqualTo(unsure ? 5 : 4);
    each.store.faults = called -> Fault.NONE;
    // The slot is free.
    Key next = each.call("next", Map.of("n", "next"));
    Poll.until(
        () -> "the slot is not free: " + method + fault + nth,
        () -> {
          each.advance(Duration.ofMillis(300));
          return each.work(next).state() == TaskState.SUCCEEDED;
        });
    each.close();
  }

  @Test
  void a_refused_start_that_cannot_be_kept_is_kept_later_and_its_slot_is_free() {
    world.settings("slots: 1\n").start();
    world.approve();
    world.launcher.refusal = new Refused(Code.TIER_UNAVAILABLE, "no bubblewrap");
    AtomicInteger replaces = new AtomicInteger();
    world.store.faults =
        method ->
            method.equals("replace") && replaces.incrementAndGet() == 2 ? Fault.BEFORE : Fault.NONE;
    Key key = world.launch("t", 5);
    Poll.until(
        "its end",
        () -> {
          world.advance(Duration.ofMillis(300));
          return world.work(key).state() == TaskState.FAILED;
        });

    world.awaitState(world.call("next", Map.of("n", 1)), TaskState.SUCCEEDED);
  }

  @Test
  void tasks_that_were_claimed_when_the_store_went_away_are_not_forgotten() {
    world.ready = false;
    world.start();
    List<Key> keys = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      Key key = world.call("t" + i, Map.of("n", i));
      Poll.until("claimed", () -> world.tasks.find(key).orElseThrow().node() != null);
      Work work = world.work(key);
      // As if it had run.
      world.tasks.replace(work.with(TaskState.RUNNING, progress -> progress.starts = 1).row());
      keys.add(key);
    }
    world.store.cutOff();
    world.clock.advance(Duration.ofMinutes(1));
    World next = world;
    next.ready = true;
    next.start();
    next.store.fail("replace", 2, Fault.BEFORE);
    for (Key key : keys) {
      Poll.until(
          () -> key + " is lost: " + next.work(key),
          () -> {
            next.advance(Duration.ofMillis(300));
            return next.work(key).state() == TaskState.SUCCEEDED;
          });
    }
  }

  @Test
  void a_task_that_another_node_has_taken_is_let_go() {
    world.start();
    world.approve();
    Key key = world.launch("t", 5);
    world.awaitAgents(1);
    FakeAgent ours = world.launcher.last();
    // We were silent for too long.
    FaultyTasks cut = world.store;
    cut.cutOff();
    world.clock.advance(Duration.ofMinutes(1));
    assertThat(world.tasks.claim("other", 10)).hasSize(1);
    cut.faults = method -> Fault.NONE;
    assertThat(world.callOf(key, "x").outcome().code()).isEqualTo(Code.CONFLICT);
    assertThat(world.router.carriedOut).isEmpty();
    Key high = world.call("high", Map.of("n", 1));
    ours.exit(0);
    world.awaitState(high, TaskState.SUCCEEDED);

    Poll.until("let go", () -> world.scheduler.processes(null).isEmpty());
    assertThat(world.work(key).node()).isEqualTo("other");
    assertThat(world.work(key).state()).isEqualTo(TaskState.RUNNING);
  }

  @ParameterizedTest
  @EnumSource(Tier.class)
  void what_is_asked_while_the_store_is_away_is_refused_and_not_done(Tier tier) {
    world.start();
    Key key =
        world.submit(
            World.submission(
                "t",
                "workflow",
                Map.of("steps", List.of(Map.of("id", "a", "syscall", "x.y"))),
                tier.priority()));
    world.awaitState(key, TaskState.SUCCEEDED);
    world.store.cutOff();

    assertThat(refusal(() -> world.call("u", Map.of()))).isEqualTo(Code.BACKEND_UNAVAILABLE);
    assertThat(refusal(() -> world.scheduler.find(key))).isEqualTo(Code.BACKEND_UNAVAILABLE);
    assertThat(refusal(() -> world.scheduler.cancel(key, false, "olga")))
        .isEqualTo(Code.BACKEND_UNAVAILABLE);
    assertThat(refusal(() -> world.scheduler.replay(key, "olga")))
        .isEqualTo(Code.BACKEND_UNAVAILABLE);
    assertThat(refusal(() -> world.scheduler.explain(key))).isEqualTo(Code.BACKEND_UNAVAILABLE);
    assertThat(refusal(() -> world.scheduler.queues())).isEqualTo(Code.BACKEND_UNAVAILABLE);
    assertThat(world.tasks.find(new Key("acme", "u"))).isEmpty();
  }

  @Test
  void a_damaged_log_fails_its_task_and_a_damaged_row_hides_no_others() {
    world.ready = false;
    world.settings("slots: 1\n").start();
    Key key = world.call("t", Map.of("n", 1));
    Poll.until("claimed", () -> world.tasks.find(key).orElseThrow().node() != null);
    world.tasks.append(key, "node-0", "nonsense".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    world.tasks.add(
        new Row(
            new Key("acme", "bad"),
            "worker",
            Tier.HIGH,
            TaskState.QUEUED,
            1,
            1,
            null,
            new byte[] {1}));
    world.ready = true;
    world.advance(Duration.ofSeconds(1));

    world.awaitState(key, TaskState.FAILED);

    assertThat(world.code(key)).isEqualTo(Code.KERNEL_FAULT);
    world.awaitState(world.call("next", Map.of("n", 1)), TaskState.SUCCEEDED);
    assertThat(world.scheduler.list(new Filter(null, null, null, null), null, 10).tasks())
        .hasSize(2);
  }

  // --- the rest -------------------------------------------------------------------------------

  @Test
  void tasks_that_ended_long_ago_are_taken_away() {
    world.settings("limits: {kept_s: 60}\n").start();
    Key old = world.call("old", Map.of("n", 1));
    world.awaitState(old, TaskState.SUCCEEDED);
    world.advance(Duration.ofSeconds(61));
    Key young = world.call("young", Map.of("n", 1));
    world.awaitState(young, TaskState.SUCCEEDED);

    world.scheduler.sweep();

    assertThat(world.scheduler.find(old)).isEmpty();
    assertThat(world.scheduler.find(young)).isPresent();
  }

  @Test
  void a_change_of_slots_takes_effect_at_once() {
    world.settings("slots: 1\n").start();
    CountDownLatch release = world.router.hold("a");
    Key first = world.workflow("first", 5, "a");
    world.awaitState(first, TaskState.RUNNING);
    Key second = world.call("second", Map.of("n", 1));
    assertThat(world.scheduler.explain(second).summary()).isNotEmpty();

    world.settings("slots: 2\n");

    world.awaitState(second, TaskState.SUCCEEDED);
    release.countDown();
  }

  @Test
  void only_an_operator_approves_a_program_and_only_as_it_is() {
    world.start();
    assertThat(refusal(() -> world.scheduler.approveEntry(World.AGENT, "00", World.SECRET)))
        .isEqualTo(Code.ROLE_REQUIRED);
    assertThat(refusal(() -> world.scheduler.approveEntry(World.AGENT, "00", World.OPERATOR)))
        .isEqualTo(Code.CONFLICT);
    assertThatThrownBy(
            () -> world.scheduler.approveEntry(new AgentId("acme", "nobody"), "00", World.OPERATOR))
        .hasMessageContaining("NOT_FOUND");
  }

  @Test
  void calls_in_a_task_that_does_not_run_here_are_refused() {
    world.start();

    assertThat(world.callOf(new Key("acme", "none"), "x").outcome().code())
        .isEqualTo(Code.CONFLICT);
    assertThat(new HashMap<>(world.meters.counts)).doesNotContainKey("x");
  }
}
