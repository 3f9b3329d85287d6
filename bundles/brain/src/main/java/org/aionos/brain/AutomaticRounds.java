package org.aionos.brain;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.aionos.kernel.policy.Brain;
import org.aionos.kernel.policy.PolicyVersions;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Lets the rounds go by the clock, if {@code brain.automatic} says so. */
@Component(service = AutomaticRounds.class, immediate = true, configurationPid = "org.aionos.brain")
public final class AutomaticRounds {

  private static final Logger log = LoggerFactory.getLogger(AutomaticRounds.class);

  private final @Nullable ScheduledExecutorService executor;

  @Activate
  public AutomaticRounds(
      BundleContext context,
      BrainConfig config,
      @Reference(name = "brain") Brain brain,
      @Reference(name = "versions") PolicyVersions versions) {
    if (config.automatic().equals("off")) {
      executor = null;
      return;
    }
    Rounds rounds =
        new Rounds(
            brain,
            versions,
            config.automatic().equals("canary"),
            config.canaryPercent(),
            state(context).resolve("tried.json"),
            InstantSource.system());
    executor =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "aion-brain-rounds");
              thread.setDaemon(true);
              return thread;
            });
    executor.scheduleWithFixedDelay(
        () -> round(rounds), config.intervalSeconds(), config.intervalSeconds(), TimeUnit.SECONDS);
  }

  private static Path state(BundleContext context) {
    try {
      return Files.createDirectories(
          Path.of(String.valueOf(context.getProperty("aion.state")), "brain"));
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
  }

  private static void round(Rounds rounds) {
    try {
      log.info("brain round: {}", rounds.round());
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException fault) {
      // The next round may find the neighbour back.
      log.warn("brain round failed", fault);
    }
  }

  @Deactivate
  void close() {
    if (executor != null) {
      executor.shutdownNow();
    }
  }
}
