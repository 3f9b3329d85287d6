package org.aionos.modelserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Clock;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.SocketChannelEndPoint;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Promise;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * Serves {@code /v1/chat/completions}, {@code /v1/embeddings}, {@code /v1/models} and Ollama's
 * {@code /api/version}, on the loopback address. {@code POST /control} says how it is to behave
 * ({@link Knobs#set}), {@code POST /control/reset} that it shall behave, {@code GET /control/stats}
 * what it has seen. It knows any model whose name does not begin with {@code no-}; a user's message
 * {@code call <tool> {json}} has it call a tool, {@code <n> tokens} say so many.
 *
 * <p>A thousand streams take one timer and the few threads of Jetty.
 */
public final class ModelServer extends Handler.Abstract implements AutoCloseable {

  private static final int BODY_BYTES_MAX = 16 << 20;

  /** How soon it is noticed that a caller has gone to whom nothing is said at the moment. */
  private static final long LOOK_MILLIS = 10;

  private static final List<String> MODELS = List.of("small", "large");

  private final Knobs knobs = new Knobs();
  private final Seen seen = new Seen();
  private final InstantSource clock = Clock.systemUTC();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "model-server-timer");
            thread.setDaemon(true);
            return thread;
          });
  private final Map<AnswerStream, SocketChannel> silent = new ConcurrentHashMap<>();
  private final Server server;
  private final ServerConnector connector;

  private ModelServer(int port) {
    QueuedThreadPool threads = new QueuedThreadPool(32, 4);
    threads.setName("model-server");
    threads.setDaemon(true);
    this.server = new Server(threads);
    this.connector = new ServerConnector(server, 1, 1);
    connector.setHost("127.0.0.1");
    connector.setPort(port);
    connector.setAcceptQueueSize(1_024);
    connector.setIdleTimeout(600_000);
  }

  /**
   * @param port 0 for any
   */
  public static ModelServer start(int port) throws Exception {
    ModelServer model = new ModelServer(port);
    model.server.addConnector(model.connector);
    model.server.setHandler(model);
    model.server.start();
    model.timer.scheduleWithFixedDelay(
        model::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    return model;
  }

  /** {@code java -jar model-server.jar [port]}: says its URL, and serves until it is killed. */
  @SuppressWarnings("SystemOut") // A program's.
  public static void main(String[] arguments) throws Exception {
    ModelServer model = start(arguments.length == 0 ? 0 : Integer.parseInt(arguments[0]));
    System.out.println(model.url());
    System.out.flush();
    model.server.join();
  }

  /** Without {@code /v1}, as {@code OLLAMA_URL} has it. */
  public String url() {
    return "http://127.0.0.1:" + connector.getLocalPort();
  }

  /** As {@code POST /control}. */
  public ModelServer control(Map<String, ?> said) {
    knobs.set(new ObjectMapper().valueToTree(said));
    return this;
  }

  /** As {@code POST /control/reset}. */
  public void reset() {
    knobs.reset();
    seen.reset();
  }

  /** As {@code GET /control/stats}. */
  public Map<String, Object> stats() {
    Map<String, Object> stats = seen.stats();
    stats.put("connections", connector.getConnectedEndPoints().size());
    return stats;
  }

  /** The bodies of the last requests, the oldest first. */
  public List<JsonNode> bodies() {
    return seen.bodies();
  }

  @Override
  public void close() throws Exception {
    timer.shutdownNow();
    server.stop();
  }

  /** Jetty reads nothing while an answer is owed, so it does not see a caller go. */
  private void look() {
    silent.forEach(
        (stream, channel) -> {
          boolean gone;
          try {
            gone = channel.read(ByteBuffer.allocate(1)) < 0;
          } catch (IOException reset) {
            gone = true;
          }
          if (gone && silent.remove(stream) != null) {
            stream.gone();
          }
        });
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    String route = request.getMethod() + " " + Request.getPathInContext(request);
    switch (route) {
      case "GET /api/version" -> answer(response, callback, Map.of("version", "0.0.0"));
      case "GET /v1/models" -> listed(request, response, callback);
      case "GET /control/stats" -> answer(response, callback, stats());
      case "POST /control/reset" -> {
        reset();
        answer(response, callback, Map.of());
      }
      case "POST /control", "POST /v1/chat/completions", "POST /v1/embeddings" ->
          Content.Source.asByteBuffer(
              request,
              Promise.from(
                  body -> read(route, body, request, response, callback), callback::failed));
      default -> Wire.refuse(response, callback, 404, "there is no " + route);
    }
    return true;
  }

  private static void answer(Response response, Callback callback, Map<String, ?> json) {
    Wire.answer(response, callback, 200, Wire.bytes(json));
  }

  private void listed(Request request, Response response, Callback callback) {
    if (!knobs.admits(request.getHeaders().get(HttpHeader.AUTHORIZATION))) {
      Wire.refuse(response, callback, 401, "no such key");
      return;
    }
    answer(
        response,
        callback,
        Map.of(
            "object",
            "list",
            "data",
            MODELS.stream().map(name -> Map.of("id", name, "object", "model")).toList()));
  }

  private void read(
      String route, ByteBuffer bytes, Request request, Response response, Callback callback) {
    try {
      byte[] body = new byte[Math.min(bytes.remaining(), BODY_BYTES_MAX)];
      bytes.get(body);
      JsonNode json = Wire.read(body);
      if (route.equals("POST /control")) {
        knobs.set(json);
        answer(response, callback, Map.of());
      } else {
        serve(route, json, request, response, callback);
      }
    } catch (IOException malformed) {
      Wire.refuse(response, callback, 400, "not JSON");
    }
  }

  private void serve(
      String route, JsonNode json, Request request, Response response, Callback callback) {
    seen.request(json);
    if (!knobs.admits(request.getHeaders().get(HttpHeader.AUTHORIZATION))) {
      String shown = String.valueOf(request.getHeaders().get(HttpHeader.AUTHORIZATION));
      Wire.refuse(response, callback, 401, "no such key: " + shown);
      return;
    }
    Knobs.Turn turn = knobs.next();
    if (turn.failStatus() > 0) {
      if (turn.retryAfter() != null) {
        response.getHeaders().put(HttpHeader.RETRY_AFTER, turn.retryAfter());
      }
      Wire.refuse(response, callback, turn.failStatus(), "told to fail");
    } else if (json.path("model").asText("no-").startsWith("no-")) {
      Wire.refuse(response, callback, 404, "model '" + json.path("model").asText() + "' not found");
    } else if (route.endsWith("/embeddings")) {
      embed(json, response, callback);
    } else {
      complete(json, turn, request, response, callback);
    }
  }

  private void complete(
      JsonNode json, Knobs.Turn turn, Request request, Response response, Callback callback) {
    Completion completion = new Completion(json, turn.answer());
    if (!json.path("stream").asBoolean()) {
      Wire.answer(response, callback, 200, completion.whole(!turn.usageWithheld()));
      return;
    }
    boolean withUsage =
        json.at("/stream_options/include_usage").asBoolean() && !turn.usageWithheld();
    AnswerStream[] itself = new AnswerStream[1];
    AnswerStream stream =
        new AnswerStream(
            request,
            response,
            Callback.from(callback, () -> silent.remove(itself[0])),
            completion,
            turn,
            withUsage,
            timer,
            clock,
            seen);
    itself[0] = stream;
    if (request.getConnectionMetaData().getConnection().getEndPoint()
            instanceof SocketChannelEndPoint socket
        && (turn.hang() || turn.firstTokenDelayMillis() > 100 || turn.tokenDelayMillis() > 100)) {
      silent.put(stream, (SocketChannel) socket.getChannel());
    }
    stream.begin();
  }

  private static void embed(JsonNode json, Response response, Callback callback) {
    ObjectMapper mapper = new ObjectMapper();
    JsonNode input = json.path("input");
    ArrayNode texts = input.isArray() ? (ArrayNode) input : mapper.createArrayNode().add(input);
    ObjectNode answer = mapper.createObjectNode().put("object", "list");
    answer.put("model", json.path("model").asText());
    ArrayNode data = answer.putArray("data");
    int tokens = 0;
    for (int i = 0; i < texts.size(); i++) {
      ObjectNode each = data.addObject().put("object", "embedding").put("index", i);
      ArrayNode vector = each.putArray("embedding");
      for (double number : Embedding.of(texts.get(i).asText())) {
        vector.add(number);
      }
      tokens += Pieces.count(texts.get(i).asText());
    }
    answer.putObject("usage").put("prompt_tokens", tokens).put("total_tokens", tokens);
    Wire.answer(response, callback, 200, Wire.bytes(answer));
  }
}
