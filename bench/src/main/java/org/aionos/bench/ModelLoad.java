package org.aionos.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.HdrHistogram.Histogram;

/**
 * Model calls through the kernel beside the same calls straight to the server that answers them:
 * what the kernel adds to one, many streams at once, many agents at once that do other things too,
 * and quick calls beside long ones.
 */
public final class ModelLoad {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<String, String> STREAMED = Map.of("Accept", "text/event-stream");
  private static final String AGENT = "agent://tenantA/researcher-1";

  private final int kernelPort;
  private final int modelPort;

  private ModelLoad(int kernelPort, int modelPort) {
    this.kernelPort = kernelPort;
    this.modelPort = modelPort;
  }

  /** Takes: port of the kernel, port of the model server, what to measure, how many. */
  public static void main(String[] args) throws Exception {
    ModelLoad load = new ModelLoad(Integer.parseInt(args[0]), Integer.parseInt(args[1]));
    int count = Integer.parseInt(args[3]);
    switch (args[2]) {
      case "added" -> load.added(count);
      case "streams" -> load.streams(count);
      case "fan" -> load.fan(count);
      case "long" -> load.besideLong(count);
      case "gone" -> load.gone(count);
      default -> throw new IllegalArgumentException(args[2]);
    }
  }

  // --- what is asked for ----------------------------------------------------------------------

  private void control(String knobs) throws IOException {
    try (Plain model = new Plain(modelPort)) {
      model.post("/control/reset", Map.of(), new byte[0], line -> {});
      model.post("/control", Map.of(), knobs.getBytes(UTF_8), line -> {});
    }
  }

  private static byte[] question(String prompt, int tokens, boolean stream) {
    return ("{\"model\":\"small\",\"stream\":"
            + stream
            + ",\"stream_options\":{\"include_usage\":true},\"max_tokens\":"
            + tokens
            + ",\"messages\":[{\"role\":\"user\",\"content\":\""
            + prompt
            + "\"}]}")
        .getBytes(UTF_8);
  }

  private static byte[] call(String syscall, String params) {
    return call(AGENT, syscall, params);
  }

  private static byte[] call(String agent, String syscall, String params) {
    return call(agent, syscall, params, 60_000);
  }

  private static byte[] call(String agent, String syscall, String params, int latencyMillis) {
    return ("{\"schema\":\"aion.syscall.v1\",\"syscall\":\""
            + syscall
            + "\",\"agent_id\":\""
            + agent
            + "\",\"params\":"
            + params
            + ",\"budget\":{\"latency_ms\":"
            + latencyMillis
            + "}}")
        .getBytes(UTF_8);
  }

  private static byte[] generate(String agent, String prompt, int tokens) {
    return call(
        agent, "model.generate", "{\"prompt\":\"" + prompt + "\",\"max_tokens\":" + tokens + "}");
  }

  /** One connection to the kernel, with a signature of its own. */
  private static final class Agent implements AutoCloseable {
    private final String id;
    private final Plain http;
    private final Mac mac;

    Agent(int port) throws IOException {
      this(port, AGENT);
    }

    Agent(int port, String id) throws IOException {
      this.id = id;
      this.http = new Plain(port);
      try {
        mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec("TENANT_A_SECRET".getBytes(US_ASCII), "HmacSHA256"));
      } catch (GeneralSecurityException everyJdkHasIt) {
        throw new IllegalStateException(everyJdkHasIt);
      }
    }

    private Map<String, String> headers(byte[] body, Map<String, String> more) {
      Map<String, String> headers =
          new java.util.LinkedHashMap<>(
              Map.of(
                  "X-Tenant-Id",
                  "tenantA",
                  "X-Sig-HMAC",
                  HexFormat.of().formatHex(mac.doFinal(body))));
      headers.putAll(more);
      return headers;
    }

    void call(String syscall, String params) throws IOException {
      post("/v1/syscall/" + syscall, ModelLoad.call(id, syscall, params));
    }

    void register() throws IOException {
      post(
          "/v1/agent/register",
          ("{\"agent_id\":\""
                  + id
                  + "\",\"name\":\"bench\",\"version\":\"1\",\"manifest\":{\"apiVersion\":\"aion.os/v1\","
                  + "\"kind\":\"Agent\",\"metadata\":{\"name\":\"bench\",\"version\":\"1\"},\"spec\":{"
                  + "\"capabilities\":{\"filesystem\":true},"
                  + "\"syscalls\":[\"model.*\",\"memory.*\",\"fs.*\"]}}}")
              .getBytes(UTF_8));
    }

    private void post(String target, byte[] body) throws IOException {
      StringBuilder answer = new StringBuilder();
      int status = http.post(target, headers(body, Map.of()), body, answer::append);
      if (status != 200) {
        throw new IOException(target + ": " + answer);
      }
    }

    @Override
    public void close() throws IOException {
      http.close();
    }
  }

  /** What a stream has said. */
  private static final class Heard {
    private final StringBuilder text = new StringBuilder();
    private String event = "";
    private long firstNanos;
    private int events;

    /** A line of the model server's stream. */
    void ofModel(String line) {
      if (line.startsWith("data: {")) {
        add(read(line).at("/choices/0/delta/content").asText(""));
      }
    }

    /** A line of the kernel's stream. */
    void ofKernel(String line) {
      if (line.startsWith("event: ")) {
        event = line.substring("event: ".length());
      } else if (event.equals("partial") && line.startsWith("data: ")) {
        add(read(line).path("text").asText(""));
      } else if (event.equals("result") && line.startsWith("data: ")) {
        JsonNode whole = read(line);
        if (!whole.at("/result/text").asText().contentEquals(text)) {
          throw new IllegalStateException("the parts are not the whole: " + whole);
        }
      } else if (event.equals("dropped")) {
        throw new IllegalStateException("events were dropped");
      }
    }

    private void add(String part) {
      if (!part.isEmpty()) {
        firstNanos = firstNanos == 0 ? System.nanoTime() : firstNanos;
        text.append(part);
        events++;
      }
    }

    private static JsonNode read(String line) {
      try {
        return JSON.readTree(line.substring("data: ".length()));
      } catch (IOException malformed) {
        throw new IllegalStateException(line, malformed);
      }
    }
  }

  private Heard throughKernel(Agent agent, String prompt, int tokens) throws IOException {
    Heard heard = new Heard();
    byte[] body = generate(agent.id, prompt, tokens);
    int status =
        agent.http.post(
            "/v1/syscall/model.generate", agent.headers(body, STREAMED), body, heard::ofKernel);
    if (status != 200 || heard.text.isEmpty()) {
      throw new IOException("status " + status);
    }
    return heard;
  }

  private static Heard straight(Plain model, String prompt, int tokens) throws IOException {
    Heard heard = new Heard();
    int status =
        model.post(
            "/v1/chat/completions", Map.of(), question(prompt, tokens, true), heard::ofModel);
    if (status != 200 || heard.text.isEmpty()) {
      throw new IOException("status " + status);
    }
    return heard;
  }

  // --- what the kernel adds to one call -------------------------------------------------------

  private void added(int count) throws IOException {
    control("{}");
    Histogram straightWhole = new Histogram(3);
    Histogram straightFirst = new Histogram(3);
    Histogram kernelWhole = new Histogram(3);
    Histogram kernelFirst = new Histogram(3);
    try (Plain model = new Plain(modelPort);
        Agent agent = new Agent(kernelPort)) {
      for (int i = -count / 2; i < count; i++) {
        String prompt = "question " + i;
        long begun = System.nanoTime();
        Heard direct = straight(model, prompt, 16);
        long between = System.nanoTime();
        Heard governed = throughKernel(agent, prompt, 16);
        long ended = System.nanoTime();
        if (!direct.text.toString().contentEquals(governed.text)) {
          throw new IllegalStateException("another answer");
        }
        if (i >= 0) {
          straightWhole.recordValue(between - begun);
          straightFirst.recordValue(direct.firstNanos - begun);
          kernelWhole.recordValue(ended - between);
          kernelFirst.recordValue(governed.firstNanos - between);
        }
      }
    }
    System.out.printf("one call at a time, %d in turn, 16 tokens, a provider of 0 ms%n", count);
    print("first token, straight", straightFirst);
    print("first token, kernel", kernelFirst);
    print("whole, straight", straightWhole);
    print("whole, kernel", kernelWhole);
    System.out.printf(
        "added at p50: first token %.2f ms, whole %.2f ms (target 3)%n",
        (kernelFirst.getValueAtPercentile(50) - straightFirst.getValueAtPercentile(50)) / 1e6,
        (kernelWhole.getValueAtPercentile(50) - straightWhole.getValueAtPercentile(50)) / 1e6);
  }

  private static void print(String what, Histogram nanos) {
    System.out.printf(
        "  %-24s p50 %8.2f  p90 %8.2f  p99 %8.2f  max %8.2f ms%n",
        what,
        nanos.getValueAtPercentile(50) / 1e6,
        nanos.getValueAtPercentile(90) / 1e6,
        nanos.getValueAtPercentile(99) / 1e6,
        nanos.getMaxValue() / 1e6);
  }

  // --- many at once ---------------------------------------------------------------------------

  private void streams(int count) throws Exception {
    control("{\"token_delay_ms\":50}");
    int tokens = 100;
    List<String> direct = atOnce(count, i -> () -> straightText(i, tokens));
    long begun = System.nanoTime();
    List<String> governed = atOnce(count, i -> () -> kernelText(i, tokens));
    double seconds = (System.nanoTime() - begun) / 1e9;
    int whole = 0;
    for (int i = 0; i < count; i++) {
      whole += direct.get(i).equals(governed.get(i)) ? 1 : 0;
    }
    System.out.printf(
        "streams at once: %d of %d came whole, %d tokens each at 20 a second: %.2f s (5.00 at"
            + " least)%n",
        whole, count, tokens, seconds);
    if (whole < count) {
      throw new IllegalStateException("streams were lost");
    }
  }

  private String straightText(int number, int tokens) throws IOException {
    try (Plain model = new Plain(modelPort)) {
      return straight(model, "question " + number, tokens).text.toString();
    }
  }

  private String kernelText(int number, int tokens) throws IOException {
    try (Agent agent = new Agent(kernelPort)) {
      return throughKernel(agent, "question " + number, tokens).text.toString();
    }
  }

  private interface Part<T> {
    Callable<T> of(int number);
  }

  private static <T> List<T> atOnce(int count, Part<T> part)
      throws InterruptedException, ExecutionException {
    ExecutorService threads = Executors.newFixedThreadPool(count);
    try {
      List<Future<T>> begun = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        begun.add(threads.submit(part.of(i)));
      }
      List<T> ended = new ArrayList<>();
      for (Future<T> each : begun) {
        ended.add(each.get());
      }
      return ended;
    } finally {
      threads.shutdownNow();
    }
  }

  // --- agents that do other things too --------------------------------------------------------

  private void fan(int rounds) throws Exception {
    control("{\"first_token_delay_ms\":500}");
    System.out.println(
        "agents at once, each a model call of 0.5 s, a put to long memory, a write to its files;"
            + " beside the same model calls straight");
    fan(10, 1);
    for (int agents : new int[] {10, 50, 250}) {
      List<Double> straight = new ArrayList<>();
      List<Double> governed = new ArrayList<>();
      for (int round = 0; round < rounds; round++) {
        double[] seconds = fan(agents, round);
        straight.add(seconds[0]);
        governed.add(seconds[1]);
      }
      double mine = median(governed);
      double allowed = 1.1 * median(straight) + 0.010 * agents;
      System.out.printf(
          "  %3d agents: straight %.2f s, kernel %.2f s; target %.2f s: %s%n",
          agents, median(straight), mine, allowed, mine <= allowed ? "held" : "MISSED");
    }
  }

  private static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    return sorted.get(sorted.size() / 2);
  }

  /** Seconds straight, and through the kernel; the clients are there before the clock begins. */
  private double[] fan(int count, int round) throws Exception {
    List<Plain> models = new ArrayList<>();
    List<Agent> agents = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      models.add(new Plain(modelPort));
      Agent agent = new Agent(kernelPort, "agent://tenantA/bench-" + i);
      agent.register();
      agents.add(agent);
    }
    double direct = timed(count, i -> () -> straight(models.get(i), "question " + i, 8).events);
    double governed = timed(count, i -> () -> work(agents.get(i), round * 1_000 + i));
    for (int i = 0; i < count; i++) {
      models.get(i).close();
      agents.get(i).close();
    }
    return new double[] {direct, governed};
  }

  private int work(Agent agent, int number) throws IOException {
    String text = throughKernel(agent, "question " + number, 8).text.toString();
    String json = JSON.writeValueAsString(text);
    agent.call(
        "memory.put",
        "{\"type\":\"long\",\"key\":\"answer-" + number + "\",\"value\":" + json + "}");
    agent.call("fs.write", "{\"path\":\"answer-" + number + ".txt\",\"text\":" + json + "}");
    return 1;
  }

  private static double timed(int count, Part<Integer> part) throws Exception {
    CountDownLatch ready = new CountDownLatch(count);
    CountDownLatch go = new CountDownLatch(1);
    ExecutorService threads = Executors.newFixedThreadPool(count);
    try {
      List<Future<Integer>> begun = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        Callable<Integer> each = part.of(i);
        begun.add(
            threads.submit(
                () -> {
                  ready.countDown();
                  go.await();
                  return each.call();
                }));
      }
      ready.await();
      long start = System.nanoTime();
      go.countDown();
      for (Future<Integer> each : begun) {
        each.get();
      }
      return (System.nanoTime() - start) / 1e9;
    } finally {
      threads.shutdownNow();
    }
  }

  // --- quick ones beside long ones ------------------------------------------------------------

  private void besideLong(int count) throws Exception {
    int tokens = 200;
    control("{\"token_delay_ms\":50}");
    int longOnes = 100;
    ExecutorService threads = Executors.newFixedThreadPool(longOnes);
    List<Future<String>> begun = new ArrayList<>();
    for (int i = 0; i < longOnes; i++) {
      int number = i;
      begun.add(threads.submit(() -> kernelText(number, tokens)));
    }
    Histogram beyond = new Histogram(3);
    long until = System.nanoTime() + 9_000_000_000L;
    int quick = 0;
    try (Agent agent = new Agent(kernelPort);
        Plain model = new Plain(modelPort)) {
      for (; quick < count && System.nanoTime() < until; quick++) {
        long first = System.nanoTime();
        straight(model, "quick " + quick, 2);
        long second = System.nanoTime();
        throughKernel(agent, "quick " + quick, 2);
        long third = System.nanoTime();
        beyond.recordValue(Math.max(0, third - second - (second - first)));
      }
    }
    for (Future<String> each : begun) {
      each.get();
    }
    threads.shutdownNow();
    System.out.printf("quick calls, %d, beside %d streams of 10 s%n", quick, longOnes);
    print("beyond the model's time", beyond);
  }

  // --- calls that nobody waits for any more ---------------------------------------------------

  /** Thrown out of an answer by whoever has heard enough of it. */
  private static final class Enough extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private void gone(int count) throws IOException, InterruptedException {
    int deadlineMillis = 300;
    for (String knobs : List.of("{\"hang\":true}", "{\"token_delay_ms\":20}")) {
      Histogram hungUp = new Histogram(3);
      Histogram late = new Histogram(3);
      control(knobs);
      for (int i = 0; i < count; i++) {
        hungUp.recordValue(afterHangingUp(i));
        late.recordValue(afterDeadline(i, deadlineMillis));
      }
      System.out.printf(
          "%d calls each, the provider %s: it has stopped, after%n",
          count, knobs.contains("hang") ? "silent" : "at 50 tokens a second");
      printMillis("the caller has gone", hungUp);
      printMillis("a deadline of 300 ms", late);
    }
  }

  private static void printMillis(String what, Histogram millis) {
    System.out.printf(
        "  %-24s p50 %4d  p90 %4d  max %4d ms (target 200)%n",
        what,
        millis.getValueAtPercentile(50),
        millis.getValueAtPercentile(90),
        millis.getMaxValue());
  }

  private long afterHangingUp(int number) throws IOException, InterruptedException {
    byte[] body = generate(AGENT, "400 tokens, " + number, 400);
    long begun = System.nanoTime();
    StringBuilder heardAll = new StringBuilder();
    try (Agent agent = new Agent(kernelPort)) {
      agent.http.post(
          "/v1/syscall/model.generate",
          agent.headers(body, STREAMED),
          body,
          line -> {
            heardAll.append(line);
            // The comments that ask whether we are there come also while the provider is silent.
            if (System.nanoTime() - begun > 250_000_000L) {
              throw new Enough();
            }
          });
      throw new IllegalStateException("the call has ended by itself: " + heardAll);
    } catch (Enough heard) {
      // The connection is closed by now.
    }
    long closedMillis = System.currentTimeMillis();
    return Math.max(0, noticed(closedMillis) - closedMillis);
  }

  private List<Long> aborted() throws IOException {
    try (Plain model = new Plain(modelPort)) {
      List<Long> at = new ArrayList<>();
      JSON.readTree(model.get("/control/stats"))
          .path("aborted_at_ms")
          .forEach(each -> at.add(each.asLong()));
      return at;
    }
  }

  /** When the server has noticed that nobody listens. */
  private long noticed(long sinceMillis) throws IOException, InterruptedException {
    for (int looks = 0; looks < 500; looks++) {
      List<Long> at = aborted();
      if (!at.isEmpty() && at.get(at.size() - 1) >= sinceMillis) {
        return at.get(at.size() - 1);
      }
      Thread.sleep(20);
    }
    throw new IllegalStateException("the provider goes on for nobody");
  }

  private long afterDeadline(int number, int deadlineMillis)
      throws IOException, InterruptedException {
    byte[] body =
        call(
            AGENT,
            "model.generate",
            "{\"prompt\":\"400 tokens, " + number + "\",\"max_tokens\":400}",
            deadlineMillis);
    long due = System.currentTimeMillis() + deadlineMillis;
    try (Agent agent = new Agent(kernelPort)) {
      agent.http.post(
          "/v1/syscall/model.generate", agent.headers(body, STREAMED), body, line -> {});
    }
    return Math.max(0, noticed(due - 20) - due);
  }
}
