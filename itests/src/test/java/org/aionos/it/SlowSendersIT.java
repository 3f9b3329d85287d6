package org.aionos.it;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.aionos.it.RunningKernel.RESEARCHER_V2;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** Strangers who begin large bodies and do not end them must not use up the kernel's memory. */
@Order(7)
class SlowSendersIT {

  private static final int BODIES_BYTES_MAX = 200_000;
  private static final int BODY_BYTES = 90_000;
  private static final String HEAD =
      "POST /v1/syscall/tool.list HTTP/1.1\r\nHost: x\r\nContent-Length: "
          + BODY_BYTES
          + "\r\n\r\n";

  @Test
  void unfinished_bodies_are_bounded_and_small_calls_go_on() throws IOException {
    try (RunningKernel kernel =
        RunningKernel.named("slowsenders")
            .bare()
            .with("AION_GATEWAY_BODIES_BYTES_MAX", String.valueOf(BODIES_BYTES_MAX))
            .start()) {
      List<Socket> slow = List.of(begin(kernel, 1), begin(kernel, 1));

      Answer refused = awaitAnswerOfWholeBody(kernel, 503).expect(503, "KERNEL_BUSY");
      assertThat(refused.headers().firstValue("retry-after")).contains("1");
      kernel.call(RESEARCHER_V2, "GET", "/v1/agents").expect(200);
      kernel
          .call(
              RESEARCHER_V2,
              "POST",
              "/v1/syscall/tool.list",
              RunningKernel.syscall("tool.list", RunningKernel.RESEARCHER))
          .expect(403, "SYSCALL_DENIED"); // Read and decided, as ever.

      slow.get(0).getOutputStream().write(' ');
      Answer finished = answer(slow.get(0)); // Whoever does end is answered.
      finished.expect(401, "MISSING_CREDENTIAL");
      slow.get(1).close(); // And whoever goes away gives back what it held.
      awaitAnswerOfWholeBody(kernel, 401);
      for (Socket socket : slow) {
        socket.close();
      }
      assertHolds(kernel, BODIES_BYTES_MAX / BODY_BYTES);
    }
  }

  /** Nothing leaked: again exactly so many bodies fit. */
  private static void assertHolds(RunningKernel kernel, int bodies) throws IOException {
    List<Socket> again = new ArrayList<>();
    for (int i = 0; i < bodies; i++) {
      again.add(begin(kernel, 1));
    }
    awaitAnswerOfWholeBody(kernel, 503);
    for (Socket socket : again) {
      socket.getOutputStream().write(' ');
      answer(socket).expect(401, "MISSING_CREDENTIAL");
      socket.close();
    }
  }

  /** Sends a body but for its last bytes. */
  private static Socket begin(RunningKernel kernel, int missing) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), kernel.port());
    socket.setSoTimeout(20_000);
    socket.getOutputStream().write(HEAD.getBytes(ISO_8859_1));
    socket.getOutputStream().write(new byte[BODY_BYTES - missing]);
    socket.getOutputStream().flush();
    return socket;
  }

  /** Asks until the answer is as expected: what is held is only known to the kernel. */
  private static Answer awaitAnswerOfWholeBody(RunningKernel kernel, int status) {
    AtomicReference<Answer> answered = new AtomicReference<>();
    Await.until(
        "a whole body is answered " + status,
        Duration.ofSeconds(20),
        () -> {
          try (Socket socket = begin(kernel, 0)) {
            answered.set(answer(socket));
          }
          return answered.get().status() == status;
        });
    return answered.get();
  }

  private static Answer answer(Socket socket) throws IOException {
    return RawHttp.answer(new BufferedInputStream(socket.getInputStream()))
        .orElseThrow(() -> new AssertionError("closed without an answer"));
  }
}
