package org.aionos.router;

import static org.aionos.router.FakeKernel.AGENT;
import static org.aionos.router.FakeKernel.call;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.aionos.kernel.Admitted;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.CallListener;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Interim;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Reply;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.SyscallHandler;
import org.aionos.kernel.Underway;
import org.aionos.kernel.task.Budgets;
import org.aionos.kernel.task.TaskCalls;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RouterTest {

  @TempDir Path folder;
  @TempDir Path crashed;

  private final FakeKernel kernel = new FakeKernel();
  private final HandlerTable handlers = new HandlerTable(Duration.ofSeconds(1));
  private final AtomicLong nanos = new AtomicLong();
  private final Watchdog watchdog = new Watchdog(nanos::get);
  private final FakeApprovals approvals = new FakeApprovals();
  private final List<String> budget = new CopyOnWriteArrayList<>();
  private TaskCalls.Turn turn = TaskCalls.Turn.NONE;
  private boolean budgetUsedUp;
  private Idempotency idempotency;
  private Router router;

  @BeforeEach
  void open() {
    idempotency = Idempotency.open(folder, Duration.ofDays(1), 1_000, InstantSource.system());
    router = router(4);
  }

  @AfterEach
  void close() {
    router.close();
    watchdog.close();
  }

  private Router router(int callsInFlightMax) {
    return router(callsInFlightMax, idempotency);
  }

  private Router router(int callsInFlightMax, Idempotency idempotency) {
    return new Router(
        new Router.Limits(
            callsInFlightMax,
            Duration.ofSeconds(30),
            Duration.ofSeconds(60),
            Duration.ofSeconds(1)),
        kernel,
        kernel,
        approvals,
        handlers,
        new TaintedTasks(),
        idempotency,
        syscall -> turn,
        new FakeBudgets(),
        watchdog,
        kernel,
        kernel,
        InstantSource.system(),
        nanos::get);
  }

  private final class FakeBudgets implements Budgets {

    @Override
    public Reservation reserve(Syscall syscall, AgentProcess agent) {
      throw new AssertionError("the router knows what a call may use");
    }

    @Override
    public Reservation reserve(Syscall syscall, AgentProcess agent, Outcome.Spent atMost) {
      if (budgetUsedUp) {
        throw new Refused(Code.BUDGET_EXHAUSTED, "used up");
      }
      budget.add(
          "reserved "
              + syscall.name()
              + (atMost.tokensOut() == 0 ? "" : " " + atMost.tokensOut() + " tokens"));
      return (outcome, took) ->
          budget.add(
              "settled "
                  + outcome.code()
                  + (outcome.spent().tokensOut() == 0
                      ? ""
                      : " " + outcome.spent().tokensOut() + " tokens"));
    }
  }

  /** A turn that writes down what it is told. */
  private static final class FakeTurn implements TaskCalls.Turn {
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final Reply recorded;
    private boolean full;
    private @Nullable Map<String, @Nullable Object> before;

    FakeTurn(Reply recorded) {
      this.recorded = recorded;
    }

    @Override
    public Reply recorded() {
      return recorded;
    }

    @Override
    public void asked(String auditId) {
      if (full) {
        throw new Refused(Code.BACKEND_UNAVAILABLE, "full");
      }
      told.add("asked " + auditId);
    }

    @Override
    public @Nullable Map<String, @Nullable Object> before() {
      return before;
    }

    @Override
    public void suspended(Underway.SoFar soFar) {
      told.add("suspended " + soFar.state() + " " + soFar.spent().tokensOut() + " tokens");
    }

    @Override
    public void ended(Reply reply) {
      told.add("ended " + reply.auditId() + " " + reply.outcome().code());
    }
  }

  private void serve(String name, SyscallHandler handler) {
    handlers.bindHandler(
        handler, Map.of(SyscallHandler.NAMES, name, "service.id", (long) name.hashCode()));
  }

  private Reply handle(Syscall syscall) {
    AtomicReference<Reply> told = new AtomicReference<>();
    router.handle(
        syscall, reply -> assertThat(told.getAndSet(reply)).as("one reply to one call").isNull());
    return told.get();
  }

  private static Outcome.Ok fine() {
    return Outcome.Ok.ofKernel("test", Map.of("done", true));
  }

  @Test
  void records_intent_before_the_effect_and_outcome_after_it() {
    serve(
        "test.run",
        call -> {
          kernel.lines.add("effect");
          return fine();
        });

    Reply reply = handle(call("test.run", Map.of()));

    assertThat(reply.outcome().code()).isEqualTo(Code.OK);
    assertThat(reply.auditId()).isEqualTo("sc-1");
    assertThat(kernel.journal()).containsExactly("asked test.run", "effect", "ended test.run OK");
  }

  @Test
  void does_nothing_that_it_cannot_record() {
    AtomicBoolean ran = new AtomicBoolean();
    serve(
        "test.run",
        call -> {
          ran.set(true);
          return fine();
        });
    kernel.journalFails = true;

    Reply reply = handle(call("test.run", Map.of()));

    assertThat(reply.outcome().code()).isEqualTo(Code.JOURNAL_UNAVAILABLE);
    assertThat(ran).isFalse();
  }

  @Test
  void does_not_acknowledge_an_outcome_that_it_cannot_record() {
    serve("test.run", call -> fine());
    kernel.journalFailsAtEnd = true;

    assertThat(handle(call("test.run", Map.of())).outcome().code())
        .isEqualTo(Code.JOURNAL_UNAVAILABLE);
  }

  @Test
  void refuses_what_policy_denies_without_running_it() {
    AtomicBoolean ran = new AtomicBoolean();
    serve(
        "test.run",
        call -> {
          ran.set(true);
          return fine();
        });
    kernel.denies = true;

    Reply reply = handle(call("test.run", Map.of()));

    assertThat(problem(reply).rule()).isEqualTo("tenants/acme/syscalls/deny");
    assertThat(ran).isFalse();
    assertThat(kernel.journal())
        .containsExactly("asked test.run", "ended test.run CAPABILITY_DENIED");
  }

  @Test
  void refuses_an_agent_that_is_not_registered_and_says_how_to_register_it() {
    kernel.agents.clear();
    serve("test.run", call -> fine());

    Problem problem = problem(handle(call("test.run", Map.of())));

    assertThat(problem.code()).isEqualTo(Code.UNKNOWN_AGENT);
    assertThat(problem.admit()).contains("/v1/agent/register");
  }

  @Test
  void refuses_a_stopped_agent() {
    kernel.agents.put(AGENT, FakeKernel.agent(AGENT, AgentProcess.State.STOPPED));
    serve("test.run", call -> fine());

    assertThat(problem(handle(call("test.run", Map.of()))).code()).isEqualTo(Code.AGENT_STOPPED);
  }

  @Test
  void refuses_a_key_of_another_agent() {
    serve("test.run", call -> fine());
    Syscall mine = call("test.run", Map.of());
    Syscall forged =
        new Syscall(
            mine.name(),
            AGENT,
            Caller.agentKey("ak_2", new AgentId("acme", "other")),
            mine.context(),
            mine.capsRequired(),
            mine.params(),
            mine.budget(),
            mine.bodyDigest());

    assertThat(problem(handle(forged)).code()).isEqualTo(Code.NOT_YOUR_AGENT);
  }

  @Test
  void tells_an_unknown_syscall_from_one_whose_bundle_is_not_installed() {
    assertThat(problem(handle(call("test.none", Map.of()))).code()).isEqualTo(Code.UNKNOWN_SYSCALL);
    assertThat(problem(handle(call("memory.unheard", Map.of()))).code())
        .isEqualTo(Code.NOT_INSTALLED);
  }

  @Test
  void never_labels_a_metric_with_a_name_that_a_caller_made_up() {
    handle(call("made.up", Map.of()));

    assertThat(kernel.lines).contains("counted other UNKNOWN_SYSCALL");
  }

  @Test
  void a_fault_of_a_handler_is_recorded_and_told_without_its_message() {
    serve(
        "test.run",
        call -> {
          throw new IllegalStateException("the password is 1234");
        });

    Reply reply = handle(call("test.run", Map.of()));

    assertThat(problem(reply).code()).isEqualTo(Code.KERNEL_FAULT);
    assertThat(problem(reply).message()).doesNotContain("1234");
    assertThat(kernel.journal()).contains("ended test.run KERNEL_FAULT");
  }

  @Test
  void admits_no_more_calls_at_once_than_its_limit() throws Exception {
    router = router(1);
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    serve(
        "test.wait",
        call -> {
          inside.countDown();
          mayEnd.await();
          return fine();
        });
    CompletableFuture<Reply> first =
        CompletableFuture.supplyAsync(() -> handle(call("test.wait", Map.of())));
    inside.await();

    Problem second = problem(handle(call("test.wait", Map.of())));
    mayEnd.countDown();

    assertThat(second.code()).isEqualTo(Code.KERNEL_BUSY);
    assertThat(second.retryAfter()).isPositive();
    assertThat(first.get(5, TimeUnit.SECONDS).outcome().code()).isEqualTo(Code.OK);
  }

  @Test
  void interrupts_a_call_at_its_deadline() throws Exception {
    CountDownLatch inside = new CountDownLatch(1);
    serve(
        "test.wait",
        call -> {
          inside.countDown();
          new CountDownLatch(1).await();
          return fine();
        });
    CompletableFuture<Reply> slow =
        CompletableFuture.supplyAsync(
            () -> {
              Reply reply = handle(limited(Duration.ofMillis(50)));
              assertThat(Thread.currentThread().isInterrupted()).isFalse();
              return reply;
            });
    inside.await();

    nanos.addAndGet(Duration.ofMillis(49).toNanos());
    watchdog.look();
    assertThat(slow).isNotDone();
    nanos.addAndGet(Duration.ofMillis(1).toNanos());
    watchdog.look();

    assertThat(problem(slow.get(5, TimeUnit.SECONDS)).code()).isEqualTo(Code.TIMED_OUT);
  }

  @Test
  void answers_in_place_of_a_call_that_ignores_its_deadline() throws Exception {
    CountDownLatch inside = new CountDownLatch(1);
    AtomicBoolean mayEnd = new AtomicBoolean();
    serve(
        "test.deaf",
        call -> {
          inside.countDown();
          while (!mayEnd.get()) {
            Thread.onSpinWait();
          }
          return fine();
        });
    CompletableFuture<Reply> told = new CompletableFuture<>();
    Syscall deaf =
        call(
            "test.deaf",
            Map.of(),
            Syscall.Context.NONE,
            new Syscall.Budget(null, Duration.ofMillis(50)));
    CompletableFuture<Void> thread =
        CompletableFuture.runAsync(() -> router.handle(deaf, told::complete));
    inside.await();

    nanos.addAndGet(Duration.ofMillis(50 + 100).toNanos());
    watchdog.look();

    assertThat(problem(told.get(5, TimeUnit.SECONDS)).code()).isEqualTo(Code.TIMED_OUT);
    assertThat(thread).isNotDone();
    mayEnd.set(true);
    thread.get(5, TimeUnit.SECONDS);
    assertThat(kernel.journal()).containsExactly("asked test.deaf", "ended test.deaf TIMED_OUT");
  }

  @Test
  void closing_waits_for_the_calls_inside_and_refuses_new_ones() throws Exception {
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    serve(
        "test.wait",
        call -> {
          inside.countDown();
          mayEnd.await();
          return fine();
        });
    CompletableFuture<Reply> first =
        CompletableFuture.supplyAsync(() -> handle(call("test.wait", Map.of())));
    inside.await();
    CompletableFuture<Void> closing = CompletableFuture.runAsync(router::close);

    Problem late;
    do {
      late =
          handle(call("test.none", Map.of())).outcome() instanceof Outcome.Failed failed
              ? failed.problem()
              : null;
    } while (late != null && late.code() != Code.RESTARTING);
    assertThat(closing).isNotDone();
    mayEnd.countDown();

    closing.get(5, TimeUnit.SECONDS);
    assertThat(first.get(5, TimeUnit.SECONDS).outcome().code()).isEqualTo(Code.OK);
  }

  @Test
  void runs_a_call_with_an_idempotency_key_once() {
    AtomicInteger runs = new AtomicInteger();
    serve("test.run", call -> Outcome.Ok.ofKernel("test", Map.of("run", runs.incrementAndGet())));

    Reply first = handle(keyed("test.run", "k1", Map.of("a", 1)));
    Reply second = handle(keyed("test.run", "k1", Map.of("a", 1)));

    assertThat(runs).hasValue(1);
    assertThat(((Outcome.Ok) second.outcome()).result())
        .isEqualTo(((Outcome.Ok) first.outcome()).result());
    assertThat(problem(handle(keyed("test.run", "k1", Map.of("a", 2)))).code())
        .isEqualTo(Code.IDEMPOTENCY_KEY_REUSED);
  }

  @Test
  void remembers_failures_under_an_idempotency_key_too() {
    AtomicInteger runs = new AtomicInteger();
    serve(
        "test.run",
        call -> {
          runs.incrementAndGet();
          throw new Refused(Code.TOOL_FAILED, "not_found: nothing there");
        });

    handle(keyed("test.run", "k1", Map.of()));
    Problem again = problem(handle(keyed("test.run", "k1", Map.of())));

    assertThat(runs).hasValue(1);
    assertThat(again.code()).isEqualTo(Code.TOOL_FAILED);
    assertThat(again.message()).isEqualTo("not_found: nothing there");
  }

  @Test
  void a_refusal_by_policy_leaves_the_idempotency_key_free() {
    serve("test.run", call -> fine());
    kernel.denies = true;
    handle(keyed("test.run", "k1", Map.of()));
    kernel.denies = false;

    assertThat(handle(keyed("test.run", "k1", Map.of())).outcome().code()).isEqualTo(Code.OK);
  }

  @Test
  void a_key_whose_call_was_cut_short_by_a_crash_stays_unknown() {
    Syscall cut = keyed("test.run", "k1", Map.of());
    serve(
        "test.run",
        call -> {
          // What a kill would leave of the disk at this moment.
          copy(folder.resolve("idempotency.mv"), crashed.resolve("idempotency.mv"));
          return fine();
        });
    handle(cut);
    Idempotency left = Idempotency.open(crashed, Duration.ofDays(1), 1_000, InstantSource.system());
    Router next = router(4, left);
    AtomicReference<Reply> told = new AtomicReference<>();

    next.handle(cut, told::set);

    assertThat(problem(told.get()).code()).isEqualTo(Code.OUTCOME_UNKNOWN);
    next.close();
  }

  @Test
  void a_fault_ends_the_call_and_frees_nobody_to_run_it_twice() {
    AtomicInteger runs = new AtomicInteger();
    serve(
        "test.run",
        call -> {
          runs.incrementAndGet();
          throw new NoClassDefFoundError("secret/Path");
        });

    assertThat(problem(handle(keyed("test.run", "k1", Map.of()))).code())
        .isEqualTo(Code.KERNEL_FAULT);
    assertThat(problem(handle(keyed("test.run", "k1", Map.of()))).code())
        .isEqualTo(Code.KERNEL_FAULT);
    assertThat(runs).hasValue(1);
  }

  @Test
  void the_same_key_at_the_same_time_runs_once() throws Exception {
    AtomicInteger runs = new AtomicInteger();
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    serve(
        "test.wait",
        call -> {
          runs.incrementAndGet();
          inside.countDown();
          mayEnd.await();
          return fine();
        });
    CompletableFuture<Reply> first =
        CompletableFuture.supplyAsync(() -> handle(keyed("test.wait", "k1", Map.of())));
    inside.await();

    Problem second = problem(handle(keyed("test.wait", "k1", Map.of())));
    mayEnd.countDown();

    assertThat(second.code()).isEqualTo(Code.IN_PROGRESS);
    assertThat(first.get(5, TimeUnit.SECONDS).outcome().code()).isEqualTo(Code.OK);
    assertThat(runs).hasValue(1);
  }

  private static void copy(Path from, Path to) {
    try {
      Files.copy(from, to);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private static Syscall keyed(String name, String key, Map<String, Object> params) {
    return call(name, params, new Syscall.Context(null, null, key), Syscall.Budget.NONE);
  }

  private static Syscall limited(Duration latencyMax) {
    return call("test.wait", Map.of(), Syscall.Context.NONE, new Syscall.Budget(null, latencyMax));
  }

  private static Problem problem(Reply reply) {
    return ((Outcome.Failed) reply.outcome()).problem();
  }

  @Test
  void the_fields_of_a_problem_reach_the_reply_untouched() {
    serve(
        "test.run",
        call -> {
          throw new Refused(Problem.at("/params/a~1b", Code.INVALID_FIELD, "no"));
        });

    assertThat(problem(handle(call("test.run", Map.of()))).pointer()).isEqualTo("/params/a~1b");
    assertThat(List.copyOf(kernel.journal())).hasSize(2);
  }

  /** Writes down what it hears. */
  private static final class Heard implements CallListener {

    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Reply> reply = new CompletableFuture<>();

    @Override
    public void begun(String auditId) {
      lines.add("begun " + auditId);
    }

    @Override
    public void said(Interim interim) {
      lines.add(interim.toString());
    }

    @Override
    public void ended(Reply ended) {
      lines.add("ended " + ended.outcome().code());
      reply.complete(ended);
    }
  }

  @Test
  void a_listener_hears_a_call_begin_what_it_says_and_how_it_ends() {
    AtomicReference<Admitted> kept = new AtomicReference<>();
    serve(
        "test.run",
        call -> {
          kept.set(call);
          call.interim().accept(new Interim.Progress(0.5, "half"));
          return fine();
        });
    Heard heard = new Heard();

    router.handle(call("test.run", Map.of()), heard);
    kept.get().interim().accept(new Interim.Progress(1.0, "too late"));

    assertThat(heard.lines)
        .containsExactly("begun sc-1", "Progress[done=0.5, message=half]", "ended OK");
  }

  @Test
  void a_call_that_is_refused_has_not_begun() {
    serve("test.run", call -> fine());
    kernel.denies = true;
    Heard heard = new Heard();

    router.handle(call("test.run", Map.of()), heard);

    assertThat(heard.lines).containsExactly("ended CAPABILITY_DENIED");
    assertThat(router.running()).isEmpty();
  }

  @Test
  void a_running_call_is_listed_and_cancelled_by_its_id() throws Exception {
    CountDownLatch inside = new CountDownLatch(1);
    serve(
        "tool.invoke",
        call -> {
          inside.countDown();
          new CountDownLatch(1).await();
          return fine();
        });
    Heard heard = new Heard();
    Thread caller =
        new Thread(() -> router.handle(call("tool.invoke", Map.of("tool", "slow")), heard));
    caller.start();
    inside.await();

    assertThat(router.running())
        .singleElement()
        .satisfies(
            running -> {
              assertThat(running.auditId()).isEqualTo("sc-1");
              assertThat(running.syscall()).isEqualTo("tool.invoke");
              assertThat(running.tool()).isEqualTo("slow");
              assertThat(running.agent()).isEqualTo(AGENT);
            });
    assertThat(router.cancel("sc-2", "somebody")).isFalse();
    assertThat(router.cancel("sc-1", "somebody")).isTrue();
    watchdog.look();
    caller.join();

    assertThat(problem(heard.reply.get()).code()).isEqualTo(Code.CANCELLED);
    assertThat(problem(heard.reply.get()).message()).isEqualTo("cancelled by somebody");
    assertThat(kernel.journal())
        .containsExactly("asked tool.invoke", "ended tool.invoke CANCELLED");
    assertThat(router.running()).isEmpty();
    assertThat(router.cancel("sc-1", "somebody")).isFalse();
  }

  @Test
  void who_ignores_being_cancelled_is_answered_for() throws Exception {
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    serve(
        "test.run",
        call -> {
          inside.countDown();
          while (goOn.getCount() > 0) {
            Thread.onSpinWait();
          }
          return fine();
        });
    Heard heard = new Heard();
    Thread caller = new Thread(() -> router.handle(call("test.run", Map.of()), heard));
    caller.start();
    inside.await();

    router.cancel("sc-1", "somebody");
    watchdog.look();
    nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
    watchdog.look();

    assertThat(problem(heard.reply.get(5, TimeUnit.SECONDS)).code()).isEqualTo(Code.CANCELLED);
    assertThat(router.running()).isEmpty();
    goOn.countDown();
    caller.join();
    assertThat(heard.lines).containsExactly("begun sc-1", "ended CANCELLED");
  }

  @Test
  void what_a_call_may_use_is_set_aside_before_it_runs_and_settled_after_it() {
    serve("tool.list", call -> fine());

    handle(call("tool.list", Map.of()));

    assertThat(budget).containsExactly("reserved tool.list", "settled OK");
  }

  @Test
  void a_call_that_no_budget_admits_does_not_run_and_leaves_its_key_free() {
    AtomicInteger runs = new AtomicInteger();
    serve(
        "tool.list",
        call -> {
          runs.incrementAndGet();
          return fine();
        });
    Syscall keyed =
        call("tool.list", Map.of(), new Syscall.Context(null, null, "key-1"), Syscall.Budget.NONE);
    budgetUsedUp = true;
    assertThat(handle(keyed).outcome().code()).isEqualTo(Code.BUDGET_EXHAUSTED);
    assertThat(runs).hasValue(0);

    budgetUsedUp = false;
    assertThat(handle(keyed).outcome().code()).isEqualTo(Code.OK);
    assertThat(handle(keyed).outcome().code()).isEqualTo(Code.OK);
    assertThat(runs).hasValue(1);
    assertThat(budget).containsExactly("reserved tool.list", "settled OK");
  }

  @Test
  void a_call_that_a_task_made_before_is_answered_as_before_and_costs_nothing() {
    AtomicInteger runs = new AtomicInteger();
    serve(
        "tool.list",
        call -> {
          runs.incrementAndGet();
          return fine();
        });
    Reply before = new Reply("sc-before", fine(), Duration.ofMillis(7));
    turn = new FakeTurn(before);

    assertThat(handle(call("tool.list", Map.of()))).isEqualTo(before);
    assertThat(runs).hasValue(0);
    assertThat(budget).isEmpty();
    assertThat(((FakeTurn) turn).told).isEmpty();
    assertThat(kernel.lines)
        .containsExactly("asked tool.list", "ended tool.list OK", "counted tool.list OK");
  }

  @Test
  void a_call_of_a_task_is_on_its_log_before_and_after_it_runs() {
    FakeTurn log = new FakeTurn(null);
    turn = log;
    serve(
        "tool.list",
        call -> {
          log.told.add("ran");
          return fine();
        });

    handle(call("tool.list", Map.of()));

    assertThat(log.told).containsExactly("asked sc-1", "ran", "ended sc-1 OK");
  }

  @Test
  void a_call_that_its_tasks_log_cannot_take_does_not_run() {
    FakeTurn log = new FakeTurn(null);
    log.full = true;
    turn = log;
    serve(
        "tool.list",
        call -> {
          log.told.add("ran");
          return fine();
        });

    assertThat(handle(call("tool.list", Map.of())).outcome().code())
        .isEqualTo(Code.BACKEND_UNAVAILABLE);
    assertThat(log.told).containsExactly("ended sc-1 BACKEND_UNAVAILABLE");
  }

  // --- approvals ------------------------------------------------------------------------------

  @Test
  void runs_what_wants_a_person_only_with_an_approval_and_uses_that_up() {
    List<String> ran = new CopyOnWriteArrayList<>();
    serve(
        "test.run",
        call -> {
          ran.add(call.permit().rule());
          return fine();
        });
    kernel.wantsPerson = true;

    assertThat(handle(call("test.run", Map.of())).outcome().code())
        .isEqualTo(Code.APPROVAL_REQUIRED);
    approvals.approved.add("test.run");
    assertThat(handle(call("test.run", Map.of())).outcome().code()).isEqualTo(Code.OK);
    assertThat(handle(call("test.run", Map.of())).outcome().code())
        .isEqualTo(Code.APPROVAL_REQUIRED);

    assertThat(ran).containsExactly("tenants/acme");
  }

  @Test
  void keeps_no_idempotency_key_of_a_call_that_waits_for_a_person() {
    serve("test.run", call -> fine());
    kernel.wantsPerson = true;
    Syscall keyed =
        call("test.run", Map.of(), new Syscall.Context(null, null, "k-1"), Syscall.Budget.NONE);

    assertThat(handle(keyed).outcome().code()).isEqualTo(Code.APPROVAL_REQUIRED);
    approvals.approved.add("test.run");

    assertThat(handle(keyed).outcome().code()).isEqualTo(Code.OK);
    assertThat(handle(keyed).outcome().code()).as("told again, not run again").isEqualTo(Code.OK);
  }

  @Test
  void keeps_no_idempotency_key_of_a_call_whose_tool_policy_denies() {
    AtomicBoolean denied = new AtomicBoolean(true);
    serve(
        "test.run",
        call -> {
          if (denied.get()) {
            throw new Refused(Code.TOOL_DENIED, "not this one");
          }
          return fine();
        });
    Syscall keyed =
        call("test.run", Map.of(), new Syscall.Context(null, null, "k-1"), Syscall.Budget.NONE);

    assertThat(handle(keyed).outcome().code()).isEqualTo(Code.TOOL_DENIED);
    denied.set(false);

    assertThat(handle(keyed).outcome().code()).isEqualTo(Code.OK);
  }

  @Test
  void policy_hears_how_calls_end_that_it_let_run_and_of_no_others() {
    serve("test.run", call -> fine());
    serve(
        "test.fail",
        call -> {
          throw new Refused(Code.UPSTREAM_UNAVAILABLE, "away");
        });

    handle(call("test.run", Map.of()));
    handle(call("test.fail", Map.of()));
    kernel.denies = true;
    handle(call("test.run", Map.of()));
    kernel.denies = false;
    turn = new FakeTurn(new Reply("sc-0", fine(), Duration.ZERO));
    handle(ofTask("test.run"));

    assertThat(kernel.observed)
        .containsExactly("test.run OK v1", "test.fail UPSTREAM_UNAVAILABLE v1");
  }

  // --- what a call has used -------------------------------------------------------------------

  private static Outcome.Spent tokens(long out) {
    return new Outcome.Spent(BigDecimal.ZERO, 0, out);
  }

  /** Says what it may use, does part of it, and then what it is told to. */
  private record Generating(SyscallHandler end) implements SyscallHandler {

    @Override
    public Outcome.Ok run(Admitted call) throws InterruptedException {
      call.underway().report(() -> new Underway.SoFar(Map.of("text", "once upon"), tokens(2)));
      return end.run(call);
    }

    @Override
    public Outcome.Spent atMost(Syscall syscall) {
      return tokens(100);
    }
  }

  @Test
  void sets_aside_what_a_call_may_use_and_charges_what_one_that_failed_has_used() {
    serve(
        "test.run",
        new Generating(
            call -> {
              throw new Refused(Code.UPSTREAM_UNAVAILABLE, "cut off");
            }));

    Reply reply = handle(call("test.run", Map.of()));

    assertThat(budget)
        .containsExactly("reserved test.run 100 tokens", "settled UPSTREAM_UNAVAILABLE 2 tokens");
    assertThat(reply.outcome().spent()).isEqualTo(tokens(2));
  }

  @Test
  void charges_a_call_that_a_fault_of_the_kernel_ended_for_what_it_had_used() {
    serve(
        "test.run",
        new Generating(
            call -> {
              throw new IllegalStateException("a bug");
            }));

    assertThat(handle(call("test.run", Map.of())).outcome().spent()).isEqualTo(tokens(2));
    assertThat(budget).contains("settled KERNEL_FAULT 2 tokens");
  }

  @Test
  void breaks_off_a_call_of_a_preempted_task_and_keeps_how_far_it_is() {
    FakeTurn task = new FakeTurn(null);
    turn = task;
    List<Boolean> suspended = new CopyOnWriteArrayList<>();
    serve(
        "test.run",
        new Generating(
            call -> {
              suspended.add(router.suspend(call.asked().auditId()));
              watchdog.look();
              new CountDownLatch(1).await();
              return fine();
            }));

    Reply reply = handle(ofTask("test.run"));

    assertThat(suspended).containsExactly(true);
    assertThat(reply.outcome().code()).isEqualTo(Code.CANCELLED);
    assertThat(task.told).containsExactly("asked sc-1", "suspended {text=once upon} 2 tokens");
    assertThat(budget).contains("settled CANCELLED 2 tokens");
  }

  @Test
  void tells_a_call_that_was_broken_off_where_it_was() {
    FakeTurn task = new FakeTurn(null);
    task.before = Map.of("text", "once upon");
    turn = task;
    List<Object> before = new CopyOnWriteArrayList<>();
    serve(
        "test.run",
        call -> {
          before.add(call.underway().before());
          return fine();
        });

    handle(ofTask("test.run"));

    assertThat(before).containsExactly(Map.of("text", "once upon"));
  }

  @Test
  void does_not_suspend_a_call_that_cannot_go_on_or_is_no_tasks() {
    List<Boolean> suspended = new CopyOnWriteArrayList<>();
    serve(
        "test.plain",
        call -> {
          suspended.add(router.suspend(call.asked().auditId()));
          return fine();
        });
    serve(
        "test.run",
        new Generating(
            call -> {
              suspended.add(router.suspend(call.asked().auditId()));
              return fine();
            }));

    handle(ofTask("test.plain"));
    handle(call("test.run", Map.of()));

    assertThat(suspended).containsExactly(false, false);
    assertThat(router.suspend("sc-99")).isFalse();
  }

  private static Syscall ofTask(String name) {
    Syscall call = call(name, Map.of());
    return new Syscall(
        call.name(),
        AGENT,
        Caller.agentTask(AGENT, "t-1"),
        new Syscall.Context("t-1", null, null),
        call.capsRequired(),
        call.params(),
        call.budget(),
        call.bodyDigest());
  }
}
