package org.aionos.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * One keep-alive connection of HTTP/1.1 that one thread blocks on: so little of a client that
 * hundreds of them do not show in what is measured.
 */
final class Plain implements AutoCloseable {

  private final Socket socket = new Socket();
  private final InputStream in;
  private final String host;

  Plain(int port) throws IOException {
    this.host = "127.0.0.1:" + port;
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(120_000);
    socket.connect(new InetSocketAddress("127.0.0.1", port));
    this.in = new BufferedInputStream(socket.getInputStream(), 1 << 14);
  }

  int post(String target, Map<String, String> headers, byte[] body, Consumer<String> lines)
      throws IOException {
    return send("POST", target, headers, body, lines);
  }

  String get(String target) throws IOException {
    StringBuilder answer = new StringBuilder();
    send("GET", target, Map.of(), new byte[0], answer::append);
    return answer.toString();
  }

  /** Sends a body, and hears each line of the answer as it comes. Returns the status. */
  private int send(
      String method,
      String target,
      Map<String, String> headers,
      byte[] body,
      Consumer<String> lines)
      throws IOException {
    StringBuilder head = new StringBuilder(method + " " + target + " HTTP/1.1\r\nHost: " + host);
    head.append("\r\nContent-Type: application/json\r\nContent-Length: ").append(body.length);
    headers.forEach((name, value) -> head.append("\r\n").append(name).append(": ").append(value));
    byte[] headBytes = head.append("\r\n\r\n").toString().getBytes(US_ASCII);
    byte[] whole = new byte[headBytes.length + body.length];
    System.arraycopy(headBytes, 0, whole, 0, headBytes.length);
    System.arraycopy(body, 0, whole, headBytes.length, body.length);
    socket.getOutputStream().write(whole);
    int status = Integer.parseInt(line().substring("HTTP/1.1 ".length()).substring(0, 3));
    int length = 0;
    boolean chunked = false;
    for (String header = line(); !header.isEmpty(); header = line()) {
      String lower = header.toLowerCase(Locale.ROOT);
      chunked |= lower.equals("transfer-encoding: chunked");
      if (lower.startsWith("content-length:")) {
        length = Integer.parseInt(lower.substring("content-length:".length()).strip());
      }
    }
    Lines told = new Lines(lines);
    if (chunked) {
      for (int size = size(); size > 0; size = size()) {
        told.add(in.readNBytes(size));
        line();
      }
      line();
    } else {
      told.add(in.readNBytes(length));
    }
    told.end();
    return status;
  }

  private int size() throws IOException {
    return Integer.parseInt(line(), 16);
  }

  private String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream(80);
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new EOFException("the server closed the connection");
      }
      if (next != '\r') {
        line.write(next);
      }
    }
    return line.toString(US_ASCII);
  }

  /** Cuts what comes into lines. */
  private static final class Lines {
    private final Consumer<String> lines;
    private final ByteArrayOutputStream begun = new ByteArrayOutputStream();

    Lines(Consumer<String> lines) {
      this.lines = lines;
    }

    void add(byte[] bytes) {
      int from = 0;
      for (int at = 0; at < bytes.length; at++) {
        if (bytes[at] == '\n') {
          begun.write(bytes, from, at - from);
          end();
          from = at + 1;
        }
      }
      begun.write(bytes, from, bytes.length - from);
    }

    void end() {
      if (begun.size() > 0) {
        lines.accept(begun.toString(UTF_8));
        begun.reset();
      }
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
