package org.aionos.model;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.jspecify.annotations.Nullable;

/**
 * The events of a stream, as the <a
 * href="https://html.spec.whatwg.org/multipage/server-sent-events.html">standard</a> writes them
 * and OpenAI's API uses them: each {@code data:} line is one JSON object, until one is {@code
 * [DONE]}. Other fields, and comments, are passed over.
 */
final class Events {

  /** A stream says each token in an envelope that is many times as long. */
  private static final int ENVELOPE_FACTOR = 256;

  private static final byte[] DATA = "data:".getBytes(StandardCharsets.UTF_8);
  private static final String DONE = "[DONE]";

  private final Exchange exchange;
  private final int lineBytesMax;
  private final long bytesMax;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream(512);
  private byte[] read = {};
  private int at;
  private long bytes;

  Events(Exchange exchange, ModelSettings.Limits limits) {
    this.exchange = exchange;
    this.lineBytesMax = limits.lineBytesMax();
    this.bytesMax = (long) limits.answerBytesMax() * ENVELOPE_FACTOR;
  }

  /**
   * Waits for the next event; null once there are no more.
   *
   * @throws ProviderFailure {@code NONSENSE} if it is none, {@code TOO_LARGE}, or if the stream
   *     breaks off
   */
  @Nullable Fields next() throws InterruptedException, ProviderFailure {
    for (byte[] next = line(); next != null; next = line()) {
      if (startsWith(next, DATA)) {
        byte[] data = Arrays.copyOfRange(next, DATA.length, next.length);
        if (isDone(data)) {
          return null;
        }
        return parsed(data);
      }
    }
    return null;
  }

  private static Fields parsed(byte[] data) throws ProviderFailure {
    try {
      return Documents.json(data);
    } catch (InvalidDocument malformed) {
      // Not what it says: nobody knows what that quotes.
      throw new ProviderFailure(
          ProviderFailure.Kind.NONSENSE,
          "says what is no event of an answer: " + malformed.fault());
    }
  }

  private byte @Nullable [] line() throws InterruptedException, ProviderFailure {
    while (true) {
      int end = at;
      while (end < read.length && read[end] != '\n') {
        end++;
      }
      line.write(read, at, end - at);
      if (line.size() > lineBytesMax) {
        throw new ProviderFailure(
            ProviderFailure.Kind.TOO_LARGE,
            "sends a line of more than " + lineBytesMax + " bytes (limits.line_bytes_max)");
      }
      if (end < read.length) {
        at = end + 1;
        byte[] whole = line.toByteArray();
        line.reset();
        return whole.length > 0 && whole[whole.length - 1] == '\r'
            ? Arrays.copyOf(whole, whole.length - 1)
            : whole;
      }
      byte[] more = exchange.next();
      if (more == null) {
        return null;
      }
      read = more;
      at = 0;
      bytes += more.length;
      if (bytes > bytesMax) {
        throw new ProviderFailure(
            ProviderFailure.Kind.TOO_LARGE,
            "sends more than " + bytesMax + " bytes for one answer");
      }
    }
  }

  private static boolean startsWith(byte[] whole, byte[] beginning) {
    return whole.length >= beginning.length
        && Arrays.equals(whole, 0, beginning.length, beginning, 0, beginning.length);
  }

  private static boolean isDone(byte[] data) {
    return data.length < 16 && new String(data, StandardCharsets.US_ASCII).strip().equals(DONE);
  }
}
