package org.aionos.model;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;

/** Answers whoever comes with the bytes that it was told, once or for ever, and hangs up. */
final class RawServer implements AutoCloseable {

  private final ServerSocket socket;
  private final byte[] once;
  private final byte[] again;
  final AtomicInteger asked = new AtomicInteger();

  /**
   * @param again what is said after {@code once}, until the other side has had enough; empty for
   *     nothing
   */
  RawServer(byte[] once, byte[] again) throws IOException {
    this.socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    this.once = once;
    this.again = again;
    Thread thread = new Thread(this::serve, "raw-server");
    thread.setDaemon(true);
    thread.start();
  }

  static RawServer streaming(String events) throws IOException {
    return new RawServer(join(HEAD, events.getBytes(UTF_8)), new byte[0]);
  }

  static RawServer streaming(byte[] events, byte[] again) throws IOException {
    return new RawServer(join(HEAD, events), again);
  }

  private static final byte[] HEAD =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
          .getBytes(UTF_8);

  private static byte[] join(byte[] one, byte[] other) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(one);
    all.writeBytes(other);
    return all.toByteArray();
  }

  String url() {
    return "http://127.0.0.1:" + socket.getLocalPort() + "/v1";
  }

  private void serve() {
    while (!socket.isClosed()) {
      try (Socket caller = socket.accept()) {
        asked.incrementAndGet();
        // Enough of the request to be polite; what is left of it does not matter here.
        caller.getInputStream().read(new byte[65_536]);
        OutputStream out = caller.getOutputStream();
        out.write(once);
        out.flush();
        while (again.length > 0) {
          out.write(again);
        }
      } catch (IOException gone) {
        // They hang up on us; that is what is tested.
      }
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
