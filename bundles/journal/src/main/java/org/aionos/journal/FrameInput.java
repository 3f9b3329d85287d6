package org.aionos.journal;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * Reads the frames of one segment file from its beginning, and checks their length and checksum. At
 * the end it may be asked again, for more may have been written. Not for use by two threads at
 * once.
 */
final class FrameInput implements AutoCloseable {

  /** What stands at the present place. */
  enum Found {
    /** A whole frame; the place has moved behind it. */
    FRAME,
    /** Nothing: the last frame was the last. The file ends, or zeros begin: room for more. */
    END,
    /** The beginning of a frame. */
    TORN,
    /** Something that is no frame. */
    DAMAGED
  }

  private static final int BUFFER_BYTES = 256 << 10;

  private final RandomAccessFile in;
  private final long limit;
  private final CRC32C crc = new CRC32C();
  private byte[] buffer = new byte[BUFFER_BYTES];
  private int start;
  private int end;

  /** Place in the file of {@code buffer[0]}. */
  private long base;

  private int frame;
  private int payloadLength;

  /**
   * @param limit bytes of the file to read; what follows counts as not there
   */
  FrameInput(Path file, long limit) throws IOException {
    this.in = new RandomAccessFile(file.toFile(), "r");
    this.limit = limit;
  }

  /** Looks at what comes next. */
  Found next() throws IOException {
    Found found = look();
    if (found != Found.FRAME) {
      // What was read before may have been written since.
      rewind();
      found = look();
    }
    return found;
  }

  private Found look() throws IOException {
    if (base + start < Format.HEADER_BYTES) {
      if (!fill(Format.HEADER_BYTES)) {
        return Found.TORN;
      }
      start = Format.HEADER_BYTES;
    }
    if (!fill(Integer.BYTES)) {
      return start == end ? Found.END : Found.TORN;
    }
    int length = Format.intAt(buffer, start);
    if (length == 0) {
      return Found.END;
    }
    if (length < 0 || length > Format.RECORD_BYTES_MAX) {
      return Found.DAMAGED;
    }
    if (!fill(Format.PAYLOAD_AT + length)) {
      return Found.TORN;
    }
    if (!checksumHolds(crc, buffer, start, length)) {
      return Found.DAMAGED;
    }
    frame = start;
    payloadLength = length;
    start += Format.PAYLOAD_AT + length;
    return Found.FRAME;
  }

  /** Forgets what was read behind the last frame. */
  private void rewind() throws IOException {
    end = start;
    in.seek(base + end);
  }

  /** How many bytes behind the last frame are not room for more: up to the last that is no zero. */
  long bytesBehind() throws IOException {
    rewind();
    long behind = 0;
    byte[] room = new byte[8 << 10];
    long at = offset();
    for (int read = in.read(room); read > 0; read = in.read(room)) {
      for (int i = 0; i < read; i++) {
        behind = room[i] == 0 ? behind : at + i + 1 - offset();
      }
      at += read;
    }
    rewind();
    return behind;
  }

  static boolean checksumHolds(CRC32C crc, byte[] bytes, int frame, int payloadLength) {
    crc.reset();
    crc.update(bytes, frame + Format.HASH_AT, Format.HASH_BYTES + payloadLength);
    return (int) crc.getValue() == Format.intAt(bytes, frame + Format.CHECKSUM_AT);
  }

  /** The place in the file behind the last whole frame. */
  long offset() {
    return base + start;
  }

  byte[] bytes() {
    return buffer;
  }

  int hashAt() {
    return frame + Format.HASH_AT;
  }

  int payloadAt() {
    return frame + Format.PAYLOAD_AT;
  }

  int payloadLength() {
    return payloadLength;
  }

  /** Sees to it that so many bytes stand in the buffer from {@link #start} on. */
  private boolean fill(int needed) throws IOException {
    if (end - start >= needed) {
      return true;
    }
    makeRoom(needed);
    while (end - start < needed) {
      int room = (int) Math.min(buffer.length - end, limit - base - end);
      int read = room <= 0 ? -1 : in.read(buffer, end, room);
      if (read < 0) {
        return false;
      }
      end += read;
    }
    return true;
  }

  private void makeRoom(int needed) {
    if (buffer.length - start >= needed) {
      return;
    }
    byte[] to = needed > buffer.length ? new byte[2 * needed] : buffer;
    System.arraycopy(buffer, start, to, 0, end - start);
    base += start;
    end -= start;
    start = 0;
    buffer = to;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
