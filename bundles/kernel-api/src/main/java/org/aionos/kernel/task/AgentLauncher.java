package org.aionos.kernel.task;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Runs agents as processes behind the walls of the process tier: no network but the way to the
 * kernel, a file system that is read-only but for {@code /tmp}, a seccomp filter, a cgroup.
 */
@ProviderType
public interface AgentLauncher {

  /** Where an agent finds its code. */
  String CODE = "/agent";

  /** The kernel, as an agent's process sees it. */
  String KERNEL_URL = "http://localhost:8010";

  /**
   * Starts an agent. Returns once its walls stand and its program is about to run.
   *
   * @param entrance called before that: what the agent sends to {@value #KERNEL_URL} arrives at the
   *     socket {@link AgentDoors#SOCKET} in the folder it is given. The folder goes with the agent
   * @param ended told once when nothing of the agent is left; on a thread of the launcher's, maybe
   *     before this returns. Not told of one that is refused
   * @throws Refused {@code TIER_UNAVAILABLE} if this host cannot isolate it or has not what it asks
   *     for, {@code NOT_FOUND} if its code is not there, {@code CONFLICT} if one of that id runs,
   *     {@code INVALID_FIELD} if the launch makes no sense, {@code KERNEL_BUSY} if too many run,
   *     {@code RESTARTING} if the launcher is going away
   */
  Running launch(Launch launch, Entrance entrance, Consumer<Exit> ended);

  /**
   * Files that an agent sees. Copied to where its user can read them, once for each digest, so that
   * what was vouched for is what runs.
   */
  interface Folder {

    /** Names the content, in lower-case hex; of the same digest it is not copied again. */
    String digest();

    /**
     * Copies everything into a folder that is empty.
     *
     * @throws IOException if it cannot be read, or has another digest by now
     */
    void copyTo(Path empty) throws IOException;
  }

  /** Opens the way to the kernel. */
  @FunctionalInterface
  interface Entrance {

    /**
     * @param folder in which the socket is to be; the launcher's own, and the agent's user can
     *     reach it
     */
    void open(Path folder);
  }

  /** An agent that runs. Safe for use by many threads; every method may be called at any time. */
  interface Running {

    /**
     * Stops all its processes where they are; they use no processor until they are thawed. Returns
     * once they stand still.
     *
     * @throws Refused {@code TIER_UNAVAILABLE} if this host cannot; the agent goes on
     */
    void freeze();

    /** Lets it go on. */
    void thaw();

    /** Asks it to end (SIGTERM); thaws it first. What is left after that long is killed. */
    void stop(Duration patience);

    /** Ends it at once, frozen or not. Returns before it is gone. */
    void kill();

    Usage usage();

    /** The last that it has written. */
    Output output();
  }

  /**
   * What to run.
   *
   * @param id names this run among all of this kernel; letters, digits, {@code - . _}
   * @param command the program and its arguments, as the agent's own file system names it
   * @param code what it sees, read-only, as {@value #CODE}
   * @param libraries what it sees too, read-only, by where it is inside: at paths of their own, as
   *     {@code /libraries/sdk}
   * @param environment besides what every program behind walls gets; nothing secret
   * @param subprocesses whether it may start other programs
   * @param outputBytesMax how much of what it writes to stdout and stderr, each, is kept: the last
   */
  record Launch(
      String id,
      AgentId agent,
      List<String> command,
      Folder code,
      Map<String, Folder> libraries,
      Map<String, String> environment,
      Resources resources,
      boolean subprocesses,
      int outputBytesMax) {

    public Launch {
      requireNonNull(id, "id");
      requireNonNull(agent, "agent");
      command = List.copyOf(command);
      libraries = Map.copyOf(libraries);
      environment = Map.copyOf(environment);
    }
  }

  /**
   * @param cpuPercent of one processor; 200 is two
   * @param gpu whether it may have the host's, and must
   */
  record Resources(int cpuPercent, long memoryBytesMax, Gpu gpu) {}

  /** Whether an agent gets a GPU. */
  enum Gpu {
    NONE,
    /** If this host gives one. */
    OPTIONAL,
    REQUIRED
  }

  /**
   * @param cpuMicros of processor time since it started
   * @param memoryBytes right now
   * @param processes of the agent's own
   */
  record Usage(long cpuMicros, long memoryBytes, int processes) {

    public static final Usage NOTHING = new Usage(0, 0, 0);
  }

  /**
   * @param stdoutBytes written in all; more than {@code stdout} holds if the beginning is gone
   */
  record Output(String stdout, String stderr, long stdoutBytes, long stderrBytes) {

    public static final Output NOTHING = new Output("", "", 0, 0);
  }

  /**
   * How an agent ended.
   *
   * @param status of its process; 128 and the signal's number if a signal ended it; null if the
   *     launcher itself went away, and the agent with it
   * @param usage the last that was known
   */
  record Exit(@Nullable Integer status, boolean outOfMemory, Usage usage, Output output) {}
}
