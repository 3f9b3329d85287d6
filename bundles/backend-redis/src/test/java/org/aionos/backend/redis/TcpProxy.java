package org.aionos.backend.redis;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Stands between client and server, and fails as networks do. */
final class TcpProxy implements AutoCloseable {

  private final int serverPort;
  private final ExecutorService pumps = Executors.newCachedThreadPool();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final int port;
  private ServerSocket door;
  private boolean stalled;
  private boolean answersLost;

  TcpProxy(int serverPort) throws IOException {
    this.serverPort = serverPort;
    this.door = open(0);
    this.port = door.getLocalPort();
  }

  String url() {
    return "redis://127.0.0.1:" + port;
  }

  private ServerSocket open(int wanted) throws IOException {
    ServerSocket fresh = new ServerSocket();
    fresh.setReuseAddress(true);
    fresh.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), wanted));
    pumps.submit(() -> accept(fresh));
    return fresh;
  }

  private void accept(ServerSocket from) {
    try {
      while (true) {
        Socket client = from.accept();
        sockets.add(client);
        join(client);
      }
    } catch (IOException closed) {
      return;
    }
  }

  private void join(Socket client) throws IOException {
    try {
      Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort);
      sockets.add(server);
      client.setTcpNoDelay(true);
      server.setTcpNoDelay(true);
      pumps.submit(() -> pump(client, server, false));
      pumps.submit(() -> pump(server, client, true));
    } catch (IOException away) {
      client.close();
    }
  }

  private void pump(Socket from, Socket to, boolean answers) {
    byte[] bytes = new byte[16_384];
    try (from;
        to) {
      for (int n = from.getInputStream().read(bytes);
          n >= 0;
          n = from.getInputStream().read(bytes)) {
        synchronized (this) {
          while (stalled) {
            wait();
          }
          if (answers && answersLost) {
            return;
          }
        }
        to.getOutputStream().write(bytes, 0, n);
      }
    } catch (IOException | InterruptedException cut) {
      return;
    }
  }

  /** Connections stay, and nothing goes through. */
  synchronized void stall(boolean on) {
    stalled = on;
    notifyAll();
  }

  /** The server does what it is asked, and the connection breaks before it can say so. */
  synchronized void loseAnswers(boolean on) {
    answersLost = on;
  }

  void cut() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
    sockets.clear();
  }

  void refuse() throws IOException {
    door.close();
    cut();
  }

  void admit() throws IOException {
    door = open(port);
  }

  @Override
  public void close() {
    try {
      refuse();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    } finally {
      pumps.shutdownNow();
    }
  }
}
