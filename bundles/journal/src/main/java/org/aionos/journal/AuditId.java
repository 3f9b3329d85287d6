package org.aionos.journal;

import java.util.HexFormat;

/**
 * How records are named: {@code sc-} (syscall) or {@code ev-} (event) and the sequence number of
 * the record, for a syscall that of its intent, in twelve hex digits.
 */
final class AuditId {

  static final int LENGTH = 15;

  private static final int DIGITS = 12;
  private static final HexFormat HEX = HexFormat.of();

  private AuditId() {}

  static String ofCall(long sequence) {
    return "sc-" + HEX.toHexDigits(sequence, DIGITS);
  }

  static String ofEvent(long sequence) {
    return "ev-" + HEX.toHexDigits(sequence, DIGITS);
  }

  /** The intent's sequence number that a syscall's id stands for; -1 if the text is no such id. */
  static long callSequence(String auditId) {
    if (auditId.length() != LENGTH || !auditId.startsWith("sc-")) {
      return -1;
    }
    long sequence = 0;
    for (int at = LENGTH - DIGITS; at < LENGTH; at++) {
      int digit = Character.digit(auditId.charAt(at), 16);
      if (digit < 0 || auditId.charAt(at) > 'f' || Character.isUpperCase(auditId.charAt(at))) {
        return -1;
      }
      sequence = sequence << 4 | digit;
    }
    return sequence;
  }

  static void write(boolean call, long sequence, byte[] to, int offset) {
    to[offset] = (byte) (call ? 's' : 'e');
    to[offset + 1] = (byte) (call ? 'c' : 'v');
    to[offset + 2] = '-';
    long left = sequence;
    for (int at = offset + LENGTH - 1; at > offset + 2; at--) {
      to[at] = (byte) Character.forDigit((int) (left & 0xf), 16);
      left >>>= 4;
    }
  }
}
