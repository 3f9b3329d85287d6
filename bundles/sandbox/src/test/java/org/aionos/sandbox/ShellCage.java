package org.aionos.sandbox;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A cage without walls, around a few lines of shell. */
final class ShellCage implements Cage {

  /** What every well-behaved script begins with. */
  static final String READY = "echo '{\"ready\":true}'\n";

  private final Process process;
  volatile int processes = 1;
  volatile boolean outOfMemory;
  volatile boolean ended;

  ShellCage(String script) {
    try {
      process = new ProcessBuilder("/bin/sh", "-c", script).start();
    } catch (IOException noShell) {
      throw new UncheckedIOException(noShell);
    }
  }

  boolean isSleeping() {
    return process.info().command().orElse("").endsWith("/sleep");
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
    return processes;
  }

  @Override
  public boolean outOfMemory() {
    return outOfMemory;
  }

  @Override
  public void kill() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  @Override
  public Ending end(Duration patience) {
    try {
      if (!process.waitFor(patience.toNanos(), TimeUnit.NANOSECONDS)) {
        kill();
        process.waitFor();
      }
    } catch (InterruptedException interrupted) {
      kill();
      Thread.currentThread().interrupt();
      return new Ending(137, outOfMemory);
    } finally {
      ended = true;
    }
    return new Ending(process.exitValue(), outOfMemory);
  }
}
