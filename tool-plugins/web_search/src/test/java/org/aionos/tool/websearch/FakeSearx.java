package org.aionos.tool.websearch;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A SearXNG instance that answers as a test tells it, on the loopback address. */
final class FakeSearx implements AutoCloseable {

  /** How the next requests are answered. */
  interface Answer {
    void to(HttpExchange exchange) throws IOException, InterruptedException;
  }

  record Asked(String query, Headers headers) {}

  final List<Asked> asked = new CopyOnWriteArrayList<>();
  final CountDownLatch firstAsked = new CountDownLatch(1);
  private final CountDownLatch closed = new CountDownLatch(1);
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final HttpServer server;
  private volatile Answer answer = json("{\"results\":[]}");

  FakeSearx() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    server.createContext("/", this::handle);
    server.setExecutor(threads);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  FakeSearx answers(Answer next) {
    answer = next;
    return this;
  }

  static Answer json(String body) {
    return body(200, "application/json", body);
  }

  static Answer body(int status, String type, String body) {
    return exchange -> {
      byte[] bytes = body.getBytes(UTF_8);
      exchange.getResponseHeaders().set("Content-Type", type);
      exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
      exchange.getResponseBody().write(bytes);
    };
  }

  static Answer redirect(String to) {
    return exchange -> {
      exchange.getResponseHeaders().set("Location", to);
      exchange.sendResponseHeaders(302, -1);
    };
  }

  /** Never answers, as long as the test runs. */
  Answer silence() {
    return exchange -> closed.await();
  }

  /** Begins an answer and never ends it. */
  Answer silenceAfter(String beginning) {
    return exchange -> {
      exchange.sendResponseHeaders(200, 0);
      OutputStream out = exchange.getResponseBody();
      out.write(beginning.getBytes(UTF_8));
      out.flush();
      closed.await();
    };
  }

  /** Writes until the client hangs up. */
  static Answer endless() {
    return exchange -> {
      exchange.sendResponseHeaders(200, 0);
      byte[] part = " ".repeat(8_192).getBytes(UTF_8);
      while (true) {
        exchange.getResponseBody().write(part);
      }
    };
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop(0);
    threads.shutdownNow();
  }

  private void handle(HttpExchange exchange) throws IOException {
    asked.add(new Asked(exchange.getRequestURI().toString(), exchange.getRequestHeaders()));
    firstAsked.countDown();
    try (exchange) {
      answer.to(exchange);
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }
}
