package org.aionos.journal;

import java.io.IOException;
import java.nio.file.Path;
import org.aionos.journal.FrameInput.Found;

/**
 * Walks one segment and checks that each record is whole and continues the chain. Stops for good at
 * the first that does not. Not for use by two threads at once.
 */
final class ChainWalk implements AutoCloseable {

  private final FrameInput frames;
  private final Chain chain;
  private final byte[] before = new byte[Format.HASH_BYTES];
  private long sequence;
  private long end = Format.HEADER_BYTES;
  private String fault = "";

  /**
   * @param limit bytes of the file to read
   */
  ChainWalk(Path file, SegmentHeader header, long limit) throws IOException {
    this.frames = new FrameInput(file, limit);
    this.chain = new Chain(header.previous());
    this.sequence = header.first() - 1;
  }

  /** Looks at the next record. After {@code TORN} or {@code END} it may be asked again. */
  Found next() throws IOException {
    if (!fault.isEmpty()) {
      return Found.DAMAGED;
    }
    Found found = frames.next();
    if (found == Found.DAMAGED) {
      fault = "length or checksum is wrong";
    }
    return found == Found.FRAME ? check() : found;
  }

  private Found check() {
    chain.copyHead(before, 0);
    chain.link(frames.bytes(), frames.payloadAt(), frames.payloadLength());
    if (!chain.headIs(frames.bytes(), frames.hashAt())) {
      fault = "its hash does not continue the chain";
    } else if (payloadSequence() != sequence + 1) {
      fault = "its sequence number is wrong";
    } else {
      sequence++;
      end = frames.offset();
      return Found.FRAME;
    }
    chain.reset(before);
    return Found.DAMAGED;
  }

  private long payloadSequence() {
    return Payload.sequence(frames.bytes(), frames.payloadAt(), frames.payloadLength());
  }

  /** Sequence number of the last good record. */
  long sequence() {
    return sequence;
  }

  /** Hash of the last good record, in hex. */
  String head() {
    return chain.head();
  }

  /** Place in the file behind the last good record. */
  long end() {
    return end;
  }

  /** Bytes that stand behind the last good record, whatever they are; room for more is none. */
  long bytesBehind() throws IOException {
    return frames.bytesBehind();
  }

  /** What is wrong with the record behind the last good one. */
  String fault() {
    return fault;
  }

  byte[] bytes() {
    return frames.bytes();
  }

  int payloadAt() {
    return frames.payloadAt();
  }

  @Override
  public void close() throws IOException {
    frames.close();
  }
}
