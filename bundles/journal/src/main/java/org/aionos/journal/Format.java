package org.aionos.journal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Where things stand in a segment file: a header, then frames. All numbers are big-endian.
 *
 * <pre>
 * header: magic 8 | version 4 | first sequence 8 | previous hash 32 | CRC32C of the above 4
 * frame:  payload length 4 | CRC32C of all that follows 4 | chain hash 32 | payload
 * </pre>
 */
final class Format {

  static final int VERSION = 1;
  static final int HASH_BYTES = 32;
  static final int HEADER_BYTES = 56;

  static final int CHECKSUM_AT = 4;
  static final int HASH_AT = 8;
  static final int PAYLOAD_AT = 40;

  /** A record states facts; whoever has more to say keeps it elsewhere and records its digest. */
  static final int RECORD_BYTES_MAX = 1 << 20;

  /** What the first record is chained to. */
  static final String GENESIS = "0".repeat(2 * HASH_BYTES);

  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

  private Format() {}

  static int intAt(byte[] bytes, int offset) {
    return (int) INT.get(bytes, offset);
  }

  static void putInt(byte[] bytes, int offset, int value) {
    INT.set(bytes, offset, value);
  }
}
