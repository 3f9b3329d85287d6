package org.aionos.journal;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Reads records of one segment from anywhere, a block at a time. Opens the file anew, and never
 * through a channel, so that an interrupted reader disturbs nobody. Not for use by two threads at
 * once.
 */
final class BlockReader implements AutoCloseable {

  private final RandomAccessFile file;
  private final BlockIndex index;
  private final CRC32C crc = new CRC32C();

  /** As much of the segment as is looked at; what is written meanwhile is left for later. */
  private final long segmentLength;

  private byte[] bytes = new byte[0];

  /** Where in the block each frame begins. */
  private int[] frames = new int[256];

  private int count;
  private long first;
  private int current;

  BlockReader(Segment segment) throws IOException {
    this.segmentLength = segment.length();
    this.index = segment.index();
    this.file = new RandomAccessFile(segment.file().toFile(), "r");
  }

  /** How many blocks can be loaded. */
  int blocks() {
    return index.size();
  }

  /** The place of the block that a record is in, if it is in the segment at all; or -1. */
  int placeOf(long sequence) {
    return index.placeOf(sequence);
  }

  /** Loads a block, before its first record, and returns how many bytes were read. */
  int load(int place) throws IOException {
    BlockIndex.Block block = index.at(place, segmentLength);
    int length = (int) Math.max(0, block.until() - block.from());
    bytes = bytes.length >= length ? bytes : new byte[length];
    file.seek(block.from());
    file.readFully(bytes, 0, length);
    first = block.first();
    count = 0;
    current = -1;
    for (int at = 0; isFrame(at, length); at += frameLength(at)) {
      if (count == frames.length) {
        frames = Arrays.copyOf(frames, 2 * count);
      }
      frames[count++] = at;
    }
    return length;
  }

  /** Goes to a record; false if it is not in the segment or is damaged. */
  boolean first(long sequence) throws IOException {
    int place = placeOf(sequence);
    if (place < 0) {
      return false;
    }
    load(place);
    return moveTo(sequence) && isSound();
  }

  /** The sequence number of the block's first record. */
  long firstInBlock() {
    return first;
  }

  /** The sequence number behind the block's last record. */
  long endOfBlock() {
    return first + count;
  }

  /** Goes to a record of the loaded block; false if it is not there. */
  boolean moveTo(long sequence) {
    if (sequence < first || sequence >= endOfBlock()) {
      return false;
    }
    current = (int) (sequence - first);
    return true;
  }

  /** Whether the present record is as it was written. */
  boolean isSound() {
    int frame = frames[current];
    return FrameInput.checksumHolds(crc, bytes, frame, length())
        && Payload.sequence(bytes, offset(), length()) == first + current;
  }

  byte[] bytes() {
    return bytes;
  }

  /** Where the payload of the present record begins. */
  int offset() {
    return frames[current] + Format.PAYLOAD_AT;
  }

  /** How long the payload of the present record is. */
  int length() {
    return Format.intAt(bytes, frames[current]);
  }

  private boolean isFrame(int at, int length) {
    return at + Format.PAYLOAD_AT <= length
        && Format.intAt(bytes, at) > 0
        && Format.intAt(bytes, at) <= length - at - Format.PAYLOAD_AT;
  }

  private int frameLength(int at) {
    return Format.PAYLOAD_AT + Format.intAt(bytes, at);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
