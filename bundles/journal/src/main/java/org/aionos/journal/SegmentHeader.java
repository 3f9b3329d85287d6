package org.aionos.journal;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The beginning of a segment file.
 *
 * @param previous hash, in hex, that the first frame is chained to
 */
record SegmentHeader(long first, String previous) {

  private static final byte[] MAGIC = "AIONJRNL".getBytes(US_ASCII);
  private static final int CHECKSUM_AT = Format.HEADER_BYTES - Integer.BYTES;

  byte[] bytes() {
    ByteBuffer header = ByteBuffer.allocate(Format.HEADER_BYTES);
    header.put(MAGIC).putInt(Format.VERSION).putLong(first);
    header.put(HexFormat.of().parseHex(previous));
    header.putInt(checksum(header.array()));
    return header.array();
  }

  /** Reads a header; empty if these bytes are not one. */
  static Optional<SegmentHeader> parse(byte[] bytes) {
    if (bytes.length < Format.HEADER_BYTES
        || !Arrays.equals(bytes, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      return Optional.empty();
    }
    ByteBuffer header = ByteBuffer.wrap(bytes).position(MAGIC.length);
    int version = header.getInt();
    long first = header.getLong();
    byte[] previous = new byte[Format.HASH_BYTES];
    header.get(previous);
    if (version != Format.VERSION || header.getInt() != checksum(bytes)) {
      return Optional.empty();
    }
    return Optional.of(new SegmentHeader(first, HexFormat.of().formatHex(previous)));
  }

  private static int checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, CHECKSUM_AT);
    return (int) crc.getValue();
  }
}
