package org.aionos.memory;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.DoubleSupplier;
import org.HdrHistogram.Histogram;
import org.aionos.items.Items;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Provenance;
import org.jspecify.annotations.Nullable;

/**
 * Writers put twice a tenant's room of memory each minute, while room is made.
 *
 * <pre>CollectionSoak FOLDER SECONDS</pre>
 */
public final class CollectionSoak {

  private static final long ROOM_BYTES = 32L << 20;
  private static final int VALUE_BYTES = 1_000;

  /** Twice the room in a minute. */
  private static final long PAUSE_NANOS = (long) (60e9 / (2.0 * ROOM_BYTES / (VALUE_BYTES + 250)));

  private static final AgentId AGENT = new AgentId("bench", "agent");

  private CollectionSoak() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path folder = Files.createDirectories(Path.of(arguments[0]));
    int seconds = Integer.parseInt(arguments[1]);
    Files.writeString(
        folder.resolve("memory.yaml"), "limits: { tenant_bytes_max: " + ROOM_BYTES + " }");
    Memory memory =
        new Memory(
            folder,
            folder.resolve("state"),
            "soak",
            Map.of(),
            new NoJournal(),
            new NoMeters(),
            InstantSource.system());
    Kind kind = memory.kind("short");
    if (kind == null) {
      throw new IllegalStateException("no short memory");
    }
    put(memory, kind, 0);
    Thread tending =
        new Thread(
            () -> {
              while (!Thread.currentThread().isInterrupted()) {
                memory.tend(kind);
                LockSupport.parkNanos(500_000_000);
              }
            });
    tending.start();
    run(memory, kind, seconds);
    tending.interrupt();
    tending.join();
    memory.close();
  }

  private static void run(Memory memory, Kind kind, int seconds) {
    Histogram idle = new Histogram(3);
    Histogram full = new Histogram(3);
    double lowest = 1;
    double highest = 0;
    boolean reached = false;
    long written = 0;
    long next = System.nanoTime();
    long end = next + seconds * 1_000_000_000L;
    while (System.nanoTime() < end) {
      next += PAUSE_NANOS;
      LockSupport.parkNanos(next - System.nanoTime());
      long begun = System.nanoTime();
      put(memory, kind, ++written);
      // The first seconds warm up; from then until the mark nothing is collected.
      if (reached) {
        full.recordValue(System.nanoTime() - begun);
      } else if (written > 3_000) {
        idle.recordValue(System.nanoTime() - begun);
      }
      if (written % 50 == 0) {
        double share = (double) kind.use(store -> store.bytes("bench")) / ROOM_BYTES;
        highest = Math.max(highest, share);
        // It has fallen: room is made.
        reached |= share < highest - 0.02;
        if (reached) {
          lowest = Math.min(lowest, share);
        }
      }
    }
    System.out.println(
        String.format(
            Locale.ROOT,
            "collection: %d s, %,d puts of 1 kB, %.0f times the room; share %.3f to %.3f (marks 0.60, 0.85);"
                + " put p99 %.3f ms before, %.3f ms meanwhile, max %.1f ms",
            seconds,
            written,
            written * (VALUE_BYTES + 250.0) / ROOM_BYTES,
            lowest,
            highest,
            idle.getValueAtPercentile(99) / 1e6,
            full.getValueAtPercentile(99) / 1e6,
            full.getMaxValue() / 1e6));
  }

  private static void put(Memory memory, Kind kind, long number) {
    Items.Wish wish =
        new Items.Wish(
            new Place(AGENT, "", "k" + number),
            new Item.Content("x".repeat(VALUE_BYTES), Map.of(), List.of(), null),
            false,
            Duration.ofDays(1),
            null,
            Provenance.own("sc-1"),
            null);
    kind.use(
        store ->
            new Items(store, Duration.ZERO)
                .put(
                    List.of(wish),
                    memory.settings().bytesMax("bench"),
                    InstantSource.system().instant()));
  }

  private static final class NoJournal implements Journal {
    @Override
    public Asked asked(Syscall syscall) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void ended(Asked asked, @Nullable Decision by, Outcome outcome, Duration took) {}

    @Override
    public String record(Event event) {
      return "ev-1";
    }
  }

  private static final class NoMeters implements Meters {
    @Override
    public Counter counter(String name, String help, String... labelNames) {
      return (amount, labelValues) -> {};
    }

    @Override
    public Meters.Histogram millis(String name, String help, String... labelNames) {
      return (value, labelValues) -> {};
    }

    @Override
    public AutoCloseable gauge(
        String name,
        String help,
        String label,
        java.util.Map<String, java.util.function.DoubleSupplier> values) {
      return () -> {};
    }

    @Override
    public AutoCloseable gauge(String name, String help, DoubleSupplier value) {
      return () -> {};
    }

    @Override
    public void writeText(OutputStream out) {}
  }
}
