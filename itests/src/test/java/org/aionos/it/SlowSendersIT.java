package org.aionos.it;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.aionos.it.RunningKernel.RESEARCHER_V2;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.Callable;
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
            // We ask again and again until it is so, and each time is a stranger's.
            .with("AION_GATEWAY_STRANGER_CALLS_PER_SECOND_MAX", "1000000")
            .start()) {
      attempt("two bodies are held, one more is refused, small calls go on", () -> holds(kernel));
      attempt("nothing leaked: again two bodies are held", () -> holds(kernel));
    }
  }

  /**
   * Again if something was refused that fits: the kernel gives back what a body held just after its
   * answer, and only the kernel knows when.
   */
  private static void attempt(String what, Callable<Boolean> scene) {
    Await.until(what, Duration.ofSeconds(30), scene);
  }

  private static boolean holds(RunningKernel kernel) throws IOException {
    try (Socket ends = begin(kernel, 1);
        Socket goesAway = begin(kernel, 1)) {
      Await.until("one more is refused", Duration.ofSeconds(5), () -> isRefused(kernel));

      kernel.call(RESEARCHER_V2, "GET", "/v1/agents").expect(200);
      kernel
          .call(
              RESEARCHER_V2,
              "POST",
              "/v1/syscall/tool.list",
              RunningKernel.syscall("tool.list", RunningKernel.RESEARCHER))
          .expect(403, "SYSCALL_DENIED"); // Read and decided, as ever.

      ends.getOutputStream().write(' ');
      answer(ends).expect(401, "MISSING_CREDENTIAL"); // Whoever does end is answered,
      goesAway.close(); // and whoever goes away gives back what it held.
      Await.until("one more fits", Duration.ofSeconds(5), () -> !isRefused(kernel));
      return true;
    }
  }

  private static boolean isRefused(RunningKernel kernel) throws IOException {
    try (Socket socket = begin(kernel, 0)) {
      Answer answer = answer(socket);
      if (answer.status() == 401) {
        return false;
      }
      answer.expect(503, "KERNEL_BUSY");
      assertThat(answer.headers().firstValue("retry-after")).contains("1");
      return true;
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

  private static Answer answer(Socket socket) throws IOException {
    return RawHttp.answer(new BufferedInputStream(socket.getInputStream()))
        .orElseThrow(() -> new AssertionError("closed without an answer"));
  }
}
