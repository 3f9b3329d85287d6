package org.aionos.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.EOFException;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;

/** A keep-alive connection with at most one request in flight. */
final class Connection implements AutoCloseable {

  private static final int ANSWER_BYTES_MAX = 1 << 16;
  private static final byte[] LENGTH = "content-length:".getBytes(US_ASCII);
  private static final int STATUS_AT = "HTTP/1.1 ".length();

  private final SocketChannel channel;
  private final byte[] goodBegins;
  private final ByteBuffer in = ByteBuffer.allocateDirect(ANSWER_BYTES_MAX);
  private int bodyAt;
  private int end;

  /** When the request in flight was sent, or should have been. */
  volatile long sentNanos;

  Connection(Target target, Selector selector) throws IOException {
    this.goodBegins = target.goodBegins();
    this.channel = SocketChannel.open(target.address());
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    channel.configureBlocking(false);
    channel.register(selector, SelectionKey.OP_READ, this);
  }

  void send(ByteBuffer request) throws IOException {
    bodyAt = 0;
    in.clear();
    while (request.hasRemaining()) {
      if (channel.write(request) == 0) {
        Thread.onSpinWait(); // Never seen: a request is far smaller than a socket's buffer.
      }
    }
  }

  /** Reads what is there; true once the answer is complete. */
  boolean receive() throws IOException {
    if (channel.read(in) < 0) {
      throw new EOFException("the server closed a connection; its last answer was " + status());
    }
    if (bodyAt == 0 && !readHead()) {
      return false;
    }
    if (in.position() > end) {
      throw new IOException("the server sent more than one answer");
    }
    return in.position() == end;
  }

  private boolean readHead() throws IOException {
    int length = -1;
    int line = 0;
    for (int at = 0; at < in.position(); at++) {
      if (in.get(at) != '\n') {
        continue;
      }
      if (at - line <= 1) {
        if (length < 0) {
          throw new IOException("the server sent an answer without Content-Length");
        }
        bodyAt = at + 1;
        end = bodyAt + length;
        return true;
      }
      line = at + 1;
      if (isLength(line)) {
        length = number(line + LENGTH.length);
      }
    }
    return false;
  }

  private boolean isLength(int line) {
    if (line + LENGTH.length > in.position()) {
      return false;
    }
    for (int i = 0; i < LENGTH.length; i++) {
      if ((in.get(line + i) | 0x20) != (LENGTH[i] | 0x20)) {
        return false;
      }
    }
    return true;
  }

  private int number(int from) {
    int number = 0;
    for (int at = from; at < in.position() && in.get(at) != '\r'; at++) {
      if (in.get(at) != ' ') {
        number = number * 10 + in.get(at) - '0';
      }
    }
    return number;
  }

  /** Whether the complete answer is a success and begins as a good one does. */
  boolean isGood() {
    if (in.get(STATUS_AT) != '2' || in.get(STATUS_AT + 1) != '0') {
      return false;
    }
    if (end - bodyAt < goodBegins.length) {
      return false;
    }
    for (int i = 0; i < goodBegins.length; i++) {
      if (in.get(bodyAt + i) != goodBegins[i]) {
        return false;
      }
    }
    return true;
  }

  /** The status of the answer and, where it is a failure of the kernel, its code. */
  String status() {
    byte[] text = new byte[in.position()];
    in.get(0, text);
    String answer = new String(text, US_ASCII);
    if (answer.length() < STATUS_AT + 3) {
      return "no answer";
    }
    int code = answer.indexOf("\"code\":\"");
    String status = answer.substring(STATUS_AT, STATUS_AT + 3);
    return code < 0 ? status : status + " " + answer.substring(code + 8).replaceAll("\".*", "");
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
