package org.aionos.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Versions that do not do well go by themselves; calls that wait for a person run once. */
class PolicyTrialsIT {

  private static final Duration SOON = Duration.ofSeconds(30);
  private static final String FILE = "agent.capabilities.yaml";
  private static final String GATES =
      """
      apiVersion: aion.os/v1
      kind: GatePolicy
      interval_s: 1
      samples_min: 5
      failures_max: 2
      inconclusive_max: 600
      watch_s: 600
      gates: [{ name: errors, metric: error_rate, max: 0.3 }]
      """;

  /** Two failures in a row, one interval that is half good, and what a busy machine may add. */
  private static final Duration ROLLED_BACK_MAX = Duration.ofSeconds(3 + 5);

  private static RunningKernel kernel;
  private static String shipped;

  @BeforeAll
  static void start() throws IOException {
    kernel = RunningKernel.named("policy-trials").bare().start();
    kernel.allowAndDrop(
        ToolJars.tool(
                "fickle",
                "1.0.0",
                5_000,
                """
                import java.util.*;
                import org.aionos.tool.*;
                public final class TheTool implements Tool {
                  public ToolResult invoke(ToolCall call, Effects effects) {
                    if (call.arguments().containsKey("broken")) {
                      throw new IllegalStateException();
                    }
                    if (call.arguments().containsKey("slow")) {
                      try {
                        Thread.sleep(150);
                      } catch (InterruptedException ended) {
                        Thread.currentThread().interrupt();
                      }
                    }
                    return ToolResult.of(Map.of());
                  }
                }
                """)
            .bytes(),
        "fickle.jar");
    kernel.awaitTool("fickle@1.0.0");
    shipped = Files.readString(kernel.data().resolve("policies").resolve(FILE));
  }

  @AfterAll
  static void stop() {
    kernel.down();
  }

  private static Answer get(String target) {
    return kernel.call(kernel.operator(), "GET", target);
  }

  private static Answer post(String target, ObjectNode body) {
    return kernel.call(kernel.operator(), "POST", target, body);
  }

  private static ObjectNode object() {
    return RunningKernel.JSON.createObjectNode();
  }

  private static String add(String name, String capabilities, String slice) {
    return add(name, capabilities, slice, GATES);
  }

  private static String add(String name, String capabilities, String slice, String gates) {
    ObjectNode body = object().put("version", name);
    body.putObject("files")
        .put(FILE, capabilities)
        .put("gates.yaml", gates)
        .put(
            "scheduler.yaml",
            "apiVersion: aion.os/v1\nkind: SchedulerPolicy\nslice_ms: " + slice + "\n");
    return post("/v1/policy/versions", body).expect(201).at("/sha256");
  }

  private static Answer fickle(boolean broken) {
    return kernel.invoke("fickle", broken ? Map.of("broken", true) : Map.of("fine", true));
  }

  private static long rollbacks() {
    return kernel
        .call(kernel.operator(), "GET", "/metrics")
        .text()
        .lines()
        .filter(line -> line.startsWith("aion_policy_rollbacks_total "))
        .mapToLong(line -> (long) Double.parseDouble(line.split(" ")[1]))
        .sum();
  }

  @Test
  void a_canary_whose_calls_fail_is_gone_within_the_intervals_that_are_promised()
      throws InterruptedException {
    String sha256 = add("gated-1", shipped, "5000");
    post("/v1/policy/activate/gated-1", object().put("sha256", sha256)).expect(200);
    // Accepted: what is judged from here on is the canary alone.
    post("/v1/policy/canary/end", object()).expect(200);
    add("trial-1", shipped, "4000");
    ObjectNode canary = object();
    canary.putArray("tenants").add("tenantA");
    post("/v1/policy/activate/trial-1", canary).expect(200);
    assertThat(fickle(false).expect(200).status()).isEqualTo(200);
    long before = rollbacks();

    AtomicBoolean broken = new AtomicBoolean();
    AtomicBoolean going = new AtomicBoolean(true);
    Thread caller =
        new Thread(
            () -> {
              while (going.get()) {
                fickle(broken.get());
              }
            });
    caller.start();
    Await.until(
        "an interval with calls enough is passed",
        SOON,
        () ->
            get("/v1/policy/canary").json().at("/canary/figures/calls").asLong() > 5
                && get("/v1/policy/canary").json().at("/canary/failures").asLong() == 0);
    broken.set(true);
    long begun = System.nanoTime();
    Await.until(
        "it is gone back from", SOON, () -> get("/v1/policy/canary").json().at("/canary").isNull());
    Duration took = Duration.ofNanos(System.nanoTime() - begun);
    going.set(false);
    caller.join();

    System.out.printf("policy: a canary that failed was gone after %d ms%n", took.toMillis());
    assertThat(took).isLessThan(ROLLED_BACK_MAX);
    assertThat(get("/v1/policy").at("/version")).isEqualTo("gated-1");
    assertThat(rollbacks()).isEqualTo(before + 1);
  }

  /**
   * Urgent tasks that are short, and others that are long: whoever runs long keeps them waiting.
   */
  private static ObjectNode load() {
    ObjectNode snapshot = object();
    ArrayNode load = snapshot.putArray("load");
    for (int i = 0; i < 200; i++) {
      load.addObject()
          .put("at_ms", 3_000L * i)
          .put("queue", i % 3 == 0 ? "low" : "high")
          .put("tenant", i % 3 == 0 ? "dune" : "acme")
          .put("run_ms", i % 3 == 0 ? 20_000 : 200);
    }
    return snapshot;
  }

  @Test
  void from_a_proposal_over_a_dry_run_to_a_canary_that_is_slow_and_gone_back_from()
      throws IOException, InterruptedException {
    // Nobody makes room for half a minute, and there are too few slots: that can be bettered.
    new Tasks(kernel)
        .settings(
            "2",
            "queues: { high: { weight: 1 }, normal: { weight: 1 }, low: { weight: 8 } }\n"
                + "minimum_runtime_ms: 30000\n");
    String slowGates = GATES.replace("metric: error_rate, max: 0.3", "metric: p95_ms, max: 100");
    String sha256 = add("loop-1", shipped, "600000", slowGates);
    post("/v1/policy/activate/loop-1", object().put("sha256", sha256)).expect(200);
    post("/v1/policy/canary/end", object()).expect(200);

    JsonNode proposal = post("/v1/brain/propose-policy", load()).expect(200).json();
    String proposed = proposal.at("/version").asText();
    assertThat(proposal.at("/changes")).isNotEmpty();
    fickle(false).expect(200);
    JsonNode rehearsed = post("/v1/policy/dry-run/" + proposed, object()).expect(200).json();
    assertThat(rehearsed.at("/decided").asInt()).isPositive();
    assertThat(rehearsed.at("/refused").asInt() + rehearsed.at("/allowed").asInt()).isZero();
    ObjectNode canary = object();
    canary.putArray("tenants").add("tenantA");
    post("/v1/policy/activate/" + proposed, canary).expect(200);

    long before = rollbacks();
    AtomicBoolean slow = new AtomicBoolean();
    AtomicBoolean going = new AtomicBoolean(true);
    AtomicInteger answered = new AtomicInteger();
    Thread caller =
        new Thread(
            () -> {
              while (going.get()) {
                kernel
                    .invoke("fickle", slow.get() ? Map.of("slow", true) : Map.of("fine", true))
                    .expect(200);
                answered.incrementAndGet();
              }
            });
    caller.start();
    Await.until(
        "it does well",
        SOON,
        () -> get("/v1/policy/canary").json().at("/canary/figures/calls").asLong() > 5);
    slow.set(true);
    long begun = System.nanoTime();
    Await.until(
        "it is gone back from", SOON, () -> get("/v1/policy/canary").json().at("/canary").isNull());
    Duration took = Duration.ofNanos(System.nanoTime() - begun);
    going.set(false);
    caller.join();

    System.out.printf(
        "policy: a canary that was slow was gone after %d ms, of %d calls none failed%n",
        took.toMillis(), answered.get());
    assertThat(took).isLessThan(ROLLED_BACK_MAX);
    assertThat(get("/v1/policy").at("/version")).isEqualTo("loop-1");
    assertThat(rollbacks()).isEqualTo(before + 1);
    assertThat(get("/v1/policy/versions/" + proposed).at("/sha256")).isNotEmpty();
    kernel.auditVerify().expectSuccess();
    assertThat(kernel.journal())
        .contains("policy.proposed", "policy.canary_begun", "policy.rolled_back")
        .contains(proposed);
  }

  @Test
  void a_call_that_waits_for_a_person_runs_once_after_the_person_has_said_so() {
    String asking =
        shipped.replace(
            "  tools:\n    allow: [\"*\"]",
            "  tools:\n    allow: [\"*\"]\n    approve: [\"fick*\"]");
    assertThat(asking).isNotEqualTo(shipped);
    String before = get("/v1/policy").at("/version");
    add("asking-1", asking, "5000");
    post("/v1/policy/activate/asking-1", object().put("sha256", sha256("asking-1"))).expect(200);

    Answer refused = fickle(false).expect(403, "APPROVAL_REQUIRED");
    JsonNode waiting = get("/v1/approvals").expect(200).json().at("/items/0");
    String id = waiting.get("id").asText();
    assertThat(refused.at("/error/message")).contains(id);
    assertThat(waiting.get("subject").asText()).contains("fickle");
    post("/v1/approvals/" + id + "/approve", object()).expect(200);
    kernel
        .call(RunningKernel.RESEARCHER_V1, "POST", "/v1/approvals/" + id + "/approve", object())
        .expect(403, "ROLE_REQUIRED");

    fickle(false).expect(200);
    fickle(false).expect(403, "APPROVAL_REQUIRED");
    post("/v1/policy/rollback/" + before, object()).expect(200);
    fickle(false).expect(200);
  }

  private static String sha256(String version) {
    return get("/v1/policy/versions/" + version).expect(200).at("/sha256");
  }
}
