package org.aionos.journal;

import java.io.IOException;
import java.util.Arrays;

/**
 * Where in a segment some records stand: one about every 64 KiB. So a segment of 64 MiB costs 16
 * KiB of memory, and any record is found by reading one block. Safe for use by many threads.
 */
final class BlockIndex {

  /** A block is read at once; smaller ones cost memory, larger ones time. */
  static final int BLOCK_BYTES = 64 << 10;

  /** A stretch of a segment, beginning with the frame of a known record. */
  record Block(long first, long from, long until) {}

  private long[] firsts = new long[16];
  private long[] offsets = new long[16];
  private int size;

  /** Builds the index of a segment by walking from frame to frame. */
  static BlockIndex of(Segment segment) throws IOException {
    BlockIndex index = new BlockIndex();
    try (FrameInput frames = new FrameInput(segment.file(), segment.length())) {
      long sequence = segment.first();
      long offset = Format.HEADER_BYTES;
      while (frames.next() == FrameInput.Found.FRAME) {
        index.add(sequence, offset);
        sequence++;
        offset = frames.offset();
      }
    }
    return index;
  }

  /** Notes where a record begins. Records come in order. */
  synchronized void add(long sequence, long offset) {
    if (size > 0 && offset - offsets[size - 1] < BLOCK_BYTES) {
      return;
    }
    if (size == firsts.length) {
      firsts = Arrays.copyOf(firsts, 2 * size);
      offsets = Arrays.copyOf(offsets, 2 * size);
    }
    firsts[size] = sequence;
    offsets[size] = offset;
    size++;
  }

  /** How many blocks there are. */
  synchronized int size() {
    return size;
  }

  /** The block at a place, in a segment that is so long. */
  synchronized Block at(int place, long length) {
    return new Block(firsts[place], offsets[place], place + 1 < size ? offsets[place + 1] : length);
  }

  /** The place of the block that a record is in, if it is in the segment; -1 if there is none. */
  synchronized int placeOf(long sequence) {
    int found = Arrays.binarySearch(firsts, 0, size, sequence);
    return found >= 0 ? found : -found - 2;
  }
}
