package org.aionos.wasm;

import java.util.concurrent.Semaphore;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import run.endive.runtime.ByteArrayMemory;
import run.endive.runtime.Instance;
import run.endive.runtime.Memory;
import run.endive.wasm.types.DataSegment;
import run.endive.wasm.types.MemoryLimits;

/**
 * The memory of one call, in pages of 64 KiB. Each page is taken from what all calls share before
 * it is allocated, so that tools together cannot use up the kernel's heap. Growing beyond what a
 * call may have ends it: most programs would go on with a null pointer.
 *
 * <p>For one thread. The engine offers no hook where memory grows, hence the many methods that only
 * pass on.
 */
final class BoundedMemory implements Memory, AutoCloseable {

  private final ByteArrayMemory pages;
  private final int pagesMax;
  private final Semaphore left;
  private int taken;

  /**
   * @param declared by the module; its initial pages are taken at once
   * @param pagesMax of this call
   * @param left of all calls
   * @throws Refused {@code KERNEL_BUSY} if the calls in flight have it all
   */
  BoundedMemory(MemoryLimits declared, int pagesMax, Semaphore left) {
    this.pagesMax = pagesMax;
    this.left = left;
    take(declared.initialPages());
    this.pages =
        new ByteArrayMemory(
            new MemoryLimits(declared.initialPages(), Math.min(declared.maximumPages(), pagesMax)));
  }

  static int pagesIn(int bytes) {
    return bytes / PAGE_SIZE;
  }

  private void take(int more) {
    if (!left.tryAcquire(more)) {
      throw new Refused(
          Code.KERNEL_BUSY,
          "the calls in flight use all the memory that wasm tools have"
              + " (wasm.memories_bytes_max)");
    }
    taken += more;
  }

  @Override
  public void close() {
    left.release(taken);
    taken = 0;
  }

  @Override
  public int pages() {
    return pages.pages();
  }

  @Override
  public int maximumPages() {
    return pages.maximumPages();
  }

  @Override
  public int grow(int more) {
    int before = pages.pages();
    if (more < 0 || more > pages.maximumPages() - before) {
      if (pages.maximumPages() < pagesMax) {
        return -1; // Beyond what the module itself declares: its own business.
      }
      throw new Refused(
          Code.TOOL_OUT_OF_MEMORY,
          "the tool needs more than the "
              + (long) pagesMax * PAGE_SIZE
              + " bytes that a call may have (wasm.memory_bytes_max)");
    }
    take(more);
    return pages.grow(more);
  }

  @Override
  public int initialPages() {
    return pages.initialPages();
  }

  @Override
  public boolean shared() {
    return pages.shared();
  }

  @Override
  public Object lock(int address) {
    return pages.lock(address);
  }

  @Override
  public int waitOn(int address, int expected, long timeout) {
    return pages.waitOn(address, expected, timeout);
  }

  @Override
  public int waitOn(int address, long expected, long timeout) {
    return pages.waitOn(address, expected, timeout);
  }

  @Override
  public int notify(int address, int waiters) {
    return pages.notify(address, waiters);
  }

  @Override
  public void initialize(Instance instance, DataSegment[] segments) {
    pages.initialize(instance, segments);
  }

  @Override
  public void initPassiveSegment(int segment, int to, int from, int size) {
    pages.initPassiveSegment(segment, to, from, size);
  }

  @Override
  public void write(int address, byte[] bytes, int offset, int size) {
    pages.write(address, bytes, offset, size);
  }

  @Override
  public byte read(int address) {
    return pages.read(address);
  }

  @Override
  public byte[] readBytes(int address, int length) {
    return pages.readBytes(address, length);
  }

  @Override
  public void writeI32(int address, int value) {
    pages.writeI32(address, value);
  }

  @Override
  public int readInt(int address) {
    return pages.readInt(address);
  }

  @Override
  public void writeLong(int address, long value) {
    pages.writeLong(address, value);
  }

  @Override
  public long readLong(int address) {
    return pages.readLong(address);
  }

  @Override
  public void writeShort(int address, short value) {
    pages.writeShort(address, value);
  }

  @Override
  public short readShort(int address) {
    return pages.readShort(address);
  }

  @Override
  public long readU16(int address) {
    return pages.readU16(address);
  }

  @Override
  public void writeByte(int address, byte value) {
    pages.writeByte(address, value);
  }

  @Override
  public void writeF32(int address, float value) {
    pages.writeF32(address, value);
  }

  @Override
  public long readF32(int address) {
    return pages.readF32(address);
  }

  @Override
  public float readFloat(int address) {
    return pages.readFloat(address);
  }

  @Override
  public void writeF64(int address, double value) {
    pages.writeF64(address, value);
  }

  @Override
  public double readDouble(int address) {
    return pages.readDouble(address);
  }

  @Override
  public long readF64(int address) {
    return pages.readF64(address);
  }

  @Override
  public void zero() {
    pages.zero();
  }

  @Override
  public void fill(byte value, int from, int to) {
    pages.fill(value, from, to);
  }

  @Override
  public void drop(int segment) {
    pages.drop(segment);
  }

  @Override
  public void initialize(Instance instance, DataSegment[] segments, int memory) {
    pages.initialize(instance, segments, memory);
  }

  @Override
  public void copy(int to, int from, int size) {
    pages.copy(to, from, size);
  }
}
