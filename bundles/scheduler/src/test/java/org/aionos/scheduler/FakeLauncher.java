package org.aionos.scheduler;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.AgentDoors;
import org.aionos.kernel.task.AgentLauncher;
import org.jspecify.annotations.Nullable;

/** Agents that end when the test says so, or when they are killed. */
final class FakeLauncher implements AgentLauncher, AutoCloseable {

  /** All that were ever started, the latest last. */
  final List<FakeAgent> agents = new CopyOnWriteArrayList<>();

  volatile @Nullable Refused refusal;
  volatile boolean unfreezable;
  private final ExecutorService exits =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "exits");
            thread.setDaemon(true);
            return thread;
          });

  @Override
  public Running launch(Launch launch, Entrance entrance, Consumer<Exit> ended) {
    Refused no = refusal;
    if (no != null) {
      throw no;
    }
    FakeAgent agent = new FakeAgent(launch, ended);
    entrance.open(Path.of("/door/" + launch.id()));
    agents.add(agent);
    return agent;
  }

  FakeAgent last() {
    return agents.get(agents.size() - 1);
  }

  long alive() {
    return agents.stream().filter(agent -> !agent.gone).count();
  }

  @Override
  public void close() {
    exits.shutdownNow();
  }

  final class FakeAgent implements Running {
    final Launch launch;
    private final Consumer<Exit> ended;
    volatile boolean frozen;
    volatile boolean stopped;
    volatile boolean gone;
    volatile long cpuMicros;
    volatile long memoryBytes;
    volatile String stderr = "";

    FakeAgent(Launch launch, Consumer<Exit> ended) {
      this.launch = launch;
      this.ended = ended;
    }

    void exit(@Nullable Integer status) {
      synchronized (this) {
        if (gone) {
          return;
        }
        gone = true;
      }
      Exit exit =
          new Exit(
              status,
              false,
              new Usage(cpuMicros, 0, 0),
              new Output("", stderr, 0, stderr.length()));
      exits.execute(() -> ended.accept(exit));
    }

    @Override
    public void freeze() {
      if (unfreezable) {
        throw new Refused(Code.TIER_UNAVAILABLE, "this host cannot freeze");
      }
      frozen = true;
    }

    @Override
    public void thaw() {
      frozen = false;
    }

    @Override
    public void stop(Duration patience) {
      frozen = false;
      stopped = true;
    }

    @Override
    public void kill() {
      exit(137);
    }

    @Override
    public Usage usage() {
      return new Usage(cpuMicros, memoryBytes, gone ? 0 : 1);
    }

    @Override
    public Output output() {
      return Output.NOTHING;
    }
  }

  /** A gateway. */
  static final class FakeDoors implements AgentDoors {
    final List<String> open = new CopyOnWriteArrayList<>();

    @Override
    public Door open(AgentId agent, String task, Path folder) {
      open.add(task);
      return () -> open.remove(task);
    }
  }
}
