package org.aionos.journal;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.time.Instant;

/**
 * Writes times as {@code 2026-01-02T03:04:05.678901Z}: always as long, so that their bytes sort as
 * the times do. Remembers the last second, since most records share it with the one before. Not for
 * use by two threads at once.
 */
final class TimeText {

  static final int LENGTH = 27;

  private static final int SECOND_LENGTH = 19;

  private long second = Long.MIN_VALUE;
  private byte[] secondText = new byte[0];

  static byte[] of(Instant time) {
    byte[] text = new byte[LENGTH];
    new TimeText().write(time, text, 0);
    return text;
  }

  void write(Instant time, byte[] to, int offset) {
    if (time.getEpochSecond() != second) {
      second = time.getEpochSecond();
      secondText = Instant.ofEpochSecond(second).toString().getBytes(US_ASCII);
    }
    System.arraycopy(secondText, 0, to, offset, SECOND_LENGTH);
    to[offset + SECOND_LENGTH] = '.';
    int micros = time.getNano() / 1_000;
    for (int at = offset + LENGTH - 2; at > offset + SECOND_LENGTH; at--) {
      to[at] = (byte) ('0' + micros % 10);
      micros /= 10;
    }
    to[offset + LENGTH - 1] = 'Z';
  }
}
