package org.aionos.memory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.aionos.kernel.memory.ObjectStore;
import org.aionos.kernel.memory.StoreUnavailable;
import org.jspecify.annotations.Nullable;

/**
 * Reads segments on this disk, else in the object store, and keeps the blocks that it read there:
 * who wants one line often wants its neighbours, and a question takes milliseconds.
 */
final class SegmentReader {

  private static final int BLOCK_BYTES = 256 << 10;

  /** 16 MB. */
  private static final int BLOCKS_MAX = 64;

  private record Block(SegmentId segment, long number) {}

  private final SegmentFiles files;
  private final @Nullable ObjectStore objects;
  private final EpisodicIndex index;

  /** Guarded by itself; the one that was used the longest ago is first. */
  private final Map<Block, byte[]> blocks =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Block, byte[]> eldest) {
          return size() > BLOCKS_MAX;
        }
      };

  SegmentReader(SegmentFiles files, @Nullable ObjectStore objects, EpisodicIndex index) {
    this.files = files;
    this.objects = objects;
    this.index = index;
  }

  /** Empty if the segment is not there any more. */
  Optional<byte[]> line(EpisodicIndex.Spot spot) {
    Optional<byte[]> local = local(spot.segment(), spot.offset(), spot.length());
    return local.isPresent() || objects == null ? local : remote(spot, objects);
  }

  private Optional<byte[]> remote(EpisodicIndex.Spot spot, ObjectStore from) {
    Optional<Segment> segment = index.segment(spot.segment());
    if (segment.isEmpty()) {
      return Optional.empty();
    }
    ByteBuffer line = ByteBuffer.allocate(spot.length());
    while (line.hasRemaining()) {
      long at = spot.offset() + line.position();
      Optional<byte[]> block = block(segment.get(), at / BLOCK_BYTES, from);
      if (block.isEmpty()) {
        return Optional.empty();
      }
      int start = (int) (at % BLOCK_BYTES);
      line.put(block.get(), start, Math.min(line.remaining(), block.get().length - start));
    }
    return Optional.of(line.array());
  }

  private Optional<byte[]> block(Segment segment, long number, ObjectStore from) {
    Block name = new Block(segment.id(), number);
    synchronized (blocks) {
      byte[] known = blocks.get(name);
      if (known != null) {
        return Optional.of(known);
      }
    }
    long start = number * BLOCK_BYTES;
    Optional<byte[]> read =
        from.get(
            segment.id().objectName(),
            start,
            (int) Math.min(BLOCK_BYTES, segment.length() - start));
    read.ifPresent(
        bytes -> {
          synchronized (blocks) {
            blocks.put(name, bytes);
          }
        });
    return read;
  }

  /** All lines of a segment. */
  Optional<byte[]> whole(Segment segment) {
    Optional<byte[]> local = local(segment.id(), 0, (int) segment.length());
    return local.isPresent() || objects == null ? local : objects.get(segment.id().objectName());
  }

  private Optional<byte[]> local(SegmentId id, long from, int length) {
    try {
      return files.read(id, from, length);
    } catch (IOException failed) {
      throw new StoreUnavailable("episodic memory cannot be read", failed);
    }
  }
}
