package org.aionos.journal;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;

/**
 * The head of a record's JSON, which alone depends on the record's place in the journal. Its fields
 * always come in this order, so that it can be read without a JSON parser:
 *
 * <pre>{"seq":7,"time":"2026-01-02T03:04:05.678901Z","audit_id":"sc-000000000007","topic":…</pre>
 */
final class Payload {

  /** Room for the longest head. */
  static final int HEAD_BYTES_MAX = 128;

  private static final byte[] SEQUENCE = "{\"seq\":".getBytes(US_ASCII);
  private static final byte[] TIME = ",\"time\":\"".getBytes(US_ASCII);
  private static final byte[] AUDIT_ID = "\",\"audit_id\":\"".getBytes(US_ASCII);
  private static final byte[] END = "\",".getBytes(US_ASCII);

  private Payload() {}

  /**
   * Writes the head and returns the offset behind it.
   *
   * @param call sequence of the syscall's intent; 0 for an event
   */
  static int writeHead(
      byte[] to, int offset, long sequence, Instant time, TimeText times, long call) {
    int at = put(SEQUENCE, to, offset);
    at = putNumber(sequence, to, at);
    at = put(TIME, to, at);
    times.write(time, to, at);
    at = put(AUDIT_ID, to, at + TimeText.LENGTH);
    AuditId.write(call != 0, call != 0 ? call : sequence, to, at);
    return put(END, to, at + AuditId.LENGTH);
  }

  /** The sequence number in a payload's head; -1 if the payload does not begin with a head. */
  static long sequence(byte[] bytes, int offset, int length) {
    if (!startsWith(SEQUENCE, bytes, offset, length)) {
      return -1;
    }
    long sequence = 0;
    int at = offset + SEQUENCE.length;
    int end = Math.min(offset + length, at + 19);
    for (; at < end && bytes[at] >= '0' && bytes[at] <= '9'; at++) {
      sequence = sequence * 10 + bytes[at] - '0';
    }
    return isRestOfHead(bytes, at, offset + length) ? sequence : -1;
  }

  private static boolean isRestOfHead(byte[] bytes, int time, int end) {
    int auditId = time + TIME.length + TimeText.LENGTH;
    return startsWith(TIME, bytes, time, end - time)
        && startsWith(AUDIT_ID, bytes, auditId, end - auditId)
        && auditId + AUDIT_ID.length + AuditId.LENGTH < end;
  }

  /** Where the time stands in a payload that {@link #writeHead} began. */
  static int timeAt(byte[] bytes, int offset) {
    int at = offset + SEQUENCE.length;
    while (bytes[at] != ',') {
      at++;
    }
    return at + TIME.length;
  }

  /** The time in a payload's head; the epoch if somebody put something else there. */
  static Instant time(byte[] bytes, int offset) {
    String text = new String(bytes, timeAt(bytes, offset), TimeText.LENGTH, US_ASCII);
    try {
      return Instant.parse(text);
    } catch (DateTimeException forged) {
      return Instant.EPOCH;
    }
  }

  static String auditId(byte[] bytes, int offset) {
    int at = timeAt(bytes, offset) + TimeText.LENGTH + AUDIT_ID.length;
    return new String(bytes, at, AuditId.LENGTH, US_ASCII);
  }

  /** Whether the bytes stand anywhere in the payload. */
  static boolean contains(byte[] needle, byte[] bytes, int offset, int length) {
    int last = offset + length - needle.length;
    for (int at = offset; at <= last; at++) {
      if (bytes[at] == needle[0] && startsWith(needle, bytes, at, needle.length)) {
        return true;
      }
    }
    return false;
  }

  private static boolean startsWith(byte[] start, byte[] bytes, int offset, int length) {
    return length >= start.length
        && Arrays.equals(bytes, offset, offset + start.length, start, 0, start.length);
  }

  private static int put(byte[] text, byte[] to, int offset) {
    System.arraycopy(text, 0, to, offset, text.length);
    return offset + text.length;
  }

  private static int putNumber(long number, byte[] to, int offset) {
    int end = offset + 1;
    for (long left = number / 10; left > 0; left /= 10) {
      end++;
    }
    long left = number;
    for (int at = end - 1; at >= offset; at--) {
      to[at] = (byte) ('0' + left % 10);
      left /= 10;
    }
    return end;
  }
}
