package org.aionos.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Versions of the policy over the wire: stored, compared, switched to and back, through crashes.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class PolicyVersionsIT {

  private static final Duration SOON = Duration.ofSeconds(30);
  private static final String FILE = "agent.capabilities.yaml";

  private static RunningKernel kernel;
  private static String shipped;

  @BeforeAll
  static void start() throws IOException {
    kernel = RunningKernel.named("policy-versions").start();
    kernel.awaitTool("echo@1.0.0");
    shipped = Files.readString(kernel.data().resolve("policies").resolve(FILE));
  }

  @AfterAll
  static void stop() {
    kernel.down();
  }

  private static Answer get(String target) {
    return kernel.call(kernel.operator(), "GET", target);
  }

  private static Answer post(String target) {
    return kernel.call(kernel.operator(), "POST", target);
  }

  private static Answer post(String target, ObjectNode body) {
    return kernel.call(kernel.operator(), "POST", target, body);
  }

  private static ObjectNode object() {
    return RunningKernel.JSON.createObjectNode();
  }

  private static String current() {
    return get("/v1/policy").expect(200).at("/version");
  }

  private static Answer add(String name, String capabilities, Map<String, String> others) {
    ObjectNode body = object().put("version", name).put("rationale", "a test");
    ObjectNode files = body.putObject("files").put(FILE, capabilities);
    others.forEach(files::put);
    return post("/v1/policy/versions", body);
  }

  private static String narrow() {
    assertThat(shipped).contains("  tools:\n    allow: [\"*\"]");
    return shipped.replace("  tools:\n    allow: [\"*\"]", "  tools:\n    allow: [calculate]");
  }

  private static Answer echo() {
    return kernel.invoke("echo", Map.of("text", "hello"));
  }

  @Test
  @Order(1)
  void the_shipped_file_is_the_first_version_and_stands_under_current() throws IOException {
    String first = current();

    assertThat(first).matches("1-[0-9a-f]{8}");
    Path link = kernel.data().resolve("policies/current");
    assertThat(Files.isSymbolicLink(link)).isTrue();
    assertThat(link.toRealPath().getFileName()).hasToString(first);
    JsonNode listed = get("/v1/policy/versions").expect(200).json().at("/items/0");
    assertThat(listed.get("version").asText()).isEqualTo(first);
    assertThat(listed.get("state").asText()).isEqualTo("current");
    assertThat(
            get("/v1/policy/versions/" + first).expect(200).json().at("/files").get(FILE).asText())
        .isEqualTo(shipped);
  }

  @Test
  @Order(2)
  void a_narrower_version_is_stored_compared_activated_and_rolled_back() {
    String first = current();
    add("narrow-1", narrow(), Map.of()).expect(201);
    echo().expect(200);

    Answer diff = get("/v1/policy/diff?to=narrow-1").expect(200);
    assertThat(diff.json().at("/changes")).hasSize(1);
    assertThat(diff.at("/changes/0/pointer")).isEqualTo("/global/tools/allow");
    assertThat(diff.json().at("/widening")).isEmpty();
    assertThat(get("/v1/policy/diff?from=narrow-1").expect(200).json().at("/widening")).hasSize(1);
    Answer dryRun = post("/v1/policy/dry-run/narrow-1").expect(200);
    assertThat(dryRun.json().at("/refused").asLong()).isPositive();
    assertThat(dryRun.json().at("/examples").toString()).contains("echo");

    assertThat(post("/v1/policy/activate/narrow-1").expect(200).at("/state")).isEqualTo("current");
    assertThat(echo().expect(403, "TOOL_DENIED").at("/error/policy_version")).isEqualTo("narrow-1");
    assertThat(post("/v1/policy/rollback/" + first).expect(200).text().replace(" ", ""))
        .isEqualTo("{\"rolled_back\":\"" + first + "\"}");
    echo().expect(200);
  }

  @Test
  @Order(3)
  void what_grants_more_takes_the_hash_of_what_was_looked_at() {
    post("/v1/policy/activate/narrow-1").expect(200);
    String wide =
        shipped
            .replace("deny: [subprocess]", "deny: []")
            .replace(
                "allow: [network, filesystem, gpu]",
                "allow: [network, filesystem, gpu, subprocess]");
    String sha256 = add("wide-1", wide, Map.of()).expect(201).at("/sha256");

    Answer refused = post("/v1/policy/activate/wide-1").expect(403, "APPROVAL_REQUIRED");
    assertThat(refused.at("/error/admit")).contains(sha256);
    post("/v1/policy/activate/wide-1", object().put("sha256", "0".repeat(64)))
        .expect(409, "CONFLICT");
    assertThat(current()).isEqualTo("narrow-1");
    post("/v1/policy/activate/wide-1", object().put("sha256", sha256)).expect(200);
    assertThat(current()).isEqualTo("wide-1");
    post("/v1/policy/rollback/narrow-1").expect(200);
  }

  @Test
  @Order(4)
  void bad_input_is_named_and_changes_nothing() {
    String before = current();
    assertThat(
            add("bad-1", shipped.replace("deny:", "denny:"), Map.of())
                .expect(400, "INVALID_FIELD")
                .at("/error/pointer"))
        .isEqualTo("/files/agent.capabilities.yaml/global/denny");
    add("bad-1", shipped, Map.of("quotas.yaml", "kind: Other")).expect(400, "INVALID_FIELD");
    add("bad-1", shipped, Map.of("../evil.yaml", "kind: Other")).expect(400, "INVALID_FIELD");
    add("..", shipped, Map.of()).expect(400, "INVALID_FIELD");
    add("current", narrow() + "# x\n", Map.of()).expect(400, "INVALID_FIELD");
    get("/v1/policy/versions/..%2F..%2Fetc").expect(404, "NOT_FOUND");
    post("/v1/policy/activate/none").expect(404, "NOT_FOUND");
    post("/v1/policy/rollback/none").expect(404, "NOT_FOUND");
    post("/v1/policy/canary/promote").expect(404, "NOT_FOUND");
    kernel
        .call(RunningKernel.RESEARCHER_V1, "POST", "/v1/policy/activate/narrow-1", object())
        .expect(403, "ROLE_REQUIRED");
    assertThat(current()).isEqualTo(before);
  }

  @Test
  @Order(5)
  void what_is_taken_away_stays_so_through_switches_and_a_crash() {
    String first =
        get("/v1/policy/versions?limit=1000")
            .json()
            .at("/items")
            .findValuesAsText("version")
            .stream()
            .filter(name -> name.startsWith("1-"))
            .findFirst()
            .orElseThrow();
    post("/v1/policy/rollback/" + first).expect(200);
    String id =
        post(
                "/v1/policy/revocations",
                object().put("tenant", "tenantA").put("tool", "ec*").put("reason", "it echoes"))
            .expect(201)
            .at("/id");
    assertThat(echo().expect(403, "TOOL_DENIED").at("/error/rule")).isEqualTo("revocations/" + id);
    post("/v1/policy/activate/narrow-1").expect(200);
    post("/v1/policy/rollback/" + first).expect(200);
    kernel.kill9();
    kernel.up();
    Await.until("echo is back", SOON, () -> echo().code().equals("TOOL_DENIED"));
    assertThat(kernel.shell("aion:policy-revocations --no-format")).contains(id);
    kernel.call(kernel.operator(), "DELETE", "/v1/policy/revocations/" + id).expect(200);
    echo().expect(200);
  }

  @Test
  @Order(6)
  void the_operators_file_is_still_in_force_soon_after_it_changes() throws IOException {
    Path file = kernel.data().resolve("policies").resolve(FILE);
    Files.writeString(file, shipped.replace("version: \"1\"", "version: \"2\""));
    Await.until("the file is in force", SOON, () -> current().startsWith("2-"));
    Files.writeString(file, "kind: nonsense");
    Await.until(
        "it says why not", SOON, () -> get("/v1/policy").at("/rejected").contains("is missing"));
    assertThat(current()).startsWith("2-");
    Files.writeString(file, shipped.replace("version: \"1\"", "version: \"2\""));
    Await.until("nothing is wrong", SOON, () -> get("/v1/policy").at("/rejected").isEmpty());
  }

  @Test
  @Order(7)
  void killed_in_the_midst_of_switches_it_comes_back_with_a_whole_version() throws Exception {
    Set<String> known = new HashSet<>();
    for (int i = 0; i < 4; i++) {
      known.add(add("turn-" + i, shipped + "# " + i + "\n", Map.of()).expect(201).at("/version"));
    }
    for (int round = 0; round < 3; round++) {
      AtomicBoolean going = new AtomicBoolean(true);
      Thread switching =
          new Thread(
              () -> {
                for (int i = 0; going.get(); i++) {
                  try {
                    post("/v1/policy/activate/turn-" + i % 4);
                  } catch (RuntimeException | AssertionError killed) {
                    return;
                  }
                }
              });
      switching.start();
      String begun = current();
      Await.until("it switches", SOON, () -> !current().equals(begun));
      java.util.concurrent.locks.LockSupport.parkNanos(
          ThreadLocalRandom.current().nextLong(50_000_000));
      kernel.kill9();
      going.set(false);
      switching.join();
      kernel.up();

      String now = current();
      assertThat(known).contains(now);
      assertThat(kernel.data().resolve("policies/current").toRealPath().getFileName())
          .hasToString(now);
      assertThat(get("/v1/policy/versions/" + now).expect(200).at("/state")).isEqualTo("current");
    }
    kernel.auditVerify().expectSuccess();
  }

  @Test
  @Order(8)
  void the_shell_shows_switches_and_rolls_back() {
    String before = current();
    assertThat(kernel.shell("aion:policy-versions --no-format")).contains(before);
    assertThat(kernel.shell("aion:policy-show narrow-1")).contains("calculate");
    assertThat(kernel.shell("aion:policy-diff narrow-1")).contains("GRANTS MORE");
    assertThat(kernel.shell("aion:policy-activate narrow-1")).contains("narrow-1: current");
    assertThat(kernel.shell("aion:policy")).contains("narrow-1");
    assertThat(kernel.shell("aion:policy-dry-run " + before)).contains("decided");
    assertThat(kernel.shell("aion:policy-rollback " + before)).contains("rolled back to " + before);
    assertThat(kernel.shell("aion:approvals")).contains("PARAMS");
    assertThat(current()).isEqualTo(before);
  }
}
