package org.aionos.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.tool.Effects;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class WorkerTest {

  private static final ExecutorService THREADS = Executors.newCachedThreadPool();
  private static final Limits LIMITS =
      new Limits(50, 128L << 20, 32, 1 << 20, 100_000, Duration.ofMillis(800));
  private static final Program PROGRAM =
      new Program(
          "script@1.0.0",
          List.of("x"),
          Surroundings.ofTool(Path.of("/x")),
          Path.of("/x.bpf"),
          new SeccompProfile(0, List.of()),
          LIMITS,
          Devices.Granted.NOTHING);
  private static final ToolCall CALL =
      new ToolCall(
          "sc-0123456789ab",
          "script",
          Map.of("text", "two\nlines"),
          Instant.parse("2026-01-01T00:00:00Z"),
          "trace-1");

  private final AtomicLong nanos = new AtomicLong();
  private final Semaphore places = new Semaphore(1);
  private final Room room = new Room(places, nanos::get);
  private final Written effects = new Written();
  private ShellCage cage;

  @AfterAll
  static void stop() {
    THREADS.shutdownNow();
  }

  @AfterEach
  void end() {
    if (cage != null) {
      cage.end(Duration.ZERO);
    }
  }

  private Worker worker(String script) throws InterruptedException {
    cage = new ShellCage(script);
    return Worker.ready(PROGRAM, cage, room, Duration.ofSeconds(10), THREADS, System::nanoTime);
  }

  /** A tool that answers its first call with a line. */
  private Worker answering(String line) throws InterruptedException {
    return worker(ShellCage.READY + "read call\necho '" + line + "'\nread next\n");
  }

  @Test
  void a_call_is_one_line_and_so_is_its_answer() throws Exception {
    Worker worker =
        worker(
            ShellCage.READY
                + "read -r call\n"
                + "quoted=$(printf '%s' \"$call\" | sed 's/[\"\\\\]/\\\\&/g')\n"
                + "printf '{\"result\":{\"call\":\"%s\"},\"cost_usd\":0.25}\\n' \"$quoted\"\n"
                + "read -r next\n");

    ToolResult result = worker.call(CALL, effects);

    assertThat(result.costUsd()).isEqualByComparingTo(new BigDecimal("0.25"));
    assertThat(result.value().get("call"))
        .isEqualTo(
            "{\"id\":\"sc-0123456789ab\",\"tool\":\"script\","
                + "\"arguments\":{\"text\":\"two\\nlines\"},"
                + "\"deadline\":\"2026-01-01T00:00:00Z\",\"trace_id\":\"trace-1\"}");
    assertThat(worker.fit(10)).isTrue();
    assertThat(worker.fit(1)).as("it has served one call").isFalse();
  }

  @Test
  void a_failure_of_the_tool_leaves_it_fit() throws Exception {
    Worker worker = answering("{\"failure\":{\"code\":\"BAD_ARGUMENT\",\"message\":\"no text\"}}");

    assertThatThrownBy(() -> worker.call(CALL, effects))
        .isInstanceOfSatisfying(
            ToolFailure.class,
            failure -> {
              assertThat(failure.code()).isEqualTo(ToolFailure.Code.BAD_ARGUMENT);
              assertThat(failure).hasMessage("no text");
            });
    assertThat(worker.fit(10)).isTrue();
  }

  @Test
  void effects_are_performed_for_the_call_that_runs() throws Exception {
    Worker worker =
        worker(
            ShellCage.READY
                + "read call\n"
                + "echo '{\"effect\":\"write_text\",\"id\":1,\"path\":\"a.txt\",\"text\":\"new\"}'\n"
                + "read one\n"
                + "echo '{\"effect\":\"read_text\",\"id\":2,\"path\":\"a.txt\"}'\n"
                + "read two\n"
                + "echo '{\"effect\":\"list\",\"id\":3,\"path\":\"absent\"}'\n"
                + "read three\n"
                + "echo \"{\\\"result\\\":{\\\"one\\\":$one,\\\"two\\\":$two,\\\"three\\\":$three}}\"\n"
                + "read next\n");

    ToolResult result = worker.call(CALL, effects);

    assertThat(effects.asked).containsExactly("write a.txt new", "read a.txt", "list absent");
    assertThat(result.value().toString())
        .isEqualTo(
            "{one={effect_result=1, value=null}, two={effect_result=2, value=text of a.txt},"
                + " three={effect_result=3, error={code=NOT_FOUND, message=no folder}}}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hello",
        "[]",
        "{}",
        "{\"result\":3}",
        "{\"result\":{},\"cost_usd\":-1}",
        "{\"result\":{},\"extra\":1}",
        "{\"result\":{\"a\":1,\"a\":2}}",
        "{\"failure\":{\"code\":\"MY_OWN\",\"message\":\"\"}}",
        "{\"failure\":\"no\"}",
        "{\"effect\":\"delete\",\"id\":1,\"path\":\"a\"}",
        "{\"effect\":\"read_text\",\"id\":1}",
        "{\"effect\":\"read_text\",\"id\":\"one\",\"path\":\"a\"}"
      })
  void whatever_else_a_tool_says_is_a_fault(String line) throws Exception {
    Worker worker = answering(line);

    assertRefused(worker, Code.TOOL_FAULT);
    assertThat(worker.fit(10)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "exit 3, TOOL_CRASHED",
    "kill -SEGV $$, TOOL_CRASHED",
    "exit 159, TOOL_FORBIDDEN_CALL",
    "exit 125, TIER_UNAVAILABLE",
    "exec 1>&-, TOOL_CRASHED",
    "yes, TOOL_FAULT",
    "head -c 200000 /dev/zero, TOOL_OUTPUT_LIMIT",
    "head -c 200000 /dev/zero >&2; read x, TOOL_OUTPUT_LIMIT",
    "sleep 20, TIMED_OUT"
  })
  void ends_are_told_apart(String end, Code code) throws Exception {
    Worker worker = worker(ShellCage.READY + "read call\n" + end + "\n");

    assertRefused(worker, code);
    assertThat(worker.fit(10)).isFalse();
  }

  @Test
  void an_end_for_want_of_memory_is_told_whatever_its_status() throws Exception {
    Worker worker = worker(ShellCage.READY + "read call\nexit 1\n");
    cage.outOfMemory = true;

    assertRefused(worker, Code.TOOL_OUT_OF_MEMORY);
  }

  @Test
  void a_worker_that_left_something_behind_is_not_used_again() throws Exception {
    Worker strained = answering("{\"result\":{}}");
    cage.outOfMemory = true;
    strained.call(CALL, effects);
    assertThat(strained.fit(10)).isFalse();
    strained.end(Duration.ZERO);

    Worker forked = answering("{\"result\":{}}");
    cage.processes = 2;
    forked.call(CALL, effects);
    assertThat(forked.fit(10)).isFalse();
    forked.end(Duration.ZERO);

    Worker talkative = answering("{\"result\":{}}\n{\"result\":{}}");
    talkative.call(CALL, effects);
    assertThat(Patience.await(Duration.ofSeconds(5), () -> !talkative.fit(10))).isTrue();
  }

  @Test
  void a_tool_that_reads_nothing_does_not_hold_up_its_caller() throws Exception {
    Worker worker = worker(ShellCage.READY + "sleep 20\n");
    ToolCall large =
        new ToolCall("sc-1", "script", Map.of("text", "x".repeat(1 << 20)), CALL.deadline(), null);

    assertThatThrownBy(() -> worker.call(large, effects))
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> assertThat(refused.problem().code()).isEqualTo(Code.TIMED_OUT));
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> worker.call(large, effects)).isInstanceOf(InterruptedException.class);
  }

  @Test
  void a_large_message_takes_a_place_that_its_caller_gives_back() throws Exception {
    Worker worker =
        worker(
            ShellCage.READY
                + "read call\nprintf '{\"result\":{\"text\":\"'\nhead -c 90000 /dev/zero | tr '\\0' x\n"
                + "echo '\"}}'\nread next\n");

    assertThat((String) worker.call(CALL, effects).value().get("text")).hasSize(90_000);
    assertThat(places.availablePermits()).isEqualTo(1);
    assertThat(worker.fit(10)).isTrue();
  }

  @Test
  void a_large_message_without_an_end_is_ended_for_the_sake_of_others() throws Exception {
    Worker worker =
        worker(ShellCage.READY + "head -c 90000 /dev/zero | tr '\\0' x\nexec sleep 20\n");
    assertThat(Patience.await(Duration.ofSeconds(5), room::isHeld)).isTrue();
    assertThat(worker.fit(10)).isFalse();

    worker.killIfItHoldsUpOthers();
    assertThat(Patience.await(Duration.ofSeconds(5), cage::isSleeping))
        .as("it has had no time yet, and goes on to its sleep")
        .isTrue();
    nanos.addAndGet(TimeUnit.SECONDS.toNanos(5));
    worker.killIfItHoldsUpOthers();

    assertRefused(worker, Code.TOOL_CRASHED);
    assertThat(places.availablePermits()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({
    "exit 1, TOOL_CRASHED",
    "echo hello, TOOL_FAULT",
    "echo '{\"ready\":1}', TOOL_FAULT",
    "exit 125, TIER_UNAVAILABLE"
  })
  void a_tool_that_does_not_become_ready_is_ended(String script, Code code) {
    assertThatThrownBy(() -> worker(script))
        .isInstanceOfSatisfying(
            Refused.class, refused -> assertThat(refused.problem().code()).isEqualTo(code));
    assertThat(cage.ended).isTrue();
  }

  @Test
  void a_tool_that_is_slow_to_start_is_ended() {
    cage = new ShellCage("sleep 20");

    assertThatThrownBy(
            () ->
                Worker.ready(
                    PROGRAM, cage, room, Duration.ofMillis(100), THREADS, System::nanoTime))
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> assertThat(refused.problem().code()).isEqualTo(Code.TOOL_FAULT));
    assertThat(cage.ended).isTrue();
  }

  private void assertRefused(Worker worker, Code code) {
    assertThatThrownBy(() -> worker.call(CALL, effects))
        .isInstanceOfSatisfying(
            Refused.class, refused -> assertThat(refused.problem().code()).isEqualTo(code));
  }

  private static final class Written implements Effects {

    @Override
    public org.aionos.tool.Fetched fetch(org.aionos.tool.Fetch request) {
      throw new AssertionError("fetches " + request.url());
    }

    private final List<String> asked = new ArrayList<>();

    @Override
    public String readText(String path) {
      asked.add("read " + path);
      return "text of " + path;
    }

    @Override
    public void writeText(String path, String text) {
      asked.add("write " + path + " " + text);
    }

    @Override
    public List<String> list(String path) throws ToolFailure {
      asked.add("list " + path);
      throw new ToolFailure(ToolFailure.Code.NOT_FOUND, "no folder");
    }
  }
}
