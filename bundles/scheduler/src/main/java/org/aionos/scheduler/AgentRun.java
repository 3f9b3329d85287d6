package org.aionos.scheduler;

import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.AgentDoors;
import org.aionos.kernel.task.AgentDoors.Door;
import org.aionos.kernel.task.AgentLauncher;
import org.aionos.kernel.task.AgentLauncher.Exit;
import org.aionos.kernel.task.AgentLauncher.Launch;
import org.aionos.kernel.task.AgentLauncher.Running;
import org.aionos.kernel.task.AgentLauncher.Usage;
import org.jspecify.annotations.Nullable;

/**
 * An agent as a process: its door to the kernel, its cage, and how it ended. The door is opened
 * anew when the gateway is replaced; the process notices no more than a broken connection.
 */
final class AgentRun implements Run {

  private static final int SAID_LENGTH_MAX = 500;

  private final String task;
  private final Launch launch;
  private final AgentLauncher launcher;
  private final Supplier<@Nullable AgentDoors> gateway;
  private final Duration patience;
  private final Consumer<End> ended;

  /** Guarded by this, as all that follows. */
  private @Nullable Running running;

  private @Nullable Path doorFolder;
  private @Nullable Door door;
  private boolean over;
  private boolean frozen;
  private @Nullable Problem failure;
  private @Nullable String evicted;
  private Map<String, @Nullable Object> result = Map.of();
  private Usage lastUsage = Usage.NOTHING;
  private double cores;

  AgentRun(
      String task,
      Launch launch,
      AgentLauncher launcher,
      Supplier<@Nullable AgentDoors> gateway,
      Duration patience,
      Consumer<End> ended) {
    this.task = task;
    this.launch = launch;
    this.launcher = launcher;
    this.gateway = gateway;
    this.patience = patience;
    this.ended = ended;
  }

  /**
   * @throws Refused if it could not be started; then it never says how it ended
   */
  @Override
  public void begin() {
    End unwantedEnd = unwanted();
    if (unwantedEnd != null) {
      ended.accept(unwantedEnd);
      return;
    }
    Running started;
    try {
      started = launcher.launch(launch, this::open, this::exited);
    } catch (RuntimeException notStarted) {
      close(ended());
      throw notStarted;
    }
    boolean unwanted;
    synchronized (this) {
      running = started;
      unwanted = failure != null || evicted != null;
    }
    if (unwanted) {
      started.kill();
    }
  }

  /** How it ends if it is not wanted any more before it has begun; null if it is. */
  private synchronized @Nullable End unwanted() {
    if (failure == null && evicted == null) {
      return null;
    }
    over = true;
    return failure == null
        ? new End.Gone(String.valueOf(evicted))
        : new End.Ended(Outcome.failed(failure), Map.of(), 0);
  }

  private void open(Path folder) {
    synchronized (this) {
      doorFolder = folder;
    }
    // Only now: it may have been replaced while we got ready, and nobody would open it again.
    AgentDoors doors = gateway.get();
    if (doors == null) {
      throw new Refused(Code.RESTARTING, "the gateway is being replaced; retry");
    }
    openThrough(doors);
  }

  /** Opens the way to the kernel through the gateway that is there now; its former one is gone. */
  void openThrough(AgentDoors doors) {
    Path folder;
    synchronized (this) {
      folder = over ? null : doorFolder;
    }
    if (folder == null) {
      return;
    }
    Door opened = doors.open(launch.agent(), task, folder);
    Door unwanted;
    synchronized (this) {
      unwanted = over ? opened : door;
      door = over ? null : opened;
    }
    close(unwanted);
  }

  /** Waits for the requests inside, so never with the lock held: they may want it. */
  private static void close(@Nullable Door door) {
    if (door != null) {
      door.close();
    }
  }

  /** From here on it is over; the door that is left to be closed. */
  private synchronized @Nullable Door ended() {
    over = true;
    Door left = door;
    door = null;
    return left;
  }

  /** What the agent says that came of it. */
  synchronized void complete(Map<String, @Nullable Object> said) {
    result = said;
  }

  @Override
  public boolean isPreemptible() {
    return true;
  }

  @Override
  public void freeze() {
    Running now = running();
    if (now == null && !isOver()) {
      throw new Refused(Code.RESTARTING, "it is being started");
    }
    if (now != null) {
      now.freeze();
      synchronized (this) {
        frozen = true;
      }
    }
  }

  @Override
  public void thaw() {
    Running now = running();
    if (now != null) {
      now.thaw();
      synchronized (this) {
        frozen = false;
      }
    }
  }

  private synchronized boolean isOver() {
    return over;
  }

  private synchronized @Nullable Running running() {
    return over ? null : running;
  }

  @Override
  public void fail(Problem why) {
    Running now;
    synchronized (this) {
      failure = failure == null ? why : failure;
      now = over ? null : running;
    }
    if (now != null) {
      if (why.code() == Code.CANCELLED) {
        now.stop(patience);
      } else {
        now.kill();
      }
    }
  }

  @Override
  public void evict(String why) {
    Running now;
    synchronized (this) {
      evicted = evicted == null ? why : evicted;
      now = over ? null : running;
    }
    if (now != null) {
      now.kill();
    }
  }

  private void exited(Exit exit) {
    close(ended());
    End end;
    synchronized (this) {
      end = end(exit);
    }
    ended.accept(end);
  }

  private End end(Exit exit) {
    if (failure != null) {
      return ended(exit, Outcome.failed(failure));
    }
    Integer status = exit.status();
    if (evicted != null && (status == null || status != 0)) {
      return new End.Gone(evicted);
    }
    if (status == null) {
      return new End.Gone("the sandbox was replaced");
    }
    if (status == 0) {
      return ended(exit, Outcome.Ok.ofKernel("agent", result));
    }
    String how =
        exit.outOfMemory()
            ? "ran out of memory (" + launch.resources().memoryBytesMax() + " bytes)"
            : status > 128 ? "ended by signal " + (status - 128) : "ended with status " + status;
    return ended(
        exit,
        Outcome.failed(
            Problem.of(Code.AGENT_CRASHED, "the agent " + how + lastLine(exit.output().stderr()))));
  }

  private static String lastLine(String stderr) {
    String[] lines = stderr.strip().split("\n");
    String last = lines[lines.length - 1].strip();
    return last.isEmpty() ? "" : ": " + last.substring(0, Math.min(last.length(), SAID_LENGTH_MAX));
  }

  private static End ended(Exit exit, Outcome outcome) {
    Map<String, @Nullable Object> more = new LinkedHashMap<>();
    more.put("exit_status", exit.status());
    more.put("out_of_memory", exit.outOfMemory());
    more.put("stdout", exit.output().stdout());
    more.put("stderr", exit.output().stderr());
    more.put("stdout_bytes", exit.output().stdoutBytes());
    more.put("stderr_bytes", exit.output().stderrBytes());
    return new End.Ended(outcome, more, exit.usage().cpuMicros() / 1_000);
  }

  /** What its processes use; asked for now and then by whoever looks after tasks. */
  void measure(long sinceMillis) {
    Running now = running();
    if (now == null) {
      return;
    }
    Usage usage = now.usage();
    synchronized (this) {
      long used = usage.cpuMicros() - lastUsage.cpuMicros();
      cores = sinceMillis <= 0 ? 0 : Math.max(0, used / 1_000.0 / sinceMillis);
      lastUsage = usage;
    }
  }

  synchronized Usage usage() {
    return lastUsage;
  }

  /** Processors in use, between the last two looks. */
  synchronized double cores() {
    return cores;
  }

  synchronized boolean isFrozen() {
    return frozen;
  }
}
