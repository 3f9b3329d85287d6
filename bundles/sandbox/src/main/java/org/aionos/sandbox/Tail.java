package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;

/**
 * The last bytes of all that was written, and how many there were. Safe for use by many threads.
 */
final class Tail {

  private static final int BYTES_MIN = 4 << 10;

  private final int bytesMax;

  /** A ring once it is as long as it may be. Guarded by this, as is what follows. */
  private byte[] kept = {};

  private long written;

  /**
   * @param bytesMax to keep
   */
  Tail(int bytesMax) {
    this.bytesMax = bytesMax;
  }

  synchronized void write(byte[] bytes, int length) {
    makeRoom(length);
    // Of more than all there is room for, the beginning would only be written over.
    int skipped = Math.max(0, length - kept.length);
    for (int i = skipped; i < length; ) {
      int at = (int) ((written + i) % kept.length);
      int some = Math.min(length - i, kept.length - at);
      System.arraycopy(bytes, i, kept, at, some);
      i += some;
    }
    written += length;
  }

  /** As long as nothing was written over, the first byte stands first, so that it can grow. */
  private void makeRoom(int more) {
    if (kept.length < bytesMax && written + more > kept.length) {
      long wanted = Math.max(BYTES_MIN, Math.max(written + more, 2L * kept.length));
      kept = Arrays.copyOf(kept, (int) Math.min(bytesMax, wanted));
    }
  }

  synchronized long written() {
    return written;
  }

  synchronized String text() {
    if (kept.length == 0 || written <= kept.length) {
      return new String(kept, 0, (int) Math.min(written, kept.length), UTF_8);
    }
    int first = (int) (written % kept.length);
    byte[] ordered = new byte[kept.length];
    System.arraycopy(kept, first, ordered, 0, kept.length - first);
    System.arraycopy(kept, 0, ordered, kept.length - first, first);
    int start = 0;
    // A character that has lost its beginning.
    while (start < ordered.length && start < 3 && (ordered[start] & 0xc0) == 0x80) {
      start++;
    }
    return new String(ordered, start, ordered.length - start, UTF_8);
  }
}
