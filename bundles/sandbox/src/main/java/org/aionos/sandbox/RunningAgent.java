package org.aionos.sandbox;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.AgentLauncher;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An agent in its cage. Its first program is the relay: {@code src/main/c/relay.c}. */
final class RunningAgent implements AgentLauncher.Running {

  private static final Logger log = LoggerFactory.getLogger(RunningAgent.class);

  /** What the relay writes before the agent runs. */
  private static final int READY = 6;

  /** What it takes for: ask the agent to end. */
  private static final int TERMINATE = 'T';

  /** Bubblewrap, its first process inside, and the relay. */
  private static final int PROCESSES_OF_OURS = 3;

  /** Linux freezes within milliseconds; a process that waits for a disk may hold it up. */
  private static final Duration FREEZE_MAX = Duration.ofSeconds(1);

  /** When all processes are gone, there is only what they wrote before. */
  private static final Duration READ_MAX = Duration.ofSeconds(2);

  /** Long enough for what a launcher says of a failure. */
  private static final int REASON_LENGTH_MAX = 300;

  private final String id;
  private final LaunchedCage cage;
  private final ScheduledExecutorService clock;
  private final Tail stdout;
  private final Tail stderr;
  private final CompletableFuture<Boolean> ready = new CompletableFuture<>();
  private final Future<?> readingOut;
  private final Future<?> readingErr;

  /** Whether it is to be killed, or is gone. Nothing is frozen any more then. Guarded by this. */
  private boolean ending;

  private volatile AgentLauncher.Usage last = AgentLauncher.Usage.NOTHING;

  /**
   * @param threads of which it takes two as long as it runs, and one more at its end
   * @param clock on which it is killed when nobody's patience is left
   */
  RunningAgent(
      String id,
      LaunchedCage cage,
      int outputBytesMax,
      ExecutorService threads,
      ScheduledExecutorService clock) {
    this.id = id;
    this.cage = cage;
    this.clock = clock;
    this.stdout = new Tail(outputBytesMax);
    this.stderr = new Tail(outputBytesMax);
    this.readingOut = threads.submit(this::readOut);
    this.readingErr = threads.submit(() -> drain(cage.err(), stderr));
  }

  // --- how it begins and ends -----------------------------------------------------------------

  /**
   * Waits until the walls stand and the agent is about to run.
   *
   * @throws Refused if it does not come to that; nothing of it is left then
   */
  void awaitReady(Duration max) {
    boolean begun = false;
    try {
      begun = ready.get(max.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException slow) {
      throw unlaunched("it was not ready within " + max.toMillis() + " ms");
    } catch (ExecutionException broken) {
      throw new IllegalStateException(broken);
    } catch (InterruptedException now) {
      Thread.currentThread().interrupt();
      throw unlaunched("the kernel is stopping");
    }
    if (!begun) {
      throw unlaunched("");
    }
  }

  private Refused unlaunched(String why) {
    kill();
    Cage.Ending end = gone();
    String said = Printable.of(stderr.text().strip());
    String reason =
        said.isEmpty()
            ? "exit " + end.exit()
            : said.substring(0, Math.min(said.length(), REASON_LENGTH_MAX));
    return new Refused(
        Code.TIER_UNAVAILABLE,
        "an agent cannot be started: "
            + (why.isEmpty() ? reason : why)
            + "; ./aion doctor says what this host lacks");
  }

  /** Tells once when nothing is left of it. */
  void whenGone(Consumer<AgentLauncher.Exit> told, ExecutorService threads) {
    cage.onExit()
        .thenRunAsync(
            () -> {
              Cage.Ending end = gone();
              told.accept(new AgentLauncher.Exit(end.exit(), end.outOfMemory(), last, output()));
            },
            threads)
        .exceptionally(
            bug -> {
              log.error("the end of an agent was not told: run={}", id, bug);
              return null;
            });
  }

  /** Takes down what is left, and reads what it wrote last. */
  private Cage.Ending gone() {
    synchronized (this) {
      ending = true;
    }
    // Of a group that is gone nothing is known.
    last = usage();
    Cage.Ending end = cage.end(Duration.ZERO);
    await(readingOut);
    await(readingErr);
    return end;
  }

  private void await(Future<?> reading) {
    try {
      reading.get(READ_MAX.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException stuck) {
      log.warn("the output of an agent was not read to its end: run={}", id, stuck);
      reading.cancel(true);
    } catch (InterruptedException now) {
      Thread.currentThread().interrupt();
    }
  }

  // --- what it writes -------------------------------------------------------------------------

  private void readOut() {
    try {
      ready.complete(cage.out().read() == READY);
    } catch (IOException closed) {
      ready.complete(false);
    }
    drain(cage.out(), stdout);
  }

  /** Always reads on, so that an agent that writes much does not wait for anybody. */
  private void drain(InputStream from, Tail to) {
    byte[] buffer = new byte[16 << 10];
    try (from) {
      for (int read = from.read(buffer); read >= 0; read = from.read(buffer)) {
        to.write(buffer, read);
      }
    } catch (IOException closed) {
      log.trace("output of an agent was closed: run={}", id, closed);
    }
  }

  @Override
  public AgentLauncher.Output output() {
    return new AgentLauncher.Output(
        stdout.text(), stderr.text(), stdout.written(), stderr.written());
  }

  @Override
  public AgentLauncher.Usage usage() {
    AgentLauncher.Usage all = cage.usage();
    return new AgentLauncher.Usage(
        Math.max(all.cpuMicros(), last.cpuMicros()),
        all.memoryBytes(),
        Math.max(0, all.processes() - PROCESSES_OF_OURS));
  }

  // --- what is done with it -------------------------------------------------------------------

  @Override
  public void freeze() {
    try {
      synchronized (this) {
        if (ending) {
          return;
        }
        cage.freeze();
      }
      if (!Patience.await(FREEZE_MAX, () -> cage.isFrozen() || isEnding())) {
        thaw();
        throw new Refused(
            Code.TIER_UNAVAILABLE,
            "the agent did not freeze within " + FREEZE_MAX.toMillis() + " ms");
      }
    } catch (IOException cannot) {
      if (cage.isAlive()) {
        throw new Refused(Code.TIER_UNAVAILABLE, String.valueOf(cannot.getMessage()));
      }
    }
  }

  private synchronized boolean isEnding() {
    return ending || !cage.isAlive();
  }

  @Override
  public synchronized void thaw() {
    cage.thaw();
  }

  @Override
  public synchronized void kill() {
    ending = true;
    cage.kill();
  }

  @Override
  public void stop(Duration patience) {
    thaw();
    try {
      cage.in().write(TERMINATE);
      cage.in().flush();
    } catch (IOException gone) {
      log.trace("an agent that was asked to end had ended: run={}", id, gone);
    }
    clock.schedule(this::kill, patience.toMillis(), TimeUnit.MILLISECONDS);
  }
}
