package org.aionos.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * The local disk with a counter, a brake, and a limit to how much still fits on it. It does not
 * force: no test pulls the plug.
 */
class FakeDisk implements Disk {

  final AtomicInteger writes = new AtomicInteger();
  final AtomicInteger forces = new AtomicInteger();
  volatile long bytesLeft = Long.MAX_VALUE;
  volatile boolean forceFails;
  volatile Duration forceLasts = Duration.ZERO;
  volatile CountDownLatch gate = new CountDownLatch(0);

  private final Disk disk = new LocalDisk();

  @Override
  public void create(Path file, byte[] content) throws IOException {
    writes.incrementAndGet();
    int fits = fitting(content.length);
    disk.create(file, Arrays.copyOf(content, fits));
    if (fits < content.length) {
      throw new IOException("No space left on device");
    }
    forces.incrementAndGet();
  }

  private int fitting(int length) {
    int fits = (int) Math.min(bytesLeft, length);
    bytesLeft -= fits;
    return fits;
  }

  @Override
  public Output resume(Path file, long length) throws IOException {
    return new FakeOutput(disk.resume(file, length));
  }

  @Override
  public void delete(Path file) throws IOException {
    disk.delete(file);
  }

  @Override
  public void forceFolder(Path folder) throws IOException {
    forces.incrementAndGet();
  }

  private final class FakeOutput implements Output {
    private final Output output;

    FakeOutput(Output output) {
      this.output = output;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      awaitGate();
      writes.incrementAndGet();
      int fits = fitting(length);
      if (fits == length) {
        output.write(bytes, offset, length);
      } else {
        throw new IOException("No space left on device");
      }
    }

    @Override
    public void force() throws IOException {
      forces.incrementAndGet();
      if (forceFails) {
        throw new IOException("Input/output error");
      }
      LockSupport.parkNanos(forceLasts.toNanos());
    }

    @Override
    public void close() throws IOException {
      output.close();
    }

    private void awaitGate() {
      boolean interrupted = false;
      while (true) {
        try {
          gate.await();
          break;
        } catch (InterruptedException later) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
