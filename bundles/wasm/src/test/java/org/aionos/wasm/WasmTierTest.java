package org.aionos.wasm;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.ConfinedTool;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.kernel.ToolPackage;
import org.aionos.tool.Effects;
import org.aionos.tool.Fetch;
import org.aionos.tool.Fetched;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs a tool that does what a tool must not, and looks at what becomes of it and of us. */
@org.junit.jupiter.api.Timeout(
    value = 20,
    threadMode = org.junit.jupiter.api.Timeout.ThreadMode.SEPARATE_THREAD)
final class WasmTierTest {

  private static final int MEBI = 1 << 20;
  private static final AgentId AGENT = new AgentId("tenantA", "researcher-1");
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
  private static final WasmTier.Limits LIMITS =
      new WasmTier.Limits(4 * MEBI, 8 * MEBI, 20 * MEBI, 64 << 10, MEBI);

  private static final WasmTier tier = tier(LIMITS);
  private static ConfinedTool hostile;

  private static WasmTier tier(WasmTier.Limits limits) {
    return new WasmTier(limits, Clock.fixed(NOW, ZoneOffset.UTC), new Random(1));
  }

  @BeforeAll
  static void compile() throws IOException {
    hostile = tier.open(jar(hostileModule()));
  }

  private static byte[] hostileModule() throws IOException {
    try (InputStream in = WasmTierTest.class.getResourceAsStream("/hostile.wasm")) {
      return in.readAllBytes();
    }
  }

  private static ToolPackage jar(byte[] module) {
    return new ToolPackage() {
      @Override
      public ToolManifest manifest() {
        return new ToolManifest(
            "hostile",
            "1.0.0",
            "",
            "wasm",
            "tools/hostile.wasm",
            null,
            null,
            Set.of(),
            Map.of(),
            Map.of(),
            1_000,
            4);
      }

      @Override
      public String digest() {
        return "0".repeat(64);
      }

      @Override
      public List<String> paths() {
        return List.of("tools/hostile.wasm");
      }

      @Override
      public byte[] read(String path) throws IOException {
        if (!path.equals("tools/hostile.wasm")) {
          throw new IOException("no " + path);
        }
        return module;
      }
    };
  }

  private static final Effects READER =
      new Effects() {
        @Override
        public String readText(String path) {
          return "text of " + path;
        }

        @Override
        public void writeText(String path, String text) throws ToolFailure {
          throw new ToolFailure(ToolFailure.Code.NOT_PERMITTED, "read only");
        }

        @Override
        public List<String> list(String path) {
          return List.of("a.txt");
        }

        @Override
        public Fetched fetch(Fetch request) throws ToolFailure {
          throw new ToolFailure(ToolFailure.Code.NOT_PERMITTED, "no network");
        }
      };

  private static ToolResult call(ConfinedTool tool, String what) throws Exception {
    ToolCall call = new ToolCall("sc-1", "hostile", Map.of("do", what), NOW.plusSeconds(1), null);
    return tool.invoke(call, AGENT, READER);
  }

  private static ToolResult call(String what) throws Exception {
    return call(hostile, what);
  }

  private static void assertRefused(ThrowingCallable call, Code code) {
    assertThatThrownBy(call)
        .isInstanceOf(Refused.class)
        .satisfies(refused -> assertThat(((Refused) refused).problem().code()).isEqualTo(code));
  }

  @Test
  void a_call_comes_on_standard_input_and_its_answer_goes_to_standard_output() throws Exception {
    ToolResult result = call("echo");

    assertThat(result.costUsd()).isEqualByComparingTo(new BigDecimal("0.5"));
    assertThat(result.value())
        .extractingByKey("call", InstanceOfAssertFactories.map(String.class, Object.class))
        .containsEntry("id", "sc-1")
        .containsEntry("tool", "hostile")
        .containsEntry("arguments", Map.of("do", "echo"))
        .containsEntry("deadline", "2026-01-02T03:04:06Z")
        .containsEntry("trace_id", null);
  }

  @Test
  void nothing_of_a_call_is_left_for_the_next() throws Exception {
    assertThat(call("echo").value()).containsEntry("kept", 1);
    assertThat(call("echo").value()).containsEntry("kept", 1);
  }

  @Test
  void a_failure_is_the_tools_word_to_the_agent() {
    assertThatThrownBy(() -> call("fail"))
        .isInstanceOf(ToolFailure.class)
        .hasMessage("no such city");
  }

  @ParameterizedTest
  @CsvSource({
    "memory, TOOL_OUT_OF_MEMORY",
    "deep, TOOL_CRASHED",
    "output, TOOL_OUTPUT_LIMIT",
    "errors, TOOL_OUTPUT_LIMIT",
    "exit, TOOL_CRASHED",
    "abort, TOOL_CRASHED",
    "wild, TOOL_CRASHED",
    "nothing, TOOL_FAULT",
    "noise, TOOL_FAULT",
    "gibberish, TOOL_FAULT",
    "long effect, TOOL_OUTPUT_LIMIT",
    "wild effect, TOOL_CRASHED",
    "wild result, TOOL_CRASHED",
  })
  void each_way_to_end_badly_has_its_own_code(String what, Code code) throws Exception {
    assertRefused(() -> call(what), code);
    assertThat(call("echo").value()).containsEntry("kept", 1);
  }

  @Test
  void a_call_has_a_folder_in_memory_that_is_gone_with_it() throws Exception {
    for (int i = 0; i < 3; i++) {
      assertThat(call("use files").value())
          .isEqualTo(
              Map.of("text", "remember", "was there", false, "moved", true, "removed", true));
    }
    assertThat(call("mkdir").value()).containsEntry("text", "made");
    assertThat(Path.of("/tmp/aion-escaped")).doesNotExist();
  }

  @Test
  void files_are_bounded_in_bytes_and_in_number() throws Exception {
    assertThat((Integer) call("large file").value().get("bytes")).isBetween(MEBI - 8_192, MEBI);
    assertThat(call("many files").value()).isEqualTo(Map.of("files", 2_000, "full", true));
    // Sparse or not, a file takes no more than there is.
    assertThat(call("far file").value().get("far")).isEqualTo(-1);
    assertThat(call("echo").value()).containsEntry("kept", 1);
  }

  @Test
  void what_files_may_take_is_given_back() throws Exception {
    for (int i = 0; i < 100; i++) {
      call("use files");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"passwd", "climb", "relative", "symlink"})
  void there_is_no_way_to_a_file_of_the_host(String what) throws Exception {
    assertThat(call(what).value()).containsEntry("text", "shut out");
    assertThat(Path.of("/tmp/aion-escaped")).doesNotExist();
    assertThat(Files.isSymbolicLink(Path.of("/tmp/aion-link"))).isFalse();
  }

  @Test
  void there_is_no_environment() throws Exception {
    assertThat(call("environment").value()).containsEntry("text", "0");
  }

  @Test
  void effects_go_through_the_call() throws Exception {
    assertThat(call("effect").value()).containsEntry("effect", Map.of("value", "text of a.txt"));
    assertThat(call("denied").value())
        .containsEntry(
            "effect", Map.of("error", Map.of("code", "NOT_PERMITTED", "message", "read only")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"loop", "sleep"})
  void an_interrupt_ends_a_tool_that_does_not_end(String what) throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CompletableFuture<Throwable> ended = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              begun.countDown();
              try {
                call(what);
                ended.complete(new AssertionError("it ended by itself"));
              } catch (Throwable thrown) {
                ended.complete(thrown);
              }
            });
    thread.start();
    begun.await();
    while (what.equals("sleep") && thread.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }

    thread.interrupt();

    assertThat(ended.get(10, TimeUnit.SECONDS)).isInstanceOf(InterruptedException.class);
    thread.join(Duration.ofSeconds(10).toMillis());
    assertThat(thread.isAlive()).isFalse();
  }

  @Test
  void calls_in_flight_share_a_bound_and_give_back_what_they_took() throws Exception {
    // Two pages beyond what a call begins with: a second call in flight finds no room.
    WasmTier narrow = tier(new WasmTier.Limits(4 * MEBI, 8 * MEBI, 4 << 16, 64 << 10, 1 << 16));
    ConfinedTool tool = narrow.open(jar(hostileModule()));
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch leave = new CountDownLatch(1);
    AtomicReference<Throwable> failed = new AtomicReference<>();
    Effects waits =
        new Effects() {
          @Override
          public String readText(String path) {
            inside.countDown();
            try {
              leave.await();
            } catch (InterruptedException unexpected) {
              throw new IllegalStateException(unexpected);
            }
            return "";
          }

          @Override
          public void writeText(String path, String text) {}

          @Override
          public List<String> list(String path) {
            return List.of();
          }

          @Override
          public Fetched fetch(Fetch request) throws ToolFailure {
            throw new ToolFailure(ToolFailure.Code.NOT_PERMITTED, "no network");
          }
        };
    Thread first =
        new Thread(
            () -> {
              try {
                tool.invoke(
                    new ToolCall("sc-1", "hostile", Map.of("do", "effect"), NOW, null),
                    AGENT,
                    waits);
              } catch (Throwable thrown) {
                failed.set(thrown);
              }
            });
    first.start();
    inside.await();

    assertRefused(() -> call(tool, "echo"), Code.KERNEL_BUSY);
    leave.countDown();
    first.join();

    assertThat(failed.get()).isNull();
    assertThat(call(tool, "echo").value()).containsEntry("kept", 1);
  }

  @Test
  void a_module_that_is_too_large_or_none_is_refused() {
    assertRefused(() -> tier.open(jar("hello".getBytes(UTF_8))), Code.INVALID_FIELD);
    assertRefused(() -> tier.open(jar(new byte[5 * MEBI])), Code.INVALID_FIELD);
    assertRefused(() -> tier.open(jar(module())), Code.INVALID_FIELD); // No _start.
  }

  @Test
  void a_module_that_cannot_be_bounded_is_refused() {
    byte[] start = {1, 6, '_', 's', 't', 'a', 'r', 't', 0, 0};
    byte[] type = {1, 0x60, 0, 0};
    byte[] function = {1, 0};
    byte[] body = {1, 2, 0, 0x0B};
    // memory 4096 pages; shared memory 1..1; a table of 16 million; a tag; an array type
    assertUnbounded(
        module(1, type, 3, function, 5, new byte[] {1, 0, (byte) 0x80, 0x20}, 7, start, 10, body),
        "pages");
    assertUnbounded(
        module(1, type, 3, function, 5, new byte[] {1, 3, 1, 1}, 7, start, 10, body), "shared");
    assertUnbounded(
        module(
            1,
            type,
            3,
            function,
            4,
            new byte[] {1, 0x70, 0, (byte) 0x80, (byte) 0x80, 0x40},
            7,
            start,
            10,
            body),
        "table");
    // (func (throw)) needs a tag, and struct.new a type: both are opcodes that are not let in.
    assertUnbounded(
        module(1, type, 3, function, 13, new byte[] {1, 0, 0}, 7, start, 10, body), "exceptions");
    // ref.i31 of 0, dropped
    assertUnbounded(
        module(
            1,
            type,
            3,
            function,
            7,
            start,
            10,
            new byte[] {1, 7, 0, 0x41, 0, (byte) 0xFB, 0x1C, 0x1A, 0x0B}),
        "garbage collection");
    // An import that there is not.
    assertUnbounded(
        module(
            1,
            type,
            2,
            new byte[] {1, 3, 'e', 'n', 'v', 1, 'f', 0, 0},
            3,
            function,
            7,
            new byte[] {1, 6, '_', 's', 't', 'a', 'r', 't', 0, 1},
            10,
            body),
        "env.f");
  }

  @Test
  void the_smallest_module_there_is_runs_and_says_nothing() throws Exception {
    byte[] start = {1, 6, '_', 's', 't', 'a', 'r', 't', 0, 0};
    ConfinedTool tool =
        tier.open(
            jar(
                module(
                    1,
                    new byte[] {1, 0x60, 0, 0},
                    3,
                    new byte[] {1, 0},
                    7,
                    start,
                    10,
                    new byte[] {1, 2, 0, 0x0B})));

    assertRefused(() -> call(tool, "echo"), Code.TOOL_FAULT);
  }

  /** Each checks what it then changes: it traps if a call before it left the change behind. */
  @Test
  void what_a_call_grows_or_drops_is_whole_again_for_the_next() throws Exception {
    byte[] start = {1, 6, '_', 's', 't', 'a', 'r', 't', 0, 0};
    byte[] type = {1, 0x60, 0, 0};
    byte[] function = {1, 0};
    byte[] table = {1, 0x70, 0, 1};
    byte[] growsTable =
        code(
            0x41, 1, 0xFC, 0x10, 0, 0x47, 0x04, 0x40, 0, 0x0B, 0xD0, 0x70, 0x41, 10, 0xFC, 0x0F, 0,
            0x1A);
    byte[] dropsData = code(0x41, 0, 0x41, 0, 0x41, 1, 0xFC, 8, 0, 0, 0xFC, 9, 0);
    byte[] dropsElement = code(0x41, 0, 0x41, 0, 0x41, 1, 0xFC, 12, 0, 0, 0xFC, 13, 0);
    byte[] memory = {1, 0, 1};
    byte[] data = {1, 1, 1, 'x'};
    byte[] element = {1, 1, 0, 1, 0};

    runsTwice(module(1, type, 3, function, 4, table, 7, start, 10, growsTable));
    runsTwice(
        module(
            1,
            type,
            3,
            function,
            5,
            memory,
            7,
            start,
            12,
            new byte[] {1},
            10,
            dropsData,
            11,
            data));
    runsTwice(module(1, type, 3, function, 4, table, 7, start, 9, element, 10, dropsElement));
  }

  private static void runsTwice(byte[] module) {
    ConfinedTool tool = tier.open(jar(module));
    for (int call = 0; call < 2; call++) {
      assertRefused(() -> call(tool, ""), Code.TOOL_FAULT); // It ended well, and said nothing.
    }
  }

  /** The section of one function without locals. */
  private static byte[] code(int... instructions) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write(1);
    bytes.write(instructions.length + 2);
    bytes.write(0);
    for (int instruction : instructions) {
      bytes.write(instruction);
    }
    bytes.write(0x0B);
    return bytes.toByteArray();
  }

  private static void assertUnbounded(byte[] module, String why) {
    assertThatThrownBy(() -> tier.open(jar(module)))
        .isInstanceOf(Refused.class)
        .hasMessageContaining(why);
  }

  /** A module of sections: their number, their bytes. */
  private static byte[] module(Object... sections) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(new byte[] {0, 'a', 's', 'm', 1, 0, 0, 0});
    for (int i = 0; i < sections.length; i += 2) {
      byte[] content = (byte[]) sections[i + 1];
      bytes.write((Integer) sections[i]);
      bytes.write(content.length);
      bytes.writeBytes(content);
    }
    return bytes.toByteArray();
  }
}
