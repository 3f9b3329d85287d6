package org.aionos.it;

import static org.aionos.it.RunningKernel.JSON;
import static org.aionos.it.RunningKernel.RESEARCHER;
import static org.aionos.it.RunningKernel.RESEARCHER_V1;
import static org.aionos.it.RunningKernel.RESEARCHER_V2;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** Tasks that the kernel carries out itself, over the wire. */
@Order(3)
class SchedulerIT {

  private static RunningKernel kernel;
  private static Tasks tasks;

  @BeforeAll
  static void start() {
    kernel = RunningKernel.named("scheduler").start();
    tasks = new Tasks(kernel);
  }

  @AfterAll
  static void stop() {
    kernel.down();
  }

  private static Map<String, Object> echo(String text) {
    return Map.of("params", Map.of("tool", "echo", "text", text));
  }

  @Test
  void a_submitted_call_is_carried_out_and_its_record_says_how() {
    Answer accepted = tasks.submit("one", "syscall:tool.invoke", echo("hello")).expect(202);
    assertThat(accepted.at("/created")).isEqualTo("true");

    JsonNode ended = tasks.awaitSuccess("one").json();

    assertThat(ended.at("/result/text").asText()).isEqualTo("hello");
    assertThat(ended.at("/usage/calls").asInt()).isEqualTo(1);
    assertThat(ended.at("/attempt").asInt()).isEqualTo(1);
    assertThat(ended.get("reasons")).hasSize(3);
  }

  @Test
  void the_same_submission_is_the_same_task_and_another_one_under_its_id_a_conflict() {
    tasks.submit("same", "syscall:tool.invoke", echo("a")).expect(202);
    assertThat(tasks.submit("same", "syscall:tool.invoke", echo("a")).expect(200).at("/created"))
        .isEqualTo("false");

    Answer other = tasks.submit("same", "syscall:tool.invoke", echo("b"));

    assertThat(other.expect(409, "CONFLICT").at("/error/pointer")).isEqualTo("/task_id");
    assertThat(tasks.awaitSuccess("same").at("/result/text")).isEqualTo("a");
  }

  @Test
  void steps_of_a_workflow_use_what_earlier_ones_returned() {
    List<Map<String, Object>> steps =
        List.of(
            Map.of(
                "id", "said",
                "syscall", "tool.invoke",
                "params", Map.of("tool", "echo", "text", "from the first")),
            Map.of(
                "id", "kept",
                "syscall", "memory.put",
                "params",
                    Map.of("type", "short", "key", "flow", "value", Map.of("$ref", "/said/text"))),
            Map.of(
                "id", "read",
                "syscall", "memory.get",
                "params", Map.of("type", "short", "key", Map.of("$ref", "/kept/key"))));
    tasks.submit("flow", "workflow", Map.of("params", Map.of("steps", steps))).expect(202);

    JsonNode ended = tasks.awaitSuccess("flow").json();

    assertThat(ended.at("/result/steps/read/value").asText()).isEqualTo("from the first");
    assertThat(ended.at("/usage/calls").asInt()).isEqualTo(3);
  }

  @Test
  void what_a_call_may_not_do_a_task_may_not_do_either() {
    ObjectNode registration = JSON.createObjectNode();
    registration.put("agent_id", "agent://tenantA/narrow").put("name", "n").put("version", "1");
    kernel.call(RESEARCHER_V1, "POST", "/v1/agent/register", registration).expect(200);
    ObjectNode body = JSON.createObjectNode();
    body.put("task_id", "narrow")
        .put("intent", "syscall:tool.invoke")
        .put("agent_id", "agent://tenantA/narrow");
    body.putObject("params").put("tool", "web_search").put("query", "x");
    kernel.call(RESEARCHER_V1, "POST", "/v1/schedule/submit", body).expect(202);

    JsonNode ended = tasks.awaitEnd("narrow").json();

    assertThat(ended.at("/state").asText()).isEqualTo("failed");
    assertThat(ended.at("/error/code").asText()).isEqualTo("CAPABILITY_DENIED");
    assertThat(ended.at("/attempt").asInt()).as("policy does not change its mind").isEqualTo(1);
  }

  @Test
  void clumsy_submissions_are_refused_with_the_field_that_is_wrong_and_change_nothing() {
    assertRefused("/task_id", "x y", "workflow", Map.of());
    assertRefused("/intent", "bad-1", "syscall:", Map.of());
    assertRefused("/priority", "bad-2", "syscall:tool.list", Map.of("priority", 10));
    assertRefused("/priority", "bad-3", "syscall:tool.list", Map.of("priority", "urgent"));
    assertRefused(
        "/quota/calls", "bad-4", "syscall:tool.list", Map.of("quota", Map.of("calls", 1)));
    assertRefused(
        "/deadline", "bad-5", "syscall:tool.list", Map.of("deadline", "2001-01-01T00:00:00Z"));
    assertRefused(
        "/params/steps", "bad-6", "workflow", Map.of("params", Map.of("steps", List.of())));
    assertRefused(
        "/params/steps/0/params",
        "bad-7",
        "workflow",
        Map.of(
            "params",
            Map.of(
                "steps",
                List.of(
                    Map.of(
                        "id", "a",
                        "syscall", "tool.list",
                        "params", Map.of("x", Map.of("$ref", "/a/x")))))));
    tasks.show("bad-2").expect(404, "NOT_FOUND");
  }

  private static void assertRefused(String pointer, String id, String intent, Map<String, ?> more) {
    Answer answer = tasks.submit(id, intent, more);
    assertThat(answer.status()).as(answer.text()).isEqualTo(400);
    assertThat(answer.at("/error/pointer")).as(answer.text()).isEqualTo(pointer);
  }

  @Test
  void nobody_submits_for_another_tenant_and_nobody_sees_its_tasks() {
    Signer operator = kernel.operator();
    kernel.call(operator, "POST", "/v1/tenants", JSON.createObjectNode().put("tenant", "other"));
    ObjectNode body = JSON.createObjectNode();
    body.put("task_id", "theft").put("intent", "syscall:tool.list").put("agent_id", RESEARCHER);
    Answer key =
        kernel
            .call(
                operator,
                "POST",
                "/v1/keys",
                JSON.createObjectNode().put("agent_id", "agent://other/a"))
            .expect(201);
    Signer other = Signer.v2("other", key.at("/key_id"), key.at("/secret"));

    kernel.call(other, "POST", "/v1/schedule/submit", body).expect(403, "TENANT_MISMATCH");
    tasks.submit("mine", "syscall:tool.invoke", echo("x")).expect(202);
    kernel.call(other, "GET", "/v1/schedule/tasks/mine").expect(404, "NOT_FOUND");
    kernel
        .call(other, "GET", "/v1/schedule/tasks/mine?tenant=tenantA")
        .expect(403, "TENANT_MISMATCH");
    kernel.call(other, "POST", "/v1/schedule/tasks/mine/cancel").expect(404, "NOT_FOUND");
    assertThat(kernel.call(other, "GET", "/v1/schedule/tasks").expect(200).json().get("items"))
        .isEmpty();
  }

  @Test
  void a_task_that_failed_is_a_dead_letter_until_it_is_replayed() throws IOException {
    List<Map<String, Object>> steps =
        List.of(
            Map.of(
                "id", "fine",
                "syscall", "tool.invoke",
                "params", Map.of("tool", "echo", "text", "once")),
            Map.of(
                "id", "read",
                "syscall", "memory.get",
                "params", Map.of("type", "short", "key", "not-yet")));
    tasks.submit("dead", "workflow", Map.of("params", Map.of("steps", steps))).expect(202);
    JsonNode failed = tasks.awaitEnd("dead").json();
    assertThat(failed.at("/state").asText()).isEqualTo("failed");
    assertThat(failed.at("/error/message").asText()).startsWith("step read: ");
    assertThat(
            kernel
                .call(RESEARCHER_V2, "GET", "/v1/schedule/tasks?state=failed&limit=1000")
                .expect(200)
                .text())
        .contains("\"dead\"");

    ObjectNode put = JSON.createObjectNode().put("agent_id", RESEARCHER);
    put.put("type", "short").put("key", "not-yet").put("value", "now");
    put.putObject("context").put("task_id", "dead");
    kernel.call(RESEARCHER_V1, "POST", "/v1/memory/put", put).expect(200);
    kernel.call(RESEARCHER_V2, "POST", "/v1/schedule/tasks/dead/replay").expect(202);

    JsonNode again = tasks.awaitSuccess("dead").json();
    assertThat(again.at("/result/steps/read/value").asText()).isEqualTo("now");
    assertThat(again.at("/usage/replayed_calls").asInt())
        .as("the step that had ended well was not made again")
        .isEqualTo(1);
    kernel.call(RESEARCHER_V2, "POST", "/v1/schedule/tasks/dead/replay").expect(409, "CONFLICT");
  }

  @Test
  void who_waits_is_told_for_whom_and_can_be_cancelled() throws IOException {
    tasks.settings(
        "8",
        "quotas: { tenants: { tenantA: { agents: { researcher-1: { max_concurrency: 0 } } } } }\n");
    try {
      tasks.submit("waits", "syscall:tool.invoke", echo("x")).expect(202);
      Await.until(
          "the task is on the board",
          Tasks.PATIENCE,
          () -> tasks.explain("waits").text().contains("agent_concurrency"));

      JsonNode why = tasks.explain("waits").json();

      assertThat(why.at("/summary").asText()).contains("runs 0 of 0 at once");
      assertThat(why.at("/waits_for/0/admit").asText()).contains("max_concurrency");
      Answer cancelled =
          kernel.call(RESEARCHER_V2, "POST", "/v1/schedule/tasks/waits/cancel").expect(202);
      assertThat(cancelled.at("/state")).isEqualTo("cancelled");
    } finally {
      tasks.settings("8", "");
    }
    assertThat(tasks.show("waits").at("/state")).isEqualTo("cancelled");
  }

  @Test
  void a_task_whose_deadline_passes_while_it_waits_fails() throws IOException {
    tasks.settings("8", "quotas: { tenants: { tenantA: { max_concurrency: 0 } } }\n");
    try {
      String soon = java.time.Instant.now().plusMillis(700).toString();
      tasks
          .submit(
              "late",
              "syscall:tool.invoke",
              Map.of("params", Map.of("tool", "echo", "text", "x"), "deadline", soon))
          .expect(202);

      JsonNode ended = tasks.awaitEnd("late").json();

      assertThat(ended.at("/error/code").asText()).isEqualTo("TIMED_OUT");
      assertThat(ended.at("/attempt").asInt()).isZero();
    } finally {
      tasks.settings("8", "");
    }
  }

  @Test
  void of_a_thousand_calls_at_once_a_budget_for_a_hundred_admits_a_hundred() throws Exception {
    ObjectNode registration = JSON.createObjectNode();
    String spender = "agent://tenantA/spender";
    registration.put("agent_id", spender).put("name", "s").put("version", "1");
    kernel.call(RESEARCHER_V1, "POST", "/v1/agent/register", registration).expect(200);
    tasks.settings(
        "8",
        "quotas: { tenants: { tenantA: { agents: { spender: { calls_per_hour: 100 } } } } }\n");
    ObjectNode call = RunningKernel.syscall("tool.invoke", spender);
    call.withObject("/params").put("tool", "echo").put("text", "x");
    byte[] body = RunningKernel.bytes(call);
    ExecutorService callers = Executors.newFixedThreadPool(32);
    List<Future<Integer>> answers = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      answers.add(
          callers.submit(
              () -> kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/tool.invoke", body).status()));
    }
    int admitted = 0;
    int refused = 0;
    for (Future<Integer> answer : answers) {
      admitted += answer.get() == 200 ? 1 : 0;
      refused += answer.get() == 429 ? 1 : 0;
    }
    callers.shutdown();

    assertThat(admitted).isEqualTo(100);
    assertThat(refused).isEqualTo(900);
    Answer last = kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/tool.invoke", body);
    last.expect(429, "BUDGET_EXHAUSTED");
    assertThat(last.at("/error/rule")).contains("100 calls an hour");
    assertThat(last.headers().firstValue("Retry-After")).isPresent();

    kernel.restart();
    kernel
        .call(RESEARCHER_V1, "POST", "/v1/syscall/tool.invoke", body)
        .expect(429, "BUDGET_EXHAUSTED");
    tasks.settings("8", "");
  }

  @Test
  void a_task_uses_no_more_calls_than_its_quota() {
    List<Map<String, Object>> steps = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      steps.add(
          Map.of(
              "id",
              "s" + i,
              "syscall",
              "tool.invoke",
              "params",
              Map.of("tool", "echo", "text", "x")));
    }
    tasks
        .submit(
            "greedy",
            "workflow",
            Map.of("params", Map.of("steps", steps), "quota", Map.of("calls_max", 3)))
        .expect(202);

    JsonNode ended = tasks.awaitEnd("greedy").json();

    assertThat(ended.at("/error/code").asText()).isEqualTo("BUDGET_EXHAUSTED");
    assertThat(ended.at("/error/message").asText()).contains("step s3").contains("calls left");
  }

  @Test
  void tasks_that_waited_when_the_kernel_was_killed_are_done_by_the_next() throws IOException {
    tasks.settings("8", "quotas: { tenants: { tenantA: { max_concurrency: 0 } } }\n");
    for (int i = 0; i < 20; i++) {
      tasks.submit("after-" + i, "syscall:tool.invoke", echo("after " + i)).expect(202);
    }
    kernel.kill9();
    Files.writeString(
        kernel.data().resolve("config/scheduler.yaml"),
        "apiVersion: aion.os/v1\nkind: SchedulerConfig\n");
    kernel.up();

    for (int i = 0; i < 20; i++) {
      assertThat(tasks.awaitSuccess("after-" + i).at("/result/text")).isEqualTo("after " + i);
    }
  }

  @Test
  void pages_of_tasks_name_each_once() {
    for (int i = 0; i < 12; i++) {
      tasks.submit("page-" + i, "syscall:tool.invoke", echo("x")).expect(202);
    }
    List<String> seen = new ArrayList<>();
    String next = "";
    do {
      Answer page =
          kernel
              .call(
                  RESEARCHER_V2,
                  "GET",
                  "/v1/schedule/tasks?limit=5" + (next.isEmpty() ? "" : "&after=" + next))
              .expect(200);
      page.json().get("items").forEach(item -> seen.add(item.get("task_id").asText()));
      next = page.json().get("next").isNull() ? "" : page.at("/next");
    } while (!next.isEmpty());
    assertThat(seen).doesNotHaveDuplicates();
    for (int i = 0; i < 12; i++) {
      assertThat(seen).contains("page-" + i);
    }
  }
}
