package org.aionos.bench;

import java.io.IOException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Requests at a fixed rate, however the server does. A latency counts from when its request should
 * have been sent: if the server stalls, all requests that were due meanwhile say so.
 *
 * <p>One thread sends, another receives, so that neither a late timer delays an answer's clock nor
 * a burst of answers the next request.
 */
final class OpenLoop {

  private static final Duration STALL_MAX = Duration.ofSeconds(10);

  private final Target target;
  private final Source requests;
  private final int connectionCount;
  private final int perSecond;

  /** How late requests were sent: the client's own share of the latencies. */
  final Histogram lateNanos = new Histogram(3);

  OpenLoop(Target target, Source requests, int connectionCount, int perSecond) {
    this.target = target;
    this.requests = requests;
    this.connectionCount = connectionCount;
    this.perSecond = perSecond;
  }

  Round run(Duration time) throws IOException, InterruptedException {
    List<Connection> connections = new ArrayList<>();
    try (Selector selector = Selector.open()) {
      for (int i = 0; i < connectionCount; i++) {
        connections.add(new Connection(target, selector));
      }
      return run(time, selector, connections);
    } finally {
      for (Connection connection : connections) {
        connection.close();
      }
    }
  }

  private Round run(Duration time, Selector selector, List<Connection> connections)
      throws IOException, InterruptedException {
    BlockingQueue<Connection> free =
        new ArrayBlockingQueue<>(connections.size(), false, connections);
    AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
    Round round = new Round(target);
    Thread receiver =
        new Thread(
            () -> {
              try {
                receive(selector, free, round);
              } catch (IOException | RuntimeException broken) {
                failure.set(broken);
              }
            },
            "receiver");
    receiver.start();
    try {
      send(time, free, round, failure);
    } finally {
      selector.close();
      receiver.join();
    }
    Exception broken = failure.get();
    if (broken != null) {
      throw new IOException("while receiving from " + target.name(), broken);
    }
    return round.end();
  }

  private void send(
      Duration time,
      BlockingQueue<Connection> free,
      Round round,
      AtomicReference<@Nullable Exception> failure)
      throws IOException, InterruptedException {
    long intervalNanos = TimeUnit.SECONDS.toNanos(1) / perSecond;
    long begin = System.nanoTime() + intervalNanos;
    round.beginsAt(begin);
    for (long due = begin; due - begin < time.toNanos(); due += intervalNanos) {
      for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
        LockSupport.parkNanos(left);
      }
      Connection connection = take(free, failure);
      connection.sentNanos = due;
      lateNanos.recordValue(System.nanoTime() - due);
      connection.send(requests.next());
    }
    for (int i = 0; i < connectionCount; i++) {
      take(free, failure);
    }
  }

  private Connection take(
      BlockingQueue<Connection> free, AtomicReference<@Nullable Exception> failure)
      throws IOException, InterruptedException {
    Connection connection = free.poll(STALL_MAX.toSeconds(), TimeUnit.SECONDS);
    if (connection == null) {
      throw new IOException(target.name() + " stalled", failure.get());
    }
    return connection;
  }

  private static void receive(Selector selector, BlockingQueue<Connection> free, Round round)
      throws IOException {
    try {
      while (selector.isOpen()) {
        selector.select();
        for (SelectionKey key : selector.selectedKeys()) {
          Connection connection = (Connection) key.attachment();
          if (connection.receive()) {
            round.count(connection, System.nanoTime() - connection.sentNanos);
            free.add(connection);
          }
        }
        selector.selectedKeys().clear();
      }
    } catch (ClosedSelectorException ended) {
      // All answers are there.
    }
  }
}
