package org.aionos.journal;

import static org.aionos.journal.Fixture.event;
import static org.aionos.journal.Fixture.settings;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.aionos.journal.Fixture.FakeClock;
import org.aionos.journal.Fixture.FakeMeters;
import org.aionos.kernel.Code;
import org.aionos.kernel.JournalReader.Entry;
import org.aionos.kernel.JournalReader.Query;
import org.aionos.kernel.JournalReader.Tail;
import org.aionos.kernel.Refused;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Many writers, interrupted writers, and disks that fail. */
@Timeout(60)
final class AppendLogTest {

  private static final int WRITERS = 16;

  @TempDir Path folder;
  private final FakeDisk disk = new FakeDisk();
  private final AtomicLong nanos = new AtomicLong();

  @Test
  void sixteen_writers_leave_no_gap_and_a_whole_chain() throws Exception {
    ConcurrentSkipListSet<Long> sequences = new ConcurrentSkipListSet<>();
    try (JournalStore store = open(Sync.PROCESS, 64 << 10);
        Tail tail = store.tail(Query.ALL)) {
      inParallel(
          WRITERS,
          writer -> {
            for (int at = 0; at < 200; at++) {
              sequences.add(store.append(event("writer " + writer)));
            }
          });

      assertThat(sequences).hasSize(WRITERS * 200).first().isEqualTo(1L);
      assertThat(sequences.last()).isEqualTo(WRITERS * 200L);
      assertThat(store.verify().fault()).isEmpty();
      assertThat(store.verify().entries()).isEqualTo(WRITERS * 200L);
      for (long at = 1; at <= Tails.WAITING_MAX; at++) {
        assertThat(tail.next(Duration.ZERO)).extracting(Entry::sequence).isEqualTo(at);
      }
    }
    assertThat(Fixture.verify(folder).fault()).isEmpty();
  }

  @Test
  void what_waits_while_one_writes_goes_out_in_one_write_with_one_force() throws Exception {
    try (JournalStore store = open(Sync.ALWAYS, 1 << 20)) {
      CountDownLatch gate = new CountDownLatch(1);
      disk.gate = gate;
      int forces = disk.forces.get();
      int writes = disk.writes.get();
      ConcurrentSkipListSet<Long> sequences = new ConcurrentSkipListSet<>();
      List<Thread> writers = new ArrayList<>();
      for (int at = 0; at < WRITERS; at++) {
        Thread writer = new Thread(() -> sequences.add(store.append(event("k"))));
        writers.add(writer);
        writer.start();
      }
      while (!writers.stream().allMatch(writer -> writer.getState() == Thread.State.WAITING)) {
        Thread.onSpinWait();
      }
      assertThat(sequences).isEmpty();
      gate.countDown();
      for (Thread writer : writers) {
        writer.join();
      }

      assertThat(sequences).hasSize(WRITERS).last().isEqualTo((long) WRITERS);
      // The first writer takes what was there when it came, the next all the rest; one more if a
      // thread was caught on its way into the batch.
      assertThat(disk.forces.get() - forces).isBetween(1, 3);
      assertThat(disk.writes.get() - writes).isBetween(1, 3);
    }
  }

  @Test
  void writers_that_keep_coming_share_their_forces() throws Exception {
    int each = 100;
    disk.forceLasts = Duration.ofMillis(1);
    try (JournalStore store = open(Sync.ALWAYS, 1 << 20)) {
      int forces = disk.forces.get();

      inParallel(
          WRITERS,
          writer -> {
            for (int at = 0; at < each; at++) {
              store.append(event("k"));
            }
          });

      // Half of them gather while the other half is written; a queue for the lock gives two.
      int recordsPerForce = WRITERS * each / (disk.forces.get() - forces);
      assertThat(recordsPerForce).isGreaterThanOrEqualTo(4);
    }
  }

  @Test
  void an_interrupted_caller_loses_nothing_and_stays_interrupted() throws Exception {
    try (JournalStore store =
        Fixture.open(folder, settings(Sync.ALWAYS, 4 << 10), new LocalDisk())) {
      for (int at = 1; at <= 50; at++) {
        Thread.currentThread().interrupt();
        assertThat(store.append(event("k"))).isEqualTo(at);
        store.checkpoint();
        assertThat(store.query(Fixture.query(1)).entries().get(0).sequence()).isEqualTo(at);
        assertThat(Thread.interrupted()).isTrue();
      }
      assertThat(store.verify().fault()).isEmpty();
    }
  }

  @Test
  void a_storm_of_interrupts_tears_no_record() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    List<Thread> writers = new ArrayList<>();
    ConcurrentSkipListSet<Long> sequences = new ConcurrentSkipListSet<>();
    try (JournalStore store =
        Fixture.open(folder, settings(Sync.PROCESS, 16 << 10), new LocalDisk())) {
      for (int writer = 0; writer < 4; writer++) {
        Thread thread =
            new Thread(
                () -> {
                  for (int at = 0; at < 500; at++) {
                    sequences.add(store.append(event("k")));
                  }
                });
        writers.add(thread);
        thread.start();
      }
      Thread storm =
          new Thread(
              () -> {
                while (!done.get()) {
                  writers.forEach(Thread::interrupt);
                  Thread.onSpinWait();
                }
              });
      storm.start();
      for (Thread writer : writers) {
        writer.join();
      }
      done.set(true);
      storm.join();

      assertThat(sequences).hasSize(2_000);
      assertThat(store.verify().fault()).isEmpty();
      assertThat(store.verify().entries()).isEqualTo(2_000);
    }
  }

  @Test
  void a_full_disk_refuses_everything_and_then_recovers_without_a_hole() throws Exception {
    try (JournalStore store = open(Sync.PROCESS, 1 << 20)) {
      store.append(event("before"));
      disk.bytesLeft = 100;

      assertUnavailable(() -> store.append(event("torn")));
      disk.bytesLeft = Long.MAX_VALUE;
      assertUnavailable(() -> store.append(event("too soon")));
      assertThat(store.query(Query.ALL).entries()).hasSize(1);

      nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
      assertThat(store.append(event("after"))).isEqualTo(2);
      assertThat(store.query(Query.ALL).entries())
          .extracting(Entry::kind)
          .containsExactly("after", "before");
      assertThat(store.verify().fault()).isEmpty();
    }
    assertThat(Fixture.verify(folder).fault()).isEmpty();
  }

  @Test
  void a_disk_that_stays_full_is_tried_once_a_second() throws Exception {
    try (JournalStore store = open(Sync.ALWAYS, 1 << 20)) {
      disk.forceFails = true;
      assertUnavailable(() -> store.append(event("k")));
      int forces = disk.forces.get();

      for (int at = 0; at < 100; at++) {
        assertUnavailable(() -> store.append(event("k")));
      }
      assertThat(disk.forces.get()).isEqualTo(forces);
      nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
      assertUnavailable(() -> store.append(event("k")));
      assertThat(disk.forces.get()).isEqualTo(forces + 1);

      disk.forceFails = false;
      nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
      assertThat(store.append(event("k"))).isEqualTo(1);
    }
  }

  @Test
  void a_disk_that_fails_while_a_segment_begins_leaves_no_half_segment() throws Exception {
    try (JournalStore store = open(Sync.PROCESS, 1 << 10)) {
      for (long room = 0; room < 400; room += 40) {
        long last = store.append(event("fits or not"));
        disk.bytesLeft = room;
        int refused = 0;
        while (refused == 0) {
          try {
            last = store.append(event("fits or not"));
          } catch (Refused full) {
            refused++;
          }
        }
        disk.bytesLeft = Long.MAX_VALUE;
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
        assertThat(store.append(event("after"))).isEqualTo(last + 1);
        assertThat(store.verify().fault()).as("room %d", room).isEmpty();
      }
    }
    assertThat(Fixture.verify(folder).fault()).isEmpty();
    try (JournalStore again = open(Sync.PROCESS, 1 << 10)) {
      assertThat(again.verify().fault()).isEmpty();
    }
  }

  @Test
  void writers_beside_the_one_that_failed_are_refused_too_and_none_is_told_a_lie()
      throws Exception {
    ConcurrentSkipListSet<Long> acknowledged = new ConcurrentSkipListSet<>();
    AtomicLong acknowledgements = new AtomicLong();
    try (JournalStore store = open(Sync.PROCESS, 1 << 20)) {
      inParallel(
          WRITERS,
          writer -> {
            for (int at = 0; at < 100; at++) {
              if (writer == 0 && at % 20 == 10) {
                disk.bytesLeft = 300;
              }
              try {
                acknowledged.add(store.append(event("k")));
                acknowledgements.incrementAndGet();
              } catch (Refused full) {
                disk.bytesLeft = Long.MAX_VALUE;
                nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
              }
            }
          });

      assertThat((long) acknowledged.size()).isEqualTo(acknowledgements.get());
      assertThat(store.verify().entries()).isEqualTo(acknowledgements.get());
      assertThat(acknowledged.last()).isEqualTo(acknowledgements.get());
      assertThat(store.verify().fault()).isEmpty();
    }
  }

  @Test
  void a_refused_intent_is_not_taken_for_an_open_call() throws Exception {
    try (JournalStore store = open(Sync.PROCESS, 1 << 20)) {
      disk.bytesLeft = 0;
      assertUnavailable(() -> store.append(Draft.asked(Fixture.syscall("tool.invoke", Map.of()))));
      disk.bytesLeft = Long.MAX_VALUE;
      nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
      store.append(event("k"));
    }
    try (JournalStore again = open(Sync.PROCESS, 1 << 20)) {
      assertThat(again.query(Query.ALL).entries()).extracting(Entry::kind).containsExactly("k");
    }
  }

  @Test
  void a_checkpoint_is_made_after_so_many_records() throws Exception {
    Settings settings =
        new Settings(Sync.PROCESS, 1 << 20, Duration.ofDays(1), 8L << 30, Duration.ofDays(1), 10);
    try (JournalStore store = Fixture.open(folder, settings, disk)) {
      for (int at = 0; at < 35; at++) {
        store.append(event("k"));
      }
      assertThat(store.verify().checkpoints()).isEqualTo(3);
    }
    assertThat(Fixture.verify(folder).checkpoints()).isEqualTo(4);
  }

  private JournalStore open(Sync sync, long segmentBytesMax) throws IOException {
    return JournalStore.open(
        folder,
        settings(sync, segmentBytesMax),
        new JournalStore.Surroundings(
            new FakeClock(), nanos::get, disk, new FakeMeters(), Runnable::run));
  }

  private static void assertUnavailable(Callable<?> call) {
    assertThatThrownBy(call::call)
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> assertThat(refused.problem().code()).isEqualTo(Code.JOURNAL_UNAVAILABLE));
  }

  @FunctionalInterface
  private interface Writing {
    void run(int writer) throws Exception;
  }

  private static void inParallel(int count, Writing writing) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(count);
    try {
      List<Callable<Object>> tasks = new ArrayList<>();
      for (int at = 0; at < count; at++) {
        int writer = at;
        tasks.add(
            () -> {
              writing.run(writer);
              return true;
            });
      }
      for (Future<Object> done : threads.invokeAll(tasks)) {
        done.get();
      }
    } finally {
      threads.shutdown();
    }
  }
}
