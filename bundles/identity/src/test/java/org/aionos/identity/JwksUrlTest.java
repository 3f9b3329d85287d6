package org.aionos.identity;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class JwksUrlTest {

  private static final Duration SOON = Duration.ofMillis(150);
  private static final Duration LONG = Duration.ofSeconds(30);

  private static final String HEAD = "HTTP/1.1 200 OK\r\n";

  @Test
  void a_server_that_says_nothing_is_left_in_time() throws Exception {
    leavesInTime("");
  }

  @Test
  void headers_that_do_not_end_are_left_in_time() throws Exception {
    leavesInTime(HEAD + "X-Slow: ");
  }

  @Test
  void a_body_that_does_not_end_is_left_in_time() throws Exception {
    leavesInTime(HEAD + "Content-Length: 100\r\n\r\n{");
    leavesInTime(HEAD + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n");
  }

  @Test
  void a_body_without_end_is_left_when_it_is_too_large() throws Exception {
    try (Server server = new Server(HEAD + "\r\n", "x".repeat(100_000))) {
      assertThatThrownBy(() -> new JwksUrl(server.url(), LONG).read())
          .isInstanceOf(IOException.class)
          .hasMessageContaining("larger than 1048576 bytes");
    }
  }

  private static void leavesInTime(String beginning) throws Exception {
    try (Server server = new Server(beginning, "")) {
      assertThatThrownBy(() -> new JwksUrl(server.url(), SOON).read())
          .isInstanceOf(IOException.class)
          .hasMessageContaining("in 150 ms");
      assertThat(server.left.await(10, TimeUnit.SECONDS)).as("connection was closed").isTrue();
    }
  }

  /** Answers one question: a beginning, then one thing again and again, or nothing. */
  private static final class Server implements AutoCloseable {
    private final ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    private final CountDownLatch left = new CountDownLatch(1);

    Server(String beginning, String again) throws IOException {
      Thread thread = new Thread(() -> answer(beginning, again), "slow-server");
      thread.setDaemon(true);
      thread.start();
    }

    private void answer(String beginning, String again) {
      try (Socket client = socket.accept()) {
        OutputStream out = client.getOutputStream();
        out.write(beginning.getBytes(US_ASCII));
        while (!again.isEmpty()) {
          out.write(again.getBytes(US_ASCII));
        }
        while (client.getInputStream().read() >= 0) {
          // Reads the question, then waits until the other side leaves.
        }
      } catch (IOException gone) {
        // The other side left.
      }
      left.countDown();
    }

    URI url() {
      return URI.create("http://127.0.0.1:" + socket.getLocalPort() + "/keys");
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
