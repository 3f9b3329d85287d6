package org.aionos.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Whatever a tool does, its caller gets one clear answer, in time, and it is on record. */
@Order(3)
class BadToolIT {

  private static RunningKernel kernel;

  @BeforeAll
  static void install() {
    kernel = SharedKernel.get();
    TroublesomeTool.installIn(kernel);
  }

  @TestFactory
  List<DynamicTest> a_fault_of_the_tool_is_a_502_that_tells_nothing_of_its_insides() {
    return TroublesomeTool.codes().entrySet().stream()
        .sorted(java.util.Map.Entry.comparingByKey())
        .map(
            each ->
                DynamicTest.dynamicTest(
                    each.getKey() + " is " + each.getValue(),
                    () -> {
                      Answer answer =
                          TroublesomeTool.of(kernel, TroublesomeTool.call(each.getKey(), 0));

                      answer.expect(502, each.getValue());
                      assertThat(answer.text()).doesNotContain("SECRET");
                      assertEnded(answer, each.getValue());
                    }))
        .toList();
  }

  @Test
  void a_call_that_outlives_its_budget_is_504_at_its_deadline() {
    for (String how : List.of("sleep", "ignore interrupts")) {
      ObjectNode body = TroublesomeTool.call(how, 4_000);
      body.putObject("budget").put("latency_ms", 200);

      Answer answer = TroublesomeTool.of(kernel, body).expect(504, "TIMED_OUT");

      assertThat(answer.json().at("/usage/latency_ms").asDouble()).isBetween(200.0, 3_000.0);
      assertEnded(answer, "TIMED_OUT");
    }
  }

  @Test
  void a_call_within_its_budget_is_not_cut() {
    ObjectNode body = TroublesomeTool.call("sleep", 50);
    body.putObject("budget").put("latency_ms", 15_000);

    TroublesomeTool.of(kernel, body).expect(200);
  }

  @Test
  void a_key_stands_for_one_call() {
    ObjectNode body = TroublesomeTool.call("tell the time", 0);
    body.putObject("context").put("idempotency_key", "bad-tool-it-1");
    ObjectNode other = TroublesomeTool.call("tell the time", 1);
    other.putObject("context").put("idempotency_key", "bad-tool-it-1");

    Answer first = TroublesomeTool.of(kernel, body).expect(200);
    Answer second = TroublesomeTool.of(kernel, body).expect(200);

    assertThat(second.at("/result/at")).isEqualTo(first.at("/result/at"));
    TroublesomeTool.of(kernel, other).expect(409, "IDEMPOTENCY_KEY_REUSED");
  }

  /** The caller may be answered a moment before the record can be read. */
  private static void assertEnded(Answer answer, String code) {
    assertThat(answer.auditId()).startsWith("sc-");
    String target = "/v1/syscalls/" + answer.auditId();
    Await.until(
        "the record of " + answer.auditId() + " says " + code,
        Duration.ofSeconds(5),
        () -> kernel.call(kernel.operator(), "GET", target).at("/ended/code").equals(code));
  }
}
