package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/**
 * Plays the platform's Control, which hands its {@code /tasks/submit} on to the kernel: a client
 * that knows the contract and nothing of ours.
 */
@Order(5)
class ControlIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static Control control;

  @BeforeAll
  static void start() {
    RunningKernel kernel = SharedKernel.get();
    String service =
        SharedKernel.PEOPLE
            .person("operator")
            .headers("GET", "/", new byte[0])
            .get("Authorization");
    control = new Control("http://127.0.0.1:" + kernel.port(), service);
  }

  /** Signs what it submits with the tenant's secret; asks as a service, by its token. */
  private record Control(String kernelUrl, String authorization) {

    private static final String TENANT = "tenantA";
    private static final String SECRET = "TENANT_A_SECRET";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    record Said(int status, JsonNode body) {}

    Said submit(Map<String, ?> task) throws IOException, InterruptedException {
      byte[] body = JSON.writeValueAsBytes(task);
      return submit(body, signature(body));
    }

    Said submit(byte[] body, String signature) throws IOException, InterruptedException {
      return send(
          HttpRequest.newBuilder(URI.create(kernelUrl + "/v1/schedule/submit"))
              .header("Content-Type", "application/json")
              .header("X-Tenant-Id", TENANT)
              .header("X-Sig-HMAC", signature)
              .POST(HttpRequest.BodyPublishers.ofByteArray(body)));
    }

    Said task(String id) throws IOException, InterruptedException {
      return send(
          HttpRequest.newBuilder(
                  URI.create(kernelUrl + "/v1/schedule/tasks/" + id + "?tenant=" + TENANT))
              .header("Authorization", authorization));
    }

    JsonNode ended(String id) {
      Await.until(
          id + " has ended",
          PATIENCE,
          () ->
              List.of("succeeded", "failed", "cancelled")
                  .contains(task(id).body().path("state").asText()));
      try {
        return task(id).body();
      } catch (IOException | InterruptedException lost) {
        throw new AssertionError(lost);
      }
    }

    private static Said send(HttpRequest.Builder request) throws IOException, InterruptedException {
      HttpResponse<byte[]> answer =
          HTTP.send(request.timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofByteArray());
      return new Said(answer.statusCode(), JSON.readTree(answer.body()));
    }

    private static String signature(byte[] body) {
      try {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(SECRET.getBytes(UTF_8), "HmacSHA256"));
        return HexFormat.of().formatHex(mac.doFinal(body));
      } catch (GeneralSecurityException everyJdkHasIt) {
        throw new IllegalStateException(everyJdkHasIt);
      }
    }
  }

  /** The contract's five fields, and on whose behalf. */
  private static Map<String, Object> task(String id, Object priority) {
    Map<String, Object> task = new LinkedHashMap<>();
    task.put("task_id", id);
    task.put("intent", "syscall:tool.invoke");
    task.put("agent_id", "agent://tenantA/researcher-1");
    task.put("priority", priority);
    task.put("quota", Map.of("calls_max", 3, "usd_max", 0.05));
    task.put("params", Map.of("tool", "echo", "text", "for " + id));
    return task;
  }

  @Test
  void priorities_are_taken_by_name_and_by_number_and_results_come_back() throws Exception {
    Map<Object, String> queues = new LinkedHashMap<>();
    queues.put("high", "high");
    queues.put("normal", "normal");
    queues.put("low", "low");
    queues.put(9, "high");
    queues.put(7, "high");
    queues.put(6, "normal");
    queues.put(3, "normal");
    queues.put(2, "low");
    queues.put(0, "low");
    for (Object priority : queues.keySet()) {
      Control.Said accepted = control.submit(task("control-" + priority, priority));
      assertThat(accepted.status()).as("%s", accepted).isEqualTo(202);
      assertThat(accepted.body().at("/status").asText()).isEqualTo("ok");
      assertThat(accepted.body().at("/created").asBoolean()).isTrue();
    }

    for (Map.Entry<Object, String> each : queues.entrySet()) {
      JsonNode ended = control.ended("control-" + each.getKey());
      assertThat(ended.at("/state").asText()).as("%s", ended).isEqualTo("succeeded");
      assertThat(ended.at("/queue").asText()).as("%s", ended).isEqualTo(each.getValue());
      assertThat(ended.at("/result/text").asText()).isEqualTo("for control-" + each.getKey());
      assertThat(ended.at("/usage/calls").asInt()).isEqualTo(1);
    }
  }

  @Test
  void a_submission_that_is_sent_twice_is_one_task() throws Exception {
    assertThat(control.submit(task("control-twice", "normal")).status()).isEqualTo(202);
    JsonNode ended = control.ended("control-twice");

    Control.Said again = control.submit(task("control-twice", "normal"));

    assertThat(again.status()).isEqualTo(200);
    assertThat(again.body().at("/created").asBoolean()).isFalse();
    assertThat(again.body().at("/task/ended_at")).isEqualTo(ended.at("/ended_at"));
    assertThat(control.submit(task("control-twice", "high")).status()).isEqualTo(409);
  }

  @Test
  void without_a_priority_the_task_has_that_of_the_agents_manifest() throws Exception {
    Map<String, Object> task = task("control-unsaid", 5);
    task.remove("priority");
    control.submit(task);

    assertThat(control.ended("control-unsaid").at("/priority").asInt()).isEqualTo(5);
  }

  @Test
  void what_is_wrong_is_answered_at_once_with_the_field_and_takes_no_id() throws Exception {
    Control.Said refused = control.submit(task("control-wrong", "urgent"));

    assertThat(refused.status()).isEqualTo(400);
    assertThat(refused.body().at("/error/pointer").asText()).isEqualTo("/priority");
    assertThat(control.submit(task("control-wrong", "low")).status()).isEqualTo(202);
  }

  @Test
  void a_body_that_was_changed_on_its_way_is_refused() throws Exception {
    byte[] signed = Control.JSON.writeValueAsBytes(task("control-forged", "low"));
    byte[] sent = Control.JSON.writeValueAsBytes(task("control-forged", "high"));

    Control.Said refused = control.submit(sent, Control.signature(signed));

    assertThat(refused.status()).isEqualTo(401);
    assertThat(control.task("control-forged").status()).isEqualTo(404);
  }
}
