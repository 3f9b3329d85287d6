package org.aionos.it;

import static org.aionos.it.RunningKernel.JSON;
import static org.aionos.it.RunningKernel.RESEARCHER;
import static org.aionos.it.RunningKernel.RESEARCHER_V1;
import static org.aionos.it.RunningKernel.RESEARCHER_V2;
import static org.aionos.it.RunningKernel.TENANT;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Tasks of two kernels with one Redis server; one of them is killed. */
@Order(14)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TwoNodesIT {

  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final String TARGET = "/v1/syscall/tool.invoke";
  private static final String BUDGETED = "agent://tenantA/budgeted";
  private static final int STEPS = 6;

  private static final String SETTINGS =
      "quotas: { tenants: { tenantA: { agents: { budgeted: { calls_per_hour: 100 } } } } }\n";

  /** Writes a line each time that it is called, then waits: for a while, or for a file. */
  private static final String MARK =
      """
      import java.nio.file.*;
      import java.util.*;
      import org.aionos.tool.*;
      public final class TheTool implements Tool {
        public ToolResult invoke(ToolCall call, Effects effects) throws ToolFailure, InterruptedException {
          Map<String, ?> given = call.arguments();
          try {
            Files.writeString(Path.of((String) given.get("file")), given.get("text") + "\\n",
                StandardOpenOption.CREATE, StandardOpenOption.APPEND);
          } catch (java.io.IOException failed) {
            throw new IllegalStateException(failed);
          }
          Object gate = given.get("gate");
          while (gate != null && !Files.exists(Path.of((String) gate))) {
            Thread.sleep(20);
          }
          Thread.sleep(given.get("ms") instanceof Number ms ? ms.longValue() : 0);
          return ToolResult.of(Map.of("marked", given.get("text")));
        }
      }
      """;

  /** Makes calls and computes in between; its result depends on all of them. */
  private static final String COUNTER =
      """
      import time
      from aion_sdk.task import Task

      def main(task):
          total = 0
          for i in range(task.params["steps"]):
              said = task.syscall("tool.invoke", {"tool": "mark_again", "file": task.params["file"],
                                                  "text": task.params["name"] + "/" + str(i)})
              total = (total * 31 + len(said["result"]["marked"]) + i) % 1000003
              time.sleep(task.params["pause_s"])
          return {"total": total}

      Task.current().run(main)
      """;

  private static RedisProcess redis;
  private static RunningKernel one;
  private static RunningKernel two;
  private static Path folder;
  private static Path marks;
  private static Answer key;

  @BeforeAll
  static void start() throws IOException {
    folder = Files.createTempDirectory("two-nodes");
    marks = folder.resolve("marks");
    redis = RedisProcess.start();
    one = RunningKernel.named("node-1").bare().with("REDIS_URL", redis.url()).start();
    ObjectNode asked = JSON.createObjectNode().put("agent_id", RESEARCHER);
    key = one.call(one.operator(), "POST", "/v1/keys", asked).expect(201);
    one.down();
    two = RunningKernel.named("node-2").bare().with("REDIS_URL", redis.url()).start();
    two.down();
    copy(one.data().resolve("state/identity"), two.data().resolve("state/identity"));
    one.up();
    two.up();
    for (RunningKernel kernel : List.of(one, two)) {
      tool(kernel, "mark", false);
      tool(kernel, "mark_again", true);
      new Tasks(kernel).settings("6", SETTINGS);
      ObjectNode registration = JSON.createObjectNode();
      registration.put("agent_id", BUDGETED).put("name", "budgeted").put("version", "1");
      kernel.call(RESEARCHER_V1, "POST", "/v1/agent/register", registration).expect(200);
    }
  }

  @AfterAll
  static void stop() {
    one.close();
    two.close();
    redis.close();
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, to.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  private static void tool(RunningKernel kernel, String name, boolean idempotent) {
    byte[] jar =
        ToolJars.tool(name, "1.0.0", 600_000, MARK)
            .entry(
                "AION-INF/tool.yml",
                """
                apiVersion: aion.os/v1
                kind: Tool
                metadata: { name: %s, version: 1.0.0, description: A tool of the tests. }
                spec:
                  entry: "bundle:org.example.tool.%s"
                  idempotent: %s
                  capabilities_required: []
                  limits: { timeout_ms: 600000, concurrency: 64 }
                """
                    .formatted(name, name, idempotent))
            .bytes();
    kernel.allowAndDrop(jar, name + ".jar");
    kernel.awaitTool(name + "@1.0.0");
  }

  private static Map<String, Object> mark(String tool, String text, long millis) {
    Map<String, Object> params = new LinkedHashMap<>();
    params.put("tool", tool);
    params.put("file", marks.toString());
    params.put("text", text);
    params.put("ms", millis);
    return params;
  }

  private static Map<String, Object> workflow(String id, long millis) {
    List<Map<String, Object>> steps = new ArrayList<>();
    for (int i = 0; i < STEPS; i++) {
      steps.add(
          Map.of(
              "id",
              "s" + i,
              "syscall",
              "tool.invoke",
              "params",
              mark("mark_again", id + "/" + i, millis)));
    }
    return Map.of("params", Map.of("steps", steps));
  }

  /** How often each was written. */
  private static Map<String, Integer> marked() throws IOException {
    Map<String, Integer> times = new HashMap<>();
    try {
      Files.readAllLines(marks).forEach(line -> times.merge(line, 1, Integer::sum));
    } catch (NoSuchFileException none) {
      return times;
    }
    return times;
  }

  private static void signal(RunningKernel kernel, String signal) {
    Shell.run(
            folder,
            Map.of(),
            Duration.ofSeconds(10),
            List.of("kill", "-" + signal, Long.toString(kernel.pid())))
        .expectSuccess();
  }

  // --- what nodes know together ------------------------------------------------------------------

  @Test
  @Order(1)
  void of_a_thousand_calls_at_both_nodes_a_budget_of_a_hundred_admits_a_hundred() throws Exception {
    Await.until(
        "the hour does not end in the middle",
        PATIENCE,
        () -> LocalTime.now().plusSeconds(40).getHour() == LocalTime.now().getHour());
    ObjectNode body = RunningKernel.syscall("tool.invoke", BUDGETED);
    body.withObject("/params").setAll(JSON.<ObjectNode>valueToTree(mark("mark", "budgeted", 0)));
    byte[] bytes = RunningKernel.bytes(body);
    ExecutorService threads = Executors.newFixedThreadPool(64);
    List<Future<Answer>> answers = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      RunningKernel kernel = i % 2 == 0 ? one : two;
      answers.add(
          threads.submit(
              () ->
                  kernel.send(
                      "POST", TARGET, RESEARCHER_V1.headers("POST", TARGET, bytes), bytes)));
    }
    int admitted = 0;
    for (Future<Answer> answer : answers) {
      if (answer.get().status() == 200) {
        admitted++;
      } else {
        assertThat(answer.get().code()).as(answer.get().text()).isEqualTo("BUDGET_EXHAUSTED");
      }
    }
    threads.shutdown();

    assertThat(admitted).isEqualTo(100);
    assertThat(marked().get("budgeted")).isEqualTo(100);
  }

  @Test
  @Order(2)
  void what_one_node_took_revoked_or_was_told_holds_at_the_other() throws Exception {
    byte[] body = new byte[0];
    String target = "/v1/schedule/queue";
    Signer signer = Signer.v2(TENANT, key.at("/key_id"), key.at("/secret"));
    Map<String, String> request = signer.headers("GET", target, body);
    one.send("GET", target, request, body).expect(200);
    two.send("GET", target, request, body).expect(401, "REPLAYED");
    two.call(signer, "GET", target).expect(200);

    one.call(RESEARCHER_V2, "DELETE", "/v1/keys/" + key.at("/key_id")).expect(200);
    long revokedAt = System.nanoTime();
    Await.until(
        "the other node refuses it",
        Duration.ofSeconds(2),
        () -> two.call(signer, "GET", target).status() == 401);
    long revoked = System.nanoTime() - revokedAt;

    Path policy = one.data().resolve("policies/agent.capabilities.yaml");
    String before = version(one);
    Files.writeString(policy, Files.readString(policy) + "\n# changed at the first node\n");
    Await.until("the first node has it", PATIENCE, () -> !version(one).equals(before));
    long switchedAt = System.nanoTime();
    Await.until(
        "the second node has it", Duration.ofSeconds(2), () -> version(two).equals(version(one)));
    System.out.printf(
        "two nodes: a revoked key after %d ms, a policy %d ms after the first node had it%n",
        revoked / 1_000_000, (System.nanoTime() - switchedAt) / 1_000_000);
  }

  private static String version(RunningKernel kernel) {
    return kernel.call(kernel.operator(), "GET", "/v1/policy").at("/version");
  }

  // --- tasks
  // --------------------------------------------------------------------------------------

  @Test
  @Order(3)
  void a_task_is_started_soon_and_can_be_explained_and_cancelled_at_the_other_node() {
    Tasks first = new Tasks(one);
    Tasks second = new Tasks(two);
    List<Long> waited = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      String id = "soon-" + i;
      (i % 2 == 0 ? first : second)
          .submit(id, "syscall:tool.invoke", Map.of("params", mark("mark_again", id, 0)))
          .expect(202);
      JsonNode shown = first.awaitSuccess(id).json();
      waited.add(
          Duration.between(
                  Instant.parse(shown.get("submitted_at").asText()),
                  Instant.parse(shown.get("started_at").asText()))
              .toMillis());
    }
    Collections.sort(waited);
    System.out.printf(
        "two nodes: submitted -> claimed and started: p50 %d ms, p95 %d ms, max %d ms, of %d%n",
        waited.get(20), waited.get(37), waited.get(39), waited.size());

    Map<String, Object> endless = mark("mark_again", "endless", 0);
    endless.put("gate", folder.resolve("never").toString());
    first.submit("endless", "syscall:tool.invoke", Map.of("params", endless)).expect(202);
    first.awaitState("endless", List.of("running"));
    boolean here = first.explain("endless").json().at("/node/here").asBoolean();
    Tasks other = here ? second : first;
    assertThat(other.explain("endless").at("/summary")).contains("runs on the node", "since 20");
    other
        .kernel()
        .call(RESEARCHER_V1, "POST", "/v1/schedule/tasks/endless/cancel", JSON.createObjectNode())
        .expect(202);
    long askedAt = System.nanoTime();
    Await.until(
        "it is cancelled",
        Duration.ofSeconds(2),
        () -> other.show("endless").at("/state").equals("cancelled"));
    System.out.printf(
        "two nodes: cancelled at the other node after %d ms%n",
        (System.nanoTime() - askedAt) / 1_000_000);
  }

  @Test
  @Order(4)
  void while_the_driver_is_replaced_no_task_is_lost_or_done_twice() throws Exception {
    Tasks first = new Tasks(one);
    for (int i = 0; i < 8; i++) {
      first.submit("driver-" + i, "workflow", workflow("driver-" + i, 150)).expect(202);
    }
    Await.until("some was done", PATIENCE, () -> marked().containsKey("driver-0/1"));

    long begunAt = System.nanoTime();
    Ssh.admin(one, "bundle:update org.aionos.backend-redis");
    Await.until(
        "the first node is ready",
        PATIENCE,
        () -> one.send("GET", "/readyz", Map.of(), new byte[0]).status() == 200);
    System.out.printf(
        "two nodes: ready again %d ms after its driver was to be replaced%n",
        (System.nanoTime() - begunAt) / 1_000_000);
    for (int i = 0; i < 8; i++) {
      assertThat(new Tasks(two).awaitSuccess("driver-" + i).at("/state")).isEqualTo("succeeded");
    }

    Map<String, Integer> times = marked();
    for (int i = 0; i < 8; i++) {
      for (int step = 0; step < STEPS; step++) {
        assertThat(times).containsEntry("driver-" + i + "/" + step, 1);
      }
    }
  }

  @Test
  @Order(5)
  void what_a_killed_node_leaves_the_other_finishes_and_each_task_ends_once() throws Exception {
    Tasks first = new Tasks(one);
    Tasks second = new Tasks(two);
    Path gate = folder.resolve("gate");
    List<String> ids = new ArrayList<>();
    // What the other node would take, the first one is to have.
    signal(two, "STOP");
    for (String tool : List.of("mark", "mark_again")) {
      Map<String, Object> blocked = mark(tool, "blocked-" + tool, 0);
      blocked.put("gate", gate.toString());
      ids.add("blocked-" + tool);
      first
          .submit(
              "blocked-" + tool,
              "syscall:tool.invoke",
              Map.of("params", blocked, "priority", "high"))
          .expect(202);
      first.awaitState("blocked-" + tool, List.of("running"));
    }
    for (int i = 0; i < 4; i++) {
      ids.add("flow-" + i);
      first.submit("flow-" + i, "workflow", workflow("flow-" + i, 400)).expect(202);
    }
    for (int i = 0; i < 60; i++) {
      ids.add("short-" + i);
      first
          .submit(
              "short-" + i,
              "syscall:tool.invoke",
              Map.of("params", mark("mark", "short-" + i, 40), "retry", Map.of("attempts_max", 1)))
          .expect(202);
    }
    signal(two, "CONT");
    Await.until(
        "the first node is in the middle",
        PATIENCE,
        () -> marked().keySet().stream().filter(line -> line.startsWith("flow-0/")).count() >= 2);

    one.kill9();
    long killedAt = System.nanoTime();
    Files.writeString(gate, "");
    Await.until("all have ended", PATIENCE, () -> ids.stream().allMatch(id -> hasEnded(id)));
    System.out.printf(
        "two nodes: all %d tasks have ended %d ms after kill -9 of the node that held them%n",
        ids.size(), (System.nanoTime() - killedAt) / 1_000_000);

    Map<String, Integer> times = marked();
    for (String id : ids) {
      JsonNode ended = second.show(id).json();
      boolean succeeded = ended.at("/state").asText().equals("succeeded");
      if (id.startsWith("flow-")) {
        assertThat(succeeded).as(ended.toString()).isTrue();
        for (int step = 0; step < STEPS; step++) {
          assertThat(times.get(id + "/" + step)).as(id + "/" + step).isBetween(1, 2);
        }
      } else if (id.equals("blocked-mark_again")) {
        assertThat(succeeded).as(ended.toString()).isTrue();
        assertThat(times).containsEntry(id, 2);
      } else {
        assertThat(times).as(ended.toString()).containsEntry(id, 1);
        assertThat(succeeded || ended.at("/error/code").asText().equals("OUTCOME_UNKNOWN"))
            .as(ended.toString())
            .isTrue();
      }
      assertThat(timesEnded(id)).as("ends of " + id + " on record").isEqualTo(1);
    }
    assertThat(second.show("blocked-mark").at("/error/code")).isEqualTo("OUTCOME_UNKNOWN");
    one.up();
    assertThat(new Tasks(one).show("flow-0").at("/state")).isEqualTo("succeeded");
  }

  private static boolean hasEnded(String id) {
    return List.of("succeeded", "failed").contains(new Tasks(two).show(id).at("/state"));
  }

  /** By the journals of both. */
  private static int timesEnded(String id) throws IOException {
    Pattern ended =
        Pattern.compile(
            "\"kind\":\"task\\.(?:succeeded|failed)\"[^{]*\\{\"task_id\":\"" + id + "\"");
    int times = 0;
    for (RunningKernel kernel : List.of(one, two)) {
      try (Stream<Path> files = Files.walk(kernel.data().resolve("state/journal"))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          String text =
              new String(Files.readAllBytes(file), java.nio.charset.StandardCharsets.ISO_8859_1);
          times += (int) ended.matcher(text).results().count();
        }
      }
    }
    return times;
  }

  @Test
  @Order(6)
  void agents_of_a_killed_node_go_on_at_the_other_where_they_were() throws Exception {
    Doctor.assumeProcessTier();
    // Approvals are each node's own: alone, a node is sure to be the one that asks for it.
    signal(two, "STOP");
    Tasks first = new Tasks(one);
    first.agent("counter", "python main.py", "", Map.of("main.py", COUNTER));
    signal(two, "CONT");
    Path agents = Path.of("config/agents/tenantA");
    Path theirs = Files.createDirectories(two.data().resolve(agents).resolve("counter"));
    copy(one.data().resolve(agents).resolve("counter"), theirs);
    Files.copy(
        one.data().resolve(agents).resolve("counter.yml"),
        two.data().resolve(agents).resolve("counter.yml"));
    Await.until(
        "the agent is registered at the other node",
        PATIENCE,
        () -> two.call(two.operator(), "GET", "/v1/agents/" + Tasks.id("counter")).status() == 200);
    JsonNode approved =
        JSON.readTree(one.data().resolve("state/scheduler/approved-entries.json").toFile());
    ObjectNode digest =
        JSON.createObjectNode().put("digest", approved.get("agent://tenantA/counter").asText());
    two.call(two.operator(), "POST", "/v1/agents/" + Tasks.id("counter") + "/approve-entry", digest)
        .expect(200);

    signal(two, "STOP");
    for (String id : List.of("count-1", "count-2")) {
      Map<String, Object> params =
          Map.of("steps", 30, "pause_s", 0.1, "file", marks.toString(), "name", id);
      first.submit(id, "agent:counter", Map.of("params", params)).expect(202);
    }
    Await.until(
        "both are in the middle",
        PATIENCE,
        () -> marked().containsKey("count-1/8") && marked().containsKey("count-2/8"));
    signal(two, "CONT");
    one.kill9();

    for (String id : List.of("count-1", "count-2")) {
      JsonNode ended = new Tasks(two).awaitSuccess(id).json();
      assertThat(ended.at("/result/total").asLong()).isEqualTo(undisturbed(id, 30));
      assertThat(ended.at("/usage/replayed_calls").asInt()).isGreaterThanOrEqualTo(8);
      Map<String, Integer> times = marked();
      int twice = 0;
      for (int i = 0; i < 30; i++) {
        assertThat(times.get(id + "/" + i)).isBetween(1, 2);
        twice += times.get(id + "/" + i) - 1;
      }
      assertThat(twice).as("only what was in flight is done again").isLessThanOrEqualTo(1);
    }
  }

  private static long undisturbed(String name, int steps) {
    long total = 0;
    for (int i = 0; i < steps; i++) {
      total = (total * 31 + (name + "/" + i).length() + i) % 1_000_003;
    }
    return total;
  }
}
