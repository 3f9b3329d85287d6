package org.aionos.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import org.aionos.kernel.Meters;

/** Opens real journals outside of a framework. */
public final class Journals {

  private Journals() {}

  /** A journal with the defaults of {@code kernel.yaml}: it survives a kill, not a power loss. */
  public static JournalComponent open(Path folder, Meters meters) throws IOException {
    Settings settings =
        new Settings(
            Sync.PROCESS, 64L << 20, Duration.ofDays(365), 8L << 30, Duration.ofMinutes(1), 10_000);
    return new JournalComponent(
        folder, settings, InstantSource.system(), System::nanoTime, new LocalDisk(), meters);
  }

  public static void close(JournalComponent journal) throws InterruptedException {
    journal.close();
  }
}
