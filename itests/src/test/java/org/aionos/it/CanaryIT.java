package org.aionos.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** A new version of a tool takes a share of its calls, and proves itself or goes. */
@Order(6)
@TestMethodOrder(OrderAnnotation.class)
class CanaryIT {

  private static final Duration SOON = Duration.ofSeconds(20);

  private static RunningKernel kernel;

  @BeforeAll
  static void start() {
    kernel = RunningKernel.named("canary").bare().start();
    kernel.allowAndDrop(jar("1.0.0", "Thread.sleep(2);"), "steady.jar");
    kernel.awaitTool("steady@1.0.0");
  }

  @AfterAll
  static void stop() {
    kernel.down();
  }

  private static byte[] jar(String version, String body) {
    return ToolJars.tool(
            "steady",
            version,
            5_000,
            """
            import java.util.*;
            import org.aionos.tool.*;
            public final class TheTool implements Tool {
              public ToolResult invoke(ToolCall call, Effects effects) throws InterruptedException {
                %s
                return ToolResult.of(Map.of());
              }
            }
            """
                .formatted(body))
        .bytes();
  }

  private static Answer install(byte[] jar, Integer percent) {
    kernel.allow(jar);
    ObjectNode body = RunningKernel.JSON.createObjectNode();
    body.put("jar", Base64.getEncoder().encodeToString(jar));
    body.put("digest", HexFormat.of().formatHex(Signer.sha256(jar)));
    body.put("canary", percent);
    return kernel.call(kernel.operator(), "POST", "/v1/tools", body);
  }

  private static Answer post(String path) {
    return kernel.call(kernel.operator(), "POST", "/v1/canaries/" + path);
  }

  private static JsonNode canaries() {
    return kernel.call(kernel.operator(), "GET", "/v1/canaries").expect(200).json().get("items");
  }

  /** What so many calls, of several callers at once, came to: status and version. */
  private static Map<String, Long> calls(int count) {
    Map<String, LongAdder> outcomes = new ConcurrentSkipListMap<>();
    ExecutorService callers = Executors.newFixedThreadPool(8);
    try {
      Callable<Void> call =
          () -> {
            Answer answer = kernel.invoke("steady", Map.of());
            String what =
                answer.status() == 200
                    ? answer.at("/engine/name").replace("tooling/steady@", "")
                    : answer.code();
            outcomes.computeIfAbsent(what, absent -> new LongAdder()).increment();
            return null;
          };
      for (var done : callers.invokeAll(java.util.Collections.nCopies(count, call))) {
        done.get();
      }
    } catch (InterruptedException | java.util.concurrent.ExecutionException failed) {
      throw new AssertionError(failed);
    } finally {
      callers.shutdownNow();
    }
    Map<String, Long> counted = new TreeMap<>();
    outcomes.forEach((what, number) -> counted.put(what, number.sum()));
    return counted;
  }

  @Test
  @Order(1)
  void takes_its_share_outlasts_a_restart_and_is_promoted() {
    byte[] better = jar("1.1.0", "Thread.sleep(1);");

    install(better, 20).expect(200);

    assertThat(kernel.tools()).containsExactly("steady@1.1.0", "steady@1.0.0");
    assertThat(calls(200)).isEqualTo(Map.of("1.0.0", 160L, "1.1.0", 40L));
    JsonNode canary = canaries().get(0);
    assertThat(canary.at("/beside").asText()).isEqualTo("1.0.0");
    assertThat(canary.at("/figures/calls").asLong()).isEqualTo(40);
    assertThat(canary.at("/figures_beside/calls").asLong()).isEqualTo(160);
    assertThat(canary.at("/figures_beside/latency_ms_p95").asDouble()).isGreaterThan(2);

    ObjectNode half = RunningKernel.JSON.createObjectNode().put("percent", 50);
    kernel.call(kernel.operator(), "POST", "/v1/canaries/steady/weigh", half).expect(200);
    kernel.restart();
    kernel.awaitTool("steady@1.1.0");
    kernel.awaitTool("steady@1.0.0");
    assertThat(calls(100)).isEqualTo(Map.of("1.0.0", 50L, "1.1.0", 50L));
    assertThat(kernel.shell("aion:canaries --no-format")).contains("1.1.0").contains("50 %");

    post("steady/promote").expect(200);

    assertThat(kernel.tools()).containsExactly("steady@1.1.0");
    assertThat(calls(20)).isEqualTo(Map.of("1.1.0", 20L));
    kernel.restart();
    kernel.awaitTool("steady@1.1.0");
    assertThat(kernel.tools()).containsExactly("steady@1.1.0");
  }

  @Test
  @Order(2)
  void one_that_fails_goes_by_itself_and_few_calls_have_met_it() {
    install(jar("1.2.0", "if (true) throw new IllegalStateException();"), 30).expect(200);

    Map<String, Long> outcomes = calls(300);

    kernel.awaitNoTool("steady@1.2.0");
    assertThat(outcomes.keySet()).containsExactlyInAnyOrder("1.1.0", "TOOL_FAULT");
    // Five in a row, and those of the other seven callers that were under way.
    assertThat(outcomes.get("TOOL_FAULT")).isBetween(5L, 12L);
    assertThat(canaries()).isEmpty();
    assertThat(calls(20)).isEqualTo(Map.of("1.1.0", 20L));
    kernel.awaitLog("canary returned: tool=steady version=1.2.0 why=its last 5 calls failed");
  }

  @Test
  @Order(3)
  void one_that_is_slower_goes_by_itself_and_no_call_fails() {
    install(jar("1.3.0", "Thread.sleep(60);"), 50).expect(200);

    Map<String, Long> outcomes = calls(300);

    kernel.awaitNoTool("steady@1.3.0");
    assertThat(outcomes.keySet()).containsExactlyInAnyOrder("1.1.0", "1.3.0");
    assertThat(canaries()).isEmpty();
    kernel.awaitLog("canary returned: tool=steady version=1.3.0 why=95 % of its calls take up to");
  }

  @Test
  @Order(4)
  void one_that_is_not_wanted_is_ended_by_hand_in_the_shell() {
    install(jar("1.4.0", ""), 99).expect(200);
    byte[] other = jar("1.5.0", "");

    install(other, 10).expect(409, "CONFLICT");
    install(other, null).expect(409, "CONFLICT");
    assertThat(kernel.shell("aion:canary-end steady")).contains("has ended");

    assertThat(kernel.tools()).containsExactly("steady@1.1.0");
    assertThat(kernel.shell("aion:canary-end steady")).contains("has no canary");
  }

  @Test
  @Order(5)
  void what_cannot_be_is_refused() {
    byte[] jar = jar("1.6.0", "");
    for (int percent : List.of(0, 100, -1)) {
      Answer answer = install(jar, percent).expect(400, "INVALID_FIELD");
      assertThat(answer.at("/error/pointer")).isEqualTo("/canary");
    }
    install(jar("1.1.0", "Thread.sleep(9);"), 10).expect(409, "CONFLICT");
    for (String verb : List.of("promote", "end")) {
      post("steady/" + verb).expect(404, "NOT_FOUND");
      kernel
          .call(RunningKernel.RESEARCHER_V2, "POST", "/v1/canaries/steady/" + verb)
          .expect(403, "ROLE_REQUIRED");
    }
    assertThat(kernel.tools()).containsExactly("steady@1.1.0");
    Await.until("nothing is left", SOON, () -> canaries().isEmpty());
  }
}
