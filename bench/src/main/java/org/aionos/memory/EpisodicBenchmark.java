package org.aionos.memory;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.aionos.backend.minio.MinioDriver;
import org.aionos.items.Items;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ObjectStore;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Provenance;
import org.aionos.kernel.memory.StoreDriver;
import org.jspecify.annotations.Nullable;

/**
 * How long episodes take to write, to read where they are, and to find again of their segments.
 *
 * <pre>EpisodicBenchmark FOLDER ITEMS S3-URL USER SECRET</pre>
 */
public final class EpisodicBenchmark {

  private static final int AGENTS = 10;
  private static final long ROOM = Long.MAX_VALUE / 4;
  private static final String VALUE = "x".repeat(1_000);
  private static final EpisodicItems.Limits REMOTE =
      new EpisodicItems.Limits(8 << 20, Duration.ofHours(1), 1L << 30, 0);

  private EpisodicBenchmark() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path folder = Path.of(arguments[0]);
    int items = Integer.parseInt(arguments[1]);
    NativeLibrary.load(folder.resolve("native"), "bench");
    Path plain = folder.resolve("plain");
    try (EpisodicItems store = open(plain, false, null)) {
      say("put, on this disk", puts(store, items));
      say("get, on this disk", gets(store, items, 20_000));
    }
    rebuild("index made anew of segments on this disk", plain, null, items);
    try (EpisodicItems store = open(folder.resolve("flushed"), true, null)) {
      say("put, flushed to the disk", puts(store, items / 50));
    }
    StoreDriver.Opening opening =
        new StoreDriver.Opening(
            "episodic",
            arguments[2],
            "bench",
            arguments[3],
            arguments[4],
            null,
            Duration.ofSeconds(10),
            folder);
    Path before = folder.resolve("before-s3");
    try (EpisodicItems store = open(before, false, objects(opening))) {
      store.bytes();
      say("put, with S3 behind", puts(store, items));
      while (store.waitingBytes() > 0) {
        store.tend(Instant.now().plus(Duration.ofDays(1)));
        Thread.sleep(10);
      }
      say("get, of S3 alone", gets(store, items, 2_000));
    }
    rebuild("index made anew of S3 alone", folder.resolve("elsewhere"), opening, items);
  }

  private static ObjectStore objects(StoreDriver.Opening opening) {
    return new MinioDriver().open(opening, Duration.ofDays(3_651));
  }

  private static EpisodicItems open(Path folder, boolean sync, @Nullable ObjectStore objects) {
    return EpisodicItems.open(
        folder,
        folder.resolve("index"),
        sync,
        objects,
        objects == null ? EpisodicItems.Limits.USUAL : REMOTE,
        Duration.ofSeconds(1),
        InstantSource.system());
  }

  private static Place place(int number) {
    return new Place(new AgentId("bench", "agent-" + number % AGENTS), "", "k" + number);
  }

  private static Histogram puts(EpisodicItems store, int count) {
    Items items = new Items(store, Duration.ZERO);
    Histogram nanos = new Histogram(3);
    for (int i = 0; i < count; i++) {
      Items.Wish wish =
          new Items.Wish(
              place(i),
              new Item.Content(VALUE, Map.of("n", i), List.of(), null),
              false,
              Duration.ofDays(3),
              null,
              Provenance.own("sc-1"),
              null);
      long begun = System.nanoTime();
      items.put(List.of(wish), ROOM, Instant.now());
      if (i >= count / 10) {
        nanos.recordValue(System.nanoTime() - begun);
      }
    }
    return nanos;
  }

  private static Histogram gets(EpisodicItems store, int items, int count) {
    Histogram nanos = new Histogram(3);
    for (int i = 0; i < count; i++) {
      Place place = place((int) (i * 7_919L % items));
      long begun = System.nanoTime();
      check(store, place);
      nanos.recordValue(System.nanoTime() - begun);
    }
    return nanos;
  }

  private static void check(EpisodicItems store, Place place) {
    if (store.get(place).isEmpty()) {
      throw new IllegalStateException("it is not there: " + place);
    }
  }

  private static void rebuild(
      String what, Path folder, StoreDriver.@Nullable Opening opening, int items)
      throws IOException, InterruptedException {
    deleteTree(folder.resolve("index"));
    long begun = System.nanoTime();
    try (EpisodicItems store = open(folder, false, opening == null ? null : objects(opening))) {
      while (!store.isReady()) {
        Thread.sleep(1);
      }
      System.out.printf(
          Locale.ROOT, "%s: %,d items in %.1f s%n", what, items, (System.nanoTime() - begun) / 1e9);
      check(store, place(items - 1));
    }
  }

  private static void deleteTree(Path top) throws IOException {
    if (!Files.exists(top)) {
      return;
    }
    Files.walkFileTree(
        top,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static void say(String what, Histogram nanos) {
    System.out.printf(
        Locale.ROOT,
        "%s, values of 1 KB: p50 %.3f ms, p99 %.3f ms, max %.1f ms (%,d)%n",
        what,
        nanos.getValueAtPercentile(50) / 1e6,
        nanos.getValueAtPercentile(99) / 1e6,
        nanos.getMaxValue() / 1e6,
        nanos.getTotalCount());
  }
}
