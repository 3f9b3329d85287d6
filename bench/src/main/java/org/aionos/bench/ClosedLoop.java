package org.aionos.bench;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * As many requests as a server will take: each connection sends the next one when it has its
 * answer. One thread drives all connections, so that two system calls a request is all it costs.
 */
final class ClosedLoop {

  private static final long DRAIN_NANOS = Duration.ofSeconds(5).toNanos();

  private final Target target;
  private final Source requests;
  private final int connectionCount;

  ClosedLoop(Target target, Source requests, int connectionCount) {
    this.target = target;
    this.requests = requests;
    this.connectionCount = connectionCount;
  }

  Round run(Duration time) throws IOException {
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
      throws IOException {
    Round round = new Round(target);
    long end = System.nanoTime() + time.toNanos();
    for (Connection connection : connections) {
      send(connection);
    }
    int inFlight = connections.size();
    while (inFlight > 0) {
      selector.select(1_000);
      long now = System.nanoTime();
      if (now - end > DRAIN_NANOS) {
        throw new IOException(inFlight + " answers of " + target.name() + " never came");
      }
      for (SelectionKey key : selector.selectedKeys()) {
        Connection connection = (Connection) key.attachment();
        if (connection.receive()) {
          round.count(connection, System.nanoTime() - connection.sentNanos);
          if (now - end < 0) {
            send(connection);
          } else {
            inFlight--;
          }
        }
      }
      selector.selectedKeys().clear();
    }
    return round.end();
  }

  private void send(Connection connection) throws IOException {
    connection.sentNanos = System.nanoTime();
    connection.send(requests.next());
  }
}
