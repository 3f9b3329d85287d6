package org.aionos.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * Quick tasks of one tenant while another has many long ones: how long each quick one is in the
 * kernel, by the kernel's own record, from its submission to its end.
 */
public final class HeadOfLine {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long LOOK_NANOS = 500_000;

  private final HttpClient http = HttpClient.newHttpClient();
  private final String url;
  private final String token;

  private HeadOfLine(int port, String token) {
    this.url = "http://127.0.0.1:" + port;
    this.token = token;
  }

  /** Takes: port, an operator's token, quick tasks. Prints one line. */
  public static void main(String[] args) throws IOException, InterruptedException {
    new HeadOfLine(Integer.parseInt(args[0]), args[1]).run(Integer.parseInt(args[2]));
  }

  private void run(int count) throws IOException, InterruptedException {
    post("/v1/tenants", "{\"tenant\":\"quick\"}");
    post(
        "/v1/agent/register",
        "{\"agent_id\":\"agent://quick/a\",\"name\":\"a\",\"version\":\"1\"}");
    post(
        "/v1/agent/register",
        "{\"agent_id\":\"agent://tenantA/long\",\"name\":\"long\",\"version\":\"1\"}");
    for (int i = 0; i < 100; i++) {
      submit("long-" + i, "tenantA/long", "agent.recv", "{\"wait_ms\":10000}");
    }
    Histogram millis = new Histogram(3);
    for (int i = 0; i < count; i++) {
      submit("quick-" + i, "quick/a", "tool.invoke", "{\"tool\":\"echo\",\"text\":\"x\"}");
      JsonNode task = ended("quick-" + i);
      millis.recordValue(
          Duration.between(
                  Instant.parse(task.get("submitted_at").asText()),
                  Instant.parse(task.get("ended_at").asText()))
              .toMillis());
    }
    JsonNode queues = get("/v1/schedule/queue");
    System.out.printf(
        "quick tasks, %d, while %s long ones run and %s wait: p50 %d  p99 %d  max %d ms%n",
        count,
        queues.at("/running/normal").asText(),
        queues.at("/waiting/normal").asText(),
        millis.getValueAtPercentile(50),
        millis.getValueAtPercentile(99),
        millis.getMaxValue());
  }

  private void submit(String id, String agent, String syscall, String params)
      throws IOException, InterruptedException {
    post(
        "/v1/schedule/submit",
        "{\"task_id\":\"%s\",\"intent\":\"syscall:%s\",\"agent_id\":\"agent://%s\",\"params\":%s}"
            .formatted(id, syscall, agent, params));
  }

  private JsonNode ended(String id) throws IOException, InterruptedException {
    JsonNode task = get("/v1/schedule/tasks/" + id + "?tenant=quick");
    while (task.path("ended_at").isNull()) {
      LockSupport.parkNanos(LOOK_NANOS);
      task = get("/v1/schedule/tasks/" + id + "?tenant=quick");
    }
    if (!task.path("state").asText().equals("succeeded")) {
      throw new IOException(task.toString());
    }
    return task;
  }

  private JsonNode get(String target) throws IOException, InterruptedException {
    return send(request(target).GET().build());
  }

  private void post(String target, String body) throws IOException, InterruptedException {
    send(
        request(target)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body, UTF_8))
            .build());
  }

  private HttpRequest.Builder request(String target) {
    return HttpRequest.newBuilder(URI.create(url + target))
        .header("Authorization", "Bearer " + token);
  }

  private JsonNode send(HttpRequest request) throws IOException, InterruptedException {
    HttpResponse<byte[]> answer = http.send(request, HttpResponse.BodyHandlers.ofByteArray());
    if (answer.statusCode() >= 300) {
      throw new IOException(request.uri() + ": " + new String(answer.body(), UTF_8));
    }
    return JSON.readTree(answer.body());
  }
}
