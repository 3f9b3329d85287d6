package org.aionos.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Journal;
import org.aionos.kernel.JournalReader;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Syscall;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;

/**
 * The journal of this kernel, in a folder of its own. One thread looks after checkpoints and
 * retention; records are written by the threads that bring them.
 */
@Component(
    service = {Journal.class, JournalReader.class},
    configurationPid = "org.aionos.journal",
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    // Else it would be closed and opened again each time its last user is swapped.
    immediate = true)
@Designate(ocd = JournalConfig.class)
public final class JournalComponent implements Journal, JournalReader {

  /** A checkpoint and a pruning that have begun; more than a slow disk takes. */
  private static final Duration DRAIN_MAX = Duration.ofSeconds(10);

  private final ScheduledThreadPoolExecutor housekeeping;
  private final JournalStore store;

  @Activate
  public JournalComponent(
      BundleContext bundle, JournalConfig config, @Reference(name = "meters") Meters meters)
      throws IOException {
    this(
        folder(bundle, config.dir()),
        Settings.of(config),
        InstantSource.system(),
        System::nanoTime,
        new LocalDisk(),
        meters);
  }

  JournalComponent(
      Path folder,
      Settings settings,
      InstantSource clock,
      LongSupplier ticker,
      Disk disk,
      Meters meters)
      throws IOException {
    this.housekeeping = housekeeping();
    this.store =
        JournalStore.open(
            folder,
            settings,
            new JournalStore.Surroundings(clock, ticker, disk, meters, housekeeping));
    long seconds = settings.checkpointMax().toSeconds();
    var unused =
        housekeeping.scheduleWithFixedDelay(store::keepHouse, seconds, seconds, TimeUnit.SECONDS);
  }

  @Deactivate
  void close() throws InterruptedException {
    housekeeping.shutdown();
    try {
      housekeeping.awaitTermination(DRAIN_MAX.toMillis(), TimeUnit.MILLISECONDS);
    } finally {
      store.close();
    }
  }

  @Override
  public Asked asked(Syscall syscall) {
    long sequence = store.append(Draft.asked(syscall));
    return new Asked(AuditId.ofCall(sequence), sequence, syscall);
  }

  @Override
  public void ended(Asked asked, @Nullable Decision by, Outcome outcome, Duration took) {
    store.appendOutcome(asked.sequence(), Draft.ended(asked, by, outcome, took));
  }

  @Override
  public String record(Event event) {
    return AuditId.ofEvent(store.append(Draft.event(event)));
  }

  @Override
  public Page query(Query query) {
    return store.query(query);
  }

  @Override
  public Optional<CallRecord> find(String auditId) {
    return store.find(auditId);
  }

  @Override
  public Tail tail(Query filter) {
    return store.tail(filter);
  }

  @Override
  public Verification verify() {
    return store.verify();
  }

  private static Path folder(BundleContext bundle, String configured) {
    if (!configured.isEmpty()) {
      return Path.of(configured);
    }
    String state = bundle.getProperty("aion.state");
    if (state != null) {
      return Path.of(state, "journal");
    }
    String data = bundle.getProperty("karaf.data");
    if (data == null) {
      throw new IllegalStateException(
          "org.aionos.journal: set dir, or aion.state or karaf.data for the framework");
    }
    return Path.of(data, "state", "journal");
  }

  private static ScheduledThreadPoolExecutor housekeeping() {
    ScheduledThreadPoolExecutor executor =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "aion-journal");
              thread.setDaemon(true);
              return thread;
            },
            // A checkpoint asked for while the journal closes is the one that it makes then.
            new ThreadPoolExecutor.DiscardPolicy());
    executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    return executor;
  }
}
