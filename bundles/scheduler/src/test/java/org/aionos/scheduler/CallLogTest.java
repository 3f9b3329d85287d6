package org.aionos.scheduler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.aionos.document.Documents;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Reply;
import org.aionos.kernel.Underway;
import org.aionos.scheduler.CallLog.Made;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CallLogTest {

  private static final CallLog.Bounds WIDE = new CallLog.Bounds(1_000, 1 << 20);

  private final List<byte[]> kept = new ArrayList<>();
  private boolean away;

  /** Each look at the time is a minute later: nobody waits for others in vain. */
  private final AtomicLong nanos = new AtomicLong();

  private boolean patient;

  private CallLog log() {
    return log(WIDE);
  }

  private CallLog log(CallLog.Bounds bounds) {
    return CallLog.of(
        List.copyOf(kept),
        bounds,
        entry -> {
          if (away) {
            throw new Refused(Code.BACKEND_UNAVAILABLE, "away");
          }
          kept.add(entry);
        },
        () -> patient ? System.nanoTime() : nanos.addAndGet(TimeUnit.MINUTES.toNanos(1)));
  }

  private static Map<String, @Nullable Object> params(Object value) {
    return Map.of("value", value);
  }

  private static Reply ok(Object value) {
    return new Reply(
        "sc-" + value,
        new Outcome.Ok(
            Map.of("value", value),
            new Outcome.Spent(new BigDecimal("0.01"), 3, 4),
            new Outcome.Engine("module", "tooling/echo@1.0.0")),
        Duration.ofMillis(5));
  }

  private static Reply failed(Code code) {
    return new Reply("sc-f", Outcome.failed(Problem.of(code, "no")), Duration.ofMillis(5));
  }

  private static Made begin(CallLog log, String name, Object value) {
    Made made = log.make(name, params(value), () -> false);
    if (made.reply() == null) {
      log.begun(made, "sc-" + value);
    }
    return made;
  }

  /** Makes a call, and carries it out if it is to be. */
  private static Reply call(CallLog log, String name, Object value) {
    Made made = begin(log, name, value);
    if (made.reply() == null) {
      log.ended(made, ok(value));
    }
    return made.reply() == null ? ok(value) : made.reply();
  }

  private static void fail(CallLog log, Object value, Code code) {
    log.ended(begin(log, "tool.invoke", value), failed(code));
  }

  private static Code refusal(Runnable call) {
    try {
      call.run();
    } catch (Refused refused) {
      return refused.problem().code();
    }
    return Code.OK;
  }

  // --- replay ---------------------------------------------------------------------------------

  @Test
  void calls_that_ended_are_answered_in_their_order_and_as_they_were() {
    CallLog first = log();
    call(first, "tool.invoke", 1);
    call(first, "tool.invoke", 2);

    CallLog second = log();
    Made again = second.make("tool.invoke", params(1), () -> false);
    Made then = second.make("tool.invoke", params(2), () -> false);

    assertThat(again.reply()).isEqualTo(ok(1));
    assertThat(then.reply()).isEqualTo(ok(2));
    assertThat(second.replayed()).isEqualTo(2);
    assertThat(second.make("tool.invoke", params(3), () -> false).reply()).isNull();
  }

  @Test
  void a_failure_is_told_again_with_all_that_it_says() {
    Problem whole =
        new Problem(Code.RATE_LIMITED, "m", "/p", "r", "v", "a", Duration.ofMillis(1_500));
    CallLog first = log();
    first.ended(
        begin(first, "x.y", 1), new Reply("sc-9", Outcome.failed(whole), Duration.ofNanos(7)));

    Reply again = log().make("x.y", params(1), () -> false).reply();

    assertThat(again).isEqualTo(new Reply("sc-9", Outcome.failed(whole), Duration.ofNanos(7)));
  }

  @Test
  void the_same_call_made_twice_is_two_calls() {
    CallLog first = log();
    first.ended(begin(first, "x.y", "same"), ok(1));
    first.ended(begin(first, "x.y", "same"), ok(2));

    CallLog second = log();

    assertThat(second.make("x.y", params("same"), () -> false).reply()).isEqualTo(ok(1));
    assertThat(second.make("x.y", params("same"), () -> false).reply()).isEqualTo(ok(2));
    assertThat(second.make("x.y", params("same"), () -> false).reply()).isNull();
  }

  @Test
  void the_order_of_names_in_params_does_not_matter_however_deep() {
    Map<String, @Nullable Object> one = new LinkedHashMap<>();
    one.put("a", List.of(new TreeMap<>(Map.of("x", 1, "y", 2))));
    one.put("b", null);
    Map<String, Object> inner = new LinkedHashMap<>();
    inner.put("y", 2);
    inner.put("x", 1);
    Map<String, @Nullable Object> other = new LinkedHashMap<>();
    other.put("b", null);
    other.put("a", List.of(inner));

    assertThat(CallLog.digest("x.y", one)).isEqualTo(CallLog.digest("x.y", other));
    assertThat(CallLog.digest("x.y", params(List.of(1, 2))))
        .isNotEqualTo(CallLog.digest("x.y", params(List.of(2, 1))));
    assertThat(CallLog.digest("x.y", Map.of())).isNotEqualTo(CallLog.digest("x.z", Map.of()));
    assertThat(CallLog.digest("x.y", params("1"))).isNotEqualTo(CallLog.digest("x.y", params(1)));
  }

  @Test
  void a_number_is_the_same_number_after_it_was_kept() throws Exception {
    for (Object number :
        List.of(new BigDecimal("0.10"), new BigDecimal("1E+2"), 0.1f, 5L, new BigDecimal("100"))) {
      Map<String, @Nullable Object> live = params(number);
      Map<String, @Nullable Object> read = Documents.json(Documents.write(live)).values();

      assertThat(CallLog.digest("x.y", live)).isEqualTo(CallLog.digest("x.y", read));
    }
  }

  @Test
  void a_result_may_be_nested_as_deep_as_can_be_written() {
    Object deep = "end";
    for (int i = 0; i < 200; i++) {
      deep = List.of(deep);
    }
    CallLog first = log();
    Made made = begin(first, "memory.query", 1);
    first.ended(
        made, new Reply("sc-1", Outcome.Ok.ofKernel("m", Map.of("v", deep)), Duration.ZERO));

    Reply again = log().make("memory.query", params(1), () -> false).reply();

    assertThat(((Outcome.Ok) again.outcome()).result()).containsEntry("v", deep);
  }

  // --- divergence -----------------------------------------------------------------------------

  @Test
  void another_name_params_or_order_is_told_so_and_nothing_is_made_up() {
    CallLog first = log();
    call(first, "x.y", 1);
    call(first, "x.y", 2);

    assertThat(refusal(() -> log().make("x.z", params(1), () -> true)))
        .isEqualTo(Code.REPLAY_DIVERGED);
    assertThat(refusal(() -> log().make("x.y", params(7), () -> true)))
        .isEqualTo(Code.REPLAY_DIVERGED);
    assertThat(refusal(() -> log().make("x.y", params(2), () -> true)))
        .isEqualTo(Code.REPLAY_DIVERGED);
    CallLog last = log();
    call(last, "x.y", 1);
    assertThatThrownBy(() -> last.make("x.y", params(3), () -> true))
        .hasMessageContaining("call 1 was x.y");
  }

  // --- calls at the same time -----------------------------------------------------------------

  @Test
  void calls_that_ran_at_once_may_come_in_any_order_but_not_before_their_turn() {
    CallLog first = log();
    call(first, "x.y", 0);
    Made a = begin(first, "x.y", "a");
    Made b = begin(first, "x.y", "b");
    Made c = begin(first, "x.y", "c");
    first.ended(b, ok("b"));
    first.ended(c, ok("c"));
    first.ended(a, ok("a"));
    call(first, "x.y", 9);

    CallLog second = log();
    assertThat(refusal(() -> second.make("x.y", params("c"), () -> false)))
        .isEqualTo(Code.REPLAY_DIVERGED);
    assertThat(call(second, "x.y", 0)).isEqualTo(ok(0));
    assertThat(call(second, "x.y", "c")).isEqualTo(ok("c"));
    assertThat(refusal(() -> second.make("x.y", params(9), () -> false)))
        .isEqualTo(Code.REPLAY_DIVERGED);
    assertThat(call(second, "x.y", "a")).isEqualTo(ok("a"));
    assertThat(call(second, "x.y", "b")).isEqualTo(ok("b"));
    assertThat(call(second, "x.y", 9)).isEqualTo(ok(9));
    assertThat(second.make("x.y", params(10), () -> false).reply()).isNull();
  }

  @Test
  void a_thread_that_is_ahead_waits_for_the_one_that_made_its_call_first() throws Exception {
    CallLog first = log();
    // One after the other, so the log does not show that there are two threads.
    call(first, "x.y", "slow");
    patient = true;
    CallLog second = log();

    CompletableFuture<Made> ahead =
        CompletableFuture.supplyAsync(() -> second.make("x.y", params("fast"), () -> false));
    assertThat(ahead).isNotDone();
    assertThat(call(second, "x.y", "slow")).isEqualTo(ok("slow"));

    assertThat(ahead.get(4, TimeUnit.SECONDS).reply()).isNull();
  }

  @Test
  void a_thread_is_waited_for_as_long_as_the_others_come_however_many_there_are() throws Exception {
    CallLog first = log();
    for (int i = 0; i < 300; i++) {
      call(first, "x.y", i);
    }
    patient = true;
    CallLog second = log();

    CompletableFuture<Made> ahead =
        CompletableFuture.supplyAsync(() -> second.make("x.y", params("last"), () -> false));
    for (int i = 0; i < 300; i++) {
      assertThat(call(second, "x.y", i)).isEqualTo(ok(i));
    }

    assertThat(ahead.get(4, TimeUnit.SECONDS).reply()).isNull();
  }

  @Test
  void two_threads_never_get_the_same_recorded_call() throws Exception {
    CallLog first = log();
    List<Made> open = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      open.add(begin(first, "x.y", "same"));
    }
    for (int i = 0; i < 100; i++) {
      first.ended(open.get(i), ok(i));
    }
    CallLog second = log();
    CountDownLatch go = new CountDownLatch(1);
    List<CompletableFuture<List<Reply>>> threads = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      threads.add(
          CompletableFuture.supplyAsync(
              () -> {
                List<Reply> told = new ArrayList<>();
                try {
                  go.await();
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
                for (int i = 0; i < 25; i++) {
                  told.add(second.make("x.y", params("same"), () -> false).reply());
                }
                return told;
              },
              task -> new Thread(task).start()));
    }
    go.countDown();

    List<Reply> all = new ArrayList<>();
    for (CompletableFuture<List<Reply>> thread : threads) {
      all.addAll(thread.get(10, TimeUnit.SECONDS));
    }

    assertThat(all).doesNotHaveDuplicates().doesNotContainNull().hasSize(100);
  }

  // --- calls of whose end nothing is known ----------------------------------------------------

  @Test
  void an_open_call_that_may_be_repeated_is_carried_out_once_more_and_then_known() {
    begin(log(), "x.y", 1);

    CallLog second = log();
    Made again = second.make("x.y", params(1), () -> true);
    assertThat(again.reply()).isNull();
    second.begun(again, "sc-again");
    second.ended(again, ok("again"));

    assertThat(log().make("x.y", params(1), () -> false).reply()).isEqualTo(ok("again"));
    assertThat(log().size()).isEqualTo(1);
  }

  private static Underway.SoFar soFar(String text, long tokens) {
    return new Underway.SoFar(
        Map.of("text", text), new Outcome.Spent(new BigDecimal("0.01"), 5, tokens));
  }

  @Test
  void a_call_that_was_broken_off_goes_on_from_where_it_was_in_the_same_start() {
    CallLog log = log();
    call(log, "x.y", 1);
    log.suspended(begin(log, "model.generate", 2), soFar("once", 1));

    Made again = log.make("model.generate", params(2), () -> false);
    assertThat(again.before()).isEqualTo(Map.of("text", "once"));
    log.begun(again, "sc-again");
    log.ended(again, ok("again"));

    assertThat(log.size()).isEqualTo(2);
    assertThat(log.make("model.generate", params(2), () -> false).before())
        .as("the same question once more is another call")
        .isNull();
  }

  @Test
  void a_call_that_was_broken_off_twice_goes_on_from_the_last_place_in_the_next_start() {
    CallLog first = log();
    first.suspended(begin(first, "model.generate", 1), soFar("once", 1));
    Made second = first.make("model.generate", params(1), () -> true);
    first.begun(second, "sc-second");
    first.suspended(second, soFar("once upon", 1));

    CallLog next = log();
    Made third = next.make("model.generate", params(1), () -> true);
    assertThat(third.reply()).isNull();
    assertThat(third.before()).isEqualTo(Map.of("text", "once upon"));
    next.begun(third, "sc-third");
    next.ended(third, ok("third"));

    Progress progress = new Progress();
    log().countInto(progress);
    assertThat(progress.calls).isEqualTo(1);
    assertThat(progress.tokensIn).isEqualTo(5 + 5 + 3);
    assertThat(progress.tokensOut).isEqualTo(1 + 1 + 4);
    assertThat(progress.costUsd).isEqualByComparingTo("0.03");
    assertThat(log().make("model.generate", params(1), () -> false).reply()).isEqualTo(ok("third"));
  }

  @Test
  void a_place_that_could_not_be_kept_is_not_gone_on_from() {
    CallLog log = log();
    Made made = begin(log, "model.generate", 1);
    away = true;
    assertThat(refusal(() -> log.suspended(made, soFar("once", 1))))
        .isEqualTo(Code.BACKEND_UNAVAILABLE);
    away = false;

    assertThat(log.make("model.generate", params(1), () -> true).before()).isNull();
  }

  @Test
  void a_failure_is_told_again_with_what_it_used() {
    CallLog first = log();
    Outcome failed =
        new Outcome.Failed(
            Problem.of(Code.TIMED_OUT, "late"),
            null,
            new Outcome.Spent(new BigDecimal("0.5"), 7, 8));
    first.ended(begin(first, "x.y", 1), new Reply("sc-1", failed, Duration.ofMillis(5)));

    assertThat(log().make("x.y", params(1), () -> false).reply().outcome()).isEqualTo(failed);
  }

  @Test
  void an_open_call_that_may_not_is_unknown_and_stays_so() {
    begin(log(), "x.y", 1);

    Reply unknown = log().make("x.y", params(1), () -> false).reply();
    // Now its tool says that it may be called twice; but the task was told already.
    Reply later = log().make("x.y", params(1), () -> true).reply();

    assertThat(unknown.outcome().code()).isEqualTo(Code.OUTCOME_UNKNOWN);
    assertThat(unknown.auditId()).isEqualTo("sc-1");
    assertThat(later).isEqualTo(unknown);
  }

  @Test
  void an_unknown_end_that_cannot_be_kept_is_not_told() {
    begin(log(), "x.y", 1);
    CallLog second = log();

    away = true;
    assertThat(refusal(() -> second.make("x.y", params(1), () -> false)))
        .isEqualTo(Code.BACKEND_UNAVAILABLE);
    away = false;

    assertThat(second.make("x.y", params(1), () -> false).reply().outcome().code())
        .isEqualTo(Code.OUTCOME_UNKNOWN);
  }

  // --- a store that comes and goes ------------------------------------------------------------

  @Test
  void a_beginning_that_was_kept_though_we_were_told_otherwise_does_no_harm() {
    CallLog first = log();
    call(first, "x.y", 0);
    Made lost = first.make("x.y", params("lost"), () -> false);
    away = true;
    assertThat(refusal(() -> first.begun(lost, "sc-l"))).isEqualTo(Code.BACKEND_UNAVAILABLE);
    away = false;
    // The store had it.
    CallLog phantom = log();
    call(phantom, "x.y", 0);
    phantom.begun(phantom.make("x.y", params("lost"), () -> false), "sc-l");

    call(first, "x.y", 1);
    call(first, "x.y", 2);

    CallLog second = log();
    assertThat(call(second, "x.y", 0)).isEqualTo(ok(0));
    assertThat(call(second, "x.y", 1)).isEqualTo(ok(1));
    assertThat(call(second, "x.y", 2)).isEqualTo(ok(2));
  }

  @Test
  void an_end_that_could_not_be_kept_is_told_again_as_it_was_told() {
    CallLog first = log();
    Made lost = begin(first, "x.y", "lost");
    away = true;
    assertThat(refusal(() -> first.ended(lost, ok("lost")))).isEqualTo(Code.BACKEND_UNAVAILABLE);
    away = false;
    call(first, "x.y", 1);

    CallLog second = log();

    assertThat(second.make("x.y", params("lost"), () -> true).reply().outcome().code())
        .isEqualTo(Code.JOURNAL_UNAVAILABLE);
    assertThat(call(second, "x.y", 1)).isEqualTo(ok(1));
  }

  @Test
  void a_repetition_that_could_not_be_kept_is_still_due() {
    begin(log(), "x.y", 1);
    CallLog second = log();
    Made again = second.make("x.y", params(1), () -> true);
    away = true;
    assertThat(refusal(() -> second.begun(again, "sc-a"))).isEqualTo(Code.BACKEND_UNAVAILABLE);
    away = false;

    Made once = second.make("x.y", params(1), () -> true);
    second.begun(once, "sc-a");
    second.ended(once, ok(1));

    assertThat(log().size()).isEqualTo(1);
    assertThat(log().make("x.y", params(1), () -> false).reply()).isEqualTo(ok(1));
  }

  @Test
  void calls_of_a_start_that_is_over_do_not_get_into_the_log_of_the_next_one() {
    CallLog first = log();
    Made inFlight = begin(first, "x.y", 1);
    first.close();
    CallLog second = log();
    Reply told = second.make("x.y", params(1), () -> false).reply();

    assertThat(refusal(() -> first.ended(inFlight, ok(1)))).isEqualTo(Code.CONFLICT);
    assertThat(refusal(() -> first.make("x.y", params(2), () -> true))).isEqualTo(Code.CONFLICT);
    assertThat(refusal(() -> first.save(Map.of()))).isEqualTo(Code.CONFLICT);

    assertThat(log().make("x.y", params(1), () -> false).reply()).isEqualTo(told);
  }

  // --- what a task saves ----------------------------------------------------------------------

  @Test
  void a_task_goes_on_from_what_it_saved_last_and_the_calls_before_are_not_made_again() {
    CallLog first = log();
    assertThat(first.resume()).isNull();
    call(first, "x.y", 1);
    first.save(Map.of("at", 1));
    call(first, "x.y", 2);
    assertThat(first.save(Map.of("at", 2))).isEqualTo(2);
    call(first, "x.y", 3);

    CallLog second = log();
    assertThat(second.resume()).isEqualTo(new CallLog.Saved(2, Map.of("at", 2)));
    assertThat(call(second, "x.y", 3)).isEqualTo(ok(3));
    call(second, "x.y", 4);
    assertThat(second.save(Map.of("at", 4))).isEqualTo(4);

    CallLog third = log();
    assertThat(third.resume().calls()).isEqualTo(4);
    assertThat(third.make("x.y", params(5), () -> false).reply()).isNull();
  }

  @Test
  void a_task_that_does_not_resume_makes_all_its_calls_again() {
    CallLog first = log();
    call(first, "x.y", 1);
    first.save(Map.of("at", 1));

    assertThat(call(log(), "x.y", 1)).isEqualTo(ok(1));
    assertThat(log().saved()).isNotNull();
  }

  @Test
  void a_task_that_has_begun_to_make_calls_cannot_go_on_from_elsewhere() {
    CallLog first = log();
    call(first, "x.y", 1);
    first.save(Map.of("at", 1));
    CallLog second = log();
    call(second, "x.y", 1);

    assertThat(refusal(second::resume)).isEqualTo(Code.CONFLICT);
  }

  // --- another attempt ------------------------------------------------------------------------

  private int keptAfterFailure() {
    return CallLog.keptAfterFailure(kept);
  }

  @Test
  void of_an_empty_log_and_of_one_that_ended_well_all_is_kept() {
    assertThat(keptAfterFailure()).isZero();
    call(log(), "x.y", 1);
    assertThat(keptAfterFailure()).isEqualTo(2);
  }

  @Test
  void calls_at_the_end_that_failed_are_made_anew() {
    CallLog log = log();
    call(log, "x.y", 1);
    fail(log, 2, Code.TOOL_FAULT);
    fail(log, 3, Code.TIMED_OUT);

    assertThat(keptAfterFailure()).isEqualTo(2);
  }

  @Test
  void calls_at_the_end_that_failed_at_once_are_made_anew() {
    CallLog log = log();
    Made a = begin(log, "x.y", "a");
    Made b = begin(log, "x.y", "b");
    log.ended(b, failed(Code.TOOL_FAULT));
    log.ended(a, failed(Code.TOOL_FAULT));

    assertThat(keptAfterFailure()).isZero();
  }

  @Test
  void a_failure_that_the_task_went_on_after_stays() {
    CallLog log = log();
    fail(log, 1, Code.TOOL_FAULT);
    call(log, "x.y", 2);

    assertThat(keptAfterFailure()).isEqualTo(4);
  }

  @Test
  void what_was_saved_after_a_failure_stays_with_it() {
    CallLog log = log();
    fail(log, 1, Code.TOOL_FAULT);
    log.save(Map.of("at", 1));

    assertThat(keptAfterFailure()).isEqualTo(3);
  }

  @Test
  void an_open_call_stays_and_so_does_one_that_the_task_was_told_is_unknown() {
    begin(log(), "x.y", 1);
    assertThat(keptAfterFailure()).isEqualTo(1);

    log().make("x.y", params(1), () -> false);

    assertThat(kept).hasSize(2);
    assertThat(keptAfterFailure()).isEqualTo(2);
  }

  @Test
  void a_repetition_that_failed_is_made_anew_with_its_first_beginning() {
    begin(log(), "x.y", 1);
    CallLog second = log();
    Made again = second.make("x.y", params(1), () -> true);
    second.begun(again, "sc-a");
    second.ended(again, failed(Code.TOOL_FAULT));

    assertThat(keptAfterFailure()).isZero();
  }

  // --- bounds and damage ----------------------------------------------------------------------

  @Test
  void a_task_makes_no_more_calls_than_can_be_kept_but_those_again() {
    CallLog.Bounds two = new CallLog.Bounds(2, 1 << 20);
    CallLog first = log(two);
    call(first, "x.y", 1);
    call(first, "x.y", 2);

    assertThat(refusal(() -> first.make("x.y", params(3), () -> true)))
        .isEqualTo(Code.BUDGET_EXHAUSTED);
    CallLog second = log(two);
    assertThat(call(second, "x.y", 1)).isEqualTo(ok(1));
    assertThat(call(second, "x.y", 2)).isEqualTo(ok(2));
    assertThat(refusal(() -> second.make("x.y", params(3), () -> true)))
        .isEqualTo(Code.BUDGET_EXHAUSTED);
  }

  @Test
  void a_task_that_saves_and_saves_fills_no_disk() {
    CallLog log = log(new CallLog.Bounds(10, 4_096));
    Map<String, @Nullable Object> state = Map.of("text", "x".repeat(500));

    int saved = 0;
    while (saved < 100 && refusal(() -> log.save(state)) == Code.OK) {
      saved++;
    }

    assertThat(saved).isBetween(5, 9);
    assertThat(kept.stream().mapToInt(each -> each.length).sum()).isLessThan(5_000);
    assertThat(log.saved()).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "{\"what\":\"begun\"}",
        "{\"what\":\"ended\",\"n\":7,\"audit_id\":\"a\",\"code\":\"TIMED_OUT\",\"message\":\"m\"}",
        "{\"what\":\"else\"}",
        "{\"what\":\"begun\",\"n\":3,\"name\":\"a\",\"digest\":\"d\",\"audit_id\":\"a\"}",
        "{\"what\":\"ended\",\"n\":0,\"audit_id\":\"a\",\"code\":\"NO_SUCH\",\"message\":\"m\"}"
      })
  void a_damaged_entry_is_not_read_over(String entry) {
    call(log(), "x.y", 1);
    kept.add(entry.getBytes(UTF_8));

    assertThatThrownBy(this::log).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void what_its_calls_have_used_is_counted_from_the_log() {
    CallLog first = log();
    call(first, "x.y", 1);
    call(first, "x.y", 2);
    fail(first, 3, Code.TOOL_FAULT);
    begin(first, "x.y", 4);
    Progress progress = new Progress();

    log().countInto(progress);

    assertThat(progress.calls).isEqualTo(3);
    assertThat(progress.tokensIn).isEqualTo(6);
    assertThat(progress.tokensOut).isEqualTo(8);
    assertThat(progress.costUsd).isEqualByComparingTo("0.02");
  }

  @Test
  void ten_thousand_calls_are_replayed_in_no_time() {
    CallLog.Bounds many = new CallLog.Bounds(10_000, 1 << 24);
    CallLog first = log(many);
    for (int i = 0; i < 10_000; i++) {
      call(first, "x.y", i);
    }
    long begun = System.nanoTime();
    CallLog second = log(many);
    for (int i = 0; i < 10_000; i++) {
      assertThat(second.make("x.y", params(i), () -> false).reply()).isNotNull();
    }

    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(10));
  }

  // --- any program, interrupted anywhere ------------------------------------------------------

  /** The process dies. */
  private static final class Killed extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /** A world in which calls have effects, and which ends after so many steps. */
  private final class World {
    final Map<String, Integer> carriedOut = new HashMap<>();
    final Random random;
    int stepsLeft;

    World(Random random) {
      this.random = random;
    }

    void step() {
      if (stepsLeft-- <= 0) {
        throw new Killed();
      }
    }

    Made begin(CallLog log, String value) {
      step();
      Made made = log.make("x.y", params(value), () -> isRepeatable(value));
      if (made.reply() == null) {
        step();
        log.begun(made, "sc-" + value);
      }
      return made;
    }

    String end(CallLog log, Made made, String value) {
      Reply reply = made.reply();
      if (reply == null) {
        step();
        int times = carriedOut.merge(value, 1, Integer::sum);
        step();
        reply = ok(value + "#" + times);
        log.ended(made, reply);
      }
      return reply.outcome() instanceof Outcome.Ok ok
          ? String.valueOf(ok.result().get("value"))
          : reply.outcome().code().name();
    }
  }

  /**
   * A program: groups of calls that run at once; the calls of a group depend on earlier answers.
   */
  private List<String> program(World world, CallLog log, long seed, int groups) {
    List<String> answers = new ArrayList<>();
    Random own = new Random(seed);
    for (int g = 0; g < groups; g++) {
      int size = 1 + own.nextInt(3);
      List<String> values = new ArrayList<>();
      List<Integer> order = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        values.add(g + "/" + i + "/" + answers.hashCode());
        order.add(i);
      }
      // Its threads are scheduled otherwise each time.
      Collections.shuffle(order, world.random);
      Map<Integer, Made> makes = new HashMap<>();
      Deque<Integer> threads = new ArrayDeque<>(order);
      int inVain = 0;
      while (!threads.isEmpty()) {
        int i = threads.remove();
        try {
          makes.put(i, world.begin(log, values.get(i)));
          inVain = 0;
        } catch (Refused ahead) {
          // This thread waits for another.
          if (ahead.problem().code() != Code.REPLAY_DIVERGED || ++inVain > threads.size()) {
            throw ahead;
          }
          threads.add(i);
        }
      }
      Collections.shuffle(order, world.random);
      String[] told = new String[size];
      for (int i : order) {
        told[i] = world.end(log, makes.get(i), values.get(i));
      }
      answers.addAll(List.of(told));
    }
    return answers;
  }

  private static boolean isRepeatable(String value) {
    return (value.hashCode() & 3) == 0;
  }

  @Test
  void any_program_interrupted_anywhere_gets_the_same_answers_and_does_nothing_twice() {
    for (long seed = 0; seed < 400; seed++) {
      kept.clear();
      Random random = new Random(seed);
      World world = new World(random);
      int groups = 1 + random.nextInt(6);
      List<String> answers = null;
      for (int start = 0; answers == null; start++) {
        world.stepsLeft = start > 30 ? Integer.MAX_VALUE : 1 + random.nextInt(20);
        try {
          answers = program(world, log(), seed, groups);
        } catch (Killed again) {
          if (random.nextInt(4) == 0) {
            kept.subList(CallLog.keptAfterFailure(kept), kept.size()).clear();
          }
        }
      }
      world.stepsLeft = Integer.MAX_VALUE;
      int before = kept.size();

      assertThat(program(world, log(), seed, groups)).as("seed %s", seed).isEqualTo(answers);
      assertThat(kept).as("seed %s: nothing is carried out in a replay", seed).hasSize(before);
      long s = seed;
      world.carriedOut.forEach(
          (value, times) -> {
            if (!isRepeatable(value)) {
              assertThat(times).as("seed %s: %s", s, value).isEqualTo(1);
            }
          });
    }
  }
}
