package org.aionos.it;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/** Clients that call echo without pause until they are told to stop, and what came of it. */
final class Load implements AutoCloseable {

  private final RunningKernel kernel;
  private final List<Thread> clients = new ArrayList<>();
  private final AtomicBoolean stopped = new AtomicBoolean();
  private final ConcurrentMap<String, LongAdder> outcomes = new ConcurrentHashMap<>();
  private final Queue<String> answeredIds = new ConcurrentLinkedQueue<>();
  private final Queue<String> oddities = new ConcurrentLinkedQueue<>();

  Load(RunningKernel kernel, int clientCount) {
    this.kernel = kernel;
    byte[] body = body();
    Map<String, String> headers =
        RunningKernel.RESEARCHER_V1.headers("POST", "/v1/syscall/tool.invoke", body);
    for (int i = 0; i < clientCount; i++) {
      Thread client = new Thread(() -> call(headers, body), "client-" + i);
      client.setDaemon(true);
      clients.add(client);
      client.start();
    }
  }

  private static byte[] body() {
    var body = RunningKernel.syscall("tool.invoke", RunningKernel.RESEARCHER);
    body.withObject("/params").put("tool", "echo").put("text", "load");
    return RunningKernel.bytes(body);
  }

  private void call(Map<String, String> headers, byte[] body) {
    while (!stopped.get()) {
      try {
        Answer answer = kernel.send("POST", "/v1/syscall/tool.invoke", headers, body);
        if (answer.status() == 200) {
          count("200 " + answer.at("/result/version"));
          answeredIds.add(answer.auditId());
        } else {
          boolean hint = answer.headers().firstValue("retry-after").isPresent();
          String outcome =
              answer.status() + " " + answer.code() + (hint ? " with Retry-After" : "");
          count(outcome);
          if (answer.status() != 503 || !hint) {
            oddities.add(answer.toString());
          }
        }
      } catch (IOException | RuntimeException unreachable) {
        count("unreachable");
      }
    }
  }

  private void count(String outcome) {
    outcomes.computeIfAbsent(outcome, absent -> new LongAdder()).increment();
  }

  /** How many calls came out so, by the beginning of the outcome. */
  long count200() {
    return outcomes().entrySet().stream()
        .filter(each -> each.getKey().startsWith("200"))
        .mapToLong(Map.Entry::getValue)
        .sum();
  }

  /** Status, and version or code, to how often. */
  Map<String, Long> outcomes() {
    Map<String, Long> counts = new TreeMap<>();
    outcomes.forEach((outcome, count) -> counts.put(outcome, count.sum()));
    return counts;
  }

  List<String> answeredIds() {
    return List.copyOf(answeredIds);
  }

  /** Answers that a caller should never see, whole. */
  List<String> oddities() {
    return List.copyOf(oddities);
  }

  @Override
  public void close() {
    stopped.set(true);
    for (Thread client : clients) {
      try {
        client.join(30_000);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
      if (client.isAlive()) {
        throw new AssertionError("a client hangs in a call: " + client.getName());
      }
    }
  }
}
