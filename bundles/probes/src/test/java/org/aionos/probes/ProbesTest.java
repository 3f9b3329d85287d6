package org.aionos.probes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleSupplier;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.ToolGroups.Group;
import org.aionos.kernel.ToolProbes.Reading;
import org.aionos.kernel.ToolProbes.State;
import org.aionos.kernel.ToolProbes.Status;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class ProbesTest {

  private final AtomicLong nanos = new AtomicLong();
  private final FakeCounters counters = new FakeCounters();
  private final Map<String, Long> metrics = new TreeMap<>();
  private final List<String> records = new ArrayList<>();
  private final List<Group> groups = new ArrayList<>();

  private Probes probes(String... names) {
    Probes probes =
        new Probes(
            List.of(names),
            new Tally.Usual(1_000, 10),
            counters,
            new FakeMeters(),
            new FakeJournal(),
            nanos::get);
    probes.groups = () -> List.copyOf(groups);
    return probes;
  }

  private void later(Duration time) {
    nanos.addAndGet(time.toNanos());
  }

  private static Counts counts(long calls, long denied, long readBytes, long slow) {
    List<Long> buckets = new ArrayList<>(Collections.nCopies(Counts.BUCKETS, 0L));
    buckets.set(3, calls - slow);
    buckets.set(20, slow);
    return new Counts(calls, denied, readBytes, 0, calls, calls * 5_000, slow, buckets);
  }

  @Test
  void loads_nothing_while_none_of_the_named_tools_runs() {
    Probes probes = probes("python_run", "acme.*");
    assertThat(probes.status()).isEqualTo(new Status(State.WAITING, ""));

    groups.add(new Group("table_stats", Path.of("/a")));
    probes.look();
    assertThat(counters.loads).isZero();

    groups.add(new Group("acme.search", Path.of("/b")));
    probes.look();
    assertThat(counters.folders).containsOnlyKeys(Path.of("/b"));
    assertThat(probes.status().state()).isEqualTo(State.WATCHING);
  }

  @Test
  void adds_up_the_groups_of_a_tool_also_of_those_that_have_gone() {
    Probes probes = probes("t");
    groups.add(new Group("t", Path.of("/a")));
    groups.add(new Group("t", Path.of("/b")));
    probes.look();
    counters.count(Path.of("/a"), counts(100, 1, 50, 0));
    counters.count(Path.of("/b"), counts(10, 0, 5, 0));
    probes.look();
    groups.remove(0);
    probes.look();
    counters.count(Path.of("/b"), counts(25, 0, 9, 0));
    probes.look();

    assertThat(probes.readings()).containsExactly(new Reading("t", 125, 1, 59, 0, 0, 8));
    assertThat(metrics)
        .containsEntry("aion_tool_system_calls_total t", 125L)
        .containsEntry("aion_tool_denied_system_calls_total t", 1L)
        .containsEntry("aion_tool_file_read_bytes_total t", 59L)
        .containsEntry("aion_tool_timed_system_call_us_total t", 625L);
    assertThat(counters.folders).containsOnlyKeys(Path.of("/b"));
  }

  @Test
  void says_what_is_unusual_in_a_second_and_puts_it_on_record_once_a_minute() {
    Probes probes = probes("t");
    groups.add(new Group("t", Path.of("/a")));
    probes.look();
    probes.look();
    for (int second = 1; second <= 3; second++) {
      later(Duration.ofSeconds(1));
      counters.count(Path.of("/a"), counts(100 * second, 50 * second, 9_000 * second, second));
      probes.look();
    }

    assertThat(metrics)
        .containsEntry("aion_tool_anomalies_total t latency", 3L)
        .containsEntry("aion_tool_anomalies_total t io", 3L)
        .containsEntry("aion_tool_anomalies_total t denied", 3L);
    assertThat(records)
        .containsExactly(
            "tool.anomaly {kind=latency, tool=t, what=1 slow system calls; 99 % take less than 8 microseconds}",
            "tool.anomaly {kind=io, tool=t, what=9000 bytes of files a second}",
            "tool.anomaly {kind=denied, tool=t, what=50 denied system calls a second}");
    later(Duration.ofSeconds(60));
    counters.count(Path.of("/a"), counts(1_000, 150, 27_000, 900));
    probes.look();
    assertThat(records).hasSize(4);
  }

  @Test
  void what_is_usual_is_no_anomaly() {
    Probes probes = probes("t");
    groups.add(new Group("t", Path.of("/a")));
    probes.look();
    probes.look();
    later(Duration.ofSeconds(10));
    counters.count(Path.of("/a"), counts(100_000, 100, 10_000, 0));
    probes.look();

    assertThat(records).isEmpty();
  }

  @Test
  void says_why_it_is_unavailable_and_asks_again_after_a_minute() {
    Probes probes = probes("t");
    groups.add(new Group("t", Path.of("/a")));
    counters.refusal = "this host does not load the probes: Operation not permitted";

    probes.look();
    probes.look();
    assertThat(counters.loads).isEqualTo(1);
    assertThat(probes.status()).isEqualTo(new Status(State.UNAVAILABLE, counters.refusal));

    counters.refusal = null;
    later(Duration.ofSeconds(61));
    probes.look();
    assertThat(probes.status()).isEqualTo(new Status(State.WATCHING, ""));
  }

  @Test
  void a_program_that_ends_is_started_again_and_nothing_is_counted_twice() {
    Probes probes = probes("t");
    groups.add(new Group("t", Path.of("/a")));
    probes.look();
    counters.count(Path.of("/a"), counts(100, 0, 0, 0));
    probes.look();

    counters.broken = true;
    probes.look();
    assertThat(probes.status().state()).isEqualTo(State.UNAVAILABLE);
    counters.broken = false;
    later(Duration.ofSeconds(61));
    probes.look();
    counters.count(Path.of("/a"), counts(7, 0, 0, 0));
    probes.look();

    assertThat(probes.readings().get(0).calls()).isEqualTo(107);
  }

  @Test
  void unloads_once_nothing_has_run_for_a_while() {
    Probes probes = probes("t");
    groups.add(new Group("t", Path.of("/a")));
    probes.look();
    groups.clear();
    later(Duration.ofSeconds(29));
    probes.look();
    assertThat(counters.closed).isFalse();
    later(Duration.ofSeconds(2));
    probes.look();

    assertThat(counters.closed).isTrue();
    assertThat(probes.status()).isEqualTo(new Status(State.WAITING, ""));
  }

  @Test
  void a_group_that_has_gone_before_it_was_watched_is_passed_over() {
    Probes probes = probes("t");
    groups.add(new Group("t", FakeCounters.GONE));
    groups.add(new Group("t", Path.of("/a")));
    probes.look();
    counters.count(Path.of("/a"), counts(5, 0, 0, 0));
    probes.look();

    assertThat(probes.readings().get(0).calls()).isEqualTo(5);
  }

  /** Counts what the test tells it. */
  private static final class FakeCounters implements Counters, Counters.Loader {

    static final Path GONE = Path.of("/gone");

    final Map<Path, Long> folders = new HashMap<>();
    private final Map<Long, Counts> counted = new HashMap<>();
    @Nullable String refusal;
    boolean broken;
    boolean closed;
    int loads;

    void count(Path folder, Counts counts) {
      counted.put(folders.get(folder), counts);
    }

    @Override
    public Counters load() throws IOException {
      loads++;
      if (refusal != null) {
        throw new IOException(refusal);
      }
      closed = false;
      return this;
    }

    @Override
    public boolean watch(long key, Path folder) {
      if (folder.equals(GONE)) {
        return false;
      }
      folders.put(folder, key);
      counted.put(key, Counts.NONE);
      return true;
    }

    @Override
    public void unwatch(long key) {
      folders.values().remove(key);
      counted.remove(key);
    }

    @Override
    public Map<Long, Counts> read() throws IOException {
      if (broken) {
        throw new IOException("the program of the probes has ended");
      }
      return Map.copyOf(counted);
    }

    @Override
    public void close() {
      closed = true;
      folders.clear();
      counted.clear();
    }
  }

  private final class FakeJournal implements Journal {

    @Override
    public Asked asked(Syscall syscall) {
      throw new AssertionError("no syscall here");
    }

    @Override
    public void ended(Asked asked, @Nullable Decision by, Outcome outcome, Duration took) {
      throw new AssertionError("no syscall here");
    }

    @Override
    public String record(Event event) {
      records.add(event.kind() + " " + new TreeMap<>(event.facts()));
      return "ev-1";
    }
  }

  private final class FakeMeters implements Meters {

    @Override
    public Counter counter(String name, String help, String... labelNames) {
      return (amount, labels) ->
          metrics.merge(name + " " + String.join(" ", labels), amount, Long::sum);
    }

    @Override
    public Histogram millis(String name, String help, String... labelNames) {
      throw new AssertionError("no histogram here");
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
      throw new AssertionError("no gauge here");
    }

    @Override
    public void writeText(OutputStream out) {
      throw new AssertionError("nobody reads");
    }
  }
}
