package org.aionos.journal;

import java.time.Instant;
import java.util.Arrays;
import java.util.concurrent.Semaphore;
import java.util.zip.CRC32C;

/**
 * Records that go to the file in one write. Framed under one lock, written under another; only its
 * fate is read by other threads.
 */
final class Batch {

  /** About as long as one write; then waiting is left to the scheduler. */
  private static final int SPINS = 64;

  private enum Fate {
    PENDING,
    WRITTEN,
    LOST
  }

  private final long first;
  private byte[] bytes;
  private int length;
  private int count;
  private int lastFrame;
  private volatile Fate fate = Fate.PENDING;

  /** Gives way to everybody at once, when the fate is known. */
  private final Semaphore settled = new Semaphore(0);

  /**
   * @param buffer where to frame the records; the batch's own from now on
   */
  Batch(long first, byte[] buffer) {
    this.first = first;
    this.bytes = buffer;
  }

  /** Makes room for a record, so that framing it cannot fail half-way. */
  void makeRoomFor(Draft draft) {
    int needed = length + Format.PAYLOAD_AT + Payload.HEAD_BYTES_MAX + draft.length();
    if (needed > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(needed, 2 * bytes.length));
    }
  }

  /** Adds a record and links it to the chain. Its sequence number is {@link #end}. */
  void frame(Draft draft, Instant time, TimeText times, Chain chain, CRC32C crc) {
    long sequence = end();
    int payload = length + Format.PAYLOAD_AT;
    int end =
        Payload.writeHead(bytes, payload, sequence, time, times, draft.callSequence(sequence));
    System.arraycopy(draft.bytes(), draft.offset(), bytes, end, draft.length());
    end += draft.length();
    Format.putInt(bytes, length, end - payload);
    chain.link(bytes, payload, end - payload);
    chain.copyHead(bytes, length + Format.HASH_AT);
    crc.reset();
    crc.update(bytes, length + Format.HASH_AT, end - length - Format.HASH_AT);
    Format.putInt(bytes, length + Format.CHECKSUM_AT, (int) crc.getValue());
    lastFrame = length;
    length = end;
    count++;
  }

  long first() {
    return first;
  }

  /** The sequence number behind the last record. */
  long end() {
    return first + count;
  }

  int count() {
    return count;
  }

  byte[] bytes() {
    return bytes;
  }

  int length() {
    return length;
  }

  /** Where the hash of the last record stands. */
  int headAt() {
    return lastFrame + Format.HASH_AT;
  }

  boolean isPending() {
    return fate == Fate.PENDING;
  }

  boolean isLost() {
    return fate == Fate.LOST;
  }

  void written() {
    settle(Fate.WRITTEN);
  }

  void lost() {
    settle(Fate.LOST);
  }

  /** Waits until the records are written or lost, whether or not the thread is interrupted. */
  void awaitFate() {
    for (int spin = 0; spin < SPINS; spin++) {
      if (!isPending()) {
        return;
      }
      Thread.onSpinWait();
    }
    settled.acquireUninterruptibly();
    settled.release();
  }

  private void settle(Fate known) {
    fate = known;
    settled.release();
  }
}
