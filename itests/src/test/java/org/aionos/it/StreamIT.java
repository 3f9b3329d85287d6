package org.aionos.it;

import static org.aionos.it.RunningKernel.RESEARCHER;
import static org.aionos.it.RunningKernel.RESEARCHER_V1;
import static org.aionos.it.RunningKernel.RESEARCHER_V2;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.aionos.it.LiveCall.Event;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** Who listens hears a call while it runs, and can end it; who does not read holds up nobody. */
@Order(3)
class StreamIT {

  private static final Duration SOON = Duration.ofSeconds(10);

  private static RunningKernel kernel;

  @BeforeAll
  static void install() {
    kernel = SharedKernel.get();
    TroublesomeTool.installIn(kernel);
  }

  private static Answer cancel(Signer signer, String auditId) {
    return kernel.call(signer, "POST", "/v1/calls/" + auditId + "/cancel");
  }

  /** The calls in flight that an agent may see, by their ids. */
  private static Map<String, JsonNode> running() {
    Map<String, JsonNode> calls = new HashMap<>();
    kernel
        .call(RESEARCHER_V2, "GET", "/v1/calls")
        .expect(200)
        .json()
        .get("items")
        .forEach(call -> calls.put(call.path("audit_id").asText(), call));
    return calls;
  }

  private static void awaitEnded(String auditId, String code) {
    Await.until(
        auditId + " has ended with " + code,
        SOON,
        () ->
            kernel
                .call(RESEARCHER_V2, "GET", "/v1/syscalls/" + auditId)
                .at("/ended/code")
                .equals(code));
  }

  @Test
  void what_a_tool_says_comes_while_it_runs_and_then_the_envelope_that_others_get() {
    ObjectNode body = TroublesomeTool.call("report", 0);

    try (LiveCall live = LiveCall.begin(kernel, body)) {
      expectReport(live);
      JsonNode result = live.expect("result");

      Answer plain = TroublesomeTool.of(kernel, body).expect(200);
      assertThat(fields(result)).isEqualTo(fields(plain.json()));
      assertThat(result.at("/status").asText()).isEqualTo("ok");
      assertThat(result.at("/engine/name").asText()).isEqualTo("tooling/trouble@1.0.0");
      assertThat(result.at("/audit_id").asText()).isEqualTo(live.auditId);
      awaitEnded(live.auditId, "OK");
    }
    try (LiveCall live = LiveCall.begin(kernel, TroublesomeTool.call("report", 15_000))) {
      expectReport(live);
      // All that was heard of a call that has not ended.
      assertThat(running()).containsKey(live.auditId);
    }
  }

  private static void expectReport(LiveCall live) {
    assertThat(live.expect("progress").toString())
        .isEqualTo("{\"done\":0.25,\"message\":\"a quarter\"}");
    assertThat(live.expect("partial").toString()).isEqualTo("{\"lines\":[\"one\\ntwo\"]}");
    assertThat(live.expect("progress").toString())
        .isEqualTo("{\"done\":null,\"message\":\"who knows\"}");
  }

  private static List<String> fields(JsonNode object) {
    List<String> names = new ArrayList<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  @Test
  void a_call_that_is_cancelled_ends_at_once_and_its_listener_is_told_who_did_it() {
    for (String how : List.of("sleep", "ignore interrupts")) {
      try (LiveCall live = LiveCall.begin(kernel, TroublesomeTool.call(how, 8_000))) {
        JsonNode row = running().get(live.auditId);
        assertThat(row.path("tool").asText()).isEqualTo("trouble");
        assertThat(row.path("agent_id").asText()).isEqualTo(RESEARCHER);

        cancel(RESEARCHER_V2, live.auditId).expect(202);

        JsonNode result = live.expect("result");
        assertThat(result.at("/error/code").asText()).isEqualTo("CANCELLED");
        assertThat(result.at("/error/message").asText()).isEqualTo("cancelled by tenant-secret");
        assertThat(result.at("/usage/latency_ms").asDouble()).isLessThan(7_000);
        awaitEnded(live.auditId, "CANCELLED");
        cancel(RESEARCHER_V2, live.auditId).expect(404, "NOT_FOUND");
      }
    }
  }

  @Test
  void a_caller_who_does_not_listen_is_told_of_the_cancelling_too() throws Exception {
    var answer = new CompletableFuture<Answer>();
    Thread caller =
        new Thread(
            () ->
                answer.complete(TroublesomeTool.of(kernel, TroublesomeTool.call("sleep", 8_000))));
    caller.start();
    Await.until(
        "the call runs",
        SOON,
        () ->
            kernel
                .shell("aion:calls --no-format")
                .lines()
                .anyMatch(line -> line.contains("trouble")));
    String auditId = running().keySet().iterator().next();

    assertThat(kernel.shell("aion:call-cancel " + auditId)).contains(auditId);

    answer.get().expect(499, "CANCELLED");
    assertThat(kernel.shell("aion:call-cancel " + auditId)).contains("not running");
  }

  @Test
  void a_caller_who_hangs_up_ends_its_call() {
    LiveCall live = LiveCall.begin(kernel, TroublesomeTool.call("sleep", 15_000));

    live.close();

    awaitEnded(live.auditId, "CANCELLED");
    assertThat(running()).doesNotContainKey(live.auditId);
  }

  @Test
  void a_caller_who_does_not_read_holds_up_nothing_and_is_told_what_it_missed() {
    try (LiveCall live = LiveCall.begin(kernel, TroublesomeTool.call("flood", 0))) {
      awaitEnded(live.auditId, "OK");

      List<Event> events = live.rest();
      long shown = events.stream().filter(event -> event.name().equals("partial")).count();
      long dropped =
          events.stream()
              .filter(event -> event.name().equals("dropped"))
              .mapToLong(event -> event.data().path("events").asLong())
              .sum();
      assertThat(dropped).isPositive();
      assertThat(shown + dropped).isEqualTo(1_000);
      assertThat(events.get(events.size() - 1).data().at("/status").asText()).isEqualTo("ok");
    }
  }

  @Test
  void what_is_refused_before_it_begins_has_its_status() {
    ObjectNode body = TroublesomeTool.call("report", 0);
    body.putArray("caps_required").add("subprocess");

    listening(body).expect(403, "CAPABILITY_DENIED");
  }

  @Test
  void the_outcome_of_a_call_that_has_run_before_comes_as_a_result_alone() {
    ObjectNode body = TroublesomeTool.call("tell the time", 0);
    body.putObject("context").put("idempotency_key", "stream-it-1");
    Answer first = TroublesomeTool.of(kernel, body).expect(200);

    Answer second = listening(body).expect(200);

    assertThat(second.text()).startsWith("event: result\ndata: ").contains(first.at("/result/at"));
  }

  private static Answer listening(ObjectNode body) {
    byte[] bytes = RunningKernel.bytes(body);
    Map<String, String> headers =
        new HashMap<>(RESEARCHER_V1.headers("POST", "/v1/syscall/tool.invoke", bytes));
    headers.put("Accept", "application/json;q=0.1, text/event-stream");
    return kernel.call("POST", "/v1/syscall/tool.invoke", headers, bytes);
  }

  @Test
  void who_may_not_see_a_call_does_not_find_it() {
    Signer viewer = SharedKernel.PEOPLE.person("viewer");
    Signer elsewhere = SharedKernel.PEOPLE.personOf("elsewhere", "operator");

    try (LiveCall live = LiveCall.begin(kernel, TroublesomeTool.call("sleep", 15_000))) {
      assertThat(kernel.call(elsewhere, "GET", "/v1/calls").expect(200).text())
          .doesNotContain(live.auditId);
      cancel(elsewhere, live.auditId).expect(404, "NOT_FOUND");
      assertThat(kernel.call(viewer, "GET", "/v1/calls").expect(200).text()).contains(live.auditId);
      cancel(viewer, live.auditId).expect(404, "NOT_FOUND");
      cancel(Signer.nobody(), live.auditId).expect(401, "MISSING_CREDENTIAL");
      assertThat(running()).containsKey(live.auditId);
    }
  }
}
