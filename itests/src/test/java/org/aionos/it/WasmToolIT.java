package org.aionos.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tools compiled to WebAssembly: good ones answer, hostile ones end, and the kernel goes on. */
@Order(5)
class WasmToolIT {

  private static final int TIMEOUT_MILLIS = 1_000;
  private static final byte[] HOSTILE =
      RunningKernel.readBytes(
          RunningKernel.ROOT.resolve("bundles/wasm/src/test/resources/hostile.wasm"));

  private static RunningKernel kernel;

  @BeforeAll
  static void install() {
    kernel = SharedKernel.get();
    kernel.allowAndDrop(hostile("1.0.0").bytes(), "hostile.jar");
    kernel.awaitTool("hostile@1.0.0");
    kernel.awaitTool("calculate@1.0.0");
  }

  private static ToolJars hostile(String version) {
    return ToolJars.confined("hostile", version, "wasm:tools/hostile.wasm", TIMEOUT_MILLIS)
        .entry("tools/hostile.wasm", HOSTILE);
  }

  private static Answer hostileCall(String what) {
    return kernel.invoke("hostile", Map.of("do", what));
  }

  @Test
  void the_shipped_tool_calculates_and_says_where_an_expression_is_wrong() {
    Answer answer = kernel.invoke("calculate", Map.of("expression", "-2^2 + sqrt(16) * max(1, 3)"));

    assertThat(answer.expect(200).json().at("/result/value").asDouble()).isEqualTo(8);
    assertThat(answer.at("/engine/name")).isEqualTo("tooling/calculate@1.0.0");
    Answer wrong = kernel.invoke("calculate", Map.of("expression", "1 + (2"));
    assertThat(wrong.expect(422, "TOOL_FAILED").at("/error/message")).contains("character 7");
  }

  @ParameterizedTest
  @CsvSource({
    "loop, 504, TIMED_OUT",
    "sleep, 504, TIMED_OUT",
    "memory, 502, TOOL_OUT_OF_MEMORY",
    "deep, 502, TOOL_CRASHED",
    "output, 502, TOOL_OUTPUT_LIMIT",
    "abort, 502, TOOL_CRASHED",
    "wild, 502, TOOL_CRASHED",
    "noise, 502, TOOL_FAULT",
  })
  void each_way_to_end_badly_is_told_apart_and_on_record(String what, int status, String code) {
    Answer answer = hostileCall(what).expect(status, code);

    assertThat(answer.json().at("/usage/latency_ms").asDouble()).isLessThan(3_000);
    assertThat(
            kernel
                .call(kernel.operator(), "GET", "/v1/syscalls/" + answer.auditId())
                .at("/ended/code"))
        .isEqualTo(code);
    hostileCall("echo").expect(200);
  }

  @Test
  void files_of_the_host_are_out_of_reach_and_the_workspace_is_not() {
    assertThat(hostileCall("passwd").at("/result/text")).isEqualTo("shut out");
    assertThat(hostileCall("environment").at("/result/text")).isEqualTo("0");
    // It asks for no filesystem, so it gets none.
    assertThat(hostileCall("effect").at("/result/effect/error/code")).isEqualTo("NOT_PERMITTED");
  }

  @Test
  void a_call_has_files_in_memory_that_no_other_call_finds() {
    for (int i = 0; i < 2; i++) {
      assertThat(hostileCall("use files").expect(200).json().get("result").toString())
          .contains("\"text\":\"remember\"", "\"was there\":false");
    }
    assertThat(hostileCall("many files").expect(200).json().at("/result/files").asInt())
        .isEqualTo(2_000);
    hostileCall("far file").expect(200);
  }

  @Test
  void many_that_hoard_memory_at_once_do_not_take_the_kernel_with_them() throws Exception {
    ExecutorService callers = Executors.newFixedThreadPool(24);
    try {
      List<Future<Answer>> hoarding = new ArrayList<>();
      for (int i = 0; i < 72; i++) {
        hoarding.add(callers.submit(() -> hostileCall("memory")));
      }
      for (Future<Answer> each : hoarding) {
        assertThat(each.get().code()).isIn("TOOL_OUT_OF_MEMORY", "KERNEL_BUSY", "TIMED_OUT");
      }
    } finally {
      callers.shutdownNow();
    }
    hostileCall("echo").expect(200);
  }

  @Test
  void a_replaced_module_answers_at_once_and_a_removed_one_is_gone() {
    kernel.allowAndDrop(hostile("1.1.0").bytes(), "hostile.jar");
    kernel.awaitTool("hostile@1.1.0");
    assertThat(hostileCall("echo").expect(200).at("/engine/name")).endsWith("@1.1.0");

    kernel.allowAndDrop(hostile("1.0.0").bytes(), "hostile.jar");
    kernel.awaitTool("hostile@1.0.0");
    hostileCall("echo").expect(200);
  }

  @Test
  void what_is_no_module_is_refused_with_the_reason() {
    byte[] none =
        ToolJars.confined("nonsense", "1.0.0", "wasm:tools/x.wasm", TIMEOUT_MILLIS)
            .entry("tools/x.wasm", "hello")
            .bytes();
    Path file = kernel.allowAndDrop(none, "nonsense.jar");

    kernel.awaitLog("tool refused: file=" + file);
    kernel.awaitLog("tools/x.wasm is no WebAssembly module");
    kernel.invoke("nonsense", Map.of()).expect(404, "UNKNOWN_TOOL");
  }

  @Test
  void while_the_tier_is_replaced_its_tools_answer_503_and_then_come_back()
      throws java.io.IOException {
    Ssh.admin(kernel, "bundle:update org.aionos.wasm");

    Await.until(
        "calculate answers again",
        Duration.ofSeconds(30),
        () -> {
          Answer answer = kernel.invoke("calculate", Map.of("expression", "6*7"));
          if (answer.status() == 503) {
            answer.expect(503, "RESTARTING");
            return false;
          }
          assertThat(answer.expect(200).json().at("/result/value").asInt()).isEqualTo(42);
          return true;
        });
    hostileCall("echo").expect(200);
  }
}
