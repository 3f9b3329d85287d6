package org.aionos.sandbox;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.aionos.kernel.task.AgentLauncher;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running launcher, and the group it is in. */
final class LaunchedCage implements Cage {

  private static final Logger log = LoggerFactory.getLogger(LaunchedCage.class);

  private static final Duration KILLED_MAX = Duration.ofSeconds(5);
  private static final int EXIT_KILLED = 137;

  private final Process process;
  private final ControlGroup group;
  private final Runnable left;

  /** Guarded by this. */
  private @Nullable Ending ending;

  /**
   * @param left takes away what the launcher leaves
   */
  LaunchedCage(Process process, ControlGroup group, Runnable left) {
    this.process = process;
    this.group = group;
    this.left = left;
  }

  @Override
  public OutputStream in() {
    return process.getOutputStream();
  }

  @Override
  public InputStream out() {
    return process.getInputStream();
  }

  @Override
  public InputStream err() {
    return process.getErrorStream();
  }

  @Override
  public int processes() {
    return group.processes().size();
  }

  @Override
  public @Nullable Path unified() {
    return group.unified();
  }

  /** Completed when the launcher has ended, and with it all that it started. */
  CompletableFuture<Process> onExit() {
    return process.onExit();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /**
   * Begins to freeze it.
   *
   * @throws IOException if this host cannot
   */
  void freeze() throws IOException {
    group.freeze();
  }

  boolean isFrozen() {
    return group.isFrozen();
  }

  void thaw() {
    group.thaw();
  }

  AgentLauncher.Usage usage() {
    return group.usage();
  }

  @Override
  public boolean outOfMemory() {
    return group.outOfMemory();
  }

  @Override
  public void kill() {
    group.kill();
    // Where there is no group, those inside die with this one.
    process.destroyForcibly();
  }

  @Override
  public synchronized Ending end(Duration patience) {
    if (ending != null) {
      return ending;
    }
    boolean outOfMemory = false;
    if (!Patience.await(patience, () -> !process.isAlive())) {
      outOfMemory = group.outOfMemory();
      kill();
    }
    boolean dead = Patience.await(KILLED_MAX, () -> !process.isAlive());
    outOfMemory |= group.outOfMemory();
    group.remove();
    left.run();
    if (!dead) {
      log.error("a tool cannot be ended: pid={}", process.pid());
    }
    close(process.getOutputStream());
    ending = new Ending(dead ? process.exitValue() : EXIT_KILLED, outOfMemory);
    return ending;
  }

  /** The two others end by themselves, for nobody holds their far end any more. */
  private static void close(OutputStream pipe) {
    try {
      pipe.close();
    } catch (IOException broken) {
      log.trace("a pipe to a dead tool was not empty", broken);
    }
  }
}
