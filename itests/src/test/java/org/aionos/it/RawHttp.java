package org.aionos.it;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpHeaders;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Sends bytes that no decent client would send. */
final class RawHttp {

  private RawHttp() {}

  /** The first answer to these bytes; empty if the connection was closed without one. */
  static Optional<Answer> send(int port, byte[] bytes, Duration patience) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout((int) patience.toMillis());
      try {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
        socket.shutdownOutput();
      } catch (IOException refusedMeanwhile) {
        // It may have answered before it had read all; the answer is what counts.
      }
      return answer(new BufferedInputStream(socket.getInputStream()));
    }
  }

  static Answer answerOf(int port, String head, byte[] body) throws IOException {
    ByteArrayOutputStream request = new ByteArrayOutputStream();
    request.write(head.replace("\n", "\r\n").getBytes(ISO_8859_1));
    request.write(body);
    return send(port, request.toByteArray(), Duration.ofSeconds(20))
        .orElseThrow(() -> new AssertionError("closed without an answer: " + head));
  }

  /** The next answer on a connection; empty if it was closed without one. */
  static Optional<Answer> answer(InputStream in) throws IOException {
    String statusLine;
    try {
      statusLine = line(in);
    } catch (java.net.SocketException reset) {
      return Optional.empty();
    }
    if (!statusLine.startsWith("HTTP/1.1 ")) {
      return Optional.empty();
    }
    int status = Integer.parseInt(statusLine.substring(9, 12));
    Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      headers
          .computeIfAbsent(
              line.substring(0, colon).toLowerCase(Locale.ROOT), name -> new ArrayList<>())
          .add(line.substring(colon + 1).trim());
    }
    if (status == 100) {
      return answer(in);
    }
    byte[] body =
        headers.containsKey("transfer-encoding")
            ? chunks(in)
            : in.readNBytes(
                headers.containsKey("content-length")
                    ? Integer.parseInt(headers.get("content-length").get(0))
                    : Integer.MAX_VALUE);
    return Optional.of(new Answer(status, HttpHeaders.of(headers, (name, value) -> true), body));
  }

  private static byte[] chunks(InputStream in) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (int size = chunkSize(in); size > 0; size = chunkSize(in)) {
      body.write(in.readNBytes(size));
      line(in);
    }
    return body.toByteArray();
  }

  private static int chunkSize(InputStream in) throws IOException {
    return Integer.parseInt(line(in), 16);
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next >= 0 && next != '\n'; next = in.read()) {
      if (next != '\r') {
        line.append((char) next);
      }
    }
    return line.toString();
  }
}
