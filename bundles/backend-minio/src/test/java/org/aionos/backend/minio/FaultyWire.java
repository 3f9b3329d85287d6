package org.aionos.backend.minio;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Stands between a client and its server, and can stall, cut, or be gone. */
public final class FaultyWire implements AutoCloseable {

  /** What becomes of bytes. */
  public enum Fault {
    NONE,
    /** Connections are taken, and nothing passes. */
    STALL,
    /** Each connection is cut before the answer. */
    CUT,
    /** Connections are closed as soon as they are taken. */
    REFUSE
  }

  private final ServerSocket listening;
  private final int serverPort;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private volatile Fault fault = Fault.NONE;

  public FaultyWire(int serverPort) throws IOException {
    this.serverPort = serverPort;
    this.listening = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
    start(this::accept);
  }

  public int port() {
    return listening.getLocalPort();
  }

  /** Also for connections that are there. */
  public void is(Fault now) {
    fault = now;
    if (now != Fault.STALL) {
      open.forEach(FaultyWire::close);
    }
  }

  private void accept() {
    while (!listening.isClosed()) {
      try {
        Socket client = listening.accept();
        open.add(client);
        if (fault == Fault.REFUSE) {
          close(client);
          continue;
        }
        Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort);
        open.add(server);
        client.setTcpNoDelay(true);
        server.setTcpNoDelay(true);
        start(() -> pass(client, server, false));
        start(() -> pass(server, client, true));
      } catch (IOException ended) {
        // The next one may do.
      }
    }
  }

  private void pass(Socket from, Socket to, boolean answer) {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] bytes = new byte[8_192];
      for (int read = in.read(bytes); read >= 0; read = in.read(bytes)) {
        if (answer && fault == Fault.CUT) {
          return;
        }
        if (fault == Fault.STALL) {
          awaitEnd(from);
          return;
        }
        out.write(bytes, 0, read);
        out.flush();
      }
    } catch (IOException ended) {
      // So has the other side.
    } finally {
      open.remove(from);
      open.remove(to);
    }
  }

  /** Reads on, so that the other side sees no end before it gives up itself. */
  private static void awaitEnd(Socket from) throws IOException {
    byte[] lost = new byte[8_192];
    while (from.getInputStream().read(lost) >= 0) {
      // They are.
    }
  }

  private static void start(Runnable task) {
    Thread thread = new Thread(task, "faulty-wire");
    thread.setDaemon(true);
    thread.start();
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException already) {
      // It is.
    }
  }

  @Override
  public void close() throws IOException {
    listening.close();
    open.forEach(FaultyWire::close);
  }
}
