package org.aionos.journal;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleSupplier;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Journal.Event;
import org.aionos.kernel.JournalReader.Query;
import org.aionos.kernel.JournalReader.Verification;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Syscall;

/** What the tests of the journal have in common: a still clock, plain values, folders of bytes. */
final class Fixture {

  static final Instant START = Instant.parse("2026-01-02T03:04:05.678901Z");
  static final Settings SETTINGS = settings(Sync.PROCESS, 64 << 20);
  static final AgentId AGENT = new AgentId("tenantA", "researcher-1");
  static final Decision ALLOWED = new Decision.Allow("allow-tools", "v7", Set.of(), Map.of());

  private Fixture() {}

  /** A clock that moves when told to. */
  static final class FakeClock implements InstantSource {
    private volatile Instant now = START;

    @Override
    public Instant instant() {
      return now;
    }

    void advance(Duration step) {
      now = now.plus(step);
    }
  }

  /** Counts what is counted. */
  static final class FakeMeters implements Meters {
    final Map<String, AtomicLong> counts = new TreeMap<>();
    final Map<String, DoubleSupplier> gauges = new TreeMap<>();

    @Override
    public Counter counter(String name, String help, String... labelNames) {
      AtomicLong count = counts.computeIfAbsent(name, absent -> new AtomicLong());
      return (amount, labels) -> count.addAndGet(amount);
    }

    @Override
    public Histogram millis(String name, String help, String... labelNames) {
      AtomicLong count = counts.computeIfAbsent(name, absent -> new AtomicLong());
      return (value, labels) -> count.incrementAndGet();
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
      gauges.put(name, value);
      return () -> gauges.remove(name);
    }

    @Override
    public void writeText(OutputStream out) {
      throw new UnsupportedOperationException();
    }
  }

  static Settings settings(Sync sync, long segmentBytesMax) {
    return new Settings(
        sync, segmentBytesMax, Duration.ofDays(365), 8L << 30, Duration.ofDays(1), 10_000);
  }

  static JournalStore open(Path folder) throws IOException {
    return open(folder, SETTINGS, new FakeDisk());
  }

  static JournalStore open(Path folder, Settings settings, Disk disk) throws IOException {
    return open(folder, settings, disk, new FakeClock());
  }

  static JournalStore open(Path folder, Settings settings, Disk disk, InstantSource clock)
      throws IOException {
    return JournalStore.open(
        folder,
        settings,
        new JournalStore.Surroundings(
            clock, System::nanoTime, disk, new FakeMeters(), Runnable::run));
  }

  static Syscall syscall(String name, Map<String, Object> params) {
    return syscall(AGENT, name, params);
  }

  static Syscall syscall(AgentId agent, String name, Map<String, Object> params) {
    return new Syscall(
        name,
        agent,
        Caller.agentKey("k-1", agent),
        new Syscall.Context("t-123", "trace-9", "idem-4"),
        Set.of("network"),
        params,
        Syscall.Budget.NONE,
        "ab".repeat(32));
  }

  static Outcome ok() {
    return new Outcome.Ok(
        Map.of("items", "secret result"),
        new Outcome.Spent(new BigDecimal("0.002"), 12, 34),
        new Outcome.Engine("module", "tooling/web_search@1.2.0"));
  }

  static Outcome failed(Code code, String message) {
    return Outcome.failed(Problem.of(code, message));
  }

  static Draft event(String kind) {
    return Draft.event(new Event("kernel.test", kind, null, Map.of("text", "some fact")));
  }

  static Query query(int limit) {
    return new Query(null, null, null, null, null, null, null, null, limit);
  }

  static Verification verify(Path folder) {
    try {
      return ChainCheck.offline(folder, ChainCheck.keysIn(folder), 0);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** All files of a folder but the lock, by name. */
  static Map<String, byte[]> bytesOf(Path folder) throws IOException {
    Map<String, byte[]> bytes = new TreeMap<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        if (!file.endsWith("journal.lock")) {
          bytes.put(file.getFileName().toString(), Files.readAllBytes(file));
        }
      }
    }
    return bytes;
  }

  /** A folder with these files: what a crash, or somebody with access, would leave. */
  static Path folderOf(Path folder, Map<String, byte[]> bytes) throws IOException {
    Files.createDirectories(folder);
    try (DirectoryStream<Path> old = Files.newDirectoryStream(folder)) {
      for (Path file : old) {
        Files.delete(file);
      }
    }
    for (Map.Entry<String, byte[]> file : bytes.entrySet()) {
      Files.write(folder.resolve(file.getKey()), file.getValue());
    }
    return folder;
  }

  /** A copy of a journal as it would be found if its kernel were killed now. */
  static Path crashed(Path folder, Path copy) throws IOException {
    return folderOf(copy, bytesOf(folder));
  }

  static <K, V> Map<K, V> with(Map<K, V> map, K key, V value) {
    Map<K, V> changed = new LinkedHashMap<>(map);
    changed.put(key, value);
    return changed;
  }

  static <K, V> Map<K, V> without(Map<K, V> map, K key) {
    Map<K, V> changed = new LinkedHashMap<>(map);
    changed.remove(key);
    return changed;
  }
}
